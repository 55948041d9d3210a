/// What is known of a dataset of HDF5 before anything of it is read, and everything that may be checked then (hdf5.hpp).
#pragma once

#include <algorithm>
#include <string>

#include "lacuna/io/hdf5_call.hpp"
#include "lacuna/io/npy_header.hpp"
#include "lacuna/io/source.hpp"

namespace lacuna::detail {

template <class... Pieces>
[[noreturn]] void hdf5_fail(const std::string& path, const std::string& name, const Pieces&... pieces) {
  Hdf5End::damaged() = true;
  throw IoError(cat(path, ": '", printable(name), "' ", pieces...));
}

/// Shape and types of a dataset that is open. Throws IoError for what is refused.
class Hdf5Facts {
 public:
  Hdf5Facts(const std::string& path, const std::string& name, hid_t dataset) : path_(path), name_(name) {
    look(dataset);
  }

  io::NpyHeader header;
  hid_t memory = -1;                  ///< native type; -1: variable strings
  std::vector<hsize_t> chunk;         ///< numbers of a chunk along every axis; none: not in chunks
  std::vector<H5Z_filter_t> filters;  ///< in the order in which they were applied
  hsize_t file_size = 0;
  bool unwritten = false;  ///< not in chunks, and nothing was ever stored: all numbers are the fill value

  /// Integers and floats: what is converted on the way.
  bool numbers() const {
    return header.kind == io::NpyKind::integer || header.kind == io::NpyKind::natural ||
           header.kind == io::NpyKind::real;
  }

  template <class... Pieces>
  [[noreturn]] void fail(const Pieces&... pieces) const {
    hdf5_fail(path_, name_, pieces...);
  }

