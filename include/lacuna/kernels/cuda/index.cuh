/// Which thread does what: the arithmetic under every launch, callable and tested on the host.
///
/// Policy: blocks of 256 threads. Elements go to threads, rows to warps of 32 lanes, both in strides of the whole grid,
/// so that no size overflows a grid and a thread's work depends on its number alone.
#pragma once

#include <compare>
#include <cstdint>

#include "lacuna/core/host_device.hpp"
#include "lacuna/core/precision.hpp"
#include "lacuna/core/shape.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"

namespace lacuna::cuda {

inline constexpr int block_threads = 256;
inline constexpr int warp_lanes = 32;
inline constexpr int warps_per_block = block_threads / warp_lanes;
inline constexpr index_t most_blocks = 65535;

/// Blocks for `count` pieces of work of which a block takes `share` at once: at least one, at most `most_blocks`.
LACUNA_HD inline index_t blocks_for(index_t count, index_t share) {
  const index_t blocks = count / share + (count % share != 0);
  return blocks < 1 ? 1 : blocks > most_blocks ? most_blocks : blocks;
}

/// What one worker takes: first, first + step, ... below the count.
struct Stride {
  index_t first, step;
};
LACUNA_HD inline Stride elements_of(index_t block, index_t blocks, int thread) {
  return {block * block_threads + thread, blocks * block_threads};
}
LACUNA_HD inline Stride rows_of(index_t block, index_t blocks, int thread) {
  return {block * warps_per_block + thread / warp_lanes, blocks * warps_per_block};
}

/// Division by a number that all threads of a kernel share: a multiplication and a shift where all dividends lie below
/// 2^31, which is nearly always; else a division of 64 bits, some hundred instructions of a GPU.
class Divider {
 public:
  /// For dividends 0 .. below - 1.
  Divider(index_t divisor, index_t below) : divisor_(divisor) {
    constexpr index_t most = index_t(1) << 31;
    if (divisor < 1 || divisor >= most || below > most) return;
    while ((index_t(1) << (shift_ - 31)) < divisor) ++shift_;
    // with 2^(shift - 31) >= divisor the rounding up below is too small to reach the next whole number
    multiplier_ = std::uint32_t((std::uint64_t(1) << shift_) / std::uint64_t(divisor) + 1);
  }
  LACUNA_HD index_t quotient(index_t i) const {
    if (multiplier_ == 0) return i / divisor_;
    return index_t(std::uint64_t(std::uint32_t(i)) * multiplier_ >> shift_);
  }
  LACUNA_HD index_t remainder(index_t i) const { return i - quotient(i) * divisor_; }

 private:
  index_t divisor_;
  std::uint32_t multiplier_ = 0;  ///< 0: none
  int shift_ = 31;
};

/// A count cut into equal pieces for a reduction whose order depends on the sizes alone.
struct Pieces {
  index_t count, length, pieces;

  LACUNA_HD index_t begin(index_t piece) const { return piece * length; }
  LACUNA_HD index_t end(index_t piece) const { return (piece + 1) * length < count ? (piece + 1) * length : count; }
};
/// At most `most` pieces of at least `least` each; one empty piece for nothing.
LACUNA_HD inline Pieces pieces_of(index_t count, index_t least, index_t most) {
  const index_t share = count / most + (count % most != 0), length = share > least ? share : least;
  const index_t pieces = count / length + (count % length != 0);
  return {count, length, pieces < 1 ? 1 : pieces};
}

/// How a block adds up the rows of a matrix, column by column. Its 1024 places are `slots` rows of `tile` neighbouring
/// columns: a place takes every slots-th row of one column, and the places of a column are then added in pairs. Depends
/// on the sizes alone.
struct ColumnTiles {
  static constexpr int places = 1024;
  int tile;        ///< columns of one block, a power of two
  index_t blocks;  ///< that share the columns

