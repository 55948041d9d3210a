/// `Value`: one place in a file of nested data (a pickle, a PyTorch file), and what one can ask it.
///
///     const io::Value data = io::load_pickle("aligned_50.pkl");
///     const auto text = data.find("train/text").array().tensor<float, 3>();
///     for (std::size_t i = 0; i < data.find("train/id").size(); ++i) data.find("train/id")[i].text();
///
/// A value is small and keeps its file open. Asking for another kind than it is throws IoError, which names the file,
/// the path, what was found and what was expected. No value contains itself (readers refuse cycles), but one may occur
/// at many places: walk with a limit, as `to_text` (value_print.hpp) does, when the file comes from strangers.
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>

#include "lacuna/io/npy.hpp"
#include "lacuna/io/utf8.hpp"
#include "lacuna/io/value_tree.hpp"

namespace lacuna::io {

class Value {
 public:
  explicit Value(std::shared_ptr<const detail::ValueTree> tree) : tree_(std::move(tree)), index_(tree_->root) {}

  ValueKind kind() const { return node().kind; }
  bool is_none() const { return kind() == ValueKind::none; }
  bool is_dict() const { return detail::is_dict(kind()); }
  /// A str, an 8-bit str of Python 2, or bytes.
  bool is_string() const { return detail::is_string(kind()); }
  /// Has items that `[i]` gives: a list, tuple or set, or an array of objects.
  bool has_items() const {
    return detail::is_sequence(kind()) || detail::is_set(kind()) || (kind() == ValueKind::array && objects());
  }
  /// "file: at train/text", which opens every message about this value.
  std::string where() const { return path_.empty() ? tree_->name : detail::cat(tree_->name, ": at ", path_); }

  bool boolean() const {
    expect(ValueKind::boolean, "a bool");
    return node().integer != 0;
  }
  /// Of an int or a NumPy integer. Throws IoError beyond 64 bits; `integer_text` gives those.
  std::int64_t integer() const {
    if (kind() == ValueKind::scalar) return array().scalar<std::int64_t>();
    expect(ValueKind::integer, "an int");
    if (node().flag == 1) fail("is ", tree_->bytes(node()), ", expected an int of 64 bits");
    return node().integer;
  }
  /// Decimal digits of an int of any size.
  std::string integer_text() const {
    expect(ValueKind::integer, "an int");
    return node().flag == 1 ? std::string(tree_->bytes(node())) : std::to_string(node().integer);
  }
  /// Of a float, an int that a double holds exactly, or a NumPy number.
  double real() const {
    if (kind() == ValueKind::real) return node().real;
    if (kind() == ValueKind::scalar) return array().scalar<double>();
    const std::int64_t number = integer();
    if (number > (std::int64_t(1) << 53) || number < -(std::int64_t(1) << 53))
      fail("is ", number, ", which double cannot hold");
    return double(number);
  }
  /// A string as UTF-8. A str of Python 2 that is no UTF-8 is read as Latin-1, as the loaders of the field do.
  std::string text() const {
    if (kind() == ValueKind::scalar) {
      const NpyArray one = array();
      if (one.text()) return one.strings()[0];
    }
    if (kind() != ValueKind::text && kind() != ValueKind::text8) fail_kind("a string");
    const std::string_view bytes = tree_->bytes(node());
    if (kind() == ValueKind::text || detail::utf8_length(bytes) == bytes.size()) return std::string(bytes);
    std::string utf8;
    for (const char c : bytes) detail::append_utf8(utf8, std::uint8_t(c));
    return utf8;
  }
  /// The bytes of a string, bytes or bytearray as they are in the file. Valid while a value of this file lives.
  std::string_view bytes() const {
    if (!is_string() && kind() != ValueKind::byte_array) fail_kind("bytes or a string");
    return tree_->bytes(node());
  }
  /// Name of a dtype: of a `type`, or of the elements of an array, scalar or tensor.
  const std::string& dtype() const { return type().name; }
  /// Of an array, scalar or tensor.
  Shape shape() const {
    if (kind() == ValueKind::array) return tree_->arrays[node().detail].shape;
    if (kind() == ValueKind::tensor) return tree_->tensors[node().detail].shape;
    if (kind() != ValueKind::scalar) fail_kind("an array");
    return Shape{};
  }

