// Public files of the field, which are no part of the repository, against facts that NumPy and PyTorch have computed of them:
// every array by its shape and the hash of its bytes.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "lacuna/io/mat.hpp"
#include "lacuna/io/npz.hpp"
#include "lacuna/io/numpy_objects.hpp"
#include "lacuna/io/pickle.hpp"
#include "lacuna/io/pytorch.hpp"
#include "lacuna/io/safetensors.hpp"
#include "lacuna/io/sha256.hpp"
#include "support/paths.hpp"
#if __has_include(<hdf5.h>)
#include "lacuna/io/hdf5.hpp"
#endif

namespace real_files {

using namespace lacuna;
using Arrays = std::map<std::string, io::NpyArray>;

/// All arrays and tensors of a tree, by their place: "/layer1/weight".
void collect(const io::Value& value, const std::string& place, Arrays& arrays) {
  if (value.is_dict()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      if (value.key(i).is_string()) collect(value.value(i), place + "/" + value.key(i).text(), arrays);
  } else if (value.has_items()) {
    for (std::size_t i = 0; i < value.size(); ++i) collect(value[i], place + "/" + std::to_string(i), arrays);
  } else if (value.kind() == io::ValueKind::array || value.kind() == io::ValueKind::tensor) {
    arrays.emplace(place, value.array());
  }
}

/// Empty when an array is what the facts say.
std::string difference(const io::NpyArray& array, const nlohmann::json& facts) {
  Shape wanted{};
  std::vector<index_t> axes = facts.at("shape");
  wanted = Shape(axes.data(), int(axes.size()));
  if (!(array.shape() == wanted)) return lacuna::detail::cat("shape ", array.shape(), ", expected ", wanted);
  io::Sha256 sha;
  const auto add = [&](const auto& numbers) { sha.add(numbers.data(), numbers.size() * sizeof numbers[0]); };
  const auto add_as = [&]<class N>(N) {
    const std::vector<double> numbers = array.as<double>();
    add(std::vector<N>(numbers.begin(), numbers.end()));
  };
  const std::string type = facts.at("dtype");
  if (type == "<f4" && array.item_size() == 2)  // bfloat16, which NumPy has not
    add(array.as<float>());
  else if (array.item_size() == 8 && type == "<i4")  // MATLAB's numbers are doubles here, whatever the file has
    add_as(std::int32_t());
  else if (array.item_size() == 8 && type == "<u2")
    add_as(std::uint16_t());
  else if (array.item_size() == 8 && type == "|u1")
    add_as(std::uint8_t());
  else
    sha.add(array.bytes().data(), array.bytes().size());
  const std::string found = sha.digest().substr(0, 16), hash = facts.at("sha256_c_order_le");
  return found == hash ? "" : "hash " + found + ", expected " + hash;
}

/// Whether it holds arrays of text, of whose hash the facts say nothing.
bool has_arrays_of_text(const io::Value& value) {
  bool found = value.kind() == io::ValueKind::array && !value.has_items() && value.array().text();
  if (value.is_dict())
    for (std::size_t i = 0; i < value.size() && !found; ++i) found = has_arrays_of_text(value.value(i));
  else if (value.has_items())
    for (std::size_t i = 0; i < value.size() && !found; ++i) found = has_arrays_of_text(value[i]);
  return found;
}
/// Everything in a tree, one after the other, as the facts say: numbers of arrays, text, ints in digits, floats in 8 bytes.
void add_tree(io::Sha256& sha, const io::Value& value) {
  const auto add = [&](const std::string& text) { sha.add(text.data(), text.size()); };
  if (value.is_dict()) {
    for (std::size_t i = 0; i < value.size(); ++i) add_tree(sha, value.key(i)), add_tree(sha, value.value(i));
  } else if (value.kind() == io::ValueKind::set || value.kind() == io::ValueKind::frozen_set) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < value.size(); ++i)
      texts.push_back(value[i].text() + "'");  // as repr ends, by which they are sorted
    std::sort(texts.begin(), texts.end());
    for (const std::string& text : texts) add(text.substr(0, text.size() - 1));
  } else if (value.has_items()) {
    for (std::size_t i = 0; i < value.size(); ++i) add_tree(sha, value[i]);
  } else if (value.kind() == io::ValueKind::array) {
    sha.add(value.array().bytes().data(), value.array().bytes().size());
  } else if (value.kind() == io::ValueKind::integer) {
    add(value.integer_text());
  } else if (value.kind() == io::ValueKind::real || value.kind() == io::ValueKind::scalar) {
    const double number = value.real();
    sha.add(&number, sizeof number);
  } else {
    add(value.text());
  }
}

