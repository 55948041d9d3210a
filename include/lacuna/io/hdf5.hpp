/// Reading HDF5 (.h5, .hdf5, .csd, MATLAB 7.3), over the C library: the component lacuna::hdf5.
///
///     const io::Hdf5 file("COVAREP.csd");
///     for (const std::string& name : file.names()) ...                       // "COVAREP/data/vid/features"
///     const auto all = file.get("data").tensor<float, 3>();
///     const auto some = file.rows("data", 100, 200);                         // no more of the file is read
///
/// Types: integers, floats of 2, 4, 8 bytes, fixed and variable strings, h5py's bool, in either byte order. Refused by
/// name, before anything of them is read: external links, external storage and virtual datasets (all three read other
/// files), soft links, filters other than deflate, shuffle and fletcher32, chunks above 256 MiB, sizes that the stored
/// bytes cannot explain, other types. Groups that contain themselves are refused when the file is opened.
/// The C library knows one caller at a time: calls from several threads wait for each other. Errors are IoError. A file that
/// is made to harm can break that library itself: hdf5_fault.hpp.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <set>

#include "lacuna/io/hdf5_chunks.hpp"
#include "lacuna/io/npy.hpp"
#include "lacuna/io/npy_writer.hpp"

namespace lacuna::io {

class Hdf5 {
 public:
  explicit Hdf5(const std::string& path) : path_(path), file_(open(path)) {
    const detail::Hdf5Call call(path_);
    std::set<haddr_t> above;
    walk("", 0, above);
  }

  const std::string& path() const { return path_; }
  /// Paths of all datasets, and of links that are refused, groups in the order of their names' bytes.
  const std::vector<std::string>& names() const { return names_; }
  bool contains(const std::string& name) const { return kinds_.count(name) != 0; }
  /// Names right under a group ("" is the root), without what is below them.
  std::vector<std::string> children(const std::string& group) const {
    std::vector<std::string> list;
    const std::string start = group.empty() ? "" : group + "/";
    for (const std::string& name : names_) {
      if (!name.starts_with(start)) continue;
      const std::string child = name.substr(start.size(), name.find('/', start.size()) - start.size());
      if (list.empty() || list.back() != child) list.push_back(child);
    }
    return list;
  }

