/// Makes the nodes of a tree while a pickle is read: the part that numbers and arrays of NumPy and PyTorch share.
///
/// Memory is in proportion to the file: a node or an item costs at least one byte of it, and what is copied beyond that
/// (a set made of a list that occurs many times) is counted and ends in an error.
#pragma once

#include "lacuna/io/pickle_literals.hpp"
#include "lacuna/io/pickle_names.hpp"

namespace lacuna::detail {

class PickleBuilder {
 public:
  using Ref = std::uint32_t;  ///< number of a node

  PickleBuilder(ValueTree& target, std::span<const std::uint8_t> bytes) : tree(target), bytes_(bytes) {
    budget_ = 65536 + std::uint64_t{16} * bytes.size();
  }

  ValueTree& tree;
  std::size_t at = 0;  ///< the next byte

  /// Throws IoError: "file: pickle, byte 12: ...".
  template <class... Pieces>
  [[noreturn]] void fail(const Pieces&... pieces) const {
    throw IoError(cat(tree.name, ": pickle, byte ", start_, ": ", pieces...));
  }
  const ValueNode& node(Ref ref) const { return tree.nodes[ref]; }
  io::ValueKind kind(Ref ref) const { return node(ref).kind; }
  std::string_view view(Ref ref) const { return tree.bytes(node(ref)); }
  const std::vector<Ref>& items(Ref ref) const { return tree.items(node(ref)); }
  /// "a list", "collections.OrderedDict".
  std::string title(Ref ref) const {
    if (kind(ref) != io::ValueKind::name) return name_of(kind(ref));
    return cat(known_names[node(ref).detail].module, ".", known_names[node(ref).detail].name);
  }
  bool is_name(Ref ref, PickleName wanted) const {
    return kind(ref) == io::ValueKind::name && known_names[node(ref).detail].what == wanted;
  }

  Ref add(const ValueNode& fresh) {
    if (tree.nodes.size() == 0xFFFFFFFFu) fail("has more than 2^32 values, which is more than is read");
    tree.nodes.push_back(fresh);
    return Ref(tree.nodes.size() - 1);
  }
  Ref add(io::ValueKind kind) {
    ValueNode fresh;
    fresh.kind = kind;
    return add(fresh);
  }
  Ref add_integer(io::ValueKind kind, std::int64_t integer) {
    ValueNode fresh;
    fresh.kind = kind;
    fresh.integer = integer;
    return add(fresh);
  }
  Ref add_integer(PickleInteger&& number) {
    if (number.digits.empty()) return add_integer(io::ValueKind::integer, number.small);
    const Ref ref = add_text(io::ValueKind::integer, std::move(number.digits));
    tree.nodes[ref].flag = 1;
    return ref;
  }
  Ref add_real(double real) {
    ValueNode fresh;
    fresh.kind = io::ValueKind::real;
    fresh.real = real;
    return add(fresh);
  }
  /// Bytes that lie in the file.
  Ref add_view(io::ValueKind kind, std::string_view bytes, std::uint32_t detail = 0) {
    ValueNode fresh;
    fresh.kind = kind;
    fresh.detail = detail;
    fresh.data = bytes.data();
    fresh.size = bytes.size();
    return add(fresh);
  }
  /// Bytes that the tree must keep.
  Ref add_text(io::ValueKind kind, std::string&& text) {
    tree.texts.push_back(std::move(text));
    return add_view(kind, tree.texts.back());
  }
  /// A list, tuple, set or dict of these items.
  Ref add_group(io::ValueKind kind, const Ref* items, std::size_t count) {
    const Ref ref = add(kind);
    append(ref, items, count);
    return ref;
  }
  void append(Ref group, const Ref* items, std::size_t count) {
    if (count == 0) return;
    ValueNode& node = tree.nodes[group];
    if (node.detail == ValueTree::no_list) {
      node.detail = std::uint32_t(tree.lists.size());
      tree.lists.emplace_back(items, items + count);
    } else {
      auto& list = tree.lists[node.detail];
      list.insert(list.end(), items, items + count);
    }
  }
  std::uint32_t add_type(ElementType type) {
    tree.types.push_back(std::move(type));
    return std::uint32_t(tree.types.size() - 1);
  }

  /// Counts `bytes` that no bytes of the file stand for.
  void charge(std::uint64_t bytes) {
    if (bytes > budget_) fail("copies one value so often that memory would run out; the file is damaged or hostile");
    budget_ -= bytes;
  }

  /// A number that must be an int from 0 to 2^63-1.
  index_t natural(Ref ref, std::string_view what) const {
    if (kind(ref) != io::ValueKind::integer || node(ref).flag == 1 || node(ref).integer < 0)
      fail(what, " is ",
           kind(ref) == io::ValueKind::integer && node(ref).flag == 0 ? std::to_string(node(ref).integer) : title(ref),
           ", expected an int from 0 to 2^63-1");
    return node(ref).integer;
  }
  /// A tuple (or torch.Size) of axis lengths whose product fits 63 bits.
  Shape shape(Ref ref) const {
    if (kind(ref) != io::ValueKind::tuple) fail("a shape is ", title(ref), ", expected a tuple");
    const auto& lengths = items(ref);
    if (lengths.size() > std::size_t(Shape::max_rank))
      fail("an array has ", lengths.size(), " axes, at most ", Shape::max_rank, " are read; reshape it before saving");
    index_t axes[Shape::max_rank] = {}, size = 1;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      axes[i] = natural(lengths[i], "an axis length");
      if (axes[i] > 0 && size > std::numeric_limits<index_t>::max() / axes[i])
        fail("an array has a shape whose size overflows 64 bits");
      if (axes[i] > 0) size *= axes[i];
    }
    return Shape(axes, int(lengths.size()));
  }
  /// Throws IoError unless `elements` of `item` bytes are exactly `bytes` bytes.
  void expect_bytes(const Shape& shape, std::size_t item, std::size_t bytes) const {
    const std::uint64_t elements = std::uint64_t(shape.size());
    if (item == 0 && elements > 0) fail("an array of ", elements, " elements has a dtype whose elements have no bytes");
    if (elements == 0 ? bytes != 0 : bytes / elements != item || bytes % elements != 0)
      fail("an array of shape ", shape, " of ", item, " bytes each has ", bytes, " bytes; the file is damaged");
  }

 protected:
  std::span<const std::uint8_t> bytes_;
  std::size_t start_ = 0;  ///< of the operation that is read, for messages
  std::uint64_t budget_ = 0;
};

}  // namespace lacuna::detail
