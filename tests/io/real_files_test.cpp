// Public files of the field, which are no part of the repository, against facts that NumPy and PyTorch have computed of them:
// every array by its shape and the hash of its bytes.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "lacuna/io/npz.hpp"
#include "lacuna/io/numpy_objects.hpp"
#include "lacuna/io/pytorch.hpp"
#include "lacuna/io/safetensors.hpp"
#include "lacuna/io/sha256.hpp"
#include "support/paths.hpp"

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
  if (facts.at("dtype") == "<f4" && array.item_size() == 2) {  // bfloat16, which NumPy has not
    const std::vector<float> numbers = array.as<float>();
    sha.add(numbers.data(), numbers.size() * sizeof(float));
  } else {
    sha.add(array.bytes().data(), array.bytes().size());
  }
  const std::string found = sha.digest().substr(0, 16), hash = facts.at("sha256_c_order_le");
  return found == hash ? "" : "hash " + found + ", expected " + hash;
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
  index_t files = 0, equal = 0, refused = 0;
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
    else
      continue;  // pickles, HDF5 and MATLAB have tests of their own
    if (!std::filesystem::exists(path) || io::sha256_of_file(path) != entry.at("sha256")) continue;
    CAPTURE(path);
    ++files;
    if (entry.contains("unreadable_by_reference") || entry.contains("verdict")) {
      CHECK_THROWS_AS(read(format, path), Error);
      ++refused;
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
  MESSAGE(files, " files: ", equal, " arrays equal, ", refused, " files refused");
  CHECK(equal > 100);
}
