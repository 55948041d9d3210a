/// A variable of a MATLAB file of level 5 (mat.hpp): numbers, text, a sparse matrix, or a cell of variables, out of the
/// elements that hold it. Errors are IoError.
#pragma once

#include <optional>

#include "lacuna/io/mat_elements.hpp"
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

/// One matrix out of its elements.
class MatMatrix : public MatElements {
 public:
  using MatElements::MatElements;

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

 private:
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
      value.refused = "a matrix of complex integers";
      return value;
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
  /// Rows of characters. Rows without any cost the file nothing: few must do.
  io::MatValue text(io::MatValue value, std::uint64_t count) {
    if (value.shape.rank() != 2) stream_.fail("has text of ", value.shape.rank(), " axes");
    if (count == 0 && value.shape[0] > 65536)
      stream_.fail("has ", value.shape[0], " rows of text without a character, expected at most 65536; it is damaged");
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
    if (value.shape.rank() != 2) stream_.fail("has a sparse matrix that is not of two axes");
    if (complex) {
      value.refused = "a sparse matrix of complex numbers";
      return value;
    }
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
    if (count > 4096 * (std::uint64_t(stored) + starts.size()) + (std::uint64_t(1) << 16)) {
      value.refused = cat("a sparse matrix of shape ", value.shape, ", out of proportion as a dense one");
      return value;
    }
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
};

}  // namespace lacuna::detail
