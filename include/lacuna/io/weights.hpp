/// The weights of a checkpoint as Hugging Face and PyTorch write them: a folder (or one file) whose tensors are found by
/// name, whichever file holds them.
///
///     const io::Weights weights("wavlm-large", {"wavlm."});
///     const StoredArray table = weights.matrix("encoder.layers.0.attention.rel_attn_embed.weight", 320, 16);
///
/// A folder has model.safetensors; or model.safetensors.index.json and the shards it names; or pytorch_model.bin, or
/// the shards of pytorch_model.bin.index.json. Tensors of safetensors stay in the mapped file; those of PyTorch's files
/// are read when they are asked for, in their own width. A name is tried as it is, then behind each prefix: files of a
/// model with a head have one. Errors are IoError: file, tensor, found, expected.
#pragma once

#include "lacuna/core/function.hpp"
#include "lacuna/core/stored.hpp"
#include "lacuna/io/json_file.hpp"
#include "lacuna/io/pytorch.hpp"
#include "lacuna/io/safetensors.hpp"

namespace lacuna::io {

class Weights {
 public:
  explicit Weights(const std::string& path, std::vector<std::string> prefixes = {})
      : path_(path), prefixes_(std::move(prefixes)) {
    is_folder(path) ? find() : open(path);
  }

  /// Weights that are made when they are asked for: make(name, shape), for the names that `has` accepts.
  Weights(std::string name, Function<bool(std::string_view)> has,
          Function<StoredArray(const std::string&, const Shape&)> make)
      : path_(std::move(name)), has_(std::move(has)), make_(std::move(make)) {}

  const std::string& path() const { return path_; }
  bool contains(std::string_view name) const { return has_ ? has_(name) : !full_name(name).empty(); }
  /// Bytes of all tensors in the files.
  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const auto& [name, file] : files_)
      if (file.tensors) sum += file.tensors->bytes(name).size();
    return sum;
  }

  /// A tensor where it lies. Throws IoError when it is missing or no floating numbers.
  StoredArray at(std::string_view name) const {
    const std::string full = full_name(name);
    if (full.empty()) missing(name);
    const File& file = files_.find(full)->second;
    StoredArray array;
    if (file.tensors) {
      array.where = detail::cat(file.tensors->path(), ": tensor '", full, "'");
      array.type = type_of(file.tensors->dtype(full), array.where);
      array.shape = file.tensors->shape(full);
      array.bytes = file.tensors->bytes(full).data();
      array.owner = file.tensors;
    } else {
      const Value value = file.torch->tensor(full);
      const auto numbers = std::make_shared<const NpyArray>(value.array());
      array.where = detail::cat(value.where());
      array.type = type_of(*numbers);
      array.shape = numbers->shape();
      array.bytes = numbers->bytes().data();
      array.owner = numbers;
    }
    return array;
  }
  /// The same of a given shape; throws IoError for another.
  StoredArray at(std::string_view name, const Shape& expected) const {
    if (make_ && contains(name)) return make_(std::string(name), expected);
    StoredArray array = at(name);
    if (!(array.shape == expected))
      throw IoError(detail::cat(array.where, " has shape ", array.shape, ", expected ", expected,
                                " by config.json; the weights belong to another model"));
    return array;
  }
  StoredArray matrix(std::string_view name, index_t rows, index_t columns) const {
    return at(name, Shape{rows, columns});
  }

 private:
  /// One of the two.
  struct File {
    std::shared_ptr<const Safetensors> tensors;
    std::shared_ptr<const PytorchFile> torch;
  };

  static bool exists(const std::string& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0;
  }
  static bool is_folder(const std::string& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0)
      throw IoError(detail::cat(path, ": cannot be opened: ", std::strerror(errno),
                                "; expected the folder of a model (config.json and its weights)"));
    return S_ISDIR(facts.st_mode);
  }
  void find() {
    for (const char* file : {"/model.safetensors", "/pytorch_model.bin", "/model.pt"}) {
      if (exists(path_ + file)) return open(path_ + file);
      if (exists(path_ + file + ".index.json")) return open_shards(path_ + file + ".index.json");
    }
    throw IoError(path_ +
                  ": has no weights: expected model.safetensors, pytorch_model.bin, or the index of their shards "
                  "(model.safetensors.index.json); copy them from where config.json came from");
  }
  void open(const std::string& file) {
    if (file.ends_with(".safetensors")) {
      const auto tensors = std::make_shared<const Safetensors>(file);
      for (const std::string& name : tensors->names()) files_.emplace(name, File{tensors, {}});
    } else {
      const auto torch = std::make_shared<const PytorchFile>(file);
      for (const std::string& name : torch->names()) files_.emplace(name, File{{}, torch});
    }
  }
  void open_shards(const std::string& index) {
    const Json json = load_json(index);
    const auto map = json.find("weight_map");
    if (map == json.end() || !map->is_object())
      throw IoError(index + ": has no object 'weight_map', expected tensor names and their files");
    const std::string folder = index.substr(0, index.rfind('/') + 1);
    std::map<std::string, std::size_t> shards;
    for (const auto& [name, file] : map->items()) {
      const std::string shard = file.is_string() ? file.get<std::string>() : std::string();
      if (shard.empty() || shard.find('/') != std::string::npos)
        throw IoError(detail::cat(index, ": the file of tensor '", detail::printable(name), "' is ",
                                  detail::printable(file.dump()), ", expected the name of a file beside it"));
      if (shards.emplace(shard, 0).second) {
        if (!exists(folder + shard)) throw IoError(index + ": names the file '" + shard + "', which is not there");
        open(folder + shard);
      }
    }
    for (const auto& [name, file] : map->items())
      if (!files_.contains(name))
        throw IoError(detail::cat(index, ": tensor '", detail::printable(name), "' is not in ", file.get<std::string>(),
                                  "; index and shards belong to different models"));
  }
  std::string full_name(std::string_view name) const {
    if (files_.contains(name)) return std::string(name);
    for (const std::string& prefix : prefixes_)
      if (std::string full = prefix + std::string(name); files_.contains(full)) return full;
    return {};
  }
  [[noreturn]] void missing(std::string_view name) const {
    std::string text = detail::cat(path_, ": tensor '", name, "' is missing; there are ", files_.size());
    std::size_t shown = 0;
    for (const auto& [known, file] : files_) {
      if (shown == 3) break;
      text += detail::cat(shown++ ? ", " : ": ", detail::printable(known));
    }
    throw IoError(text + (files_.size() > 3 ? ", ..." : "") +
                  "; the weights belong to another model, or names changed");
  }
  static StoredType type_of(std::string_view name, const std::string& where) {
    for (const StoredType type : {StoredType::f64, StoredType::f32, StoredType::f16, StoredType::bf16})
      if (name == name_of(type)) return type;
    throw IoError(detail::cat(where, " has type ", name, ", expected F32, BF16, F16 or F64"));
  }
  static StoredType type_of(const NpyArray& array) {
    if (array.kind() == NpyKind::brain) return StoredType::bf16;
    if (array.kind() == NpyKind::real && array.item_size() == 2) return StoredType::f16;
    if (array.kind() == NpyKind::real) return array.item_size() == 8 ? StoredType::f64 : StoredType::f32;
    throw IoError(detail::cat(array.where(), " has type ", array.dtype(), ", expected floating numbers"));
  }

  std::string path_;
  std::vector<std::string> prefixes_;
  std::map<std::string, File, std::less<>> files_;
  Function<bool(std::string_view)> has_;
  Function<StoredArray(const std::string&, const Shape&)> make_;
};

}  // namespace lacuna::io
