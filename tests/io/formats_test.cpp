// Files that other programs wrote, of every format the readers know, with what they hold; and hostile ones, with what
// must be said. They are no part of the repository (support/paths.hpp); without them these tests are skipped, and
// named.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <set>

#include "io/allocation_meter.hpp"
#include "io/temporary.hpp"
#include "io/value_compare.hpp"
#include "lacuna/io/pytorch.hpp"
#include "lacuna/io/safetensors.hpp"
#include "lacuna/io/value_print.hpp"
#include "support/paths.hpp"

using namespace lacuna;

namespace {

nlohmann::json read_json(const std::string& path) { return nlohmann::json::parse(std::ifstream(path)); }

/// Which reader a file is for; "" for formats that none of them reads (HDF5, MATLAB, CSV, folders).
std::string reader_of(const std::string& format) {
  static const std::map<std::string, std::string> readers = {{"npy", "npy"},         {"npz", "npz"},
                                                             {"torch", "torch"},     {"torch_legacy", "torch"},
                                                             {"torch_tar", "torch"}, {"safetensors", "safetensors"}};
  if (const auto found = readers.find(format); found != readers.end()) return found->second;
  static const std::set<std::string> pickles = {
      "pickle",      "mmsa",   "mmsa_single", "misa", "mag_bert",        "mult",      "lmf",
      "dialoguernn", "bclstm", "gcnet",       "meld", "meld_embeddings", "meld_text", "urfunny"};
  return pickles.contains(format) ? "pickle" : "";
}

/// Everything a user would do with a value: print it, and ask for the numbers of every array, within a budget.
void use(const io::Value& value, int& budget) {
  if (--budget < 0) return;
  if (value.is_dict())
    for (std::size_t i = 0; i < value.size() && budget > 0; ++i) use(value.value(i), budget);
  else if (value.has_items())
    for (std::size_t i = 0; i < value.size() && budget > 0; ++i) use(value[i], budget);
  else if (value.kind() == io::ValueKind::array || value.kind() == io::ValueKind::tensor ||
           value.kind() == io::ValueKind::scalar)
    value.array();
}
void use(const io::Value& value) {
  int budget = 20000;
  use(value, budget);
  io::to_text(value);
}

/// Reads a file in memory or, without bytes, on disk.
void read_and_use(const std::string& reader, const std::string& path,
                  const std::vector<std::uint8_t>* bytes = nullptr) {
  const auto mapped = [&] {
    return bytes ? std::make_shared<io::MappedFile>(path, *bytes) : std::make_shared<io::MappedFile>(path);
  };
  const auto source = [&] { return bytes ? io::ByteSource(path, *bytes) : io::ByteSource(path); };
  if (reader == "pickle") use(io::open_pickle(mapped()).value);
  if (reader == "npy") use(io::load_npy_value(mapped()));
  if (reader == "npz") use(io::load_npz_values(source()));
  if (reader == "torch") use(io::PytorchFile(mapped()).root());
  if (reader == "safetensors") {
    const io::Safetensors file(mapped());
    for (const std::string& name : file.names()) file.bytes(name);
  }
}

std::string compare_safetensors(const std::string& path, const nlohmann::json& expected, const std::string& arrays) {
  const nlohmann::json& tree = expected.at("tree");
  static const std::map<std::string, std::string> types = {{"<f4", "F32"},
                                                           {"<i8", "I64"},
                                                           {"float64", "F64"},
                                                           {"float32", "F32"},
                                                           {"float16", "F16"},
                                                           {"bfloat16", "BF16"},
                                                           {"int64", "I64"},
                                                           {"int32", "I32"},
                                                           {"int16", "I16"},
                                                           {"int8", "I8"},
                                                           {"uint8", "U8"},
                                                           {"bool", "BOOL"},
                                                           {"uint16", "U16"},
                                                           {"uint32", "U32"},
                                                           {"uint64", "U64"},
                                                           {"complex64", "C64"},
                                                           {"float8_e4m3fn", "F8_E4M3"},
                                                           {"float8_e5m2", "F8_E5M2"}};
  const io::Safetensors file(path);
  if (file.names().size() != tree.at("v").size()) return path + " has another number of tensors";
  if (expected.contains("metadata") && !expected.at("metadata").is_null())
    for (const auto& [key, text] : expected.at("metadata").items())
      if (!file.metadata().contains(key) || file.metadata().at(key) != text) return path + " has other metadata";
  std::optional<io::Npz> numbers;
  if (!arrays.empty()) numbers.emplace(arrays);
  for (const auto& pair : tree.at("v")) {
    const std::string name = pair[0].at("v");
    const nlohmann::json& node = pair[1];
    if (file.dtype(name) != types.at(node.at("dtype"))) return name + " has type " + std::string(file.dtype(name));
    const auto shape = node.at("shape").get<std::vector<index_t>>();
    if (!(file.shape(name) == Shape(shape.data(), int(shape.size())))) return name + " has another shape";
    if (file.dtype(name).starts_with("F8")) {
      if (file.bytes(name).size() != std::size_t(file.shape(name).size())) return name + " has other bytes";
      continue;
    }
    const io::NpyArray found = file.array(name), wanted = numbers->get(node.at("npz").get<std::string>());
    const bool same =
        node.contains("npz_as") ? found.as<float>() == wanted.as<float>() : found.bytes() == wanted.bytes();
    if (!same) return name + " has other numbers";
  }
  return "";
}

/// "" or what is wrong with a file whose content is known.
std::string compare(const std::string& reader, const std::string& path, const nlohmann::json& expected) {
  nlohmann::json tree = expected.contains("tree") ? expected.at("tree") : nlohmann::json();
  std::string stem = path;
  if (expected.contains("tree_of")) {
    const std::string folder = path.substr(0, path.rfind('/') + 1), other = expected.at("tree_of");
    tree = read_json(folder + other).at("tree");
    stem = folder + other.substr(0, other.size() - std::string(".expected.json").size());
  }
  if (tree.is_null()) return "no content is known";
  const std::string npz = stem + ".expected.npz", arrays = std::ifstream(npz) ? npz : "";
  if (reader == "safetensors") return compare_safetensors(path, expected, arrays);
  const test::ValueCompare values(arrays);
  if (reader == "npy") return values.difference(io::load_npy_value(path), tree);
  if (reader == "npz") return values.difference(io::load_npz_values(path), tree);
  if (reader == "torch") return values.difference(io::PytorchFile(path).root(), tree);
  return values.difference(io::open_pickle(path).value, tree);
}

std::string lower(std::string text) {
  for (char& c : text) c = char(std::tolower(std::uint8_t(c)));
  return text;
}

/// "" or the words of `entry` that the message lacks.
std::string lacking(const std::string& message, const nlohmann::json& entry) {
  if (!entry.contains("must_mention")) return "";
  const nlohmann::json& words = entry.at("must_mention");
  for (const auto& word : words.is_array() ? words : nlohmann::json::array({words}))
    if (!test::contains(lower(message), lower(word.get<std::string>()))) return word.get<std::string>();
  return "";
}

bool one_line(const std::string& message) { return !message.empty() && message.find('\n') == std::string::npos; }

}  // namespace

