/// Tensors of PyTorch inside a pickle: a storage that the file keeps elsewhere, and a window into it.
///
/// Every window is checked to lie within its storage, in arithmetic that cannot overflow. A window that repeats
/// elements (stride 0) may not ask for more than `most_expanded` bytes. Source: torch/_utils.py,
/// torch/serialization.py.
#pragma once

#include "lacuna/io/pickle_builder.hpp"

namespace lacuna::detail {

class PickleTorch {
 public:
  using Ref = PickleBuilder::Ref;
  using Args = std::vector<Ref>;

  static constexpr std::uint64_t most_expanded = std::uint64_t(64) << 20;

  explicit PickleTorch(PickleBuilder& builder) : b_(builder) {}

  /// The tuple ("storage", class, key, location, elements) that stands for a storage; older files add a view, None.
  /// The same key gives the same storage. `location` ("cuda:0") is where it was: ignored.
  Ref persistent(Ref ref) {
    if (b_.kind(ref) != io::ValueKind::tuple) b_.fail("a persistent id is ", b_.title(ref), ", expected a tuple");
    const Args& parts = b_.items(ref);
    if ((parts.size() != 5 && parts.size() != 6) || !text(parts[0]) || b_.view(parts[0]) != "storage")
      b_.fail("a persistent id names no storage");
    if (parts.size() == 6 && b_.kind(parts[5]) != io::ValueKind::none)
      b_.fail("a storage that is a view of another one (PyTorch before 0.4) is not read; load and save it again");
    if (!b_.is_name(parts[1], PickleName::storage) || !text(parts[2]))
      b_.fail("a storage has class ", b_.title(parts[1]), " or no key");
    const KnownName& known = known_names[b_.node(parts[1]).detail];
    const std::string key(b_.view(parts[2]));
    if (key.empty() || key.find_first_not_of("0123456789") != std::string::npos)
      b_.fail("a storage has key '", printable(key), "', expected digits");
    const index_t elements = b_.natural(parts[4], "the size of a storage");
    const bool untyped = known.element == untyped_storage;
    const auto [at, fresh] = by_key_.try_emplace(key, std::uint32_t(b_.tree.storages.size()));
    if (fresh) {
      StorageRecord record;
      record.type = b_.add_type({untyped ? "uint8" : std::string(known.element), known.kind, known.item, false, true});
      record.elements = elements;
      record.untyped = untyped;
      record.key = key;
      b_.tree.storages.push_back(std::move(record));
    }
    const StorageRecord& record = b_.tree.storages[at->second];
    const ElementType& type = b_.tree.types[record.type];
    if (record.untyped != untyped || (!untyped && type.name != known.element) ||
        record.elements * index_t(untyped ? type.size : 1) != elements)
      b_.fail("storage ", key, " is of two types or sizes; the file is damaged");
    ValueNode node;
    node.kind = io::ValueKind::storage;
    node.detail = at->second;
    return b_.add(node);
  }

  /// _rebuild_tensor(storage, offset, shape, strides); _v2 adds requires_grad, hooks and, newer, metadata.
  Ref tensor(const Args& args) {
    if (args.size() < 4 || args.size() > 7 || b_.kind(args[0]) != io::ValueKind::storage)
      b_.fail("_rebuild_tensor of ", args.empty() ? "nothing" : b_.title(args[0]), ", expected a storage");
    if (args.size() == 7 && !empty(args[6]))
      b_.fail("a tensor has flags beside its numbers (conj, neg); save tensor.resolve_conj().resolve_neg()");
    if (args.size() > 5 && !empty(args[5])) b_.fail("a tensor has hooks, which are programs; save tensor.detach()");
    TensorRecord record;
    record.storage = b_.node(args[0]).detail;
    record.offset = b_.natural(args[1], "the offset of a tensor");
    record.shape = b_.shape(args[2]);
    if (b_.kind(args[3]) != io::ValueKind::tuple || b_.items(args[3]).size() != std::size_t(record.shape.rank()))
      b_.fail("a tensor of shape ", record.shape, " has other strides");
    for (int axis = 0; axis < record.shape.rank(); ++axis)
      record.strides[std::size_t(axis)] = b_.natural(b_.items(args[3])[std::size_t(axis)], "a stride");
    StorageRecord& storage = b_.tree.storages[record.storage];
    check(record, storage);
    ++storage.users;
    b_.tree.tensors.push_back(record);
    ValueNode node;
    node.kind = io::ValueKind::tensor;
    node.detail = std::uint32_t(b_.tree.tensors.size() - 1);
    node.flag = args.size() > 4 && b_.kind(args[4]) == io::ValueKind::boolean && b_.node(args[4]).integer != 0;
    return b_.add(node);
  }