  /// Items of a list, tuple, set or array of objects; pairs of a dict; elements of an array or tensor.
  std::size_t size() const {
    if (is_dict()) return items().size() / 2;
    if (detail::is_sequence(kind()) || detail::is_set(kind())) return items().size();
    if (kind() == ValueKind::array || kind() == ValueKind::tensor) return std::size_t(shape().size());
    fail_kind("something with items");
  }
  /// Item of a list, tuple, set or array of objects (in C order).
  Value operator[](std::size_t i) const {
    if (!has_items()) fail_kind("something with items");
    if (i >= size()) fail("has ", size(), " items, number ", i, " is asked for");
    const std::uint32_t child = kind() == ValueKind::array ? object(i) : items()[i];
    return Value(tree_, child, detail::cat(path_, "[", i, "]"));
  }
  /// Key and value of pair `i` of a dict, in the order of the file.
  Value key(std::size_t i) const {
    expect_pair(i);
    return Value(tree_, items()[2 * i], detail::cat(path_, " key ", i));
  }
  Value value(std::size_t i) const {
    expect_pair(i);
    return Value(tree_, items()[2 * i + 1], join(key(i)));
  }
  /// The value of a string key, compared by bytes; nothing when there is none.
  std::optional<Value> get(std::string_view key) const {
    if (!is_dict()) return std::nullopt;
    const auto& pairs = items();
    const auto name = [&](std::size_t i) -> std::string_view {
      const auto& node = tree_->nodes[pairs[2 * i]];
      return detail::is_string(node.kind) ? tree_->bytes(node) : std::string_view();
    };
    const auto usable = [&](std::size_t i) { return detail::is_string(tree_->nodes[pairs[2 * i]].kind); };
    if (const auto index = tree_->sorted.find(node().detail); index != tree_->sorted.end()) {
      const auto& order = index->second;
      const auto at = std::lower_bound(order.begin(), order.end(), key,
                                       [&](std::uint32_t i, std::string_view wanted) { return name(i) < wanted; });
      if (at != order.end() && name(*at) == key) return value(*at);
      return std::nullopt;
    }
    for (std::size_t i = 0; 2 * i < pairs.size(); ++i)
      if (usable(i) && name(i) == key) return value(i);
    return std::nullopt;
  }
  /// The value of an integer key (dialogues of MELD are numbered).
  std::optional<Value> get(std::int64_t key) const {
    if (!is_dict()) return std::nullopt;
    const auto& pairs = items();
    for (std::size_t i = 0; 2 * i < pairs.size(); ++i) {
      const auto& node = tree_->nodes[pairs[2 * i]];
      if (node.kind == ValueKind::integer && node.flag == 0 && node.integer == key) return value(i);
    }
    return std::nullopt;
  }
  /// As `get`, but throws IoError when there is none.
  Value at(std::string_view key) const {
    if (!is_dict()) fail_kind(detail::cat("a dict with '", detail::printable(key), "'"));
    if (auto found = get(key)) return *std::move(found);
    fail("has no '", detail::printable(key), "'; ", keys_text());
  }
  /// Follows a path such as `train/text`, `train[0][1]`, `[2]/vid[1039]`: names of string keys, numbers of items (of a
  /// dict: integer keys). A key that holds '/' or '[' itself is found too: the longest key that fits is taken.
  Value find(std::string_view path) const {
    Value here = *this;
    while (!path.empty()) {
      if (path[0] == '/') path.remove_prefix(1);
      here = here.step(path);
    }
    return here;
  }