TEST_CASE("formats: files of the real writers hold what they should" * doctest::skip(!test::have_formats())) {
  const std::string folder = test::formats_dir() + "/";
  int read = 0, refused = 0, elsewhere = 0;
  const nlohmann::json index = read_json(folder + "INDEX.json");
  for (const auto& entry : index) {
    const std::string file = entry.at("file"), reader = reader_of(entry.at("format"));
    std::string verdict = entry.at("verdict");
    CAPTURE(file);
    if (reader.empty()) {
      ++elsewhere;
      continue;
    }
    const nlohmann::json expected = read_json(folder + file + ".expected.json");
    // Their pickles are sound; what is wrong (a length, a count) is for those who read the data set.
    if (reader == "pickle" && entry.at("format") != "pickle" && verdict == "refuse") verdict = "ok";
    std::string problem;
    const std::string message = test::message_of<Error>([&] {
      if (verdict == "refuse")
        read_and_use(reader, folder + file);
      else if (expected.contains("tree") || expected.contains("tree_of"))
        problem = compare(reader, folder + file, expected);
      else
        read_and_use(reader, folder + file);
    });
    CHECK(problem == "");
    const bool was_read = message == "no error";
    (was_read ? read : refused)++;
    if (verdict == "ok") CHECK(message == "no error");
    if (verdict == "refuse") CHECK(!was_read);
    if (!was_read) {
      CHECK(one_line(message));
      CHECK(lacking(message, entry) == "");
    }
  }
  MESSAGE(read, " files read and equal, ", refused, " refused, ", elsewhere,
          " of HDF5 and MATLAB, which have tests of their own");
  CHECK(read + refused > 100);
}

