// HDF5 and computational sequences, against what is known of the files, which are no part of the repository. Left out
// where the library is not installed.
#if __has_include(<hdf5.h>)
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/numpy_files.hpp"
#include "io/temporary.hpp"
#include "lacuna/core/random.hpp"
#include "lacuna/io/csd.hpp"
#include "lacuna/io/npz.hpp"
#include "support/paths.hpp"

namespace hdf5_files {

using namespace lacuna;

nlohmann::json read_json(const std::string& path) { return nlohmann::json::parse(std::ifstream(path)); }

/// "" or what differs; half numbers come as float.
std::string difference(const io::NpyArray& found, const nlohmann::json& node, const io::Npz& numbers) {
  if (node.at("t") == "list") {
    std::vector<std::string> wanted;
    for (const auto& one : node.at("v")) wanted.push_back(one.at("v"));
    return found.strings() == wanted ? "" : "other strings";
  }
  if (node.contains("bytes_hex")) {
    const auto list = found.strings();
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto bytes = test::unhex(node.at("bytes_hex")[i].get<std::string>());
      if (list[i] != std::string(bytes.begin(), bytes.end())) return "other bytes";
    }
    return list.size() == node.at("bytes_hex").size() ? "" : "another number of strings";
  }
  const io::NpyArray wanted = numbers.get(node.at("npz").get<std::string>());
  if (!(found.shape() == wanted.shape())) return detail::cat("shape ", found.shape());
  const auto a = found.as<double>(), b = wanted.as<double>();
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i] && !(std::isnan(a[i]) && std::isnan(b[i]))) return "other numbers";
  return "";
}

TEST_CASE("hdf5: datasets of h5py" * doctest::skip(!test::have_formats())) {
  const std::string folder = test::formats_dir() + "/h5/";
  int equal = 0;
  for (const char* file : {"mfn_X_train.h5", "mfn_y_train.h5", "mfn_audio.h5", "mmin/A/comparE.h5",
                           "mmin/A/comparE_mean_std.h5", "kinds.h5"}) {
    CAPTURE(file);
    const io::Hdf5 h5(folder + file);
    const io::Npz numbers(folder + file + ".expected.npz");
    const std::function<void(const nlohmann::json&, const std::string&)> compare = [&](const nlohmann::json& node,
                                                                                       const std::string& path) {
      CAPTURE(path);
      if (node.at("t") == "dict") {
        for (const auto& pair : node.at("v"))
          compare(pair[1],
                  path.empty() ? pair[0].at("v").get<std::string>() : path + "/" + pair[0].at("v").get<std::string>());
        return;
      }
      CHECK(difference(h5.get(path), node, numbers) == "");
      ++equal;
    };
    compare(read_json(folder + file + ".expected.json").at("tree"), "");
  }
  MESSAGE(equal, " datasets equal");
  CHECK(equal > 15);
  const io::Hdf5 kinds(folder + "kinds.h5");
  CHECK(test::contains(test::message_of<IoError>([&] { kinds.get("soft"); }), "soft link"));
  CHECK(test::contains(test::message_of<IoError>([&] { kinds.get("lzf"); }), "filter 32000"));
  CHECK(test::contains(test::message_of<IoError>([&] { kinds.get("nothing"); }), "is missing; the file has"));
  const io::NpyArray some = kinds.rows("chunk_shuffle_gzip", 7, 11), all = kinds.get("chunk_shuffle_gzip");
  CHECK(some.shape() == Shape{4, 6});
  CHECK(std::equal(some.bytes().begin(), some.bytes().end(), all.bytes().begin() + 7 * 24));
}

