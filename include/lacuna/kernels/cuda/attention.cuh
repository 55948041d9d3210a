/// Scaled dot-product attention with key mask, causal order, additive bias and dropout on the weights, and its
/// gradient.
///
/// Policy: three ways, chosen by the sizes alone: heads of few features (attention_small.cuh), heads of many with few
/// queries or many heads (attention_wide.cuh), and what does not fit into the memory of a block
/// (attention_general.cuh). Absent keys and values are never read. Weights are kept where the caller wants them and
/// computed again by the backward pass where not; dropout is drawn again from its counter. A query that may see no key
/// gets weights 0, output 0, and passes no gradient.
#pragma once

#include "lacuna/kernels/cuda/attention_general.cuh"
#include "lacuna/kernels/cuda/attention_small.cuh"
#include "lacuna/kernels/cuda/attention_wide.cuh"
#include "lacuna/kernels/cuda/reduce.cuh"

namespace lacuna::cuda {

template <class Run>
struct Attention {
  /// Whether weights that were not kept can be computed again.
  static constexpr bool attention_recomputes = true;

  template <class T>
  static void attention(const AttentionSizes& s, const AttentionExtras<T>& extras, const T* query, const T* key,
                        const T* value, AttentionKept<T> kept, T* y) {
    const AttentionInput<T> in{s, extras, query, key, value};
    if (s.batch * s.heads * s.queries == 0) return;
    if (!small_forward(in, kept, y) && !wide_forward(in, kept, y)) GeneralAttention<Run>::forward(in, kept, y);
  }

  /// y: the output of the forward pass. dbias_full (B, heads, Q, K), zeros at the start, receives the gradient of the
  /// scores when not null.
  template <class T>
  static void attention_gradient(const AttentionSizes& s, const AttentionExtras<T>& extras, const T* query,
                                 const T* key, const T* value, AttentionKept<T> kept, const T* y, const T* dy,
                                 GradientSlot<T> dquery, GradientSlot<T> dkey, GradientSlot<T> dvalue, T* dbias_full) {
    const AttentionInput<T> in{s, extras, query, key, value};
    const Gradients<T> to{y, dy, dquery, dkey, dvalue, dbias_full};
    if (wide_backward(in, kept, to)) return;
    // a shared query gets one share per sample, added up in order afterwards
    const index_t block = s.queries * s.query_stride;
    const Buffer<T, Run> shares(s.shared_query && dquery ? s.batch * block : 0);
    Gradients<T> apart = to;
    if (shares.data()) apart.dquery = {shares.data(), true};
    if (!small_backward(in, kept, apart))
      GeneralAttention<Run>::backward(in, kept, dy, apart.dquery, dkey, dvalue, dbias_full);
    if (shares.data()) Reduce<Run>::template column_sums<T>(s.batch, block, shares.data(), dquery);
  }

  /// What a backward pass starts from and where it puts what it finds.
  template <class T>
  struct Gradients {
    const T *y, *dy;
    GradientSlot<T> dquery, dkey, dvalue;
    T* dscore;
  };

  static constexpr index_t few_features = 16;

  static bool is_small(const AttentionSizes& s) { return s.key_size <= few_features && s.value_size <= few_features; }
  /// A block reads all keys, or a slice, for its queries: that pays with few queries, or with many heads beside them.
  static bool is_wide(const AttentionSizes& s) { return s.queries <= 16 || s.batch * s.heads >= 64; }

  template <class T>
  static bool small_forward(const AttentionInput<T>& in, AttentionKept<T> kept, T* y) {
    if (!is_small(in.sizes) || !in.fits_32_bits(in.sizes.batch * in.sizes.heads)) return false;
    const index_t features = std::max(in.sizes.key_size, in.sizes.value_size);
    if (features <= 4) return small_forward_of<4>(in, kept, y);
    return features <= 8 ? small_forward_of<8>(in, kept, y) : small_forward_of<16>(in, kept, y);
  }
  template <int C, class T>
  static bool small_forward_of(const AttentionInput<T>& in, AttentionKept<T> kept, T* y) {
    using Cut = SmallAttention<T, C>;
    const Cut cut = Cut::fitting(in.sizes, in.extras.drop, false, Run::most_shared());
    if (std::size_t(cut.bytes) > Run::most_shared()) return false;
    Run::template blocks<Cut::threads>("attention", in.sizes.batch * in.sizes.heads, std::size_t(cut.bytes),
                                       SmallForward<T, C>{in, cut, kept.weights, kept.statistics, y});
    return true;
  }
  template <class T>
  static bool small_backward(const AttentionInput<T>& in, AttentionKept<T> kept, const Gradients<T>& to) {
    if (!is_small(in.sizes) || !kept.statistics || !in.fits_32_bits(in.sizes.batch * in.sizes.heads)) return false;
    const index_t features = std::max(in.sizes.key_size, in.sizes.value_size);
    if (features <= 4) return small_backward_of<4>(in, kept, to);
    return features <= 8 ? small_backward_of<8>(in, kept, to) : small_backward_of<16>(in, kept, to);
  }
  template <int C, class T>
  static bool small_backward_of(const AttentionInput<T>& in, AttentionKept<T> kept, const Gradients<T>& to) {
    using Cut = SmallAttention<T, C>;
    const Cut cut = Cut::fitting(in.sizes, in.extras.drop, true, Run::most_shared());
    if (std::size_t(cut.bytes) > Run::most_shared()) return false;
    Run::template blocks<Cut::threads>(
        "attention_gradient", in.sizes.batch * in.sizes.heads, std::size_t(cut.bytes),
        SmallBackward<T, C>{in, cut, kept.statistics, to.y, to.dy, to.dquery, to.dkey, to.dvalue, to.dscore});
    return true;
  }

