/// .npy and .npz files whose arrays may be Python objects (`np.savez(train_corpus=dict)` makes such): as values.
///
///     const io::Value labels = io::load_npz_values("label.npz");
///     labels.find("train_corpus[0]/sample_01/val").real();
///
/// Plain arrays are what npy.hpp reads, and complex ones too. The payload of an array of objects is a pickle, read with
/// the rules of pickle.hpp; it must be an array of the shape that the header says. A 0-d array of objects (shape ())
/// has its one value at `[0]`. Members of an archive that are no arrays are skipped.
#pragma once

#include "lacuna/io/npz.hpp"
#include "lacuna/io/pickle.hpp"

namespace lacuna::detail {

/// Puts one array of a .npy file into `tree`; `payload` is what follows its header. Says which node it is.
inline std::uint32_t add_npy(ValueTree& tree, const io::NpyHeader& header, std::span<const std::uint8_t> payload) {
  if (header.kind == io::NpyKind::object) {
    PickleMachine machine(tree, payload, false);
    const std::uint32_t root = machine.run();
    if (machine.position() != payload.size())
      throw IoError(cat(tree.name, ": has ", payload.size() - machine.position(), " bytes behind its objects"));
    const ValueNode& node = tree.nodes[root];
    if (node.kind != io::ValueKind::array || node.detail == PickleNumpy::unfinished ||
        tree.types[tree.arrays[node.detail].type].kind != io::NpyKind::object ||
        !(tree.arrays[node.detail].shape == header.shape))
      throw IoError(
          cat(tree.name, ": holds ", name_of(node.kind), ", expected an array of objects of shape ", header.shape));
    return root;
  }
  ArrayRecord record;
  record.type = std::uint32_t(tree.types.size());
  tree.types.push_back({header.dtype, header.kind, header.item_size, header.swapped, true});
  record.shape = header.shape;
  record.strides = dense_strides(header.shape, header.fortran_order);
  record.data = payload.data();
  tree.arrays.push_back(record);
  ValueNode node;
  node.kind = io::ValueKind::array;
  node.detail = std::uint32_t(tree.arrays.size() - 1);
  tree.nodes.push_back(node);
  return std::uint32_t(tree.nodes.size() - 1);
}

}  // namespace lacuna::detail

namespace lacuna::io {

/// The array of a .npy file.
inline Value load_npy_value(std::shared_ptr<const MappedFile> file) {
  struct Stream {
    std::span<const std::uint8_t> bytes;
    void read(void* to, std::size_t count) {  // read_npy_header asks for no more than there is
      std::memcpy(to, bytes.data(), count);
      bytes = bytes.subspan(count);
    }
  } stream{file->bytes()};
  auto tree = std::make_shared<detail::ValueTree>();
  tree->name = file->name();
  tree->files.push_back(file);
  const NpyHeader header = read_npy_header(stream, stream.bytes.size(), file->name() + ": array", true);
  tree->root = detail::add_npy(*tree, header, stream.bytes);
  return detail::finish_tree(std::move(tree));
}
inline Value load_npy_value(const std::string& path) { return load_npy_value(std::make_shared<MappedFile>(path)); }

/// All arrays of a .npz file as a dict, in the order of the file, or those that `wanted` names. They are read at once.
inline Value load_npz_values(ByteSource source, const std::vector<std::string>& wanted = {}) {
  const ZipReader zip(std::move(source));
  auto tree = std::make_shared<detail::ValueTree>();
  tree->name = zip.source().name();
  std::vector<std::uint32_t> pairs;
  for (const ZipMember& member : zip.members()) {
    if (!member.name.ends_with(".npy")) continue;
    const std::string name = member.name.substr(0, member.name.size() - 4);
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
    const std::string place = zip.place(member);
    ZipStream stream = zip.open(member);
    const NpyHeader header = read_npy_header(stream, member.size, place, true);  // the size holds before it allocates
    std::vector<std::uint8_t> payload(stream.remaining());
    stream.read(payload.data(), payload.size());
    stream.finish();
    tree->files.push_back(std::make_shared<MappedFile>(place, std::move(payload)));
    detail::ValueNode key;
    key.kind = ValueKind::text;
    key.data = tree->texts.emplace_back(name).data();
    key.size = name.size();
    tree->nodes.push_back(key);
    pairs.push_back(std::uint32_t(tree->nodes.size() - 1));
    const std::string outer = std::exchange(tree->name, place);  // messages of the pickle name the array
    pairs.push_back(detail::add_npy(*tree, header, tree->files.back()->bytes()));
    tree->name = outer;
  }
  for (const std::string& name : wanted)
    if (zip.find(name + ".npy") == nullptr)
      throw IoError(detail::cat(tree->name, ": array '", detail::printable(name), "' is missing"));
  detail::ValueNode root;
  root.kind = ValueKind::dict;
  root.detail = std::uint32_t(tree->lists.size());
  tree->lists.push_back(std::move(pairs));
  tree->nodes.push_back(root);
  tree->root = std::uint32_t(tree->nodes.size() - 1);
  return detail::finish_tree(std::move(tree));
}
inline Value load_npz_values(const std::string& path, const std::vector<std::string>& wanted = {}) {
  return load_npz_values(ByteSource(path), wanted);
}

}  // namespace lacuna::io
