/// Products with a weight matrix as the file keeps it.
///
/// Policy: every weight is read once, whatever the number of rows: a block of the matrix is widened into memory that fits
/// the second cache, and multiplied from there. Numbers of the type that is computed in are used where they lie; a few
/// rows of float never leave the registers (stored_rows.hpp). The same bits with any number of threads.
#pragma once

#include <algorithm>

#include "lacuna/core/precompile.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/stored_rows.hpp"

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
    const bool alone = double(rows) * double(in) * double(out) < 1e5;
    if constexpr (sizeof(T) == 4)
      if (rows <= few && weight.type != StoredType::f64)
        return parallel_for(out, alone ? out : 64, [&](index_t begin, index_t end) {
          StoredRows::columns(rows, weight, x, begin, end, y);
          add_bias(0, rows, begin, end - begin);
        });
    if (const T* const direct = as_it_lies<T>(weight))
      return Gemm::gemm<T>(rows, out, in, {x, in}, {direct, in, true}, T(0), y, out, add_bias);
    if (rows <= few)
      return parallel_for(out, alone ? out : 64, [&](index_t begin, index_t end) {
        few_rows(rows, weight, x, begin, end, y);
        add_bias(0, rows, begin, end - begin);
      });
    const index_t deep = std::min(block_depth, in);
    parallel_for(out, alone ? out : std::clamp<index_t>((out + 63) / 64 * 16, 16, block_columns),
                 [&](index_t begin, index_t end) {
                   const index_t count = end - begin;
                   const Block<T> block(count * deep);
                   for (index_t p = 0; p < in; p += deep) {
                     const index_t depth = std::min(deep, in - p);
                     widen_rows(weight, begin, count, p, depth, block.numbers);
                     Gemm::gemm_serial<T>(rows, count, depth, {x + p, in}, {block.numbers, depth, true},
                                          p > 0 ? T(1) : T(0), y + begin, out);
                   }
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
        widen_rows(weight, begin + first, last - first, 0, in, block.numbers + first * in);
      });
      Gemm::gemm<T>(rows, in, count, {dy + begin, out}, {block.numbers, in}, begin == 0 ? beta : T(1), dx, in);
    }
  }

 private:
  static constexpr index_t few = 8, block_columns = 256, block_depth = 256;

  /// The columns p .. p + depth − 1 of some rows of the matrix to (count, depth).
  template <class T>
  static void widen_rows(const StoredArray& weight, index_t first, index_t count, index_t p, index_t depth, T* to) {
    for (index_t j = 0; j < count; ++j) Widen::widen(weight.type, depth, weight.row(first + j, p), to + j * depth);
  }

  /// The columns begin .. end − 1 of a product with few rows, which waits for memory: four rows of the matrix at a time
  /// pass through the first cache.
  template <class T>
  static void few_rows(index_t rows, const StoredArray& weight, const T* x, index_t begin, index_t end, T* y) {
    constexpr index_t deep = 1024;
    const index_t out = weight.shape[0], in = weight.shape[1];
    T block[4 * deep];
    for (index_t j = begin; j < end; j += 4) {
      const index_t width = std::min<index_t>(4, end - j);
      for (index_t p = 0; p < in; p += deep) {
        const index_t depth = std::min(deep, in - p);
        for (index_t s = 0; s < width; ++s)
          Widen::widen(weight.type, depth, weight.row(j + s, p), block + s * deep);
        const T beta = p > 0 ? T(1) : T(0);
        for (index_t i = 0; i < rows;) {
          const T* const left = x + i * in + p;
          T* const to = y + i * out + j;
          if (width == 4 && rows - i >= 4) {
            Panel<T>::template dots<4, 4>(depth, left, in, block, deep, beta, to, out), i += 4;
          } else if (width == 4) {
            Panel<T>::template dots<1, 4>(depth, left, in, block, deep, beta, to, out), ++i;
          } else {
            for (index_t s = 0; s < width; ++s)
              Panel<T>::template dots<1, 1>(depth, left, in, block + s * deep, deep, beta, to + s, out);
            ++i;
          }
        }
      }
    }
  }

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

#define LACUNA_DETAIL_STORED_LINEAR(T)                                                                              \
  LACUNA_PRECOMPILE(template void StoredLinear::stored_linear(index_t, const StoredArray&, const T*, const T*, T*)) \
  LACUNA_PRECOMPILE(template void StoredLinear::stored_linear_gradient(index_t, const StoredArray&, const T*, T, T*))
LACUNA_DETAIL_STORED_LINEAR(float)
LACUNA_DETAIL_STORED_LINEAR(double)
#undef LACUNA_DETAIL_STORED_LINEAR

}  // namespace lacuna::cpu
