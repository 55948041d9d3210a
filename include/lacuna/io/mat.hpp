/// Reading MATLAB files of level 5 (.mat, what `save` writes without -v7.3), compressed or not, in either byte order.
///
///     const io::Mat file("MSRC_v1.mat");
///     for (const std::string& name : file.names()) ...
///     const Tensor<double, 2> x = file.at("X").cells[0].array->tensor<double, 2>();   // a cell of matrices
///
/// Read: numbers of all classes, logical, complex, sparse (as a dense matrix), characters (one string a row), and cells of
/// these. Axes are MATLAB's, in C order here. Structures, objects, functions, complex integers and complex sparse
/// matrices are refused by name, where they are asked for; what else is in the file can still be read. MATLAB 7.3 is HDF5
/// (hdf5.hpp). No size is believed before it was checked, and no more is inflated than what was asked for. Errors are
/// IoError. Source: MAT-File Format, MathWorks.
#pragma once

#include <map>
#include <memory>

#include "lacuna/io/file_kind.hpp"
#include "lacuna/io/mat_matrix.hpp"

namespace lacuna::io {

class Mat {
 public:
  explicit Mat(const std::string& path) : Mat(std::make_shared<MappedFile>(path)) {}
  explicit Mat(std::shared_ptr<const MappedFile> file) : name_(file->name()) {
    const auto bytes = file->bytes();
    if (detail::starts_with(bytes, "MATLAB 7.3"))
      throw IoError(name_ +
                    ": is MATLAB 7.3, which is HDF5: io/hdf5.hpp reads it, in programs built with libhdf5-dev; or save "
                    "it without -v7.3");
    if (!detail::starts_with(bytes, "MATLAB 5.0")) {
      if (bytes.size() >= 20 && detail::load_little<std::uint32_t>(bytes.data()) < 5000)
        throw IoError(name_ + ": may be MATLAB level 4, expected level 5; save it again with a later MATLAB, or scipy");
      detail::refuse_strangers(*file, "a MATLAB file");
      throw IoError(name_ + ": is no MATLAB file, expected one that starts with MATLAB 5.0");
    }
    if (bytes.size() < 128) throw IoError(name_ + ": ends within its header; it is truncated");
    const bool little = bytes[126] == 'I' && bytes[127] == 'M', big = bytes[126] == 'M' && bytes[127] == 'I';
    if (!little && !big) throw IoError(name_ + ": has no mark of its byte order; it is damaged");
    const bool swapped = little != (std::endian::native == std::endian::little);
    for (std::size_t at = 128; at < bytes.size();) {
      if (bytes.size() - at < 8) throw IoError(name_ + ": ends within the tag of a variable; it is truncated");
      std::uint32_t head[2];
      std::memcpy(head, bytes.data() + at, 8);
      if (swapped)
        for (std::uint32_t& word : head) word = __builtin_bswap32(word);
      const auto [type, size] = head;
      if (size > bytes.size() - at - 8)
        throw IoError(detail::cat(name_, ": a variable at byte ", at, " says that it has ", size, " bytes, ",
                                  bytes.size() - at - 8, " are left; it is truncated or damaged"));
      const auto inside = bytes.subspan(at + 8, size);
      at += 8 + size;
      if (type != 14 && type != 15) continue;
      detail::MatStream stream(inside, type == 15, name_);
      detail::MatMatrix parser(stream, swapped);
      std::uint64_t length = size;
      if (type == 15) {
        const auto tag = parser.tag();
        if (tag.type != 14) stream.fail("has a compressed variable that is no matrix; it is damaged");
        length = tag.size;
      }
      MatValue value = parser.matrix(length);
      names_.push_back(value.name);
      values_.insert_or_assign(value.name, std::move(value));
    }
  }

  const std::string& path() const { return name_; }
  /// Names of all variables, in the order of the file.
  const std::vector<std::string>& names() const { return names_; }
  bool contains(const std::string& name) const { return values_.count(name) != 0; }
  /// Throws IoError when it is missing, or nothing that is read.
  const MatValue& at(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) {
      std::string list;
      for (const std::string& one : names_) list += (list.empty() ? "" : ", ") + detail::printable(one);
      throw IoError(detail::cat(name_, ": has no variable '", name, "'; it has ", list));
    }
    if (const std::string& refused = found->second.refused; !refused.empty())
      throw IoError(detail::cat(name_, ": variable '", detail::printable(name), "' is ", refused,
                                ", expected numbers, text or cells; save its ",
                                refused.find("matrix") == std::string::npos ? "fields" : "real numbers",
                                " as variables"));
    return found->second;
  }

 private:
  std::string name_;
  std::vector<std::string> names_;
  std::map<std::string, MatValue> values_;
};

}  // namespace lacuna::io
