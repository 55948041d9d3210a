/// The header of a .npy file, read and written: a Python dictionary in ASCII,
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, padded so that the numbers start at a multiple of 64.
///
/// The parser takes literals only: it evaluates nothing, and looks at no more than 65535 bytes. Errors are IoError.
#pragma once

#include <algorithm>
#include <bit>
#include <limits>

#include "lacuna/core/shape.hpp"
#include "lacuna/io/source.hpp"

namespace lacuna::io {

enum class NpyKind : char {
  boolean = 'b',
  integer = 'i',
  natural = 'u',
  real = 'f',
  bytes = 'S',
  unicode = 'U',
  // Never in a file that load_npy reads; arrays out of other files have them.
  brain = 'B',    ///< bfloat16
  complex = 'c',  ///< real and imaginary part
  object = 'O',   ///< Python objects
};

/// The array may be intact, but is of a type (or rank) that is not read.
class NpyTypeError : public IoError {
 public:
  using IoError::IoError;
};

struct NpyHeader {
  std::string dtype;  ///< as written: "<f4"
  NpyKind kind = NpyKind::real;
  std::size_t item_size = 4;  ///< bytes per element
  bool swapped = false;       ///< the other byte order than this machine's
  bool fortran_order = false;
  Shape shape;
  std::uint64_t payload = 0;  ///< bytes of all elements
};

}  // namespace lacuna::io

namespace lacuna::detail {

/// Reads the dictionary from left to right; at every step one of few things may come.
class NpyHeaderParser {
 public:
  /// `any`: takes complex numbers and Python objects too.
  NpyHeaderParser(std::string_view text, const std::string& where, bool any = false)
      : text_(text), where_(where), any_(any) {}

  io::NpyHeader parse() {
    io::NpyHeader header;
    bool seen[3] = {};
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      const int which = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : -1;
      if (which < 0 || seen[which]) fail(which < 0 ? "an unknown key" : "a key twice");
      seen[which] = true;
      expect(':');
      if (which == 0) type(header);
      if (which == 1) header.fortran_order = boolean();
      if (which == 2) header.shape = tuple();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    space();
    if (at_ != text_.size()) fail("text after the dictionary");
    if (!seen[0] || !seen[1] || !seen[2]) fail("no descr, fortran_order or shape");
    return header;
  }

 private:
  [[noreturn]] void fail(std::string_view found) const {
    throw IoError(cat(where_, " has a damaged .npy header: ", found, " at byte ", at_));
  }
  void space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  bool accept(char c) {
    space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(cat("no '", c, "'"));
  }
  std::string_view quoted() {
    const char quote = accept('\'') ? '\'' : (expect('"'), '"');
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\') fail("an escape");
      ++at_;
    }
    if (at_ >= text_.size()) fail("a string without end");
    return text_.substr(start, at_++ - start);
  }
  bool word(std::string_view expected) {
    space();
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }
  bool boolean() {
    if (word("True")) return true;
    if (!word("False")) fail("neither True nor False");
    return false;
  }
  static bool digit(char c) { return c >= '0' && c <= '9'; }
  index_t number() {
    space();
    if (at_ >= text_.size() || !digit(text_[at_])) fail("no axis length");
    index_t value = 0;
    while (at_ < text_.size() && digit(text_[at_])) {
      const index_t next = text_[at_++] - '0';
      if (value > (std::numeric_limits<index_t>::max() - next) / 10) fail("an axis length above 64 bits");
      value = 10 * value + next;
    }
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 wrote 3L
    return value;
  }
  Shape tuple() {
    index_t lengths[Shape::max_rank];
    int rank = 0;
    index_t size = 1;
    expect('(');
    bool comma = true;
    while (!accept(')')) {
      if (!comma) fail("no ',' between axis lengths");
      if (rank == Shape::max_rank)
        throw io::NpyTypeError(cat(where_, " has more than ", Shape::max_rank, " axes; reshape it before saving"));
      const index_t length = number();
      if (length > 0 && size > std::numeric_limits<index_t>::max() / length)
        fail("a shape whose size overflows 64 bits");
      size *= length;
      lengths[rank++] = length;
      comma = accept(',');
    }
    if (rank == 1 && !comma) fail("a number in parentheses in place of a tuple");
    return Shape(lengths, rank);
  }
  void type(io::NpyHeader& header) {
    space();
    if (at_ < text_.size() && text_[at_] == '[')
      throw io::NpyTypeError(where_ +
                             " has a structured type, which is not read; save each field as an array of its own");
    const std::string_view dtype = quoted();
    header.dtype.assign(dtype.substr(0, 16));
    if (any_ && dtype == "|O") {
      header.kind = io::NpyKind::object;
      header.item_size = 0;
      return;
    }
    if (dtype.substr(0, 2) == "|O" || dtype == "O")
      throw io::NpyTypeError(
          where_ +
          " holds pickled Python objects, which can run code and are not read; save it as numbers or strings (astype)");
    const auto refuse = [&] {
      throw io::NpyTypeError(cat(
          where_, " has type ", printable(dtype),
          ", which is not read; expected f2 f4 f8, i1-i8, u1-u8, b1, S or U: convert it with astype before saving"));
    };
    if (dtype.size() < 3 || dtype.size() > 16) refuse();
    const char order = dtype[0], kind = dtype[1];
    if (order != '<' && order != '>' && order != '|' && order != '=') refuse();
    std::uint64_t count = 0;
    for (const char c : dtype.substr(2)) {
      if (!digit(c)) refuse();
      count = 10 * count + std::uint64_t(c - '0');  // at most 14 digits
    }
    const bool one = count == 1, power = count == 2 || count == 4 || count == 8;
    const bool known = kind == 'b'                  ? one
                       : kind == 'i' || kind == 'u' ? one || power
                       : kind == 'f'                ? power
                       : kind == 'c'                ? any_ && (count == 8 || count == 16)
                                                    : kind == 'S' || kind == 'U';
    if (!known || (order == '|' && kind != 'S' && (kind == 'U' || !one))) refuse();
    header.kind = io::NpyKind(kind);
    header.item_size = kind == 'U' ? 4 * count : count;
    constexpr char foreign = std::endian::native == std::endian::little ? '>' : '<';
    header.swapped = order == foreign;
  }

