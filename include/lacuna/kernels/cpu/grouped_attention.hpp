/// Causal attention in which several query heads share a key head, over keys that lie in one or more runs (those of the
/// prompt, which all beams share, and those of one beam).
///
/// Policy: a block of queries against the keys that it may see, so that memory stays linear; one task per block and
/// head, each sequential: the same bits with any number of threads.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "lacuna/core/list.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/softmax.hpp"

namespace lacuna::cpu {

/// Keys and values of some positions that follow one another: (count, key heads · d).
template <class T>
struct KeyRun {
  const T* key;
  const T* value;
  index_t count;
};

struct GroupedSizes {
  index_t heads, key_heads, size;  ///< of one head
  double scale;
  index_t width() const { return heads * size; }
  index_t key_width() const { return key_heads * size; }
  index_t group() const { return heads / key_heads; }
};

struct GroupedAttention {
  static constexpr index_t query_block = 64;
  static constexpr double small = 2e5;  ///< multiplications that are not worth waking a thread

  /// y (rows, heads · d) of one sequence; query i sees the first `seen + i` keys of the runs together.
  template <class T>
  static void grouped_attention(const GroupedSizes& s, index_t rows, index_t seen, const T* query,
                                std::span<const KeyRun<T>> runs, T* y) {
    const index_t blocks = (rows + query_block - 1) / query_block;
    const auto scale = [&](index_t, T* row, index_t count) {
      for (index_t k = 0; k < count; ++k) row[k] *= T(s.scale);
    };
    const double work = double(rows) * double(seen + rows) * double(s.width());
    if (rows == 1)  // the query heads of a group are the rows of one product
      return parallel_for(s.key_heads, work < small ? s.key_heads : 1, [&](index_t begin, index_t end) {
        for (index_t g = begin; g < end; ++g)
          block(s, s.group(), seen, 0, query + g * s.group() * s.size, s.size, g, runs, scale,
                y + g * s.group() * s.size);
      });
    parallel_for(blocks * s.heads, work < small ? blocks * s.heads : 1, [&](index_t begin, index_t end) {
      for (index_t task = begin; task < end; ++task) {
        const index_t h = task % s.heads, first = task / s.heads * query_block;
        const index_t at = first * s.width() + h * s.size;
        block(s, std::min(query_block, rows - first), seen + first, 1, query + at, s.width(), h / s.group(), runs,
              scale, y + at);
      }
    });
  }

  /// The same without order: every query sees all keys of the run. `adjust(head, query, scores, keys)` makes of the
  /// products q·k what the softmax is taken of.
  template <class T, class Adjust>
  static void full_attention(const GroupedSizes& s, index_t rows, const T* query, const KeyRun<T>& run,
                             const Adjust& adjust, T* y) {
    const index_t blocks = (rows + query_block - 1) / query_block;
    const bool alone = double(rows) * double(run.count) * double(s.width()) < small;
    parallel_for(blocks * s.heads, alone ? blocks * s.heads : 1, [&](index_t begin, index_t end) {
      for (index_t task = begin; task < end; ++task) {
        const index_t h = task % s.heads, first = task / s.heads * query_block;
        const index_t at = first * s.width() + h * s.size;
        const auto one = [&](index_t i, T* row, index_t count) { adjust(h, first + i, row, count); };
        block(s, std::min(query_block, rows - first), run.count, 0, query + at, s.width(), h / s.group(), {&run, 1},
              one, y + at);
      }
    });
  }

  /// Adds the gradients of one whole sequence (query i sees keys 0..i). Null where none is wanted.
  template <class T>
  static void grouped_attention_gradient(const GroupedSizes& s, index_t rows, const T* query, const T* key,
                                         const T* value, const T* dy, T beta_query, T* dquery, T beta_key, T* dkey,
                                         T beta_value, T* dvalue) {
    const index_t w = s.width(), kw = s.key_width(), d = s.size;
    const bool alone = double(rows) * double(rows) * double(w) < small;
    parallel_for(s.key_heads, alone ? s.key_heads : 1, [&](index_t begin, index_t end) {
      std::vector<T> weights(std::size_t(rows * rows)), change(std::size_t(rows * rows));
      T *const p = weights.data(), *const dp = change.data();
      for (index_t g = begin; g < end; ++g)
        for (index_t j = 0; j < s.group(); ++j) {
          const index_t at = (g * s.group() + j) * d, key_at = g * d;
          Gemm::gemm_serial<T>(rows, rows, d, {query + at, w}, {key + key_at, kw, true}, T(0), p, rows);
          for (index_t i = 0; i < rows * rows; ++i) p[i] *= T(s.scale);
          for (index_t i = 0; i < rows; ++i) softmax(p + i * rows, i + 1, rows);
          if (dvalue)
            Gemm::gemm_serial<T>(rows, d, rows, {p, rows, true}, {dy + at, w}, j ? T(1) : beta_value, dvalue + key_at,
                                 kw);
          Gemm::gemm_serial<T>(rows, rows, d, {dy + at, w}, {value + key_at, kw, true}, T(0), dp, rows);
          for (index_t i = 0; i < rows; ++i) {
            T mean = 0;
            for (index_t k = 0; k <= i; ++k) mean += dp[i * rows + k] * p[i * rows + k];
            for (index_t k = 0; k < rows; ++k)
              dp[i * rows + k] = k <= i ? T(s.scale) * p[i * rows + k] * (dp[i * rows + k] - mean) : T(0);
          }
          if (dquery) Gemm::gemm_serial<T>(rows, d, rows, {dp, rows}, {key + key_at, kw}, beta_query, dquery + at, w);
          if (dkey)
            Gemm::gemm_serial<T>(rows, d, rows, {dp, rows, true}, {query + at, w}, j ? T(1) : beta_key, dkey + key_at,
                                 kw);
        }
    });
  }

 private:
  /// Softmax over the first `seen` numbers; 0 behind them.
  template <class T>
  static void softmax(T* row, index_t seen, index_t count) {
    softmax_run(row, seen);
    for (index_t k = seen; k < count; ++k) row[k] = T(0);
  }
  /// Rows that see seen + i · more keys, of the key head g.
  template <class T, class Adjust>
  static void block(const GroupedSizes& s, index_t rows, index_t seen, index_t more, const T* query, index_t stride,
                    index_t g, std::span<const KeyRun<T>> runs, const Adjust& adjust, T* y) {
    const index_t total = seen + (rows - 1) * more, kw = s.key_width();
    List<T> scores(std::size_t(rows * total));
    index_t at = 0;
    for (const KeyRun<T>& run : runs) {
      const index_t count = std::min(run.count, total - at);
      if (count > 0)
        Gemm::gemm_serial<T>(rows, count, s.size, {query, stride}, {run.key + g * s.size, kw, true}, T(0),
                             scores.data() + at, total);
      at += count;
    }
    for (index_t i = 0; i < rows; ++i) {
      adjust(i, scores.data() + i * total, seen + i * more);
      softmax(scores.data() + i * total, seen + i * more, total);
    }
    at = 0;
    for (const KeyRun<T>& run : runs) {
      const index_t count = std::min(run.count, total - at);
      if (count > 0)
        Gemm::gemm_serial<T>(rows, s.size, count, {scores.data() + at, total}, {run.value + g * s.size, kw},
                             at ? T(1) : T(0), y, stride);
      at += count;
    }
  }
};

}  // namespace lacuna::cpu