  /// Elements in C order and native byte order, of an array, scalar or tensor. Throws IoError for objects.
  NpyArray array() const {
    const detail::ElementType& element = type();
    if (kind() == ValueKind::type) fail_kind("an array");
    if (objects()) fail("holds Python objects, expected numbers or strings; take its items one by one");
    NpyHeader header;
    header.dtype = element.name;
    header.kind = element.kind;
    header.item_size = element.size;
    header.shape = shape();
    std::vector<std::uint8_t> rows(std::size_t(header.shape.size()) * element.size);
    header.payload = rows.size();
    if (kind() == ValueKind::scalar) {
      if (!rows.empty()) std::memcpy(rows.data(), node().data, rows.size());
    } else if (kind() == ValueKind::array) {
      const detail::ArrayRecord& record = tree_->arrays[node().detail];
      copy(record.data, record.shape, record.strides.data(), element.size, rows);
    } else if (!rows.empty()) {
      const detail::TensorRecord& record = tree_->tensors[node().detail];
      const detail::StorageRecord& storage = tree_->storages[record.storage];
      std::shared_ptr<const std::vector<std::uint8_t>> read;
      const std::uint8_t* bytes = storage.bytes.data();
      if (tree_->reader) bytes = (read = tree_->reader->read(record.storage))->data();
      copy(bytes + std::size_t(record.offset) * element.size, record.shape, record.strides.data(), element.size, rows);
    }
    return finished(std::move(header), std::move(rows));
  }
  /// The same of the entries begin..end along the first axis of an array: what is asked for is all that is read.
  NpyArray rows(index_t begin, index_t end) const {
    expect(ValueKind::array, "an array");
    if (objects()) fail("holds Python objects, expected numbers or strings; take its items one by one");
    const detail::ArrayRecord& record = tree_->arrays[node().detail];
    if (record.shape.rank() == 0 || begin < 0 || begin > end || end > record.shape[0])
      fail("has shape ", record.shape, ", rows ", begin, " to ", end, " are asked for");
    const detail::ElementType& element = type();
    std::array<index_t, Shape::max_rank> lengths{};
    for (int axis = 0; axis < record.shape.rank(); ++axis) lengths[std::size_t(axis)] = record.shape[axis];
    lengths[0] = end - begin;
    NpyHeader header;
    header.dtype = element.name;
    header.kind = element.kind;
    header.item_size = element.size;
    header.shape = Shape(lengths.data(), record.shape.rank());
    std::vector<std::uint8_t> bytes(std::size_t(header.shape.size()) * element.size);
    header.payload = bytes.size();
    if (!bytes.empty())
      copy(record.data + std::size_t(begin * record.strides[0]) * element.size, header.shape, record.strides.data(),
           element.size, bytes);
    return finished(std::move(header), std::move(bytes));
  }
  /// Short for array().tensor<T, R>().
  template <NpyScalar T, int R>
  Tensor<T, R> tensor() const {
    return array().template tensor<T, R>();
  }
  /// Of a tensor: steps between elements along each axis, and where it starts in its storage, as the file has them.
  std::vector<index_t> strides() const {
    expect(ValueKind::tensor, "a tensor");
    const auto& record = tree_->tensors[node().detail];
    return {record.strides.begin(), record.strides.begin() + record.shape.rank()};
  }
  index_t storage_offset() const {
    expect(ValueKind::tensor, "a tensor");
    return tree_->tensors[node().detail].offset;
  }
  bool requires_grad() const { return kind() == ValueKind::tensor && (node().flag & 1) != 0; }
  bool is_parameter() const { return kind() == ValueKind::tensor && (node().flag & 2) != 0; }
  /// Names the same node of the file as the other value does.
  bool same_as(const Value& other) const { return tree_ == other.tree_ && index_ == other.index_; }

  /// "a list of 3", "an array <f4 (2, 3)".
  std::string describe() const {
    std::string name = detail::name_of(kind());
    if (is_dict() || detail::is_sequence(kind()) || detail::is_set(kind())) return detail::cat(name, " of ", size());
    if (kind() == ValueKind::array || kind() == ValueKind::tensor) return detail::cat(name, " ", dtype(), " ", shape());
    if (kind() == ValueKind::scalar || kind() == ValueKind::type) return detail::cat(name, " ", dtype());
    return name;
  }

 private:
  Value(std::shared_ptr<const detail::ValueTree> tree, std::uint32_t index, std::string path)
      : tree_(std::move(tree)), index_(index), path_(std::move(path)) {}

