/// Loops over elements: arithmetic, dropout, moves of strided runs. Policy: one thread per element, neighbours in
/// memory to neighbouring threads; nothing is shared between threads.
#pragma once

#include "lacuna/kernels/cuda/run.cuh"
#include "lacuna/kernels/functors.hpp"
#include "lacuna/kernels/groups.hpp"
#include "lacuna/kernels/row_parts.hpp"

namespace lacuna::cuda {

/// f(i, kept, group) for every element i < n: whether dropout keeps it. One thread per block of the generator, whose
/// four words it uses up.
template <class Run, class F>
void each_drawn(const char* name, GroupedKeep own, index_t n, F f) {
  const index_t share = n / own.groups, blocks = DrawnElements::blocks(share);
  const Divider by_group(blocks, own.groups * blocks);
  Run::each(name, own.groups * blocks, [=] LACUNA_DEVICE(index_t at) {
    const index_t group = by_group.quotient(at), block = at - group * blocks;
    const PhiloxBlock drawn = own.stream(group).block(std::uint64_t(block));
    for (int word = 0; word < 4; ++word) {
      const index_t i = DrawnElements::element(block, word);
      if (i < share) f(group * share + i, drawn.word[word] >= own.keep.threshold, group);
    }
  });
}

/// Which of some things a list on the host chooses, for a kernel: bits by value, or for more than 64 things a copy of
/// the list on the device, which must outlive it.
struct Chosen {
  std::uint64_t bits = 0;
  const std::uint8_t* list = nullptr;

  static constexpr index_t most_bits = 64;
  static Chosen of(index_t n, const std::uint8_t* host, const std::uint8_t* device) {
    Chosen chosen{0, n > most_bits ? device : nullptr};
    for (index_t i = 0; i < n && i < most_bits; ++i) chosen.bits |= std::uint64_t(host[i] != 0) << i;
    return chosen;
  }
  LACUNA_HD bool has(index_t i) const { return list ? list[i] != 0 : (bits >> i & 1) != 0; }
};

template <class Run>
struct Elementwise {
  /// Dropout of so many numbers is drawn again for the way back, in a launch of its own, rather than kept.
  static constexpr index_t redraws_from = 1 << 16;

  /// y_i = f(i); in a .cu file f is a functor with LACUNA_HD or an extended lambda.
  template <class T, class F>
  static void generate(index_t n, T* y, F f) {
    Run::each("generate", n, [=] LACUNA_DEVICE(index_t i) { y[i] = f(i); });
  }
  /// slot_i (+)= f(i)
  template <class T, class F>
  static void contribute(index_t n, GradientSlot<T> slot, F f) {
    Run::each("contribute", n, [=] LACUNA_DEVICE(index_t i) { slot.put(i, f(i)); });
  }

