/// Reading MATLAB files of level 5 (.mat, what `save` writes without -v7.3), compressed or not, in either byte order.
///
///     const io::Mat file("MSRC_v1.mat");
///     for (const std::string& name : file.names()) ...
///     const Tensor<double, 2> x = file.at("X").cells[0].array->tensor<double, 2>();   // a cell of matrices
///
/// Read: numbers of all classes, logical, complex, sparse (as a dense matrix), characters (one string a row), and cells of
/// these. Axes are MATLAB's, in C order here. Structures, objects and functions are refused by name, where they are
/// asked for; what else is in the file can still be read. MATLAB 7.3 is HDF5 (hdf5.hpp, mat73.hpp). No size is believed
/// before it was checked, and no more is inflated than what was asked for. Errors are IoError. Source: MAT-File Format, MathWorks.
#pragma once

#include <zlib.h>

#include <map>
#include <memory>
#include <optional>

#include "lacuna/io/file_kind.hpp"
#include "lacuna/io/npy.hpp"
#include "lacuna/io/npy_writer.hpp"

namespace lacuna::io {

/// A variable: an array, or a cell of variables; or what it is that is not read.
struct MatValue {
  std::string name;
  Shape shape;
  std::optional<NpyArray> array = {};  ///< text too: one string a row
  std::vector<MatValue> cells = {};    ///< in the order of the file, column after column
  bool cell = false;
  std::string refused = {};  ///< "a structure"
};

}  // namespace lacuna::io

namespace lacuna::detail {

/// Bytes one after the other, out of memory or out of a zlib stream.
class MatStream {
 public:
  MatStream(std::span<const std::uint8_t> bytes, bool packed, std::string where)
      : bytes_(bytes),
        left_(packed ? std::uint64_t{1100} * bytes.size() + 64 : bytes.size()),
        where_(std::move(where)) {
    if (!packed) return;
    zip_ = std::make_unique<z_stream>();
    zip_->next_in = const_cast<Bytef*>(bytes.data());
    zip_->avail_in = uInt(bytes.size());
    if (inflateInit(zip_.get()) != Z_OK) throw IoError(where_ + ": cannot be inflated");
  }
  MatStream(const MatStream&) = delete;
  MatStream& operator=(const MatStream&) = delete;
  ~MatStream() {
    if (zip_) inflateEnd(zip_.get());
  }

  /// An upper bound for what can still come.
  std::uint64_t left() const { return left_; }
  void read(void* to, std::size_t count) {
    if (count > left_) fail("ends before its data do; it is truncated or damaged");
    left_ -= count;
    if (!zip_) {
      if (count > 0) std::memcpy(to, bytes_.data() + at_, count);
      at_ += count;
      return;
    }
    zip_->next_out = static_cast<Bytef*>(to);
    zip_->avail_out = uInt(count);
    while (zip_->avail_out > 0) {
      const int status = inflate(zip_.get(), Z_NO_FLUSH);
      if (status == Z_STREAM_END && zip_->avail_out == 0) break;
      if (status != Z_OK) fail("holds compressed data that cannot be inflated; it is damaged");
    }
  }
  std::vector<std::uint8_t> take(std::uint64_t count) {
    if (count > left_) fail("says that ", count, " bytes follow, more than there are; it is truncated or damaged");
    std::vector<std::uint8_t> bytes;
    while (count > 0) {  // piece by piece: a stream that ends early costs no more than it held
      const std::size_t piece = std::size_t(std::min<std::uint64_t>(count, std::uint64_t(1) << 20)), at = bytes.size();
      bytes.resize(at + piece);
      read(bytes.data() + at, piece);
      count -= piece;
    }
    return bytes;
  }
  template <class... Pieces>
  [[noreturn]] void fail(const Pieces&... pieces) const {
    throw IoError(cat(where_, ": ", pieces...));
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  std::uint64_t left_;
  std::string where_;
  std::unique_ptr<z_stream> zip_;
};

class MatParser {
 public:
  MatParser(MatStream& stream, bool swapped) : stream_(stream), swapped_(swapped) {}