  /// _rebuild_tensor_v3: the same of a storage of bytes, and behind the hooks the type.
  Ref tensor_of_bytes(Args args) {
    if (args.size() < 7 || args.size() > 8 || b_.kind(args[0]) != io::ValueKind::storage ||
        b_.kind(args[6]) != io::ValueKind::type || !b_.tree.types[b_.node(args[6]).detail].name.starts_with("torch."))
      b_.fail("_rebuild_tensor_v3 of ", args.empty() ? "nothing" : b_.title(args[0]),
              ", expected a storage and a type");
    ElementType wanted = b_.tree.types[b_.node(args[6]).detail];
    wanted.name.erase(0, std::string_view("torch.").size());
    StorageRecord& storage = b_.tree.storages[b_.node(args[0]).detail];
    const ElementType& type = b_.tree.types[storage.type];
    if (!storage.untyped || (storage.users > 0 && type.name != wanted.name))
      b_.fail("a tensor of ", wanted.name, " is in storage ", storage.key, " of ", type.name,
              "; one that others see as another type is not read: save tensor.clone()");
    if (storage.users == 0) {
      if (storage.elements % index_t(wanted.size) != 0)
        b_.fail("storage ", storage.key, " of ", storage.elements, " bytes holds no whole number of ", wanted.name);
      storage.elements /= index_t(wanted.size);
      storage.type = b_.add_type(std::move(wanted));
    }
    args.erase(args.begin() + 6);
    return tensor(args);
  }

  /// _rebuild_parameter(tensor, requires_grad, hooks).
  Ref parameter(const Args& args) {
    if (args.size() < 2 || args.size() > 3 || b_.kind(args[0]) != io::ValueKind::tensor)
      b_.fail("_rebuild_parameter of ", args.empty() ? "nothing" : b_.title(args[0]), ", expected a tensor");
    if (args.size() == 3 && !empty(args[2]))
      b_.fail("a parameter has hooks, which are programs; save parameter.detach()");
    ValueNode node = b_.node(args[0]);
    node.flag = std::uint8_t(2 | (b_.kind(args[1]) == io::ValueKind::boolean && b_.node(args[1]).integer != 0));
    return b_.add(node);
  }

 private:
  static constexpr std::string_view untyped_storage = "untyped";

  bool text(Ref ref) const { return b_.kind(ref) == io::ValueKind::text || b_.kind(ref) == io::ValueKind::text8; }
  bool empty(Ref ref) const {
    return b_.kind(ref) == io::ValueKind::none || (is_dict(b_.kind(ref)) && b_.items(ref).empty());
  }
  void check(const TensorRecord& record, const StorageRecord& storage) const {
    const Shape& shape = record.shape;
    if (shape.size() == 0) {
      if (record.offset > storage.elements)
        b_.fail("a tensor starts at element ", record.offset, " of ", storage.elements);
      return;
    }
    index_t last = record.offset;
    const auto outside = [&] {
      b_.fail("a tensor of shape ", shape, " at offset ", record.offset, " reaches past the ", storage.elements,
              " elements of storage ", storage.key, "; the file is damaged");
    };
    for (int axis = 0; axis < shape.rank(); ++axis) {
      const index_t steps = shape[axis] - 1, stride = record.strides[std::size_t(axis)];
      if (steps == 0 || stride == 0) continue;
      if (last >= storage.elements || stride > (storage.elements - last) / steps) outside();
      last += steps * stride;
    }
    if (last >= storage.elements) outside();
    const std::uint64_t item = b_.tree.types[storage.type].size;
    if (shape.size() > storage.elements && std::uint64_t(shape.size()) > most_expanded / item)
      b_.fail("a tensor of shape ", shape, " repeats the ", storage.elements, " elements of storage ", storage.key,
              "; written out it would need too much memory");
  }

  PickleBuilder& b_;
  std::map<std::string, std::uint32_t> by_key_;
};

}  // namespace lacuna::detail