  template <class T>
  static bool wide_forward(const AttentionInput<T>& in, AttentionKept<T> kept, T* y) {
    if (!is_wide(in.sizes)) return false;
    return in.sizes.queries == 1 ? wide_forward_of<1>(in, kept, y) : wide_forward_of<8>(in, kept, y);
  }
  template <int R, class T>
  static bool wide_forward_of(const AttentionInput<T>& in, AttentionKept<T> kept, T* y) {
    const WideForwardCut cut = WideForwardCut::of<T>(in.sizes, R, Run::most_shared());
    const index_t blocks = in.sizes.batch * in.sizes.heads * cut.chunks;
    if (std::size_t(cut.bytes) > Run::most_shared() || !in.fits_32_bits(blocks)) return false;
    Run::template blocks<wide_threads(R)>("attention", blocks, std::size_t(cut.bytes),
                                          WideForward<T, R>{in, cut, kept.weights, kept.statistics, y});
    return true;
  }
  template <class T>
  static bool wide_backward(const AttentionInput<T>& in, AttentionKept<T> kept, const Gradients<T>& to) {
    if (is_small(in.sizes) || !is_wide(in.sizes) || (!kept.weights && !kept.statistics)) return false;
    if (in.sizes.batch * in.sizes.heads * in.sizes.queries * in.sizes.keys == 0) return false;
    return in.sizes.queries == 1 ? wide_backward_of<1>(in, kept, to) : wide_backward_of<8>(in, kept, to);
  }
  template <int R, class T>
  static bool wide_backward_of(const AttentionInput<T>& in, AttentionKept<T> kept, const Gradients<T>& to) {
    const AttentionSizes& s = in.sizes;
    const WideBackwardCut cut = WideBackwardCut::of<T>(s, R, Run::most_shared());
    const index_t blocks = s.batch * s.heads * cut.slices;
    if (std::size_t(cut.bytes) > Run::most_shared() || !in.fits_32_bits(blocks)) return false;
    // what the slices, and the samples of a shared query, add to a query is added up in order afterwards
    const index_t apart = s.batch * s.queries * s.query_stride;
    const Buffer<T, Run> shares(to.dquery && (s.shared_query || cut.slices > 1) ? cut.slices * apart : 0);
    const GradientSlot<T> dquery = shares.data() ? GradientSlot<T>{shares.data(), true} : to.dquery;
    Run::template blocks<wide_threads(R)>("attention_gradient", blocks, std::size_t(cut.bytes),
                                          WideBackward<T, R>{in, cut, kept.weights, kept.statistics, to.y, to.dy,
                                                             dquery, to.dkey, to.dvalue, apart, to.dscore});
    if (!shares.data()) return true;
    if (s.shared_query) {
      Reduce<Run>::template column_sums<T>(cut.slices * s.batch, s.queries * s.query_stride, shares.data(), to.dquery);
      return true;
    }
    const T* const from = shares.data();
    const index_t slices = cut.slices, width = s.heads * s.key_size, stride = s.query_stride;
    const GradientSlot<T> slot = to.dquery;
    Run::each("attention_gradient", s.batch * s.queries * width, [=] LACUNA_DEVICE(index_t e) {
      const index_t at = e / width * stride + e % width;
      T sum = T(0);
      for (index_t slice = 0; slice < slices; ++slice) sum += from[slice * apart + at];
      slot.put(at, sum);
    });
    return true;
  }

  /// slot (extent[0..3]) (+)= the sum of full (size[0..3]) over the axes where extent is 1.
  template <class T>
  static void sum_broadcast(const index_t (&size)[4], const index_t (&extent)[4], const T* full, GradientSlot<T> slot) {
    Broadcast axes{};
    for (int a = 0; a < 4; ++a) axes.size[a] = size[a], axes.extent[a] = extent[a];
    Run::each("sum_broadcast", extent[0] * extent[1] * extent[2] * extent[3], [=] LACUNA_DEVICE(index_t e) {
      const index_t from = axes.start(e), terms = axes.terms();
      double total = 0;
      for (index_t term = 0; term < terms; ++term) total += double(full[from + axes.offset(term)]);
      slot.put(e, T(total));
    });
  }

  /// Sizes of an array of four axes, and of what is left when those of extent 1 are summed over.
  struct Broadcast {
    index_t size[4], extent[4];

    /// How many numbers of the array go into one number of the result.
    LACUNA_HD index_t terms() const {
      index_t product = 1;
      for (int a = 0; a < 4; ++a) product *= extent[a] == size[a] ? 1 : size[a];
      return product;
    }
    /// Place in the array of the first of them, for number e of the result.
    LACUNA_HD index_t start(index_t e) const {
      index_t at = 0, stride = 1;
      for (int a = 3; a >= 0; --a) {
        at += e % extent[a] * stride;
        e /= extent[a];
        stride *= size[a];
      }
      return at;
    }
    /// How far behind it the term-th is.
    LACUNA_HD index_t offset(index_t term) const {
      index_t at = 0, stride = 1;
      for (int a = 3; a >= 0; --a) {
        if (extent[a] != size[a]) {
          at += term % size[a] * stride;
          term /= size[a];
        }
        stride *= size[a];
      }
      return at;
    }
  };
};

}  // namespace lacuna::cuda
