/// NumPy's array format (.npy, versions 1 to 3): `NpyArray`, an array whose type and shape are known at run time.
///
/// Types: f2 f4 f8, i1 to i8, u1 to u8, b1, |S (bytes) and <U (text, decoded to UTF-8), in either byte order; C and
/// Fortran order. In memory everything is native and in C order. A stored shape is believed only when it accounts for
/// every byte of the file, and nothing is allocated before that. Pickled objects, complex, date and structured types
/// are refused. Errors are IoError: file, array, found, expected. Source: numpy/lib/format.py; NEP 1.
#pragma once

#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

#include "lacuna/core/number_text.hpp"
#include "lacuna/core/tensor.hpp"
#include "lacuna/io/bfloat16.hpp"
#include "lacuna/io/half.hpp"
#include "lacuna/io/npy_header.hpp"
#include "lacuna/io/utf8.hpp"

namespace lacuna::io {

template <class T>
concept NpyScalar = std::same_as<T, float> || std::same_as<T, double> ||
    (std::integral<T> && !std::same_as<T, bool> && sizeof(T) <= 8);

class NpyArray {
 public:
  NpyArray(std::string where, NpyHeader header, std::vector<std::uint8_t> bytes)
      : where_(std::move(where)), header_(std::move(header)), bytes_(std::move(bytes)) {}

  NpyKind kind() const { return header_.kind; }
  /// Bytes per element.
  std::size_t item_size() const { return header_.item_size; }
  /// As the file wrote it: "<f4".
  const std::string& dtype() const { return header_.dtype; }
  const Shape& shape() const { return header_.shape; }
  index_t size() const { return header_.shape.size(); }
  int rank() const { return header_.shape.rank(); }
  /// "file: array 'name'", the start of every message about this array.
  const std::string& where() const { return where_; }
  /// Elements in C order and native byte order.
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

  bool floating() const { return kind() == NpyKind::real || kind() == NpyKind::brain; }
  bool integral() const {
    return kind() == NpyKind::integer || kind() == NpyKind::natural || kind() == NpyKind::boolean;
  }
  bool text() const { return kind() == NpyKind::bytes || kind() == NpyKind::unicode; }

  /// All numbers in row-major order. Wider to narrower floating types rounds to nearest; everything else must be exact:
  /// floating to integer is refused, and so is a number that T cannot hold.
  template <NpyScalar T>
  std::vector<T> as() const {
    std::vector<T> numbers(static_cast<std::size_t>(size()));
    convert(numbers.data());
    return numbers;
  }
  /// The same as a tensor of that rank. Throws IoError when the array has another.
  template <NpyScalar T, int R>
  Tensor<T, R> tensor() const {
    if (rank() != R) fail("has shape ", shape(), ", expected ", R, R == 1 ? " axis" : " axes");
    Tensor<T, R> result{Array<T>(shape())};
    convert(result.data());
    return result;
  }
  /// The only number of an array of shape () or (1).
  template <NpyScalar T>
  T scalar() const {
    if (rank() > 1 || size() != 1) fail("has shape ", shape(), ", expected a single number");
    T number{};
    convert(&number);
    return number;
  }
  /// Strings in row-major order, without the zeros that fill them up. Bytes come as they are, text as UTF-8.
  std::vector<std::string> strings() const {
    if (!text()) fail("has type ", dtype(), ", expected strings (|S or <U)");
    std::vector<std::string> list(static_cast<std::size_t>(size()));
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::uint8_t* item = bytes_.data() + i * item_size();
      if (kind() == NpyKind::bytes) {
        std::size_t length = item_size();
        while (length > 0 && item[length - 1] == 0) --length;
        list[i].assign(reinterpret_cast<const char*>(item), length);
      } else {
        std::size_t length = item_size() / 4;
        while (length > 0 && load<std::uint32_t>(item + 4 * (length - 1)) == 0) --length;
        for (std::size_t c = 0; c < length; ++c) append_utf8(list[i], load<std::uint32_t>(item + 4 * c));
      }
    }
    return list;
  }

 private:
  template <class Stored>
  static Stored load(const std::uint8_t* from) {
    Stored number;
    std::memcpy(&number, from, sizeof(Stored));
    return number;
  }
  template <class... Pieces>
  [[noreturn]] void fail(const Pieces&... pieces) const {
    throw IoError(detail::cat(where_, " ", pieces...));
  }

