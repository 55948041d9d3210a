/// Products with a weight matrix as the file keeps it.
///
/// Policy: every weight is read once, whatever the number of rows: a block of rows of the matrix is widened into memory
/// that fits the second cache, and multiplied from there. Numbers of the type that is computed in are used where they
/// lie. The same bits with any number of threads.
#pragma once

#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/widen.hpp"

namespace lacuna::cpu {

struct StoredLinear {
  /// y (rows, out) = x (rows, in) Wᵀ + b; W (out, in); b may be null.
  template <class T>
  static void stored_linear(index_t rows, const StoredArray& weight, const T* x, const T* bias, T* y) {
    const index_t out = weight.shape[0], in = weight.shape[1];
    const auto add_bias = [=](index_t row, index_t row_count, index_t column, index_t columns) {
      if (bias == nullptr) return;
      for (index_t i = row; i < row + row_count; ++i)
        for (index_t j = column; j < column + columns; ++j) y[i * out + j] += bias[j];
    };
    if (const T* const direct = as_it_lies<T>(weight))
      return Gemm::gemm<T>(rows, out, in, {x, in}, {direct, in, true}, T(0), y, out, add_bias);
    const bool alone = double(rows) * double(in) * double(out) < 1e5;
    parallel_for(out, alone ? out : block_rows<T>(in), [&](index_t begin, index_t end) {
      const index_t count = end - begin;
      const Block<T> block(count * in);
      Widen::widen(weight.type, count * in, weight.from(begin * in), block.numbers);
      Gemm::gemm_serial<T>(rows, count, in, {x, in}, {block.numbers, in, true}, T(0), y + begin, out);
      add_bias(0, rows, begin, count);
    });
  }
  /// dx (rows, in) = beta dx + dy (rows, out) W.
  template <class T>
  static void stored_linear_gradient(index_t rows, const StoredArray& weight, const T* dy, T beta, T* dx) {
    const index_t out = weight.shape[0], in = weight.shape[1];
    if (const T* const direct = as_it_lies<T>(weight))
      return Gemm::gemm<T>(rows, in, out, {dy, out}, {direct, in}, beta, dx, in);
    const index_t grain = 4 * block_rows<T>(in);
    const Block<T> block(std::min(grain, out) * in);
    for (index_t begin = 0; begin < out; begin += grain) {
      const index_t count = std::min(grain, out - begin);
      parallel_for(count, block_rows<T>(in), [&](index_t first, index_t last) {
        Widen::widen(weight.type, (last - first) * in, weight.from((begin + first) * in), block.numbers + first * in);
      });
      Gemm::gemm<T>(rows, in, count, {dy + begin, out}, {block.numbers, in}, begin == 0 ? beta : T(1), dx, in);
    }
  }

 private:
  template <class T>
  struct Block {
    std::size_t bytes;
    T* numbers;
    explicit Block(index_t n)
        : bytes(std::size_t(n) * sizeof(T)), numbers(n ? static_cast<T*>(Cpu::allocate(bytes)) : nullptr) {}
    ~Block() {
      if (numbers) Cpu::deallocate(numbers, bytes);
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
  };

  /// Some 256 KiB of widened numbers; whole panels of columns.
  template <class T>
  static index_t block_rows(index_t in) {
    const index_t fit = index_t(262144 / sizeof(T)) / (in > 0 ? in : 1);
    return fit < 16 ? 16 : fit / 16 * 16;
  }
  /// Null for another type, and for numbers at an odd address.
  template <class T>
  static const T* as_it_lies(const StoredArray& weight) {
    const bool fits =
        weight.type == stored_type_of<T> && reinterpret_cast<std::uintptr_t>(weight.bytes) % sizeof(T) == 0;
    return fits ? reinterpret_cast<const T*>(weight.bytes) : nullptr;
  }
};

}  // namespace lacuna::cpu
