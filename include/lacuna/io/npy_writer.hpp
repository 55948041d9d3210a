/// Writing NumPy's array format (.npy 1.0): the bytes `numpy.save` writes for the same array, in this machine's byte
/// order.
#pragma once

#include <bit>

#include "lacuna/io/atomic_file.hpp"
#include "lacuna/io/npy.hpp"

namespace lacuna::io {

/// "<f4" for float, "|u1" for std::uint8_t.
template <NpyScalar T>
std::string npy_dtype() {
  const char order = sizeof(T) == 1 ? '|' : std::endian::native == std::endian::little ? '<' : '>';
  return detail::cat(order, std::floating_point<T> ? 'f' : std::signed_integral<T> ? 'i' : 'u', sizeof(T));
}

/// Everything in front of the first element.
inline std::string npy_header(const std::string& dtype, const Shape& shape) {
  std::string axes = to_string(shape);
  if (shape.rank() == 1) axes.insert(axes.size() - 1, ",");
  std::string text = detail::cat("{'descr': '", dtype, "', 'fortran_order': False, 'shape': ", axes, ", }");
  text.append(63 - (10 + text.size()) % 64, ' ');  // elements start at a multiple of 64
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += char(std::uint8_t(text.size() & 0xFF));
  header += char(std::uint8_t(text.size() >> 8));
  return header + text;
}

/// Strings as an array of fixed width text (<U). Throws IoError when one is no valid UTF-8 or ends in a zero byte,
/// which the format cannot tell from filling.
struct NpyText {
  std::string dtype;
  std::vector<std::uint32_t> codes;

  explicit NpyText(std::span<const std::string> strings) {
    std::vector<std::vector<std::uint32_t>> decoded;
    std::size_t width = 1;
    for (const std::string& string : strings) {
      decoded.push_back(decode(string));
      width = std::max(width, decoded.back().size());
    }
    codes.resize(width * decoded.size());
    for (std::size_t i = 0; i < decoded.size(); ++i)
      std::copy(decoded[i].begin(), decoded[i].end(), codes.begin() + std::ptrdiff_t(i * width));
    dtype = detail::cat(std::endian::native == std::endian::little ? '<' : '>', 'U', width);
  }

 private:
  static std::vector<std::uint32_t> decode(const std::string& text) {
    std::vector<std::uint32_t> codes;
    const auto refuse = [&] {
      throw IoError(detail::cat("npy: string '", detail::printable(text), "' is not UTF-8, or ends in a zero byte"));
    };
    if (!text.empty() && text.back() == '\0') refuse();
    for (std::size_t at = 0; at < text.size();) {
      const std::uint32_t first = std::uint8_t(text[at++]);
      const int more = first < 0x80   ? 0
                       : first < 0xC2 ? -1
                       : first < 0xE0 ? 1
                       : first < 0xF0 ? 2
                       : first < 0xF5 ? 3
                                      : -1;
      if (more < 0 || std::size_t(more) > text.size() - at) refuse();
      std::uint32_t code = more == 0 ? first : first & (0x3Fu >> more);
      for (int i = 0; i < more; ++i) {
        const std::uint32_t byte = std::uint8_t(text[at++]);
        if ((byte & 0xC0) != 0x80) refuse();
        code = (code << 6) | (byte & 0x3F);
      }
      constexpr std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};  // the shortest form only
      if (code < least[more] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) refuse();
      codes.push_back(code);
    }
    return codes;
  }
};

/// Writes one array to one file, replacing it whole. Throws IoError.
template <NpyScalar T, int R>
void save_npy(const std::string& path, const Tensor<T, R>& tensor) {
  AtomicFile file(path);
  file.write(npy_header(npy_dtype<T>(), tensor.shape()));
  file.write(tensor.data(), std::size_t(tensor.size()) * sizeof(T));
  file.commit();
}

}  // namespace lacuna::io