TEST_CASE("formats: hostile files are refused in one line or read within limits" *
          doctest::skip(!test::have_formats())) {
  const std::string folder = test::formats_dir() + "/hostile/";
  int read = 0, refused = 0, elsewhere = 0;
  std::remove("/tmp/lacuna_pwned");
  const nlohmann::json index = read_json(folder + "INDEX.json");
  for (const auto& entry : index.at("files")) {
    const std::string file = entry.at("file"), reader = reader_of(entry.at("format")), verdict = entry.at("verdict");
    CAPTURE(file);
    if (reader.empty()) {
      ++elsewhere;
      continue;
    }
    const std::size_t size = test::read_bytes(folder + file).size();
    std::string message = "no error", surprise;
    const auto start = std::chrono::steady_clock::now();
    {
      const test::AllocationMeter meter((std::size_t(64) << 20) + 100 * size);
      try {
        read_and_use(reader, folder + file);
      } catch (const Error& error) {
        message = error.what();
      } catch (const std::exception& error) {
        surprise = error.what();
      }
    }
    CHECK(surprise == "");
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
    const bool was_read = message == "no error";
    (was_read ? read : refused)++;
    if (verdict == "refuse") CHECK(!was_read);
    if (was_read) continue;
    CHECK(one_line(message));
    CHECK(lacking(message, entry) == "");
  }
  CHECK(!std::ifstream("/tmp/lacuna_pwned"));
  MESSAGE(refused, " hostile files refused, ", read, " read, ", elsewhere,
          " of HDF5 and MATLAB, which have tests of their own");
  CHECK(refused > 100);
}

TEST_CASE("formats: every prefix of a file is refused" * doctest::skip(!test::have_formats())) {
  const std::string folder = test::formats_dir() + "/";
  int files = 0, prefixes = 0;
  const nlohmann::json index = read_json(folder + "INDEX.json");
  for (const auto& entry : index) {
    const std::string file = entry.at("file"), reader = reader_of(entry.at("format"));
    if (reader.empty() || entry.at("verdict") != "ok" || file == "pickle/two_objects.pkl") continue;
    const std::vector<std::uint8_t> whole = test::read_bytes(folder + file);
    if (whole.size() > 3000) continue;
    CAPTURE(file);
    int accepted = 0;
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const std::vector<std::uint8_t> prefix(whole.begin(), whole.begin() + std::ptrdiff_t(length));
      const std::string message = test::message_of<Error>([&] { read_and_use(reader, file, &prefix); });
      accepted += message == "no error";
      ++prefixes;
    }
    CHECK(accepted == 0);
    ++files;
  }
  MESSAGE(prefixes, " prefixes of ", files, " files refused");
  CHECK(files > 30);
}
