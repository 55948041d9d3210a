/// Reading safetensors, the exchange format of Hugging Face: a header in JSON that names every tensor, then their
/// bytes.
///
///     const io::Safetensors file("model.safetensors");
///     const Tensor<float, 2> weight = file.tensor<float, 2>("encoder.weight");
///
/// The file is mapped: opening it reads the header alone, and `bytes` gives the numbers where they lie (perhaps at an
/// odd address: copy, do not cast). Types: BOOL, U8 to U64, I8 to I64, F16, BF16, F32, F64, C64; of 8-bit floats the
/// raw bytes. Refused are names that come twice, tensors that overlap or leave gaps, bytes that belong to none, and
/// sizes that disagree with shapes. Errors are IoError: file, tensor, found, expected. Source:
/// github.com/huggingface/safetensors.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include <map>

#include "lacuna/io/file_kind.hpp"
#include "lacuna/io/json_header.hpp"
#include "lacuna/io/npy.hpp"

namespace lacuna::detail {

struct SafetensorsType {
  std::string_view name;
  io::NpyKind kind;
  std::size_t size;
  bool numbers = true;  ///< can become an NpyArray
};

/// In the order in which the reference writes tensors: by type, then by name.
inline constexpr SafetensorsType safetensors_types[] = {
    {"U64", io::NpyKind::natural, 8},
    {"I64", io::NpyKind::integer, 8},
    {"F64", io::NpyKind::real, 8},
    {"C64", io::NpyKind::complex, 8},
    {"F32", io::NpyKind::real, 4},
    {"U32", io::NpyKind::natural, 4},
    {"I32", io::NpyKind::integer, 4},
    {"BF16", io::NpyKind::brain, 2},
    {"F16", io::NpyKind::real, 2},
    {"U16", io::NpyKind::natural, 2},
    {"I16", io::NpyKind::integer, 2},
    {"F8_E8M0", io::NpyKind::real, 1, false},
    {"F8_E4M3", io::NpyKind::real, 1, false},
    {"F8_E5M2", io::NpyKind::real, 1, false},
    {"I8", io::NpyKind::integer, 1},
    {"U8", io::NpyKind::natural, 1},
    {"BOOL", io::NpyKind::boolean, 1},
};

/// nullptr for an unknown name.
inline const SafetensorsType* find_safetensors_type(std::string_view name) {
  for (const SafetensorsType& type : safetensors_types)
    if (type.name == name) return &type;
  return nullptr;
}

}  // namespace lacuna::detail

namespace lacuna::io {

class Safetensors {
 public:
  /// The reference refuses longer headers too.
  static constexpr std::uint64_t longest_header = 100'000'000;

  explicit Safetensors(const std::string& path) : Safetensors(std::make_shared<MappedFile>(path)) {}
  explicit Safetensors(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {
    const auto bytes = file_->bytes();
    // The length of a header may look like the start of any other file; the '{' behind it does not.
    if (bytes.size() < 9 || bytes[8] != '{') detail::refuse_strangers(*file_, "a safetensors file");
    if (bytes.size() < 8) fail("has ", bytes.size(), " bytes, too few for a safetensors file; it is truncated");
    const auto length = detail::load_little<std::uint64_t>(bytes.data());
    if (length > longest_header || length > bytes.size() - 8 || length < 2)
      fail("claims a header of ", length, " bytes, expected 2 to ",
           std::min<std::uint64_t>(longest_header, bytes.size() - 8), "; it is truncated, or no safetensors file");
    start_ = 8 + std::size_t(length);
    parse({reinterpret_cast<const char*>(bytes.data()) + 8, std::size_t(length)});
    check_places();
  }

  const std::string& path() const { return file_->name(); }
  /// In the order in which the tensors lie in the file.
  const std::vector<std::string>& names() const { return names_; }
  bool contains(std::string_view name) const { return entries_.contains(name); }
  /// Texts that the writer put beside the tensors.
  const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }

