/// Writing safetensors. The same tensors give the same bytes: wide types first, then by name; data start at a multiple
/// of 8.
///
///     io::SafetensorsWriter writer;
///     writer.add("encoder.weight", weight);        // float: F32
///     writer.add_half("decoder.weight", other);    // rounded to F16; add_bfloat16: to BF16
///     writer.save("model.safetensors");
///
/// Nothing is written before `save`, which replaces the file whole. Tensors are shared, not copied, until then.
#pragma once

#include "lacuna/io/atomic_file.hpp"
#include "lacuna/io/safetensors.hpp"

namespace lacuna::io {

class SafetensorsWriter {
 public:
  template <NpyScalar T, int R>
  void add(const std::string& name, const Tensor<T, R>& tensor) {
    const char* type = std::floating_point<T>    ? sizeof(T) == 8 ? "F64" : "F32"
                       : std::signed_integral<T> ? sizeof(T) == 8   ? "I64"
                                                   : sizeof(T) == 4 ? "I32"
                                                   : sizeof(T) == 2 ? "I16"
                                                                    : "I8"
                       : sizeof(T) == 8          ? "U64"
                       : sizeof(T) == 4          ? "U32"
                       : sizeof(T) == 2          ? "U16"
                                                 : "U8";
    const auto kept = std::make_shared<const Tensor<T, R>>(tensor);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(kept->data());
    insert(name, type, tensor.shape(), kept, {bytes, std::size_t(tensor.size()) * sizeof(T)});
  }
  /// Rounded to nearest, ties to even; beyond 65504 becomes infinity.
  template <int R>
  void add_half(const std::string& name, const Tensor<float, R>& tensor) {
    add_short(name, "F16", tensor, float_to_half);
  }
  template <int R>
  void add_bfloat16(const std::string& name, const Tensor<float, R>& tensor) {
    add_short(name, "BF16", tensor, float_to_bfloat16);
  }
  /// Bytes in C order, little endian, of any type of the format. Throws IoError when size and shape disagree.
  void add_bytes(const std::string& name, const std::string& dtype, const Shape& shape,
                 std::vector<std::uint8_t> bytes) {
    const auto kept = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
    insert(name, dtype, shape, kept, *kept);
  }
  /// A text beside the tensors.
  void add_metadata(const std::string& key, std::string text) {
    if (!metadata_.try_emplace(key, std::move(text)).second)
      throw IoError(detail::cat("safetensors: metadata '", detail::printable(key), "' is added twice"));
  }

  /// Throws IoError; the old file then stays.
  void save(const std::string& path) const {
    static_assert(std::endian::native == std::endian::little, "the format is little endian");
    std::string header = "{";
    if (!metadata_.empty()) {
      header += "\"__metadata__\":{";
      bool first = true;
      for (const auto& [key, text] : metadata_)
        header += (std::exchange(first, false) ? "" : ",") + detail::json_string(key) + ":" + detail::json_string(text);
      header += "}";
    }
    std::vector<const std::pair<const std::string, Entry>*> order;
    for (const auto& named : entries_) order.push_back(&named);
    std::stable_sort(order.begin(), order.end(),
                     [](const auto* a, const auto* b) { return a->second.type < b->second.type; });
    std::size_t begin = 0;
    for (const auto* named : order) {
      const Entry& entry = named->second;
      if (header.size() > 1) header += ",";
      header += detail::cat(detail::json_string(named->first), ":{\"dtype\":\"", entry.type->name, "\",\"shape\":[");
      for (int axis = 0; axis < entry.shape.rank(); ++axis) header += detail::cat(axis ? "," : "", entry.shape[axis]);
      header += detail::cat("],\"data_offsets\":[", begin, ",", begin + entry.bytes.size(), "]}");
      begin += entry.bytes.size();
    }
    header += "}";
    header.append((8 - header.size() % 8) % 8, ' ');
    if (header.size() > Safetensors::longest_header)
      throw IoError(detail::cat(path, ": the names need a header of ", header.size(), " bytes, at most ",
                                Safetensors::longest_header, " may be written"));
    AtomicFile file(path);
    std::uint8_t length[8];
    const std::uint64_t size = header.size();
    for (std::size_t i = 0; i < 8; ++i) length[i] = std::uint8_t(size >> (8 * i));
    file.write(length, sizeof length);
    file.write(header);
    for (const auto* named : order) file.write(named->second.bytes.data(), named->second.bytes.size());
    file.commit();
  }

 private:
  struct Entry {
    const detail::SafetensorsType* type;
    Shape shape;
    std::shared_ptr<const void> owner;
    std::span<const std::uint8_t> bytes;
  };

  void insert(const std::string& name, std::string_view dtype, const Shape& shape, std::shared_ptr<const void> owner,
              std::span<const std::uint8_t> bytes) {
    const auto refuse = [&](const std::string& reason) {
      throw IoError(detail::cat("safetensors: tensor '", detail::printable(name), "' ", reason));
    };
    const detail::SafetensorsType* type = detail::find_safetensors_type(dtype);
    if (type == nullptr) refuse(detail::cat("has type ", detail::printable(dtype), ", which the format has not"));
    if (name == "__metadata__") refuse("has the name that the format keeps for texts");
    if (bytes.size() != std::size_t(shape.size()) * type->size)
      refuse(detail::cat("has ", bytes.size(), " bytes, expected shape ", shape, " of ", type->size, " bytes each"));
    if (!entries_.try_emplace(name, Entry{type, shape, std::move(owner), bytes}).second) refuse("is added twice");
  }
  template <int R, class Round>
  void add_short(const std::string& name, const char* type, const Tensor<float, R>& tensor, Round round) {
    std::vector<std::uint8_t> bytes;
    bytes.reserve(2 * std::size_t(tensor.size()));
    for (index_t i = 0; i < tensor.size(); ++i) {
      const std::uint16_t bits = round(tensor.data()[i]);
      bytes.push_back(std::uint8_t(bits & 0xFF));
      bytes.push_back(std::uint8_t(bits >> 8));
    }
    add_bytes(name, type, tensor.shape(), std::move(bytes));
  }

  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace lacuna::io
