/// What a file of nested data holds, in memory: all nodes of a tree side by side, joined by their numbers.
///
/// A node may have many parents: what is shared in the file is shared here, so that thirty nodes cannot become 10^30.
/// Nobody owns a node but the tree, so destroying the deepest nesting is a loop. Strings and numbers of arrays are not
/// copied: nodes point into the bytes of the file, which the tree keeps. `Value` (value.hpp) is how one reads it.
#pragma once

#include <deque>
#include <map>

#include "lacuna/io/mapped_file.hpp"
#include "lacuna/io/npy_header.hpp"

namespace lacuna::io {

enum class ValueKind : std::uint8_t {
  none,
  boolean,
  integer,
  real,
  text,        ///< UTF-8
  text8,       ///< a string of Python 2: bytes whose alphabet the file does not tell
  bytes,       ///< immutable
  byte_array,  ///< bytearray
  list,
  tuple,
  set,
  frozen_set,
  dict,
  ordered_dict,
  array,   ///< of NumPy; of objects when its dtype is "|O"
  scalar,  ///< one number or string of NumPy, with its dtype
  tensor,  ///< of PyTorch
  type,    ///< a dtype by itself
  // Only while a pickle is read; `finish_tree` refuses a tree that still holds one.
  name,
  storage,
};

}  // namespace lacuna::io

namespace lacuna::detail {

/// The elements of an array.
struct ElementType {
  std::string name;  ///< as its format spells it: "<f4", "bfloat16", "F16"
  io::NpyKind kind = io::NpyKind::real;
  std::size_t size = 0;  ///< bytes per element
  bool swapped = false;  ///< the other byte order than this machine's
  bool finished = true;  ///< the pickle has described all of it
};

struct ValueNode {
  io::ValueKind kind = io::ValueKind::none;
  std::uint8_t flag = 0;  ///< integer: 1 = decimal digits in `data`; tensor: 1 = wants a gradient, 2 = is a parameter
  std::uint32_t detail = 0;  ///< its list of items; its array, tensor or type; a name: which one
  union {
    std::int64_t integer = 0;
    double real;
    const char* data;
  };
  std::size_t size = 0;  ///< bytes of `data`
};

/// `strides` are in elements; objects are in C order.
struct ArrayRecord {
  std::uint32_t type = 0;
  Shape shape;
  std::array<index_t, Shape::max_rank> strides{};
  const std::uint8_t* data = nullptr;
  std::uint32_t objects = 0;  ///< dtype O: the list node of its elements
};

struct TensorRecord {
  std::uint32_t storage = 0;
  index_t offset = 0;
  Shape shape;
  std::array<index_t, Shape::max_rank> strides{};
};

struct StorageRecord {
  std::uint32_t type = 0;
  index_t elements = 0;
  bool untyped = false;  ///< the file counts its bytes; the tensor in it says of what type they are
  std::string key;
  std::span<const std::uint8_t> bytes;  ///< when they lie in the same file
  int users = 0;
};

/// Brings the bytes of a storage that lies elsewhere.
class StorageReader {
 public:
  virtual ~StorageReader() = default;
  virtual std::shared_ptr<const std::vector<std::uint8_t>> read(std::size_t storage) const = 0;
};

struct ValueTree {
  std::string name;                                          ///< opens every message
  std::vector<std::shared_ptr<const io::MappedFile>> files;  ///< the bytes that nodes point into
  std::vector<ValueNode> nodes;
  std::vector<std::vector<std::uint32_t>> lists;  ///< items; of a dict: keys and values in turn
  std::deque<std::string> texts;                  ///< strings that had to be decoded
  std::vector<ElementType> types;
  std::vector<ArrayRecord> arrays;
  std::vector<TensorRecord> tensors;
  std::vector<StorageRecord> storages;
  std::shared_ptr<const StorageReader> reader;
  std::map<std::uint32_t, std::vector<std::uint32_t>> sorted;  ///< of large dicts: positions by their string keys
  std::uint32_t root = 0;

  static constexpr std::uint32_t no_list = 0;  // lists[0] stays empty: what has no items needs no list
  ValueTree() : lists(1) {}

  const std::vector<std::uint32_t>& items(const ValueNode& node) const { return lists[node.detail]; }
  std::string_view bytes(const ValueNode& node) const { return {node.data, node.size}; }
};

inline bool is_dict(io::ValueKind kind) { return kind == io::ValueKind::dict || kind == io::ValueKind::ordered_dict; }
inline bool is_set(io::ValueKind kind) { return kind == io::ValueKind::set || kind == io::ValueKind::frozen_set; }
inline bool is_sequence(io::ValueKind kind) { return kind == io::ValueKind::list || kind == io::ValueKind::tuple; }
inline bool is_string(io::ValueKind kind) {
  return kind == io::ValueKind::text || kind == io::ValueKind::text8 || kind == io::ValueKind::bytes;
}

/// "a list", "a tensor": for messages.
inline const char* name_of(io::ValueKind kind) {
  static constexpr const char* names[] = {
      "None",     "a bool",  "an int",  "a float",     "a str",  "a str of Python 2", "bytes",    "a bytearray",
      "a list",   "a tuple", "a set",   "a frozenset", "a dict", "an OrderedDict",    "an array", "a NumPy scalar",
      "a tensor", "a dtype", "a class", "a storage"};
  return names[std::size_t(kind)];
}

/// Copies elements that lie `strides` apart to rows in C order.
inline void gather(const std::uint8_t* from, const Shape& shape, const index_t* strides, std::size_t item,
                   std::uint8_t* to) {
  index_t index[Shape::max_rank] = {}, at = 0;
  for (index_t left = shape.size(); left > 0; --left) {
    std::memcpy(to, from + std::size_t(at) * item, item);
    to += item;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= strides[axis] * index[axis];
      index[axis] = 0;
    }
  }
}

/// Strides of an array whose last axis varies fastest, or whose first does.
inline std::array<index_t, Shape::max_rank> dense_strides(const Shape& shape, bool fortran = false) {
  std::array<index_t, Shape::max_rank> strides{};
  index_t next = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    const int axis = fortran ? i : shape.rank() - 1 - i;
    strides[std::size_t(axis)] = next;
    if (shape.size() > 0) next *= shape[axis];
  }
  return strides;
}

}  // namespace lacuna::detail
