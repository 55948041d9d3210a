// Forms of data besides those of formats_test.cpp: MMIN's folders, MATLAB 7.3 and level 4, folders of one split; and options
// that a form has no use for. The files are no part of the repository (support/paths.hpp).
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "io/temporary.hpp"
#include "lacuna/data/formats/load.hpp"
#include "lacuna/io/npy_writer.hpp"
#include "support/paths.hpp"

namespace more_formats {

using namespace lacuna;
namespace formats = lacuna::data::formats;

std::string fixture(const char* name) { return test::formats_dir() + "/" + name; }
std::string message(const std::string& path, const formats::ImportOptions& options = {}) {
  return test::message_of<Error>([&] { formats::import(path, options); });
}

#ifdef LACUNA_HDF5
TEST_CASE("mmin: utterances by name, one-hot classes, an absent utterance" * doctest::skip(!test::have_formats())) {
  const formats::Arrays arrays = formats::import(fixture("h5/mmin"));
  const io::Npz features(fixture("h5/mmin/A/comparE.h5.expected.npz")),
      labels(fixture("h5/mmin/target/1/trn_label.npy.expected.npz"));
  CHECK(arrays.at("train_id").read().strings() ==
        std::vector<std::string>{"Ses01F_impro01_F000", "Ses01F_impro01_M000", "Ses02M_x_F001"});
  CHECK(arrays.at("train_audio_length").read().as<index_t>() == std::vector<index_t>{2, 3, 4});
  const std::vector<float> audio = arrays.at("train_audio").read().as<float>();
  const std::vector<double> one_hot = labels.get("a0").as<double>();
  const std::vector<index_t> classes = arrays.at("train_class").read().as<index_t>();
  for (index_t n = 0; n < 3; ++n) {
    const std::vector<float> wanted = features.get("a" + std::to_string(n)).as<float>();
    const std::vector<float> row(audio.begin() + n * 24, audio.begin() + n * 24 + std::ptrdiff_t(wanted.size()));
    CHECK(row == wanted);
    CHECK(one_hot[std::size_t(n * 4 + classes[std::size_t(n)])] == 1);
  }
  CHECK(test::contains(message(fixture("h5/mmin"), {.fold = 3}), "--fold names one of target/"));
  CHECK(formats::import(fixture("h5/mmin"), {.features = {"audio=comparE"}, .fold = 1}).contains("train_audio"));
  CHECK(test::contains(message(fixture("h5/mmin"), {.features = {"audio=other"}}), "other.h5"));

  const test::TemporaryFolder temporary;  // a name that the file of features does not have
  std::filesystem::copy(fixture("h5/mmin"), temporary / "set", std::filesystem::copy_options::recursive);
  std::filesystem::copy(fixture("h5/mmin/target/1"), temporary / "set/target/2");
  CHECK(test::contains(message(temporary / "set"), "has 2 folds; say which with --fold"));
  std::fstream names(temporary / "set/target/2/trn_int2name.npy", std::ios::in | std::ios::out | std::ios::binary);
  names.seekp(-1, std::ios::end);
  names.put('9');
  names.close();
  const formats::Arrays absent = formats::import(temporary / "set", {.fold = 2});
  CHECK(absent.at("train_audio_length").read().as<index_t>() == std::vector<index_t>{2, 3, 0});
  std::filesystem::remove(temporary / "set/target/2/trn_label.npy");  // numbers in the place of one-hot rows
  io::save_npy(temporary / "set/target/2/trn_label.npy", Tensor<float, 1>::from({3}, {0, 1.5f, 2}));
  CHECK(test::contains(message(temporary / "set", {.fold = 2}), "row 1 is 1.5, expected a class"));
  std::filesystem::copy(temporary / "set/A/comparE.h5", temporary / "set/A/wav2vec.h5");
  CHECK(test::contains(message(temporary / "set", {.fold = 1}), "comparE.h5, wav2vec.h5; say which"));
}

TEST_CASE("multiview: MATLAB 7.3 holds what level 5 holds" * doctest::skip(!test::have_formats())) {
  const formats::Arrays old = formats::import(fixture("mat/multiview_v5.mat")),
                        later = formats::import(fixture("mat/multiview_v73.mat"));
  CHECK(later.names() == old.names());
  for (const std::string& name : old.names()) {
    CAPTURE(name);
    CHECK(later.at(name).read().shape() == old.at(name).read().shape());
  }
  const io::Npz expected(fixture("mat/multiview_v73.mat.expected.npz"));
  for (int view = 0; view < 3; ++view)
    CHECK(later.at("train_view_" + std::to_string(view + 1)).read().as<float>() ==
          expected.get("a" + std::to_string(view)).as<float>());
  std::vector<index_t> labels = expected.get("a3").as<index_t>();
  for (index_t& one : labels) --one;
  CHECK(later.at("train_class").read().as<index_t>() == labels);
}
#endif

TEST_CASE("recognised: MATLAB level 4 and a folder of one split say what they are" *
          doctest::skip(!test::have_formats())) {
  CHECK(test::contains(message(fixture("mat/v4.mat")), "MATLAB level 4"));
  CHECK(test::contains(message(fixture("misa/misa_urfunny")), "has train.pkl and no other split"));
}

TEST_CASE("options that a form of data has no use for are refused" * doctest::skip(!test::have_formats())) {
  CHECK(test::contains(message(fixture("mmsa/aligned.pkl"), {.fold = 2}), "--fold: format mmsa has no use for it"));
  CHECK(test::contains(message(fixture("mmsa/aligned.pkl"), {.part = "happy"}), "it is for mertools, mult, lmf"));
  CHECK(test::contains(message(fixture("mult/mosi_data.pkl"), {.split = "train"}), "--as-split"));
  CHECK(test::contains(message(fixture("mult/mosi_data.pkl"), {.labels = "label.npz"}), "--label-file"));
  CHECK(test::contains(message(fixture("mertools"), {.fold = 6}), "expected a session of IEMOCAP, 1 to 5"));
  const test::TemporaryFolder temporary;
  const std::string npz = temporary / "a.npz";
  formats::save(formats::import(fixture("mmsa/aligned.pkl")).npz(), npz, [] { return std::vector<std::string>{}; });
  for (const formats::ImportOptions& options :
       {formats::ImportOptions{.folds = "f.json"}, formats::ImportOptions{.fold = 1},
        formats::ImportOptions{.holdout = 0.1}, formats::ImportOptions{.features = {"audio"}}})
    CHECK(test::message_of<OptionError>([&] { formats::load(npz, {}, options); }) != "no error");
}

}  // namespace more_formats