  std::string_view text_;
  const std::string& where_;
  bool any_;
  std::size_t at_ = 0;
};

/// Reverses the bytes of every item.
inline void reverse_items(std::vector<std::uint8_t>& bytes, std::size_t item) {
  if (item < 2) return;
  for (std::size_t at = 0; at + item <= bytes.size(); at += item)
    std::reverse(bytes.begin() + std::ptrdiff_t(at), bytes.begin() + std::ptrdiff_t(at + item));
}

/// The first axis varies fastest -> the last one does.
inline std::vector<std::uint8_t> to_row_major(const std::vector<std::uint8_t>& columns, const Shape& shape,
                                              std::size_t item) {
  if (shape.rank() < 2 || columns.empty()) return columns;
  std::vector<std::uint8_t> rows(columns.size());
  index_t stride[Shape::max_rank], index[Shape::max_rank] = {}, from = 0;
  stride[0] = 1;
  for (int axis = 1; axis < shape.rank(); ++axis) stride[axis] = stride[axis - 1] * shape[axis - 1];
  for (std::size_t to = 0; to < rows.size(); to += item) {
    std::memcpy(rows.data() + to, columns.data() + std::size_t(from) * item, item);
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {  // the next index in C order
      from += stride[axis];
      if (++index[axis] < shape[axis]) break;
      from -= stride[axis] * index[axis];
      index[axis] = 0;
    }
  }
  return rows;
}

}  // namespace lacuna::detail

namespace lacuna::io {

/// Reads the header of an array of `size` bytes; the stream then stands at the first element.
/// Throws IoError unless header and elements together are exactly `size` bytes. `any`: complex numbers are read too,
/// and Python objects, whose bytes are all that follow.
template <class Stream>
NpyHeader read_npy_header(Stream& stream, std::uint64_t size, const std::string& where, bool any = false) {
  std::uint8_t start[12] = {};
  if (size < 10)
    throw IoError(
        detail::cat(where, " has ", size, " bytes, too few for a .npy header; it is truncated or not an array"));
  stream.read(start, 10);
  if (std::memcmp(start, "version ht", 10) == 0) throw IoError(where + " " + detail::lfs_pointer);
  if (std::memcmp(start, "\x93NUMPY", 6) != 0)
    throw IoError(where + " does not start as a .npy file does; it is damaged or not an array");
  if (start[6] < 1 || start[6] > 3 || start[7] != 0)
    throw IoError(
        detail::cat(where, " has .npy version ", int(start[6]), ".", int(start[7]), ", expected 1.0, 2.0 or 3.0"));
  std::uint64_t left = size - 10, length = detail::load_little<std::uint16_t>(start + 8);
  if (start[6] > 1) {  // four bytes of length instead of two
    if (left < 2) throw IoError(where + " ends within its header");
    stream.read(start + 10, 2);
    left -= 2;
    length = detail::load_little<std::uint32_t>(start + 8);
  }
  if (length > left || length > 65535)
    throw IoError(detail::cat(where, " claims a header of ", length, " bytes, expected at most ",
                              std::min<std::uint64_t>(left, 65535)));
  std::string text(length, ' ');
  stream.read(text.data(), text.size());
  left -= length;
  NpyHeader header = detail::NpyHeaderParser(text, where, any).parse();
  header.payload = left;
  if (header.kind == NpyKind::object) return header;
  const std::uint64_t elements = std::uint64_t(header.shape.size());
  if (elements > 0 && header.item_size == 0)
    throw IoError(detail::cat(where, " has type ", header.dtype, ", whose elements have no bytes"));
  // Divides, so that nothing overflows; an array without elements must have no bytes.
  if (elements == 0 ? left != 0 : left / elements != header.item_size || left % elements != 0)
    throw IoError(detail::cat(where, " has ", left, " bytes of elements, expected shape ", header.shape, " of ",
                              header.item_size, " bytes each; it is truncated or damaged"));
  return header;
}

}  // namespace lacuna::io