/// Python writes NaN and Infinity, which JSON has not.
nlohmann::json read_facts(const std::string& path) {
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const std::string word : {"-Infinity", "Infinity", "NaN"})
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at))
      text.replace(at, word.size(), "null");
  return nlohmann::json::parse(text);
}

Arrays read(const std::string& format, const std::string& path) {
  Arrays arrays;
  if (format == "torch" || format == "torch_legacy" || format == "torch_module") {
    collect(io::PytorchFile(path).root(), "", arrays);
  } else if (format == "safetensors") {
    const io::Safetensors file(path);
    for (const std::string& name : file.names()) arrays.emplace(name, file.array(name));
  } else if (format == "npz") {
    collect(io::load_npz_values(path), "", arrays);
  } else if (format == "mat") {
    const io::Mat file(path);
    for (const std::string& name : file.names()) {
      const io::MatValue& value = file.at(name);
      if (value.array) arrays.emplace(name, *value.array);
      for (std::size_t i = 0; i < value.cells.size(); ++i)
        if (value.cells[i].array) arrays.emplace(name + "/" + std::to_string(i), *value.cells[i].array);
    }
#if __has_include(<hdf5.h>)
  } else if (format == "h5") {
    const io::Hdf5 file(path);
    for (const std::string& name : file.children("")) arrays.emplace(name, file.get(name));
#endif
  } else {
    arrays.emplace("array", io::load_npy(path));
  }
  return arrays;
}

}  // namespace real_files

TEST_CASE("real files: arrays have the shapes and bytes that NumPy and PyTorch read" *
          doctest::skip(!lacuna::test::is_directory(lacuna::test::real_files_dir()))) {
  using namespace real_files;
  const std::string folder = test::real_files_dir() + "/";
  const auto facts = read_facts(folder + "FACTS.json");
  index_t files = 0, equal = 0, refused = 0, trees = 0;
  for (const auto& entry : facts.at("files")) {
    const std::string format = entry.at("format"), path = folder + entry.at("file").get<std::string>();
    nlohmann::json wanted = nlohmann::json::object();
    if (format.starts_with("torch"))
      wanted = entry.value("content", wanted);
    else if (format == "safetensors")
      wanted = entry.at("tensors");
    else if (format == "npz")
      wanted = entry.at("members");
    else if (format == "npy")
      wanted["array"] = entry.at("array");
    else if (format == "mat") {
      for (const auto& [name, fact] : entry.at("variables").items()) {
        wanted[name] = fact;
        for (std::size_t i = 0; i < fact.value("items", nlohmann::json::array()).size(); ++i)
          wanted[name + "/" + std::to_string(i)] = fact.at("items")[i];
      }
#if __has_include(<hdf5.h>)
    } else if (format == "h5") {
      wanted = entry.at("datasets");
#endif
    } else if (!format.starts_with("pickle")) {
      continue;
    }
    if (!std::filesystem::exists(path) || io::sha256_of_file(path) != entry.at("sha256")) continue;
    CAPTURE(path);
    ++files;
    if (entry.contains("unreadable_by_reference") || entry.contains("verdict")) {
      CHECK_THROWS_AS(read(format, path), Error);
      ++refused;
      continue;
    }
    if (format.starts_with("pickle")) {
      const io::Value tree = io::load_pickle(path);
      if (has_arrays_of_text(tree)) {
        MESSAGE("read, and not compared: ", path, " holds arrays of text, whose hash the facts do not define");
        continue;
      }
      io::Sha256 sha;
      add_tree(sha, tree);
      const std::string hash = entry.at("content_hash");
      CHECK(sha.digest().substr(0, 16) == hash);
      ++trees;
      continue;
    }
    const Arrays arrays = read(format, path);
    for (const auto& [name, fact] : wanted.items()) {
      if (!fact.is_object() || !fact.contains("sha256_c_order_le")) continue;  // a tree of objects
      CAPTURE(name);
      std::string place = name;
      if (format == "npz") place = "/" + name.substr(0, name.size() - 4);
      const auto found = arrays.find(place);
      REQUIRE(found != arrays.end());
      CHECK(difference(found->second, fact) == "");
      ++equal;
    }
  }
  MESSAGE(files, " files: ", equal, " arrays and ", trees, " trees equal, ", refused, " files refused");
  CHECK(equal > 100);
}