  /// "F32", "BF16", ...
  std::string_view dtype(std::string_view name) const { return entry(name).type->name; }
  const Shape& shape(std::string_view name) const { return entry(name).shape; }
  /// The bytes of a tensor in C order, little endian, valid while this object lives.
  std::span<const std::uint8_t> bytes(std::string_view name) const {
    const Entry& found = entry(name);
    return file_->bytes().subspan(start_ + std::size_t(found.begin), std::size_t(found.end - found.begin));
  }
  /// Type and shape, as an array has them.
  NpyHeader header(std::string_view name) const {
    const Entry& found = entry(name);
    if (!found.type->numbers)
      throw IoError(detail::cat(where(name), " has type ", found.type->name, ", which is not read as numbers"));
    NpyHeader header;
    header.dtype = found.type->name;
    header.kind = found.type->kind;
    header.item_size = found.type->size;
    header.shape = found.shape;
    header.payload = bytes(name).size();
    return header;
  }
  NpyArray array(std::string_view name) const { return copied(name, header(name), bytes(name)); }
  /// The entries begin..end along the first axis.
  NpyArray rows(std::string_view name, index_t begin, index_t end) const {
    NpyHeader part = header(name);
    index_t lengths[Shape::max_rank] = {};
    for (int axis = 0; axis < part.shape.rank(); ++axis) lengths[axis] = part.shape[axis];
    if (part.shape.rank() == 0 || begin < 0 || begin > end || end > lengths[0])
      throw IoError(
          detail::cat(where(name), " has shape ", part.shape, ", rows ", begin, " to ", end, " are asked for"));
    const std::size_t row = lengths[0] > 0 ? part.payload / std::size_t(lengths[0]) : 0;
    lengths[0] = end - begin;
    part.shape = Shape(lengths, part.shape.rank());
    part.payload = row * std::size_t(end - begin);
    return copied(name, part, bytes(name).subspan(row * std::size_t(begin), part.payload));
  }
  template <NpyScalar T, int R>
  Tensor<T, R> tensor(std::string_view name) const {
    return array(name).template tensor<T, R>();
  }

 private:
  NpyArray copied(std::string_view name, NpyHeader header, std::span<const std::uint8_t> raw) const {
    std::vector<std::uint8_t> copy(raw.begin(), raw.end());
    if constexpr (std::endian::native == std::endian::big)
      detail::reverse_items(copy, header.kind == NpyKind::complex ? header.item_size / 2 : header.item_size);
    return NpyArray(where(name), std::move(header), std::move(copy));
  }
  struct Entry {
    const detail::SafetensorsType* type = nullptr;
    Shape shape;
    index_t begin = 0, end = 0;  ///< from the end of the header
  };

  template <class... Pieces>
  [[noreturn]] void fail(const Pieces&... pieces) const {
    throw IoError(detail::cat(file_->name(), ": ", pieces...));
  }
  std::string where(std::string_view name) const {
    return detail::cat(file_->name(), ": tensor '", detail::printable(name), "'");
  }
  const Entry& entry(std::string_view name) const {
    const auto found = entries_.find(name);
    if (found != entries_.end()) return found->second;
    std::string text = where(name) + " is missing; the file has";
    for (std::size_t i = 0; i < names_.size() && i < 12; ++i)
      text += detail::cat(i ? ", " : " ", detail::printable(names_[i]));
    if (names_.size() > 12) text += detail::cat(" and ", names_.size() - 12, " more");
    throw IoError(names_.empty() ? text + " none" : text);
  }