  template <class T>
  static void add(index_t n, const T* a, const T* b, T* y) {
    Run::each("add", n, [=] LACUNA_DEVICE(index_t i) { y[i] = a[i] + b[i]; });
  }
  template <class T>
  static void subtract(index_t n, const T* a, const T* b, T* y) {
    Run::each("subtract", n, [=] LACUNA_DEVICE(index_t i) { y[i] = a[i] - b[i]; });
  }
  template <class T>
  static void multiply(index_t n, const T* a, const T* b, T* y) {
    Run::each("multiply", n, [=] LACUNA_DEVICE(index_t i) { y[i] = a[i] * b[i]; });
  }
  template <class T>
  static void scale(index_t n, T factor, const T* x, T* y) {
    Run::each("scale", n, [=] LACUNA_DEVICE(index_t i) { y[i] = factor * x[i]; });
  }
  /// slot += factor * x
  template <class T>
  static void contribute_scaled(index_t n, T factor, const T* x, GradientSlot<T> slot) {
    Run::each("contribute_scaled", n, [=] LACUNA_DEVICE(index_t i) { slot.put(i, factor * x[i]); });
  }
  /// slot += a * b
  template <class T>
  static void contribute_product(index_t n, const T* a, const T* b, GradientSlot<T> slot) {
    Run::each("contribute_product", n, [=] LACUNA_DEVICE(index_t i) { slot.put(i, a[i] * b[i]); });
  }
  /// y_i (+)= x_i k_i with k_i = scale or 0, recomputed from the counter: the same elements as on the host.
  template <class T>
  static void dropout(const GroupedKeep& own, index_t n, const T* x, GradientSlot<T> y) {
    const T scale = T(own.keep.scale);
    each_drawn<Run>("dropout", own, n,
                    [=] LACUNA_DEVICE(index_t i, bool kept, index_t) { y.put(i, kept ? x[i] * scale : T(0)); });
  }
  /// y = x + f k: a branch joins what it left.
  template <class T>
  static void add_dropped(const GroupedKeep& own, index_t n, const T* x, const T* f, T* y) {
    const T scale = T(own.keep.scale);
    each_drawn<Run>("add_dropped", own, n,
                    [=] LACUNA_DEVICE(index_t i, bool kept, index_t) { y[i] = x[i] + (kept ? f[i] * scale : T(0)); });
  }
  /// slot_i (+)= factor dy_i but where y_i is 0: back through dropout and max(x, 0), whose value y is 0 where either
  /// is.
  template <class T>
  static void dropped_relu_gradient(index_t n, T factor, const T* y, const T* dy, GradientSlot<T> slot) {
    Run::each("dropped_relu_gradient", n,
              [=] LACUNA_DEVICE(index_t i) { slot.put(i, y[i] <= T(0) ? T(0) : factor * dy[i]); });
  }
};

template <class Run>
struct ShapeMoves {
  /// Copies `rows` runs of `count` numbers; run i starts at i * stride on either side.
  template <class T>
  static void copy_runs(index_t rows, index_t count, const T* from, index_t from_stride, T* to, index_t to_stride) {
    const Divider by_count(count, rows * count);
    Run::each("copy_runs", rows * count, [=] LACUNA_DEVICE(index_t at) {
      const index_t i = by_count.quotient(at), j = at - i * count;
      to[i * to_stride + j] = from[i * from_stride + j];
    });
  }
  /// to (rows, count) = from where keep[i], zeros elsewhere, whatever stood there.
  template <class T>
  static void keep_rows(index_t rows, index_t count, const std::uint8_t* keep, const T* from, T* to) {
    const Divider by_count(count, rows * count);
    Run::each("keep_rows", rows * count,
              [=] LACUNA_DEVICE(index_t at) { to[at] = keep[by_count.quotient(at)] ? from[at] : T(0); });
  }
  /// The same as copy_runs, added to or written into a gradient.
  template <class T>
  static void contribute_runs(index_t rows, index_t count, const T* from, index_t from_stride, GradientSlot<T> to,
                              index_t to_stride) {
    const Divider by_count(count, rows * count);
    Run::each("contribute_runs", rows * count, [=] LACUNA_DEVICE(index_t at) {
      const index_t i = by_count.quotient(at), j = at - i * count;
      to.put(i * to_stride + j, from[i * from_stride + j]);
    });
  }
  /// Row i of y (rows, width) receives row i of every part, each at its column.
  template <class T>
  static void join_rows(index_t rows, RowParts<const T*> parts, T* y, index_t width) {
    const index_t together = parts.width();
    const Divider by_row(together, rows * together);
    Run::each("join_rows", rows * together, [=] LACUNA_DEVICE(index_t at) {
      const index_t i = by_row.quotient(at), place = at - i * together;
      const int p = parts.part_of(place);
      const index_t j = place - parts.begin_of(p);
      y[i * width + parts.column[p] + j] = parts.part[p][i * parts.width_of(p) + j];
    });
  }
  /// The way back: the slots receive their columns of dy (rows, width). No two of them may be one array.
  template <class T>
  static void split_rows(index_t rows, const T* dy, index_t width, RowParts<GradientSlot<T>> parts) {
    const index_t together = parts.width();
    const Divider by_row(together, rows * together);
    Run::each("split_rows", rows * together, [=] LACUNA_DEVICE(index_t at) {
      const index_t i = by_row.quotient(at), place = at - i * together;
      const int p = parts.part_of(place);
      const index_t j = place - parts.begin_of(p);
      parts.part[p].put(i * parts.width_of(p) + j, dy[i * width + parts.column[p] + j]);
    });
  }
  /// y (B, F) = Σ_n w (B, N) x (B, N, F) over the n with include[n], a list on the host.
  template <class T>
  static void weighted_sum(index_t batch, index_t n, index_t features, const T* w, const T* x,
                           const std::uint8_t* include, T* y) {
    const Buffer<std::uint8_t, Run> list(long_list(n, include));
    const Chosen chosen = Chosen::of(n, include, list.data());
    const Divider by_features(features, batch * features);
    Run::each("weighted_sum", batch * features, [=] LACUNA_DEVICE(index_t at) {
      const index_t b = by_features.quotient(at), f = at - b * features;
      T total = T(0);
      for (index_t i = 0; i < n; ++i)
        if (chosen.has(i)) total += w[b * n + i] * x[(b * n + i) * features + f];
      y[at] = total;
    });
  }
  template <class T>
  static void weighted_sum_gradient(index_t batch, index_t n, index_t features, const T* w, const T* x,
                                    const std::uint8_t* include, const T* dy, GradientSlot<T> dw, GradientSlot<T> dx) {
    const Buffer<std::uint8_t, Run> list(long_list(n, include));
    const Chosen chosen = Chosen::of(n, include, list.data());
    const Divider by_n(n, batch * n);
    Run::rows("weighted_sum_gradient", batch * n, [=] LACUNA_DEVICE(index_t row, typename Run::Team team) {
      const index_t b = by_n.quotient(row);
      const T* const from = dy + b * features;
      const bool here = chosen.has(row - b * n);
      if (dw) {
        double inner = 0;
        if (here)
          for (index_t f = team.lane(); f < features; f += team.lanes())
            inner += double(from[f]) * double(x[row * features + f]);
        inner = team.sum(inner);
        if (team.lane() == 0) dw.put(row, T(inner));
      }
      if (!dx) return;
      const T weight = here ? w[row] : T(0);
      for (index_t f = team.lane(); f < features; f += team.lanes()) dx.put(row * features + f, weight * from[f]);
    });
  }