  /// One matrix; the tag of its element was read, `size` bytes belong to it.
  io::MatValue matrix(std::uint64_t size, int depth = 0) {
    io::MatValue value;
    if (depth > 16) stream_.fail("has cells nested deeper than 16");
    if (size == 0) return value;  // an empty cell
    const Element flags = element(8);
    if (flags.type != 6 || flags.bytes.size() != 8) stream_.fail("has a matrix without flags; it is damaged");
    const std::uint32_t word = number<std::uint32_t>(flags.bytes, 0), kind = word & 0xFF;
    const bool complex = (word & 0x800) != 0, logical = (word & 0x200) != 0;
    if (kind == 17) {  // opaque objects have no shape
      value.refused = "an object of MATLAB";
      return value;
    }
    const Element dims = element(4 * 32);
    if (dims.type != 5 || dims.bytes.size() % 4 != 0 || dims.bytes.size() < 8)
      stream_.fail("has a matrix without dimensions; it is damaged");
    index_t lengths[Shape::max_rank];
    const int rank = int(dims.bytes.size() / 4);
    if (rank > Shape::max_rank) stream_.fail("has a matrix of ", rank, " axes, expected at most ", Shape::max_rank);
    std::uint64_t count = 1;
    for (int axis = 0; axis < rank; ++axis) {
      const std::int32_t length = number<std::int32_t>(dims.bytes, std::size_t(4 * axis));
      if (length < 0) stream_.fail("has a dimension of ", length);
      if (length > 0 && count > (std::uint64_t(1) << 48) / std::uint64_t(length))
        stream_.fail("has a matrix beyond 2^48");
      count *= std::uint64_t(length);
      lengths[axis] = length;
    }
    value.shape = Shape(lengths, rank);
    const Element name = element(1024);
    value.name.assign(name.bytes.begin(), name.bytes.end());
    static constexpr const char* refused[] = {"", "", "a structure", "an object"};
    if (kind == 2 || kind == 3) {
      value.refused = refused[kind];
      return value;
    }
    if (kind == 16) {
      value.refused = "a function";
      return value;
    }
    if (kind == 1) {
      value.cell = true;
      if (count > stream_.left() / 8) stream_.fail("has a cell of ", count, " parts, more than there are");
      for (std::uint64_t i = 0; i < count; ++i) {
        const auto [type, bytes, small] = tag();
        if (type != 14 || small) stream_.fail("has a cell whose part is no matrix; it is damaged");
        value.cells.push_back(matrix(bytes, depth + 1));
        if (!value.cells.back().refused.empty()) {
          value.refused = "a cell with " + value.cells.back().refused;
          return value;
        }
      }
      return value;
    }
    if (kind == 4) return text(std::move(value), count);
    if (kind == 5) return sparse(std::move(value), count, complex);
    if (kind < 6 || kind > 15) stream_.fail("has a matrix of class ", kind, ", which is not known");
    return numbers(std::move(value), count, kind, complex, logical);
  }
  struct Tag {
    std::uint32_t type;
    std::uint64_t size;
    bool small;
  };
  Tag tag() {
    std::uint8_t head[8];
    stream_.read(head, 4);
    const std::uint32_t word = number<std::uint32_t>({head, 4}, 0);
    if ((word >> 16) != 0) return {word & 0xFFFF, word >> 16, true};
    stream_.read(head + 4, 4);
    return {word, number<std::uint32_t>({head + 4, 4}, 0), false};
  }