  const detail::ValueNode& node() const { return tree_->nodes[index_]; }
  const std::vector<std::uint32_t>& items() const { return tree_->items(node()); }
  const detail::ElementType& type() const {
    switch (kind()) {
      case ValueKind::type:
      case ValueKind::scalar:
        return tree_->types[node().detail];
      case ValueKind::array:
        return tree_->types[tree_->arrays[node().detail].type];
      case ValueKind::tensor:
        return tree_->types[tree_->storages[tree_->tensors[node().detail].storage].type];
      default:
        fail_kind("an array");
    }
  }
  bool objects() const { return kind() == ValueKind::array && type().kind == NpyKind::object; }
  std::uint32_t object(std::size_t i) const {
    return tree_->items(tree_->nodes[tree_->arrays[node().detail].objects])[i];
  }
  /// In this machine's byte order.
  NpyArray finished(NpyHeader header, std::vector<std::uint8_t> bytes) const {
    if (type().swapped)
      detail::reverse_items(bytes, header.kind == NpyKind::unicode   ? 4
                                   : header.kind == NpyKind::complex ? header.item_size / 2
                                                                     : header.item_size);
    return NpyArray(where(), std::move(header), std::move(bytes));
  }
  static void copy(const std::uint8_t* from, const Shape& shape, const index_t* strides, std::size_t item,
                   std::vector<std::uint8_t>& rows) {
    if (rows.empty()) return;
    const auto dense = detail::dense_strides(shape);
    bool plain = true;
    for (int axis = 0; axis < shape.rank(); ++axis)
      plain = plain && (shape[axis] == 1 || strides[axis] == dense[std::size_t(axis)]);
    if (plain)
      std::memcpy(rows.data(), from, rows.size());
    else
      detail::gather(from, shape, strides, item, rows.data());
  }

  template <class... Pieces>
  [[noreturn]] void fail(const Pieces&... pieces) const {
    throw IoError(detail::cat(where(), path_.empty() ? ": " : " ", pieces...));
  }
  [[noreturn]] void fail_kind(std::string_view expected) const {
    throw IoError(detail::cat(where(), path_.empty() ? ": is " : " is ", describe(), ", expected ", expected));
  }
  void expect(ValueKind wanted, const char* expected) const {
    if (kind() != wanted) fail_kind(expected);
  }
  void expect_pair(std::size_t i) const {
    if (!is_dict()) fail_kind("a dict");
    if (i >= size()) fail("has ", size(), " pairs, number ", i, " is asked for");
  }
  std::string join(const Value& key) const {
    if (key.is_string())
      return detail::cat(path_, path_.empty() ? "" : "/", detail::printable(tree_->bytes(key.node())));
    if (key.kind() == ValueKind::integer) return detail::cat(path_, "[", key.integer_text(), "]");
    return detail::cat(path_, "[", detail::name_of(key.kind()), "]");
  }
  std::string keys_text() const {
    if (size() == 0) return "it is empty";
    std::string text = "it has";
    for (std::size_t i = 0; i < size() && i < 12; ++i) {
      const Value one = key(i);
      text += i ? ", " : " ";
      text += one.is_string()                    ? detail::printable(tree_->bytes(one.node()))
              : one.kind() == ValueKind::integer ? one.integer_text()
                                                 : one.describe();
    }
    if (size() > 12) text += detail::cat(" and ", size() - 12, " more");
    return text;
  }

  /// One step of a path; what it used is taken away.
  Value step(std::string_view& path) const {
    if (!path.empty() && path[0] == '[') {
      std::int64_t number = 0;
      const char* end = path.data() + path.size();
      const auto parsed = std::from_chars(path.data() + 1, end, number);
      if (parsed.ec == std::errc() && parsed.ptr != end && *parsed.ptr == ']') {
        path.remove_prefix(std::size_t(parsed.ptr + 1 - path.data()));
        if (!is_dict()) return number < 0 ? fail("has no item ", number), *this : (*this)[std::size_t(number)];
        if (auto found = get(number)) return *std::move(found);
        fail("has no key ", number, "; ", keys_text());
      }
    }
    if (is_dict())
      for (std::size_t length = path.size(); length > 0; --length) {
        if (length < path.size() && path[length] != '/' && path[length] != '[') continue;
        if (auto found = get(path.substr(0, length))) {
          path.remove_prefix(length);
          return *std::move(found);
        }
      }
    return at(path.substr(0, path.find_first_of("/[")));  // throws, with the keys that there are
  }

  std::shared_ptr<const detail::ValueTree> tree_;
  std::uint32_t index_;
  std::string path_;
};

}  // namespace lacuna::io