  /// Type and shape. Throws IoError for what is refused.
  NpyHeader header(const std::string& name) const {
    const detail::Hdf5Call call(path_);
    return look(name, open_dataset(name)).header;
  }
  NpyArray get(const std::string& name) const {
    const detail::Hdf5Call call(path_);
    const detail::Hdf5Id dataset = open_dataset(name);
    const detail::Hdf5Facts facts = look(name, dataset);
    return read(name, dataset, facts, 0, facts.header.shape.rank() > 0 ? facts.header.shape[0] : 1);
  }
  /// The entries begin..end along the first axis.
  NpyArray rows(const std::string& name, index_t begin, index_t end) const {
    const detail::Hdf5Call call(path_);
    const detail::Hdf5Id dataset = open_dataset(name);
    const detail::Hdf5Facts facts = look(name, dataset);
    const Shape whole = facts.header.shape;
    if (whole.rank() == 0 || begin < 0 || begin > end || end > whole[0])
      fail(name, "has shape ", whole, ", rows ", begin, " to ", end, " are asked for");
    return read(name, dataset, facts, begin, end);
  }
  /// Text of an attribute of a dataset or group; empty where there is none.
  std::string attribute(const std::string& name, const char* attribute) const {
    const detail::Hdf5Call call(path_);
    const detail::Hdf5Id object(H5Oopen(file_, ("/" + name).c_str(), H5P_DEFAULT), H5Oclose);
    if (!object.valid() || H5Aexists(object, attribute) <= 0) return "";
    const detail::Hdf5Id value(H5Aopen(object, attribute, H5P_DEFAULT), H5Aclose);
    const detail::Hdf5Id type(H5Aget_type(value), H5Tclose), space(H5Aget_space(value), H5Sclose);
    if (H5Sget_simple_extent_npoints(space) != 1) return "";
    if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) > 0) return H5Tget_class(type) < 0 ? "" : "?";
    std::string text(std::min<std::size_t>(H5Tget_size(type), 4096), '\0');
    if (text.size() < H5Tget_size(type) || H5Aread(value, type, text.data()) < 0) return "";
    return text.substr(0, text.find('\0'));
  }
  /// Paths of the objects that a dataset of references names (cells of MATLAB), in the order of the file.
  std::vector<std::string> references(const std::string& name) const {
    const detail::Hdf5Call call(path_);
    const detail::Hdf5Id dataset = open_dataset(name);
    const detail::Hdf5Id type(H5Dget_type(dataset), H5Tclose), space(H5Dget_space(dataset), H5Sclose);
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    if (H5Tget_class(type) != H5T_REFERENCE || count < 0 || count > 1 << 20) fail(name, "holds no references");
    std::vector<hobj_ref_t> list(static_cast<std::size_t>(count));
    if (count > 0 && H5Dread(dataset, H5T_STD_REF_OBJ, H5S_ALL, H5S_ALL, H5P_DEFAULT, list.data()) < 0)
      fail(name, "cannot be read; the file is damaged");
    std::vector<std::string> paths;
    for (hobj_ref_t& one : list) {
      char path[1024];
      if (H5Rget_name(dataset, H5R_OBJECT, &one, path, sizeof path) <= 0) fail(name, "refers to nothing");
      paths.emplace_back(path + (path[0] == '/'));
    }
    return paths;
  }
  bool is_reference(const std::string& name) const {
    const detail::Hdf5Call call(path_);
    const detail::Hdf5Id dataset = open_dataset(name);
    const detail::Hdf5Id type(H5Dget_type(dataset), H5Tclose);
    return H5Tget_class(type) == H5T_REFERENCE;
  }

 private:
  static detail::Hdf5Id open(const std::string& path) {
    const ByteSource source(path);  // missing, no regular file
    const detail::Hdf5Call call(path);
    detail::Hdf5Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
    if (!file.valid()) {
      detail::Hdf5End::damaged() = true;
      throw IoError(path + ": is no HDF5 file that can be opened; it is truncated or damaged");
    }
    return file;
  }
  template <class... Pieces>
  [[noreturn]] void fail(const std::string& name, const Pieces&... pieces) const {
    detail::hdf5_fail(path_, name, pieces...);
  }

  void walk(const std::string& group, int depth, std::set<haddr_t>& above) {
    if (depth > 32) fail(group, "is nested deeper than 32 groups");
    const detail::Hdf5Id id(H5Gopen2(file_, group.empty() ? "/" : ("/" + group).c_str(), H5P_DEFAULT), H5Gclose);
    H5G_info_t info{};
    detail::Hdf5Object object{};
    if (!id.valid() || H5Gget_info(id, &info) < 0 || H5Oget_info2(id, &object, H5O_INFO_BASIC) < 0)
      fail(group, "cannot be read; the file is damaged");
    if (!above.insert(object.addr).second) fail(group, "contains itself: a cycle of groups");
    for (hsize_t i = 0; i < info.nlinks; ++i) {
      char name[4096];
      detail::Hdf5Link link{};
      const ssize_t length = H5Lget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT);
      if (length <= 0 || length >= ssize_t(sizeof name) || detail::hdf5_link(id, name, &link) < 0)
        fail(group, "has a link that cannot be read; the file is damaged");
      const std::string path = group.empty() ? name : group + "/" + name;
      if (link.type != H5L_TYPE_HARD) {
        kinds_[path] = link.type;
        names_.push_back(path);
        continue;
      }
      const detail::Hdf5Id child(H5Oopen(id, name, H5P_DEFAULT), H5Oclose);
      if (!child.valid()) {
        detail::Hdf5End::damaged() = true;
        kinds_[path] = unreadable;
        names_.push_back(path);
        continue;
      }
      const H5I_type_t type = H5Iget_type(child);
      if (type == H5I_GROUP) walk(path, depth + 1, above);
      if (type != H5I_DATASET) continue;
      kinds_[path] = H5L_TYPE_HARD;
      names_.push_back(path);
      if (names_.size() > 4000000) fail(path, "is one of more than 4 million datasets");
    }
    above.erase(object.addr);
  }

  detail::Hdf5Id open_dataset(const std::string& name) const {
    const auto found = kinds_.find(name);
    if (found == kinds_.end()) {
      std::string list;
      for (std::size_t i = 0; i < names_.size() && i < 8; ++i) list += (i ? ", " : "") + detail::printable(names_[i]);
      fail(name, "is missing; the file has ", names_.empty() ? "nothing" : list);
    }
    if (found->second == unreadable)
      fail(name, "cannot be opened: the file is damaged, or written by a later HDF5 than the ", H5_VERS_MAJOR, ".",
           H5_VERS_MINOR, ".", H5_VERS_RELEASE,
           " that is installed (h5repack, or h5py with libver='earliest', writes it again)");
    if (found->second == H5L_TYPE_EXTERNAL) fail(name, "is an external link to another file, which is not followed");
    if (found->second != H5L_TYPE_HARD) fail(name, "is a soft link, which is not followed");
    detail::Hdf5Id dataset(H5Dopen2(file_, ("/" + name).c_str(), H5P_DEFAULT), H5Dclose);
    if (!dataset.valid()) fail(name, "cannot be opened; the file is damaged");
    return dataset;
  }

  detail::Hdf5Facts look(const std::string& name, hid_t dataset) const {
    return detail::Hdf5Facts(path_, name, dataset);
  }

  /// The entries begin..end along the first axis; of a single number 0..1.
  NpyArray read(const std::string& name, hid_t dataset, const detail::Hdf5Facts& facts, index_t begin,
                index_t end) const {
    const std::string where = detail::cat(path_, ": '", detail::printable(name), "'");
    const Shape& whole = facts.header.shape;
    NpyHeader header = facts.header;
    std::array<hsize_t, Shape::max_rank> start{}, count{};
    if (whole.rank() > 0) {
      std::array<index_t, Shape::max_rank> lengths{};
      for (int axis = 0; axis < whole.rank(); ++axis)
        lengths[std::size_t(axis)] = axis == 0 ? end - begin : whole[axis];
      header.shape = Shape(lengths.data(), whole.rank());
      header.payload = std::uint64_t(header.shape.size()) * header.item_size;
      std::copy(lengths.begin(), lengths.end(), count.begin());
      start[0] = hsize_t(begin);
    }
    const detail::Hdf5Id memory(H5Screate_simple(whole.rank(), count.data(), nullptr), H5Sclose);
    const detail::Hdf5Id file(H5Dget_space(dataset), H5Sclose);
    if (whole.rank() > 0 && H5Sselect_hyperslab(file, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) < 0)
      fail(name, "cannot be read in part");
    if (facts.memory < 0) return strings(where, dataset, header, memory, file);

    const detail::Hdf5Id type(H5Dget_type(dataset), H5Tclose);
    if (header.kind == NpyKind::boolean) {  // FALSE and TRUE of h5py; other enums are refused by their names
      std::int8_t value = 0;
      if (H5Tget_nmembers(type) != 2 || H5Tenum_valueof(type, "TRUE", &value) < 0 || value != 1)
        fail(name, "holds an enum, expected FALSE and TRUE");
    }
    std::vector<std::uint8_t> bytes(std::size_t(header.payload));
    const bool as_stored = header.kind == NpyKind::boolean || header.kind == NpyKind::bytes;
    if (!facts.chunk.empty()) {
      detail::Hdf5Chunks(facts, dataset).read(begin, end, bytes.data());
    } else if (facts.unwritten) {
      const std::vector<std::uint8_t> fill = detail::hdf5_fill(facts, dataset);
      for (std::size_t at = 0; at < bytes.size(); at += fill.size())
        std::memcpy(bytes.data() + at, fill.data(), fill.size());
    } else if (!bytes.empty() &&
               H5Dread(dataset, as_stored ? hid_t(type) : facts.memory, memory, file, H5P_DEFAULT, bytes.data()) < 0) {
      fail(name, "cannot be read; the file is truncated or damaged");
    }
    return NpyArray(where, std::move(header), std::move(bytes));
  }
  static NpyArray strings(const std::string& where, hid_t dataset, NpyHeader header, hid_t memory, hid_t file) {
    const detail::Hdf5Id type(H5Tcopy(H5T_C_S1), H5Tclose), stored(H5Dget_type(dataset), H5Tclose);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5Tget_cset(stored));
    const std::size_t count = std::size_t(header.shape.size());
    if (count > (std::size_t(1) << 24)) throw IoError(where + " has more than 2^24 strings");
    std::vector<char*> pointers(count, nullptr);
    if (count > 0 && H5Dread(dataset, type, memory, file, H5P_DEFAULT, pointers.data()) < 0)
      throw IoError(where + " cannot be read; the file is truncated or damaged");
    std::vector<std::string> list;
    for (char* text : pointers) {
      list.emplace_back(text == nullptr ? "" : text);
      if (text != nullptr) H5free_memory(text);
    }
    const NpyText text(list);
    header.dtype = text.dtype;
    header.item_size = count > 0 ? 4 * text.codes.size() / count : 4;
    header.payload = 4 * text.codes.size();
    std::vector<std::uint8_t> bytes(header.payload);
    if (!bytes.empty()) std::memcpy(bytes.data(), text.codes.data(), bytes.size());
    return NpyArray(where, std::move(header), std::move(bytes));
  }

  std::string path_;
  detail::Hdf5Id file_;
  std::vector<std::string> names_;
  std::map<std::string, int, std::less<>> kinds_;  ///< of the link, or `unreadable`
  static constexpr int unreadable = 1000;
};

}  // namespace lacuna::io