  /// As narrow as leaves every place four rows: narrow tiles are many blocks. Not below 4 columns where there are as
  /// many: numbers are read by 16 or 32 bytes that lie together.
  LACUNA_HD static ColumnTiles of(index_t rows, index_t width) {
    int tile = 1;
    while (tile < places && tile < width && (tile < 4 || rows * tile < 4 * places)) tile *= 2;
    return {tile, width / tile + (width % tile != 0)};
  }
  LACUNA_HD int slots() const { return places / tile; }
};

/// Places in an array seen as (outer, n, inner): where run r along the middle axis starts; its step is `inner`.
LACUNA_HD inline index_t run_start(index_t run, index_t n, index_t inner) {
  return run / inner * n * inner + run % inner;
}

/// Which elements of dropout (functors::Keep) the four words of a block of the generator decide about.
struct DrawnElements {
  /// Blocks of which at least one word is for an element below n.
  LACUNA_HD static index_t blocks(index_t n) {
    const index_t rest = n % 64;
    return n / 64 * 16 + (rest < 16 ? rest : 16);
  }
  LACUNA_HD static index_t element(index_t block, int word) { return block / 16 * 64 + word * 16 + block % 16; }
};

/// Products of equal sizes in one call: how many, and numbers from one to the next of each operand, of the result and
/// of the bias.
struct GemmBatch {
  index_t count = 1, a = 0, b = 0, c = 0, bias = 0;
};

/// A product of row-major matrices as a BLAS sees it, which counts by columns: what is row-major here is its transpose
/// there, so C = op(A) op(B) becomes C' = op(B)' op(A)'. Sizes, transposes and strides in the order of a BLAS's
/// arguments.
template <class T>
struct BlasCall {
  bool first_transposed, second_transposed;
  index_t rows, columns, depth;
  const T *first, *second;
  index_t first_stride, second_stride;
  index_t count, first_step, second_step, result_step, bias_step;  ///< of a batch

  static BlasCall of(index_t m, index_t n, index_t k, const cpu::Operand<T>& a, const cpu::Operand<T>& b,
                     const GemmBatch& batch = {}) {
    return {b.transposed, a.transposed, n,           m,       k,       b.data,  a.data,
            b.stride,     a.stride,     batch.count, batch.b, batch.a, batch.c, batch.bias};
  }
};

/// What follows a product while its numbers are at hand: a bias per row of the BLAS's result, max(x, 0).
enum class MatmulFinish { none, bias, bias_relu };

/// The largest power of two that divides an address, at most 256: what a BLAS may rely on.
inline int alignment_of(const void* address) {
  const auto number = std::uintptr_t(address);
  int alignment = 1;
  while (alignment < 256 && number % std::uintptr_t(2 * alignment) == 0) alignment *= 2;
  return alignment;
}

/// The same for all arrays of a batch.
template <class T>
int alignment_of(const T* address, index_t step) {
  const int first = alignment_of(address), next = alignment_of(address + step);
  return first < next ? first : next;
}

/// All that the choice of an algorithm depends on: calls with equal keys can share it.
struct MatmulKey {
  int number_size;
  Precision precision;
  bool first_transposed, second_transposed;
  MatmulFinish finish;
  index_t rows, columns, depth, first_stride, second_stride, result_stride;
  index_t count, first_step, second_step, result_step, bias_step;
  int first_alignment, second_alignment, result_alignment, bias_alignment;

  template <class T>
  static MatmulKey of(const BlasCall<T>& call, MatmulFinish finish, const T* bias, const T* result, index_t stride) {
    return {int(sizeof(T)),
            sizeof(T) == sizeof(float) ? matmul_precision() : Precision::full,
            call.first_transposed,
            call.second_transposed,
            finish,
            call.rows,
            call.columns,
            call.depth,
            call.first_stride,
            call.second_stride,
            stride,
            call.count,
            call.first_step,
            call.second_step,
            call.result_step,
            call.bias_step,
            alignment_of(call.first, call.first_step),
            alignment_of(call.second, call.second_step),
            alignment_of(result, call.result_step),
            bias == nullptr ? alignment_of(nullptr) : alignment_of(bias, call.bias_step)};
  }
  auto operator<=>(const MatmulKey&) const = default;
};

}  // namespace lacuna::cuda