  template <class T>
  void convert(T* to) const {
    switch (kind()) {
      case NpyKind::boolean:
        return convert_from<std::uint8_t>(to);
      case NpyKind::integer:
        switch (item_size()) {
          case 1:
            return convert_from<std::int8_t>(to);
          case 2:
            return convert_from<std::int16_t>(to);
          case 4:
            return convert_from<std::int32_t>(to);
          default:
            return convert_from<std::int64_t>(to);
        }
      case NpyKind::natural:
        switch (item_size()) {
          case 1:
            return convert_from<std::uint8_t>(to);
          case 2:
            return convert_from<std::uint16_t>(to);
          case 4:
            return convert_from<std::uint32_t>(to);
          default:
            return convert_from<std::uint64_t>(to);
        }
      case NpyKind::real:
        if constexpr (std::floating_point<T>) {
          if (item_size() == 8) return convert_from<double>(to);
          if (item_size() == 4) return convert_from<float>(to);
          for (index_t i = 0; i < size(); ++i) to[i] = T(half_to_float(load<std::uint16_t>(bytes_.data() + 2 * i)));
          return;
        } else {
          fail("has type ", dtype(), ", expected integers");
        }
      case NpyKind::brain:
        if constexpr (std::floating_point<T>) {
          for (index_t i = 0; i < size(); ++i) to[i] = T(bfloat16_to_float(load<std::uint16_t>(bytes_.data() + 2 * i)));
          return;
        } else {
          fail("has type ", dtype(), ", expected integers");
        }
      default:
        fail("has type ", dtype(), ", expected numbers");
    }
  }
  template <class Stored, class T>
  void convert_from(T* to) const {
    if constexpr (std::same_as<Stored, T>) {
      if (!bytes_.empty()) std::memcpy(to, bytes_.data(), bytes_.size());
    } else {
      for (index_t i = 0; i < size(); ++i) {
        const Stored number = load<Stored>(bytes_.data() + std::size_t(i) * sizeof(Stored));
        if (!fits<T>(number))
          fail("element ", i, " is ", brief_number(number), ", which ", type_name<T>(), " cannot hold");
        to[i] = T(number);
      }
    }
  }
  /// Not the 300 digits of 1e300.
  template <class Stored>
  static std::string brief_number(Stored number) {
    if constexpr (std::floating_point<Stored>)
      return detail::general_text(double(number), 6);
    else
      return detail::cat(number);
  }
  template <class T, class Stored>
  static bool fits(Stored number) {
    if constexpr (std::integral<T>) {
      return std::in_range<T>(number);
    } else if constexpr (std::floating_point<Stored>) {
      return std::isinf(T(number)) == std::isinf(number);
    } else {  // every integer up to 2^digits is exact
      constexpr std::uint64_t most = std::uint64_t(1) << std::numeric_limits<T>::digits;
      if constexpr (std::signed_integral<Stored>)
        return std::cmp_less_equal(number, most) && std::cmp_greater_equal(number, -std::int64_t(most));
      else
        return std::cmp_less_equal(number, most);
    }
  }
  template <class T>
  static std::string type_name() {
    if (std::floating_point<T>) return sizeof(T) == 4 ? "float" : "double";
    return detail::cat(std::signed_integral<T> ? "a signed integer of " : "an unsigned integer of ", 8 * sizeof(T),
                       " bits");
  }
  void append_utf8(std::string& text, std::uint32_t code) const {
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) fail("holds ", code, ", which is no character");
    detail::append_utf8(text, code);
  }

  std::string where_;
  NpyHeader header_;
  std::vector<std::uint8_t> bytes_;
};

/// Reads one array of `size` bytes from a stream with `read(void*, count)`; `where` opens every message.
template <class Stream>
NpyArray read_npy(Stream& stream, std::uint64_t size, std::string where) {
  NpyHeader header = read_npy_header(stream, size, where);
  std::vector<std::uint8_t> bytes(header.payload);
  stream.read(bytes.data(), bytes.size());
  if (header.swapped) detail::reverse_items(bytes, header.kind == NpyKind::unicode ? 4 : header.item_size);
  if (header.fortran_order) bytes = detail::to_row_major(bytes, header.shape, header.item_size);
  return NpyArray(std::move(where), std::move(header), std::move(bytes));
}

/// Reads one .npy file.
inline NpyArray load_npy(ByteSource source) {
  struct {
    const ByteSource& source;
    std::uint64_t offset = 0;
    void read(void* to, std::size_t count) {
      source.read(offset, to, count);
      offset += count;
    }
  } stream{source};
  return read_npy(stream, source.size(), source.name() + ": array");
}
inline NpyArray load_npy(const std::string& path) { return load_npy(ByteSource(path)); }

}  // namespace lacuna::io
