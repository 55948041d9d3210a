// Data sets in the formats of the field, against what lacuna should hold of them. The files are no part of the
// repository (support/paths.hpp).
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/numpy_files.hpp"
#include "io/temporary.hpp"
#include "lacuna/data/formats/load.hpp"
#include "lacuna/io/sha256.hpp"
#include "support/paths.hpp"

namespace data_formats {

using namespace lacuna;
namespace formats = lacuna::data::formats;

nlohmann::json read_json(const std::string& path) { return nlohmann::json::parse(std::ifstream(path)); }
std::string folder() { return test::formats_dir() + "/"; }

/// "" or what of `expected` the arrays lack or have otherwise.
std::string difference(const formats::Arrays& arrays, const nlohmann::json& expected, const std::string& npz) {
  const io::Npz numbers(npz);
  for (const auto& [name, what] : expected.items()) {
    if (!arrays.contains(name)) return "there is no " + name;
    const io::NpyArray found = arrays.at(name).read();
    if (what.contains("strings")) {
      if (found.strings() != what.at("strings").get<std::vector<std::string>>()) return name + " has other strings";
      continue;
    }
    const io::NpyArray wanted = numbers.get(what.at("npz").get<std::string>());
    if (!(found.shape() == wanted.shape()))
      return detail::cat(name, " is ", found.shape(), ", expected ", wanted.shape());
    if (found.dtype() != wanted.dtype()) return name + " has dtype " + found.dtype() + ", expected " + wanted.dtype();
    if (found.bytes() == wanted.bytes()) continue;
    const auto a = found.as<double>(), b = wanted.as<double>();
    for (std::size_t i = 0; i < a.size(); ++i)  // NaN of any payload is NaN
      if (a[i] != b[i] && !(std::isnan(a[i]) && std::isnan(b[i])))
        return detail::cat(name, " element ", i, " is ", a[i], ", expected ", b[i]);
  }
  return "";
}

std::string message_of_import(const std::string& path, const formats::ImportOptions& options = {}) {
  return test::message_of<Error>([&] { formats::import(path, options); });
}

TEST_CASE("data formats: every file whose import is known gives it" * doctest::skip(!test::have_formats())) {
  int equal = 0, refused = 0;
  const nlohmann::json index = read_json(folder() + "INDEX.json");
  for (const auto& entry : index) {
    const std::string file = entry.at("file"), path = folder() + file;
    if (!std::ifstream(path + ".expected.json")) continue;
    const nlohmann::json expected = read_json(path + ".expected.json");
    if (!expected.contains("import")) continue;
    CAPTURE(file);
    std::string problem;
    const std::string message = test::message_of<Error>(
        [&] { problem = difference(formats::import(path), expected.at("import"), path + ".expected.npz"); });
    CHECK(problem == "");
    if (message == "no error") {
      ++equal;
    } else {
      ++refused;
      CHECK(entry.at("verdict") == "either");
      for (const auto& word : entry.at("must_mention")) CHECK(test::contains(message, word.get<std::string>()));
    }
  }
  MESSAGE(equal, " imports equal, ", refused, " refused as their entry allows");
  CHECK(equal == 26);
  CHECK(refused <= 1);
}

TEST_CASE("data formats: the format is known by content" * doctest::skip(!test::have_formats())) {
  const std::pair<const char*, const char*> files[] = {{"mmsa/aligned.pkl", "mmsa"},
                                                       {"mmsa/single_sample.pkl", "mmsa_single"},
                                                       {"misa/misa_mosi/dev.pkl", "misa"},
                                                       {"misa/misa_mosi", "misa"},
                                                       {"misa/mag_bert.pkl", "mag_bert"},
                                                       {"mult/mosi_data.pkl", "mult"},
                                                       {"mult/lmf_iemocap_py2.pkl", "lmf"},
                                                       {"dialogue/meld_features_raw.pkl", "dialoguernn"},
                                                       {"dialogue/gcnet_iemocap.pkl", "gcnet"},
                                                       {"dialogue/bclstm_py2.pkl", "bclstm"},
                                                       {"dialogue/meld_audio_embeddings.pkl", "meld_embeddings"},
                                                       {"dialogue/meld_bimodal.pkl", "meld_embeddings"},
                                                       {"dialogue/urfunny", "urfunny"},
                                                       {"mertools", "mertools"},
                                                       {"npz/stored.npz", "npz"}};
  for (const auto& [file, format] : files) {
    CAPTURE(file);
    CHECK(formats::recognise(folder() + file).format == format);
  }
  CHECK(
      test::contains(message_of_import(folder() + "mmsa/aligned.pkl", {.format = "nothing"}), "there is no 'nothing'"));
  CHECK(test::contains(message_of_import(folder() + "pickle/np1_proto4.pkl"), "no data set of a form that is known"));
  CHECK(test::contains(message_of_import(folder() + "pickle/html_page.pkl"), "HTML"));
}

TEST_CASE("data formats: what is wrong in a data set is named" * doctest::skip(!test::have_formats())) {
  const nlohmann::json index = read_json(folder() + "INDEX.json");
  int refused = 0;
  for (const auto& entry : index) {
    const std::string file = entry.at("file");
    if ((!file.starts_with("mmsa/") && !file.starts_with("misa/")) || entry.at("verdict") == "ok" ||
        file.ends_with(".pt"))
      continue;
    CAPTURE(file);
    const std::string message = message_of_import(folder() + file);
    if (entry.at("verdict") == "refuse") CHECK(message != "no error");
    if (message == "no error") continue;
    ++refused;
    CHECK(message.find('\n') == std::string::npos);
    if (entry.contains("must_mention"))
      for (const auto& word : entry.at("must_mention")) CHECK(test::contains(message, word.get<std::string>()));
  }
  MESSAGE(refused, " refused");
  CHECK(refused >= 4);
  // A label that is NaN: refused, or its sample is left out.
  const std::string nan = folder() + "mmsa/nan_label.pkl";
  CHECK(test::contains(message_of_import(nan), "regression_labels"));
  formats::ImportOptions drop;
  drop.unlabelled = formats::Unlabelled::drop;
  const data::Dataset set = formats::load(nan, {}, drop);
  CHECK(set.train.size() + 1 == index_t(formats::import(nan, drop).at("train_id").header.shape[0]));
}

TEST_CASE("data formats: rules are said" * doctest::skip(!test::have_formats())) {
  const auto says = [](const data::LoadNotes& notes, const std::string& words) {
    return std::any_of(notes.begin(), notes.end(),
                       [&](const data::Note& one) { return test::contains(one.text, words); });
  };
  const data::Dataset aligned = formats::load(folder() + "mmsa/aligned.pkl");
  CHECK(says(aligned.notes, "train_audio: -inf becomes 0 (1 times)"));
  CHECK(aligned.modality_names() == std::vector<std::string>{"audio", "text", "vision"});
  data::LoadOptions zero;
  zero.non_finite = data::NonFinite::zero;
  const data::Dataset unaligned = formats::load(folder() + "mmsa/unaligned.pkl", zero);
  CHECK(unaligned.train.modalities[0].present(1, 0) == 0);  // a length of 0: the modality is absent
  CHECK(says(formats::import(folder() + "mult/mosi_data.pkl").notes(), "padding in front"));
  CHECK(says(formats::import(folder() + "mult/mosi_data.pkl").notes(), "1 of 5 samples have a text of zeros"));
  CHECK(test::contains(message_of_import(folder() + "mult/lmf_iemocap_py2.pkl"), "--part"));
  CHECK(formats::import(folder() + "mult/lmf_iemocap_py2.pkl", {.part = "happy"}).contains("train_audio"));
  const data::Dataset happy = formats::load(folder() + "mult/iemocap_data.pkl", {}, {.part = "happy"});
  CHECK(happy.train.classes == std::vector<index_t>{1, 0, 1, 1, 0});
  const formats::Arrays zero_length = formats::import(folder() + "misa/zero_length.pkl");
  CHECK(zero_length.contains("test_audio_length"));
}

TEST_CASE("data formats: a folder of MERTools" * doctest::skip(!test::have_formats())) {
  // An utterance that is absent, one that is empty, litter, frames sorted as text, and labels of all kinds.
  const nlohmann::json expected = read_json(folder() + "mertools.expected.json");
  const io::Npz numbers(folder() + "mertools.expected.npz");
  const formats::Arrays arrays = formats::import(folder() + "mertools");
  int compared = 0;
  for (const std::string& name : numbers.names()) {  // feat/FEATURE/UTTERANCE
    if (!name.starts_with("feat/")) continue;
    CAPTURE(name);
    const std::size_t slash = name.find('/', 5);
    const std::string feature = name.substr(5, slash - 5), utterance = name.substr(slash + 1);
    const io::NpyArray wanted = numbers.get(name);
    for (const char* prefix : {"train_", "valid_", "test_"}) {
      const auto ids = arrays.at(std::string(prefix) + "id").read().strings();
      const auto at = std::find(ids.begin(), ids.end(), utterance);
      if (at == ids.end()) continue;
      const auto frames = arrays.at(prefix + feature).read().tensor<float, 3>();
      const index_t n = at - ids.begin();
      CHECK(arrays.at(prefix + feature + "_length").read().as<index_t>()[std::size_t(n)] == wanted.shape()[0]);
      const std::vector<float> row(frames.data() + n * frames.extent(1) * frames.extent(2),
                                   frames.data() + n * frames.extent(1) * frames.extent(2) + wanted.size());
      CHECK(row == wanted.as<float>());
      ++compared;
    }
  }
  CHECK(compared == index_t(numbers.names().size()));
  for (const char* kind : {"absent", "empty"})
    for (const auto& [feature, utterances] : expected.at(kind).items())
      for (const std::string utterance : utterances) {
        const std::string split = utterance == "samplenew_011" ? "valid_" : "train_";
        const auto ids = arrays.at(split + "id").read().strings();
        const auto n = std::find(ids.begin(), ids.end(), utterance) - ids.begin();
        CHECK(arrays.at(split + feature + "_length").read().as<index_t>()[std::size_t(n)] == 0);
      }
  CHECK(arrays.at("class_names").read().strings() == expected.at("emotion_order").get<std::vector<std::string>>());
  CHECK(arrays.at("train_class").read().as<index_t>() == std::vector<index_t>{0, 1, 2, 3, 4});
  const auto values = arrays.at("train_label").read().as<float>();
  CHECK(std::isnan(values[0]));
  CHECK(values[1] == 0.81f);
  const data::Dataset set = formats::load(folder() + "mertools", {.modalities = {"audio", "text"}},
                                          {.features = {"audio=wavlm-base-FRA", "text=bert-base-chinese-4-UTT"}});
  CHECK(set.train.size() == 5);
  CHECK(set.class_count == 6);
  CHECK(set.test.ids[0] == "clip $1");
}

TEST_CASE("data formats: pooling of MERBench" * doctest::skip(!test::have_formats())) {
  const io::Npz rule(folder() + "mertools_pool_rule.expected.npz");
  const auto x = rule.get("x").tensor<float, 2>();
  for (const index_t to : {1, 2, 3, 4, 5, 6, 7, 9}) {
    const auto wanted = rule.get("dst" + std::to_string(to)).as<double>();
    const Tensor<float, 2> pooled = formats::pool_frames(x, to);
    REQUIRE(pooled.size() == index_t(wanted.size()));
    for (index_t i = 0; i < pooled.size(); ++i)
      CHECK(double(pooled.data()[i]) == doctest::Approx(wanted[std::size_t(i)]).epsilon(1e-6));
  }
}

TEST_CASE("data formats: dialogues, their folds, features in folders, and a part held out" *
          doctest::skip(!test::have_formats())) {
  const test::TemporaryFolder temporary;
  const formats::Arrays mosi = formats::import(folder() + "dialogue/gcnet_cmumosi.pkl");
  for (const char* prefix : {"train_", "valid_", "test_"})
    for (const std::string& id : mosi.at(std::string(prefix) + "id").read().strings())
      io::save_npy(temporary / (id + ".npy"), Tensor<float, 2>::full({2, 3}, float(id.size())));
  const data::Dataset set =
      formats::load(folder() + "dialogue/gcnet_cmumosi.pkl", {}, {.features = {"audio=" + (temporary / "")}});
  CHECK(set.train.size() == 5);
  CHECK(set.train.modalities[0].frames.extent(1) == 2);
  const formats::Arrays fold = formats::import(folder() + "dialogue/gcnet_iemocap.pkl", {.fold = 1});
  CHECK(fold.at("test_id").header.shape[0] == 5);
  const data::Dataset held = formats::load(folder() + "dialogue/dialoguernn_iemocap_py2.pkl", {}, {.holdout = 0.5});
  CHECK(held.train.size() == 3);
  CHECK(held.validation.ids == std::vector<std::string>{"Ses02M_script01_1_F000", "Ses02M_script01_1_M001"});
  CHECK(held.validation.modalities[0].features() == held.train.modalities[0].features());
  for (const char* file : {"dialogue/bclstm_py2.pkl", "dialogue/meld_audio_embeddings.pkl", "dialogue/urfunny"}) {
    CAPTURE(file);
    CHECK(formats::import(folder() + file).contains("train_id"));
  }
}

TEST_CASE("data formats: tables as text" * doctest::skip(!test::have_formats())) {
  for (const char* file : {"csv/label.csv", "csv/openface.csv"}) {
    const nlohmann::json expected = read_json(folder() + file + ".expected.json").at("tree").at("v");
    const io::Csv table(folder() + file);
    REQUIRE(table.rows().size() == expected.size());
    for (std::size_t r = 0; r < expected.size(); ++r)
      for (std::size_t c = 0; c < expected[r].at("v").size(); ++c)
        CHECK(table.rows()[r][c] == expected[r].at("v")[c].at("v").get<std::string>());
  }
}

TEST_CASE("data formats: a folder of tables") {
  const test::TemporaryFolder temporary;
  std::filesystem::create_directories(temporary / "features/face/v");
  const auto write = [&](const std::string& name, const std::string& text) { std::ofstream(temporary / name) << text; };
  write("label.csv",
        "video_id,clip_id,text,label,mode\r\nv,0001,\"a, b\",1.5,train\r\nv,2,c,,train\r\nv,3,d,-1,test\r\n");
  write("features/face/v/0001.csv", "frame, success, AU01_r, AU02_r\n1, 1, 0.5, 1\n2, 0, 0, 0\n3, 1, 2, 3\n");
  write("features/face/v_2.csv", "AU01_r,AU02_r\n1,2\n");
  const data::Dataset set = formats::load(temporary / "");
  CHECK(set.train.ids == std::vector<std::string>{"v$_$0001"});  // the other one has no label
  CHECK(set.train.modalities[0].present(0, 0) == 1);
  CHECK(set.train.modalities[0].present(0, 1) == 0);  // no face
  CHECK(set.train.modalities[0].frames(0, 2, 1) == 3);
  write("features/face/v_3.csv", "AU01_r,AU02_r\n1,x\n");
  CHECK(test::contains(test::message_of<IoError>([&] { formats::load(temporary / ""); }), "expected a number"));
}

TEST_CASE("data formats: what is converted is read back, bit for bit" * doctest::skip(!test::have_formats())) {
  const test::TemporaryFolder temporary;
  const std::string path = folder() + "mmsa/sims.pkl";
  const formats::Arrays arrays = formats::import(path, {.unlabelled = formats::Unlabelled::keep});
  for (const char* name : {"a.npz", "a.safetensors"}) {
    CAPTURE(name);
    formats::save(arrays.npz(), temporary / name, [&] { return formats::provenance(path, arrays.notes()); });
  }
  const io::Npz npz(temporary / "a.npz");
  const formats::Arrays tensors = formats::import(temporary / "a.safetensors");
  CHECK(npz.names().size() == arrays.names().size() + 1);
  CHECK(npz.get("provenance").strings()[0] == "source sims.pkl");
  CHECK(npz.get("provenance").strings()[1] == "sha256 " + io::sha256_of_file(path));
  for (const std::string& name : arrays.names()) {
    CAPTURE(name);
    const io::NpyArray one = arrays.at(name).read();
    for (const io::NpyArray& back : {npz.get(name), tensors.at(name).read()}) {
      CHECK(back.bytes() == one.bytes());
      CHECK(back.dtype() == one.dtype());
      CHECK(back.shape() == one.shape());
    }
  }
}

TEST_CASE("data formats: folds by a list of ids") {
  const test::TemporaryFolder temporary;
  const std::string list = temporary / "folds.json";
  std::ofstream(list) << R"({"train": ["a"], "dev": ["b"], "test": ["c_1"]})";
  formats::Arrays arrays("set");
  arrays.strings("train_id", {"a_1", "b_1", "c_1", "d_1", "a_2"});
  arrays.features("train_x", Shape{5, 2}, [](std::span<const index_t> rows, float* to) {
    for (const index_t n : rows) *to++ = float(n), *to++ = float(n);
  });
  formats::apply_folds(arrays, list);
  CHECK(arrays.at("train_x").read().as<float>() == std::vector<float>{0, 0, 4, 4});
  CHECK(arrays.at("valid_x").read().as<float>() == std::vector<float>{1, 1});
  CHECK(arrays.at("test_id").read().strings() == std::vector<std::string>{"c_1"});
  CHECK(arrays.notes().back().text == "1 of 5 samples are in no fold and are left out");
  CHECK(
      test::contains(test::message_of<OptionError>([&] { formats::apply_folds(arrays, list); }), "splits of its own"));
}

TEST_CASE("data formats: features in a file of scratch are the same numbers" * doctest::skip(!test::have_formats())) {
  const test::TemporaryFolder temporary;
  data::LoadOptions scratch;
  scratch.scratch = temporary / "";
  scratch.non_finite = data::NonFinite::zero;
  data::LoadOptions memory = scratch;
  memory.scratch.clear();
  const std::string npz = temporary / "a.npz";
  formats::save(formats::import(folder() + "mmsa/aligned.pkl").npz(), npz, [] { return std::vector<std::string>{}; });
  for (const std::string& path : {folder() + "mmsa/unaligned.pkl", folder() + "mertools", npz}) {
    CAPTURE(path);
    const data::Dataset a = formats::load(path, memory), b = formats::load(path, scratch);
    for (std::size_t m = 0; m < a.train.modalities.size(); ++m) {
      CHECK(a.train.modalities[m].frames.to_vector() == b.train.modalities[m].frames.to_vector());
      CHECK(a.test.modalities[m].frames.to_vector() == b.test.modalities[m].frames.to_vector());
    }
  }
  scratch.scratch = temporary / "nowhere";
  CHECK(
      test::contains(test::message_of<IoError>([&] { formats::load(npz, scratch); }), "a scratch file cannot be made"));
}

TEST_CASE("sha256: the examples of the standard") {
  io::Sha256 empty;
  CHECK(empty.digest() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  io::Sha256 abc;
  abc.add("abc", 3);
  CHECK(abc.digest() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace data_formats
