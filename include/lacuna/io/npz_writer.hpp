/// Writing NumPy's archive of named arrays (.npz), for `numpy.load` and for `Npz`.
///
///     io::NpzWriter file("result.npz");
///     file.add("scores", scores);              // a tensor, a vector, a number, or a vector of strings
///     file.close();                            // the file appears now, whole; without close it never does
///
/// The same arrays give the same bytes. Errors are IoError: a name twice, a string that is no UTF-8, a failing disk.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include "lacuna/io/npy_writer.hpp"
#include "lacuna/io/zip_writer.hpp"

namespace lacuna::io {

class NpzWriter {
 public:
  using Options = ZipWriter::Options;

  explicit NpzWriter(std::string path) : zip_(std::move(path)) {}
  NpzWriter(std::string path, Options options) : zip_(std::move(path), options) {}

  /// Numbers in row-major order. Throws ShapeError when their count does not fit the shape.
  template <NpyScalar T>
  void add(const std::string& name, std::span<const T> numbers, const Shape& shape) {
    if (index_t(numbers.size()) != shape.size())
      throw ShapeError(detail::cat("npz: array '", name, "' has ", numbers.size(), " numbers for shape ", shape));
    put(name, npy_dtype<T>(), shape, numbers.data(), numbers.size_bytes());
  }
  template <NpyScalar T, int R>
  void add(const std::string& name, const Tensor<T, R>& tensor) {
    add(name, std::span<const T>(tensor.data(), std::size_t(tensor.size())), tensor.shape());
  }
  /// One axis.
  template <NpyScalar T>
  void add(const std::string& name, const std::vector<T>& numbers) {
    add(name, std::span<const T>(numbers), Shape{index_t(numbers.size())});
  }
  /// Shape ().
  template <NpyScalar T>
  void add(const std::string& name, T number) {
    add(name, std::span<const T>(&number, 1), Shape{});
  }
  /// One axis of text (<U).
  void add(const std::string& name, const std::vector<std::string>& strings) {
    const NpyText text(strings);
    put(name, text.dtype, Shape{index_t(strings.size())}, text.codes.data(), text.codes.size() * sizeof(std::uint32_t));
  }
  /// As it was read, in this machine's byte order. Throws IoError for objects and bfloat16, which the format has not.
  void add(const std::string& name, const NpyArray& array) {
    if (array.kind() == NpyKind::object || array.kind() == NpyKind::brain)
      throw IoError(detail::cat("npz: array '", name, "' has type ", array.dtype(), ", which .npz does not hold"));
    const std::size_t size = array.kind() == NpyKind::unicode ? array.item_size() / 4 : array.item_size();
    const bool bytes = array.kind() == NpyKind::bytes || array.item_size() == 1;
    const char order = bytes ? '|' : std::endian::native == std::endian::little ? '<' : '>';
    put(name, detail::cat(order, char(array.kind()), size), array.shape(), array.bytes().data(), array.bytes().size());
  }

  void close() { zip_.close(); }

 private:
  void put(const std::string& name, const std::string& dtype, const Shape& shape, const void* numbers,
           std::size_t bytes) {
    const std::string header = npy_header(dtype, shape);
    const ZipWriter::Bytes parts[] = {{reinterpret_cast<const std::uint8_t*>(header.data()), header.size()},
                                      {static_cast<const std::uint8_t*>(numbers), bytes}};
    zip_.add(name + ".npy", parts);
  }

  ZipWriter zip_;
};

}  // namespace lacuna::io

#include "lacuna/core/words_back.hpp"