  /// What `Chosen` cannot take as bits.
  static std::vector<std::uint8_t> long_list(index_t n, const std::uint8_t* list) {
    return {list, list + (n > Chosen::most_bits ? n : 0)};
  }
};

/// Rows with factor 0 are not read.
template <class Run>
struct RowMoves {
  /// y_ij (+)= factor_i x_ij over (rows, width); a row with factor 0 becomes zeros whatever it holds.
  template <class T, class F>
  static void scale_rows(index_t rows, index_t width, const F* factor, const T* x, GradientSlot<T> y) {
    const Divider by_width(width, rows * width);
    Run::each("scale_rows", rows * width, [=] LACUNA_DEVICE(index_t at) {
      const T f = T(factor[by_width.quotient(at)]);
      y.put(at, f == T(0) ? T(0) : f * x[at]);
    });
  }
  /// y_i = table row of id_i
  template <class T>
  static void lookup(index_t count, index_t width, const index_t* id, const T* table, T* y) {
    const Divider by_width(width, count * width);
    Run::each("lookup", count * width, [=] LACUNA_DEVICE(index_t at) {
      const index_t i = by_width.quotient(at);
      y[at] = table[id[i] * width + at - i * width];
    });
  }
  /// slot row of id_i += dy_i, in the order of i; ids equal to `skip` add nothing. One thread per column.
  template <class T>
  static void lookup_gradient(index_t count, index_t rows, index_t width, const index_t* id, index_t skip, const T* dy,
                              GradientSlot<T> slot) {
    if (slot.fresh) Run::each("lookup_gradient", rows * width, [=] LACUNA_DEVICE(index_t at) { slot.data[at] = T(0); });
    Run::each("lookup_gradient", width, [=] LACUNA_DEVICE(index_t j) {
      for (index_t i = 0; i < count; ++i)
        if (id[i] != skip) slot.data[id[i] * width + j] += dy[i * width + j];
    });
  }
  /// y = x + block, the block (inner) added to each of `outer` blocks of x; x may be null for zeros.
  template <class T>
  static void add_block(index_t outer, index_t inner, const T* x, const T* block, T* y) {
    const Divider by_inner(inner, outer * inner);
    Run::each("add_block", outer * inner,
              [=] LACUNA_DEVICE(index_t at) { y[at] = (x ? x[at] : T(0)) + block[by_inner.remainder(at)]; });
  }
};

}  // namespace lacuna::cuda
