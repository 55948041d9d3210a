/// The stream that torch.save wrote before PyTorch 1.6, and still writes on request: five pickles one after the other
/// (a magic number, a version, the machine, the object, the keys of its storages), then every storage as a count and
/// its elements. Read with the rules of pickle.hpp; every byte of the file must be accounted for. Source:
/// torch/serialization.py.
#pragma once

#include "lacuna/io/pickle.hpp"

namespace lacuna::detail {

/// Starts with the pickle of the magic number, of protocol 2 to 5; from 4 on a frame is around it.
inline bool is_legacy_pytorch(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 2 || bytes[0] != 0x80 || bytes[1] < 2 || bytes[1] > 5) return false;
  const std::size_t at = starts_with(bytes, "\x95", 2) ? 11 : 2;
  return starts_with(bytes, std::string_view("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 13), at);
}

/// Gives every storage its elements, which follow each other in the order of `keys`.
inline void place_legacy_storages(ValueTree& tree, std::uint32_t keys, std::span<const std::uint8_t> rest,
                                  bool swapped) {
  std::map<std::string_view, StorageRecord*> by_key;
  for (StorageRecord& storage : tree.storages) by_key[storage.key] = &storage;
  const auto fail = [&](const auto&... pieces) { throw IoError(cat(tree.name, ": ", pieces...)); };
  if (tree.nodes[keys].kind != io::ValueKind::list) fail("has no list of storages behind its pickle; it is damaged");
  for (const std::uint32_t key : tree.items(tree.nodes[keys])) {
    const ValueNode& node = tree.nodes[key];
    const auto found = is_string(node.kind) ? by_key.find(tree.bytes(node)) : by_key.end();
    if (found == by_key.end()) fail("lists a storage twice, or one that no tensor uses; it is damaged");
    StorageRecord& storage = *found->second;
    by_key.erase(found);
    ElementType& type = tree.types[storage.type];
    if (rest.size() < 8) fail("ends in front of storage ", storage.key, "; it is truncated");
    const auto elements = load_little<std::uint64_t>(rest.data());
    rest = rest.subspan(8);
    const std::uint64_t expected = std::uint64_t(storage.elements) * (storage.untyped ? type.size : 1);
    if (elements != expected || std::uint64_t(storage.elements) > rest.size() / type.size)
      fail("storage ", storage.key, " has ", elements, " elements where ", expected, " are expected and ", rest.size(),
           " bytes are left; it is truncated or damaged");
    storage.bytes = rest.first(std::size_t(storage.elements) * type.size);
    rest = rest.subspan(storage.bytes.size());
    type.swapped = swapped && type.size > 1;
  }
  if (!by_key.empty()) fail("has no elements of storage ", by_key.begin()->second->key, "; it is damaged");
  if (!rest.empty()) fail(rest.size(), " bytes follow its last storage; it is damaged");
}

inline io::Value read_legacy_pytorch(std::shared_ptr<const io::MappedFile> file) {
  auto tree = std::make_shared<ValueTree>();
  tree->name = file->name();
  auto rest = file->bytes();
  tree->files.push_back(std::move(file));
  const auto next = [&](bool torch) {
    PickleMachine machine(*tree, rest, torch);
    const std::uint32_t result = machine.run();
    rest = rest.subspan(machine.position());
    return result;
  };
  next(false);  // the magic number, which is known
  const ValueNode version = tree->nodes[next(false)];
  if (version.kind != io::ValueKind::integer || version.integer != 1001)
    throw IoError(tree->name +
                  ": is of a legacy format of PyTorch that is not version 1001; load it and save it again");
  tree->root = next(false);
  const io::Value machine = finish_tree(tree);
  const std::optional<io::Value> little = machine.get("little_endian");
  if (!little || little->kind() != io::ValueKind::boolean)
    throw IoError(tree->name + ": does not say its byte order (little_endian) in its third pickle; it is damaged");
  const bool swapped = little->boolean() != (std::endian::native == std::endian::little);
  tree->sorted.clear();
  tree->root = next(true);
  const std::uint32_t keys = next(false);
  place_legacy_storages(*tree, keys, rest, swapped);
  return finish_tree(std::move(tree));
}

}  // namespace lacuna::detail
