/// Many rows times a weight matrix as the file keeps it.
///
/// Policy: for 256 columns of the rows, which are packed once, a panel of the matrix after the other is widened, packed
/// and met by all rows while it is in the first cache; the next one is asked for meanwhile. So each number of the
/// matrix is widened and packed once for up to 1024 rows, and no copy of the matrix is kept. Every element is summed
/// in the order of `Gemm`, whatever the columns are cut into: the same bits with any number of threads.
#pragma once

#include <algorithm>

#include "lacuna/core/list.hpp"
#include "lacuna/kernels/cpu/gemm_panel.hpp"
#include "lacuna/kernels/cpu/widen.hpp"

namespace lacuna::cpu {

struct StoredProduct {
  /// y (rows, out) = x (rows, in) Wᵀ for the columns begin .. end − 1; W (out, in).
  template <class T>
  static void columns(index_t rows, const StoredArray& weight, const T* x, index_t begin, index_t end, T* y) {
    using P = Panel<T>;
    const index_t in = weight.shape[1], out = weight.shape[0];
    const index_t high = std::min(rows, most_rows), deep = std::min(in, block_depth);
    List<T> left(std::size_t((high + P::rows) * deep + P::lanes)), right(std::size_t(P::columns * deep)),
        wide(std::size_t(P::columns * (deep + gap)));
    for (index_t i = 0; i < rows; i += high)
      for (index_t p = 0; p < in; p += deep) {
        const index_t count = std::min(high, rows - i), depth = std::min(deep, in - p);
        for (index_t r = 0, panel = 0; r < count; r += panel) {
          panel = P::panel_rows(count - r);
          P::pack_left(std::min(panel, count - r), depth, x + (i + r) * in + p, in, false, panel,
                       left.data() + r * depth);
        }
        for (index_t j = begin; j < end; j += P::columns) {
          const index_t many = std::min<index_t>(P::columns, end - j);
          const index_t width = many > P::lanes ? P::columns : P::lanes;
          for (index_t s = 0; s < many; ++s)
            Widen::widen(weight.type, depth, weight.row(j + s, p), wide.data() + s * (depth + gap));
          P::pack_right(many, depth, wide.data(), depth + gap, true, width, right.data());
          met_by_all(count, depth, left.data(), right.data(), width, p > 0 ? T(1) : T(0), y + i * out + j, out, many,
                     Next{&weight, j + many, std::min(end, j + many + P::columns), p});
        }
      }
  }

 private:
  static constexpr index_t most_rows = 1024, block_depth = 256;
  static constexpr index_t gap = 16;  ///< between widened rows, which would share the sets of the cache

  /// Rows of the matrix that are read next, from column p on.
  struct Next {
    const StoredArray* weight;
    index_t row, end, p;
  };
  template <class T>
  static void met_by_all(index_t rows, index_t depth, const T* left, const T* right, index_t width, T beta, T* y,
                         index_t stride, index_t many, Next next) {
    using P = Panel<T>;
    for (index_t r = 0, panel = 0; r < rows; r += panel, ++next.row) {
      panel = P::panel_rows(rows - r);
      typename P::Ahead ahead;
      if (next.row < next.end)
        ahead = {reinterpret_cast<const char*>(next.weight->row(next.row, next.p)),
                 (bytes_of(next.weight->type, depth) + P::Ahead::line - 1) / P::Ahead::line};
      const index_t count = std::min(panel, rows - r);
      if (width > P::lanes)
        P::template tile_of<2>(depth, left + r * depth, panel, right, width, beta, y + r * stride, stride, count, many,
                               ahead);
      else
        P::template tile_of<1>(depth, left + r * depth, panel, right, width, beta, y + r * stride, stride, count, many,
                               ahead);
    }
  }
};

}  // namespace lacuna::cpu
