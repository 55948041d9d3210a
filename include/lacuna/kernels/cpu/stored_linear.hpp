/// Products with a weight matrix as the file keeps it.
///
/// Policy: every weight is read once, whatever the number of rows. For a few rows of float, which wait for memory, it is
/// widened in a register (stored_rows.hpp); for many, a panel of the matrix at a time (stored_product.hpp). The same bits
/// with any number of threads.
#pragma once

#include <algorithm>

#include "lacuna/core/precompile.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/stored_product.hpp"
#include "lacuna/kernels/cpu/stored_rows.hpp"

namespace lacuna::cpu {

struct StoredLinear {
  /// y (rows, out) = x (rows, in) Wᵀ + b; W (out, in); b may be null.
  template <class T>
  static void stored_linear(index_t rows, const StoredArray& weight, const T* x, const T* bias, T* y) {
    const index_t out = weight.shape[0], in = weight.shape[1];
    const bool alone = double(rows) * double(in) * double(out) < 1e5;
    const index_t share = (out + detail::team() - 1) / detail::team();
    const index_t grain = alone ? out : rows <= few ? 64 : (share + 15) / 16 * 16;
    const T* const direct = rows <= few ? as_it_lies<T>(weight) : nullptr;
    if (direct != nullptr)
      return Gemm::gemm<T>(rows, out, in, {x, in}, {direct, in, true}, T(0), y, out,
                           [=](index_t row, index_t row_count, index_t column, index_t columns) {
                             if (bias == nullptr) return;
                             for (index_t i = row; i < row + row_count; ++i)
                               for (index_t j = column; j < column + columns; ++j) y[i * out + j] += bias[j];
                           });
    parallel_for(out, grain, [&](index_t begin, index_t end) {
      if (rows > few)
        StoredProduct::columns(rows, weight, x, begin, end, y);
      else if constexpr (sizeof(T) == 4)
        weight.type == StoredType::f64 ? few_rows(rows, weight, x, begin, end, y)
                                       : StoredRows::columns(rows, weight, x, begin, end, y);
      else
        few_rows(rows, weight, x, begin, end, y);
      if (bias == nullptr) return;
      for (index_t i = 0; i < rows; ++i)
        for (index_t j = begin; j < end; ++j) y[i * out + j] += bias[j];
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
  static constexpr index_t few = 8;

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
        for (index_t s = 0; s < width; ++s) Widen::widen(weight.type, depth, weight.row(j + s, p), block + s * deep);
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

  /// Rows of some 256 KiB of widened numbers.
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