  void parse(std::string_view text) {
    detail::JsonHeader json(text, file_->name() + ": header");
    if (text[0] != '{') json.fail("does not start with '{'");
    json.expect('{');
    bool described = false;
    if (!json.accept('}')) {
      do {
        const std::string name = json.string();
        json.expect(':');
        if (name == "__metadata__") {
          if (std::exchange(described, true)) json.fail("has __metadata__ twice");
          parse_metadata(json);
        } else if (!entries_.try_emplace(name, parse_entry(json, name)).second) {
          json.fail("has tensor '", detail::printable(name), "' twice");
        }
      } while (json.accept(','));
      json.expect('}');
    }
    json.expect_end();
  }
  void parse_metadata(detail::JsonHeader& json) {
    json.expect('{');
    if (json.accept('}')) return;
    do {
      const std::string key = json.string();
      json.expect(':');
      if (!metadata_.try_emplace(key, json.string()).second)
        json.fail("has metadata '", detail::printable(key), "' twice");
    } while (json.accept(','));
    json.expect('}');
  }
  static Entry parse_entry(detail::JsonHeader& json, const std::string& name) {
    Entry made;
    bool seen[3] = {};
    json.expect('{');
    do {
      const std::string key = json.string();
      const int which = key == "dtype" ? 0 : key == "shape" ? 1 : key == "data_offsets" ? 2 : -1;
      if (which < 0 || std::exchange(seen[which], true))
        json.fail("has '", detail::printable(key), "' of tensor '", detail::printable(name),
                  "', expected dtype, shape and data_offsets once each");
      json.expect(':');
      if (which == 0) {
        const std::string type = json.string();
        made.type = detail::find_safetensors_type(type);
        if (made.type == nullptr)
          json.fail("has type ", detail::printable(type), " for tensor '", detail::printable(name),
                    "', which is not read");
      } else if (which == 1) {
        made.shape = parse_shape(json);
      } else {
        json.expect('[');
        made.begin = json.natural("an offset");
        json.expect(',');
        made.end = json.natural("an offset");
        json.expect(']');
      }
    } while (json.accept(','));
    json.expect('}');
    if (!seen[0] || !seen[1] || !seen[2])
      json.fail("has no dtype, shape or data_offsets for tensor '", detail::printable(name), "'");
    return made;
  }
  static Shape parse_shape(detail::JsonHeader& json) {
    index_t lengths[Shape::max_rank] = {}, size = 1;
    int rank = 0;
    json.expect('[');
    if (json.accept(']')) return Shape(lengths, 0);
    do {
      if (rank == Shape::max_rank) json.fail("has a tensor of more than ", Shape::max_rank, " axes, which is not read");
      const index_t length = json.natural("an axis length");
      if (length > 0 && size > std::numeric_limits<index_t>::max() / length)
        json.fail("has a shape that overflows 64 bits");
      if (length > 0) size *= length;
      lengths[rank++] = length;
    } while (json.accept(','));
    json.expect(']');
    return Shape(lengths, rank);
  }

  /// The tensors, put one after the other, must be the data: no gap, no overlap, nothing behind.
  void check_places() {
    std::vector<const std::pair<const std::string, Entry>*> order;
    for (const auto& named : entries_) order.push_back(&named);
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
      return std::pair(a->second.begin, a->second.end) < std::pair(b->second.begin, b->second.end);
    });
    index_t next = 0;
    const auto size = index_t(file_->bytes().size() - start_);
    for (const auto* named : order) {
      const auto& [name, place] = *named;
      if (place.begin != next || place.end < place.begin || place.end > size)
        throw IoError(detail::cat(where(name), " lies at bytes ", place.begin, " to ", place.end, " of ", size,
                                  ", expected to start at ", next,
                                  "; tensors overlap or leave a gap, or the file is truncated"));
      const index_t count = place.end - place.begin, elements = place.shape.size();
      if (elements == 0 ? count != 0 : count / elements != index_t(place.type->size) || count % elements != 0)
        throw IoError(detail::cat(where(name), " has ", count, " bytes, expected shape ", place.shape, " of ",
                                  place.type->size, " bytes each (", place.type->name, ")"));
      next = place.end;
      names_.push_back(name);
    }
    if (next != size) fail(size - next, " bytes follow the last tensor; the file is damaged");
  }

  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::string, std::string, std::less<>> metadata_;
  std::vector<std::string> names_;
  std::size_t start_ = 0;
};

}  // namespace lacuna::io

#include "lacuna/core/words_back.hpp"