 private:
  void look(hid_t dataset) {
    header.shape = shape_of(dataset);
    memory = type_of(dataset, header);
    const std::uint64_t count = std::uint64_t(header.shape.size());
    if (header.item_size > 0 && count > (std::uint64_t(1) << 62) / header.item_size)
      fail("has shape ", header.shape, ", more than 2^62 bytes");
    header.payload = count * header.item_size;
    const Hdf5Id plan(H5Dget_create_plist(dataset), H5Pclose);
    if (!plan.valid()) fail("cannot be opened; the file is damaged");
    const H5D_layout_t layout = H5Pget_layout(plan);
    if (layout == H5D_VIRTUAL) fail("is a virtual dataset over other files, which are not read");
    if (H5Pget_external_count(plan) > 0) fail("lies in an external file, which is not read");
    bool packed = false;
    for (int i = 0; i < H5Pget_nfilters(plan); ++i) {
      unsigned flags = 0;
      std::size_t values = 0;
      char text[64] = "";
      const H5Z_filter_t filter =
          H5Pget_filter2(plan, unsigned(i), &flags, &values, nullptr, sizeof text, text, nullptr);
      if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32)
        fail("is packed with filter ", int(filter), " (", text, "); write it with gzip or without");
      packed = packed || filter == H5Z_FILTER_DEFLATE;
      filters.push_back(filter);
    }
    if (layout == H5D_CHUNKED) {
      std::uint64_t bytes = std::max<std::size_t>(1, header.item_size);
      chunk.resize(H5S_MAX_RANK);
      if (H5Pget_chunk(plan, H5S_MAX_RANK, chunk.data()) != header.shape.rank() || header.shape.rank() == 0)
        fail("has chunks of another rank than its shape ", header.shape, "; the file is damaged");
      chunk.resize(std::size_t(header.shape.rank()));
      for (const hsize_t axis : chunk) {
        if (axis == 0) fail("has chunks without numbers; the file is damaged");
        bytes = axis > (std::uint64_t(1) << 40) / bytes ? std::uint64_t(1) << 40 : bytes * axis;
      }
      if (bytes > std::uint64_t(1) << 28) fail("has chunks of ", bytes, " bytes, expected at most 256 MiB");
    }
    const Hdf5Id file(H5Iget_file_id(dataset), H5Fclose);
    if (!file.valid() || H5Fget_filesize(file, &file_size) < 0) fail("cannot be opened; the file is damaged");
    // What a file says of its parts may be more than it is.
    const std::uint64_t stored = std::min<std::uint64_t>(H5Dget_storage_size(dataset), file_size);
    const Hdf5Id type(H5Dget_type(dataset), H5Tclose);
    if (chunk.empty() && stored != 0 && stored / H5Tget_size(type) < count)
      fail("has shape ", header.shape, ", and ", stored, " bytes are stored; the file is damaged");
    unwritten = chunk.empty() && stored == 0 && count > 0;
    if (unwritten && layout == H5D_COMPACT)
      fail("has shape ", header.shape, ", and nothing is stored; the file is damaged");
    const haddr_t address = layout == H5D_CONTIGUOUS ? H5Dget_offset(dataset) : HADDR_UNDEF;
    if (address != HADDR_UNDEF && (address > file_size || stored > file_size - address))
      fail("reaches beyond the end of the file; it is truncated or damaged");
    if (memory >= 0 && header.payload > (packed ? 1100 : 1) * stored + (std::uint64_t(1) << 20))
      fail("has shape ", header.shape, ", ", header.payload, " bytes, and ", stored, " are stored: out of proportion");
  }
  Shape shape_of(hid_t dataset) const {
    const Hdf5Id space(H5Dget_space(dataset), H5Sclose);
    hsize_t lengths[H5S_MAX_RANK];
    const int rank = H5Sget_simple_extent_dims(space, lengths, nullptr);
    if (rank < 0 || H5Sget_simple_extent_type(space) == H5S_NULL) fail("has no shape");
    if (rank > Shape::max_rank) fail("has ", rank, " axes, expected at most ", Shape::max_rank);
    index_t axes[Shape::max_rank];
    std::uint64_t size = 1;
    for (int axis = 0; axis < rank; ++axis) {
      if (lengths[axis] > 0 && size > (std::uint64_t(1) << 62) / lengths[axis]) fail("has a size beyond 2^62");
      size *= lengths[axis];
      axes[axis] = index_t(lengths[axis]);
    }
    return Shape(axes, rank);
  }
  hid_t type_of(hid_t dataset, io::NpyHeader& found) const {
    const Hdf5Id type(H5Dget_type(dataset), H5Tclose);
    const std::size_t size = H5Tget_size(type);
    const bool sound = size == 1 || size == 2 || size == 4 || size == 8;
    found.item_size = size;
    const char order = size == 1 ? '|' : '<';
    switch (H5Tget_class(type)) {
      case H5T_INTEGER: {
        if (!sound) break;
        const bool natural = H5Tget_sign(type) == H5T_SGN_NONE;
        found.kind = natural ? io::NpyKind::natural : io::NpyKind::integer;
        found.dtype = cat(order, char(found.kind), size);
        const hid_t integers[] = {H5T_NATIVE_INT8, H5T_NATIVE_INT16, H5T_NATIVE_INT32, H5T_NATIVE_INT64};
        const hid_t naturals[] = {H5T_NATIVE_UINT8, H5T_NATIVE_UINT16, H5T_NATIVE_UINT32, H5T_NATIVE_UINT64};
        const std::size_t which = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
        return natural ? naturals[which] : integers[which];
      }
      case H5T_FLOAT:
        found.kind = io::NpyKind::real;
        if (size == 2) found.item_size = 4;  // half is read as float, exactly
        if (size != 2 && size != 4 && size != 8) break;
        found.dtype = found.item_size == 8 ? "<f8" : "<f4";
        return found.item_size == 8 ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT;
      case H5T_STRING:
        if (H5Tis_variable_str(type) > 0) {
          found.kind = io::NpyKind::unicode;
          found.dtype = "<U";
          found.item_size = 4;
          return -1;
        }
        found.kind = io::NpyKind::bytes;
        found.dtype = cat("|S", size);
        return H5T_C_S1;
      case H5T_ENUM:
        if (size != 1) break;
        found.kind = io::NpyKind::boolean;
        found.dtype = "|b1";
        return H5T_NATIVE_INT8;
      default:
        break;
    }
    static constexpr const char* names[] = {"integers", "floats",     "a time",  "strings", "bits",  "opaque bytes",
                                            "records",  "references", "an enum", "lists",   "arrays"};
    const int kind = H5Tget_class(type);
    fail("holds ", kind >= 0 && kind < 11 ? names[kind] : "an unknown type", " of ", size,
         " bytes, expected integers, floats or strings");
  }

  std::string path_, name_;
};

}  // namespace lacuna::detail