 private:
  struct Element {
    std::uint32_t type = 0;
    std::vector<std::uint8_t> bytes;
  };
  template <class T>
  T number(std::span<const std::uint8_t> bytes, std::size_t at) const {
    std::uint8_t own[sizeof(T)];
    std::memcpy(own, bytes.data() + at, sizeof(T));
    if (swapped_) std::reverse(own, own + sizeof(T));
    T value;
    std::memcpy(&value, own, sizeof(T));
    return value;
  }
  /// An element of at most `most` bytes, and the filling behind it.
  Element element(std::uint64_t most) {
    const Tag head = tag();
    if (head.size > most) stream_.fail("has an element of ", head.size, " bytes, expected at most ", most);
    if (head.small && head.size > 4) stream_.fail("has a small element of ", head.size, " bytes");
    Element result{head.type, stream_.take(head.size)};
    const std::uint64_t fill = head.small ? 4 - head.size : (8 - head.size % 8) % 8;
    stream_.take(std::min(fill, stream_.left()));
    return result;
  }
  static std::size_t size_of_type(std::uint32_t type) {
    switch (type) {
      case 1:
      case 2:
      case 16:
        return 1;
      case 3:
      case 4:
      case 17:
        return 2;
      case 5:
      case 6:
      case 7:
      case 18:
        return 4;
      case 9:
      case 12:
      case 13:
        return 8;
      default:
        return 0;
    }
  }
  /// `count` numbers, stored as any type.
  template <class T>
  std::vector<T> read_as(std::uint64_t count) {
    const Element data = element(8 * count);
    const std::size_t size = size_of_type(data.type);
    if (size == 0 || data.bytes.size() != count * size)
      stream_.fail("has ", data.bytes.size(), " bytes of type ", data.type, " for ", count, " numbers; it is damaged");
    std::vector<T> values(count);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t at = i * size;
      switch (data.type) {
        case 1:
          values[i] = T(number<std::int8_t>(data.bytes, at));
          break;
        case 2:
        case 16:
          values[i] = T(number<std::uint8_t>(data.bytes, at));
          break;
        case 3:
          values[i] = T(number<std::int16_t>(data.bytes, at));
          break;
        case 4:
        case 17:
          values[i] = T(number<std::uint16_t>(data.bytes, at));
          break;
        case 5:
          values[i] = T(number<std::int32_t>(data.bytes, at));
          break;
        case 6:
        case 18:
          values[i] = T(number<std::uint32_t>(data.bytes, at));
          break;
        case 7:
          values[i] = checked<T>(double(number<float>(data.bytes, at)));
          break;
        case 9:
          values[i] = checked<T>(number<double>(data.bytes, at));
          break;
        case 12:
          values[i] = T(number<std::int64_t>(data.bytes, at));
          break;
        default:
          values[i] = T(number<std::uint64_t>(data.bytes, at));
          break;
      }
    }
    return values;
  }
  template <class T>
  T checked(double value) const {
    if constexpr (std::integral<T>) {
      if (!(value >= double(std::numeric_limits<T>::min()) && value <= 9e18 &&
            value <= double(std::numeric_limits<T>::max())))
        stream_.fail("holds ", value, " in a matrix of integers");
    }
    return T(value);
  }
  template <class T>
  void put(io::MatValue& value, const std::string& dtype, io::NpyKind kind, std::size_t parts,
           const std::vector<T>& columns) {
    io::NpyHeader header;
    header.dtype = dtype;
    header.kind = kind;
    header.item_size = sizeof(T) * parts;
    header.shape = value.shape;
    std::vector<std::uint8_t> bytes(columns.size() * sizeof(T));
    if (!bytes.empty()) std::memcpy(bytes.data(), columns.data(), bytes.size());
    bytes = to_row_major(bytes, value.shape, header.item_size);
    header.payload = bytes.size();
    value.array.emplace(value.name, std::move(header), std::move(bytes));
  }
  template <class T>
  io::MatValue numbers_as(io::MatValue value, std::uint64_t count, bool complex, bool logical) {
    std::vector<T> real = read_as<T>(count);
    if constexpr (std::floating_point<T>) {
      if (complex) {
        const std::vector<T> imaginary = read_as<T>(count);
        std::vector<T> both;
        for (std::size_t i = 0; i < real.size(); ++i) {
          both.push_back(real[i]);
          both.push_back(imaginary[i]);
        }
        put(value, sizeof(T) == 8 ? "<c16" : "<c8", io::NpyKind::complex, 2, both);
        return value;
      }
    } else if (complex) {
      stream_.fail("has complex integers");
    }
    const io::NpyKind kind = std::floating_point<T>    ? io::NpyKind::real
                             : std::signed_integral<T> ? io::NpyKind::integer
                                                       : io::NpyKind::natural;
    static_cast<void>(logical);
    put(value, io::npy_dtype<T>(), kind, 1, real);
    return value;
  }
  io::MatValue numbers(io::MatValue value, std::uint64_t count, std::uint32_t kind, bool complex, bool logical) {
    switch (kind) {
      case 6:
        return numbers_as<double>(std::move(value), count, complex, logical);
      case 7:
        return numbers_as<float>(std::move(value), count, complex, logical);
      case 8:
        return numbers_as<std::int8_t>(std::move(value), count, complex, logical);
      case 9:
        return numbers_as<std::uint8_t>(std::move(value), count, complex, logical);
      case 10:
        return numbers_as<std::int16_t>(std::move(value), count, complex, logical);
      case 11:
        return numbers_as<std::uint16_t>(std::move(value), count, complex, logical);
      case 12:
        return numbers_as<std::int32_t>(std::move(value), count, complex, logical);
      case 13:
        return numbers_as<std::uint32_t>(std::move(value), count, complex, logical);
      case 14:
        return numbers_as<std::int64_t>(std::move(value), count, complex, logical);
      default:
        return numbers_as<std::uint64_t>(std::move(value), count, complex, logical);
    }
  }
  /// Rows of characters.
  io::MatValue text(io::MatValue value, std::uint64_t count) {
    if (value.shape.rank() != 2) stream_.fail("has text of ", value.shape.rank(), " axes");
    const Element data = element(4 * count);
    std::vector<std::uint32_t> codes;
    if (data.type == 16) {  // UTF-8
      const std::string utf8(data.bytes.begin(), data.bytes.end());
      for (std::size_t at = 0; at < utf8.size();) {
        const std::int64_t code = next_utf8(utf8, at);
        if (code < 0) stream_.fail("has text that is not UTF-8");
        codes.push_back(std::uint32_t(code));
      }
    } else {
      const std::size_t size = size_of_type(data.type);
      if (size == 0 || size == 8) stream_.fail("has text of type ", data.type);
      for (std::size_t at = 0; at + size <= data.bytes.size(); at += size)
        codes.push_back(size == 1   ? data.bytes[at]
                        : size == 2 ? number<std::uint16_t>(data.bytes, at)
                                    : number<std::uint32_t>(data.bytes, at));
    }
    if (codes.size() != count) stream_.fail("has ", codes.size(), " characters, expected ", count);
    std::vector<std::string> rows;
    for (index_t r = 0; r < value.shape[0]; ++r) {
      std::string row;
      for (index_t c = 0; c < value.shape[1]; ++c) {
        const std::uint32_t code = codes[std::size_t(c * value.shape[0] + r)];
        if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
          stream_.fail("has text with ", code, ", no character");
        append_utf8(row, code);
      }
      while (!row.empty() && row.back() == '\0') row.pop_back();
      rows.push_back(row);
    }
    const io::NpyText strings(rows);
    io::NpyHeader header;
    header.dtype = strings.dtype;
    header.kind = io::NpyKind::unicode;
    header.shape = Shape{index_t(rows.size())};
    header.item_size = rows.empty() ? 4 : 4 * strings.codes.size() / rows.size();
    std::vector<std::uint8_t> bytes(4 * strings.codes.size());
    if (!bytes.empty()) std::memcpy(bytes.data(), strings.codes.data(), bytes.size());
    header.payload = bytes.size();
    value.array.emplace(value.name, std::move(header), std::move(bytes));
    return value;
  }
  /// Columns of (row, number): a dense matrix, which may not be more than 64 times as large and 64 MiB.
  io::MatValue sparse(io::MatValue value, std::uint64_t count, bool complex) {
    if (value.shape.rank() != 2 || complex) stream_.fail("has a sparse matrix that is complex or not of two axes");
    const Element row_bytes = element(stream_.left()), column_bytes = element(stream_.left());
    const auto integers = [&](const Element& from) {
      std::vector<index_t> list;
      if (from.type != 5) stream_.fail("has a sparse matrix whose indices are of type ", from.type);
      for (std::size_t at = 0; at + 4 <= from.bytes.size(); at += 4)
        list.push_back(number<std::int32_t>(from.bytes, at));
      return list;
    };
    const std::vector<index_t> rows = integers(row_bytes), starts = integers(column_bytes);
    if (index_t(starts.size()) != value.shape[1] + 1)
      stream_.fail("has a sparse matrix with ", starts.size(), " columns");
    const index_t stored = starts.empty() ? 0 : starts.back();
    if (stored < 0 || stored > index_t(rows.size())) stream_.fail("has a sparse matrix with ", stored, " numbers");
    const std::vector<double> numbers = read_as<double>(std::uint64_t(stored));
    if (count > 4096 * (std::uint64_t(stored) + starts.size()) + (std::uint64_t(1) << 16))
      stream_.fail("has a sparse matrix of shape ", value.shape, ", out of proportion as a dense one");
    std::vector<double> dense(count, 0.0);
    for (index_t c = 0; c + 1 < index_t(starts.size()); ++c)
      for (index_t i = starts[std::size_t(c)]; i < starts[std::size_t(c) + 1]; ++i) {
        if (i < 0 || i >= stored || rows[std::size_t(i)] < 0 || rows[std::size_t(i)] >= value.shape[0])
          stream_.fail("has a sparse matrix with a number outside of it");
        dense[std::size_t(c * value.shape[0] + rows[std::size_t(i)])] = numbers[std::size_t(i)];
      }
    put(value, io::npy_dtype<double>(), io::NpyKind::real, 1, dense);
    return value;
  }

  MatStream& stream_;
  bool swapped_;
};

}  // namespace lacuna::detail

namespace lacuna::io {

class Mat {
 public:
  explicit Mat(const std::string& path) : Mat(std::make_shared<MappedFile>(path)) {}
  explicit Mat(std::shared_ptr<const MappedFile> file) : name_(file->name()) {
    const auto bytes = file->bytes();
    if (detail::starts_with(bytes, "MATLAB 7.3"))
      throw IoError(name_ + ": is MATLAB 7.3, which is HDF5: read it as that");
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
      detail::MatParser parser(stream, swapped);
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
    if (!found->second.refused.empty())
      throw IoError(detail::cat(name_, ": variable '", detail::printable(name), "' is ", found->second.refused,
                                ", expected numbers, text or cells; save its fields as variables"));
    return found->second;
  }

 private:
  std::string name_;
  std::vector<std::string> names_;
  std::map<std::string, MatValue> values_;
};

}  // namespace lacuna::io