TEST_CASE("csd: computational sequences" * doctest::skip(!test::have_formats())) {
  const std::string folder = test::formats_dir() + "/csd/";
  int later = 0;
  for (const char* file : {"words.csd", "COVAREP.csd", "FACET.csd", "labels.csd"}) {
    CAPTURE(file);
    const nlohmann::json expected = read_json(folder + file + ".expected.json");
    const io::Npz numbers(folder + file + ".expected.npz");
    const std::string message = test::message_of<IoError>([&] { io::Csd one(folder + file); });
    if (test::contains(message, "a later HDF5")) {
      MESSAGE(std::string(file), " needs a later HDF5 than the one that is installed");
      ++later;
      continue;
    }
    const io::Csd csd(folder + file);
    CHECK(csd.name() == expected.at("root_name"));
    CHECK(csd.keys() == expected.at("key_order").get<std::vector<std::string>>());
    CHECK(csd.metadata().at("creator") == expected.at("metadata").at("creator"));
    for (const auto& pair : expected.at("tree").at("v")) {
      const std::string key = pair[0].at("v");
      CAPTURE(key);
      for (const auto& part : pair[1].at("v")) {
        if (part[0].at("v") == "features") CHECK(difference(csd.features(key), part[1], numbers) == "");
        if (part[0].at("v") != "intervals") continue;
        const auto intervals = csd.intervals(key);
        const auto wanted = numbers.get(part[1].at("npz").get<std::string>()).as<double>();
        REQUIRE(wanted.size() == 2 * intervals.size());
        for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(intervals[i / 2][i % 2] == wanted[i]);
      }
    }
  }
  CHECK(later <= 1);
}

TEST_CASE("hdf5: hostile files are refused with the words asked for" * doctest::skip(!test::have_formats())) {
  const std::string folder = test::formats_dir() + "/hostile/";
  int refused = 0, read = 0;
  const nlohmann::json index = read_json(folder + "INDEX.json");
  for (const auto& entry : index.at("files")) {
    const std::string format = entry.at("format"), file = entry.at("file");
    if (format != "h5" && format != "csd") continue;
    CAPTURE(file);
    const std::string message = test::message_of<Error>([&] {
      if (format == "csd") {
        const io::Csd csd(folder + file);
        for (const std::string& key : csd.keys()) csd.features(key);
      } else {
        const io::Hdf5 h5(folder + file);
        for (const std::string& name : h5.names()) h5.get(name);
      }
    });
    if (entry.at("verdict") == "refuse") CHECK(message != "no error");
    (message == "no error" ? read : refused)++;
    if (message == "no error") continue;
    CHECK(message.find('\n') == std::string::npos);
    for (const auto& word : entry.at("must_mention")) CHECK(test::contains(message, word.get<std::string>()));
  }
  MESSAGE(refused, " refused, ", read, " read");
  CHECK(refused >= 11);
}

TEST_CASE("hdf5: what a file says of its sizes is believed as far as its own length") {
  const std::string folder = std::string(LACUNA_SOURCE_DIR) + "/tests/fuzz/corpus/hdf5/";
  const std::string path = folder + "more_than_the_file.h5";  // 5e10 numbers, "stored" in as many bytes
  const io::Hdf5 file(path);
  REQUIRE(file.names() == std::vector<std::string>{"c"});
  CHECK(test::message_of<IoError>([&] { file.get("c"); }).find("out of proportion") != std::string::npos);

  const io::Hdf5 attributes(folder + "attrs.h5");
  CHECK(attributes.attribute("y", "MATLAB_class") == "char");
  CHECK(attributes.attribute("x", "MATLAB_class") == "");  // two texts: not one that could be meant
  CHECK(attributes.attribute("x", "other") == "");
}

TEST_CASE("hdf5: files cut off and with single bits changed are read or refused" *
          doctest::skip(!test::have_formats())) {
  const test::TemporaryFolder temporary;
  const std::string path = temporary / "damaged.h5";
  index_t read = 0, refused = 0;
  Random random(23);
  const auto attempt = [&](const std::vector<std::uint8_t>& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
    try {
      const io::Hdf5 file(path);
      for (const std::string& name : file.names()) (void)file.get(name);
      ++read;
    } catch (const Error&) {
      ++refused;
    }
  };
  for (const char* name : {"h5/mfn_X_train.h5", "h5/mfn_audio.h5", "h5/mfn_y_train.h5", "csd/labels.csd"}) {
    const auto bytes = test::read_bytes(test::formats_dir() + "/" + name);
    for (std::size_t at = 0; at < bytes.size(); at += std::max<std::size_t>(1, bytes.size() / 120)) {
      attempt({bytes.begin(), bytes.begin() + std::ptrdiff_t(at)});
      auto changed = bytes;
      changed[at] ^= std::uint8_t(1u << random.below(8));
      attempt(changed);
    }
  }
  MESSAGE(read, " read, ", refused, " refused");
  CHECK(refused > 400);
}

}  // namespace hdf5_files
#endif
