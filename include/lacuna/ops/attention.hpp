/// Scaled dot-product attention with any number of heads, as one fused operation: per head
///   weights = softmax(scale · Q Kᵀ + bias) over the keys that a query may see,  output = dropout(weights) V.
/// (Vaswani et al. 2017)
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/core/context.hpp"
#include "lacuna/kernels/cpu/attention.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {

struct AttentionOptions {
  index_t num_heads = 1;
  double scale = 0;     ///< 0 = 1/√(key size of one head)
  bool causal = false;  ///< query t sees keys 0..t only; needs as many queries as keys
  double dropout = 0;   ///< of the weights, in training
  /// Whether the result holds the weights. Without them a call needs memory for its output only, and the backward pass
  /// computes them again; a device that cannot keeps them all the same.
  bool need_weights = true;
};

template <class T, class D = Cpu>
struct Attended {
  Variable<T, 3, D> output;  ///< (B, Q, heads · value size)
  Tensor<T, 4, D> weights;   ///< (B, heads, Q, K): before dropout; 0 for keys that a query may not see; not always kept
};

namespace detail {

/// What both forms of attention share: one call, kept by its backward.
template <class T, class D>
struct AttentionCall {
  AttentionSizes sizes;
  Mask<2, D> present;
  Variable<T, 4, D> bias;
  Tensor<T, 4, D> factors;
  AttentionExtras<T> extras;
  Tensor<T, 4, D> weights, statistics;

  AttentionCall(AttentionSizes s, const Mask<2, D>& mask, const AttentionOptions& options, const Variable<T, 4, D>& b,
                const Context& context)
      : sizes(s), present(mask), bias(b) {
    const std::array<index_t, 4> extents{s.batch, s.heads, s.queries, s.keys};
    const Shape shape(extents);
    if (options.need_weights || !Kernels<D>::Attention::attention_recomputes) weights = Tensor<T, 4, D>(extents);
    if (Kernels<D>::Attention::attention_recomputes && recording())
      statistics = Tensor<T, 4, D>({s.batch, s.heads, 2, s.queries});
    if (mask.defined()) expect_shape("attention", "present", mask.shape(), Shape{s.batch, s.keys});
    if (s.causal && s.queries != s.keys)
      throw ShapeError(
          cat("attention: causal order needs as many queries as keys, found ", s.queries, " and ", s.keys));
    sizes.present = present.data();
    sizes.scale = options.scale != 0 ? options.scale : 1.0 / std::sqrt(double(std::max<index_t>(s.key_size, 1)));
    if (bias.defined()) {
      index_t stride = 1;
      for (int axis = 3; axis >= 0; --axis) {
        const index_t extent = bias.extent(axis);
        if (extent != 1 && extent != shape[axis])
          throw ShapeError(cat("attention: bias ", bias.shape(), " does not broadcast to ", shape));
        extras.bias_stride[axis] = extent == 1 ? 0 : stride;
        stride *= extent;
      }
      extras.bias = bias.data();
    }
    const Dropout what = context.dropout(options.dropout, "attention");
    if (what == Dropout::recorded) {
      const std::vector<double> given = context.tape->next(shape).to_vector();
      factors = Tensor<T, 4, D>::from(extents, std::vector<T>(given.begin(), given.end()));
      extras.factors = std::as_const(factors).data();
    } else if (what == Dropout::drawn) {
      extras.drop = true;
      extras.keep = functors::Keep::with(context.random->stream(), options.dropout);
    }
  }

  Tensor<T, 3, D> forward(const T* query, const T* key, const T* value) {
    Tensor<T, 3, D> y({sizes.batch, sizes.queries, sizes.heads * sizes.value_size});
    Kernels<D>::Attention::attention(sizes, extras, query, key, value, kept(), y.data());
    return y;
  }
  void backward(const T* query, const T* key, const T* value, const T* y, const T* dy, GradientSlot<T> dquery,
                GradientSlot<T> dkey, GradientSlot<T> dvalue) const {
    const GradientSlot<T> dbias = bias.gradient_slot();
    Tensor<T, 4, D> scores;
    const index_t size[4] = {sizes.batch, sizes.heads, sizes.queries, sizes.keys};
    if (dbias) scores = Tensor<T, 4, D>::zeros({size[0], size[1], size[2], size[3]});
    Kernels<D>::Attention::attention_gradient(sizes, extras, query, key, value, kept(), y, dy, dquery, dkey, dvalue,
                                              dbias ? scores.data() : nullptr);
    if (!dbias) return;
    index_t extent[4];
    for (int axis = 0; axis < 4; ++axis) extent[axis] = bias.extent(axis);
    Kernels<D>::Attention::template sum_broadcast<T>(size, extent, scores.data(), dbias);
  }

 private:
  /// The kernels write there forward and read backward.
  AttentionKept<T> kept() const { return {const_cast<T*>(weights.data()), const_cast<T*>(statistics.data())}; }
};

}  // namespace detail

/// query (B, Q, heads·dk), or (1, Q, heads·dk) shared by the batch; key (B, K, heads·dk); value (B, K, heads·dv);
/// present (B, K), 1 = present, or undefined for all; bias broadcast to (B, heads, Q, K), or undefined.
/// Absent keys and values are not read and get gradient 0. A query that may see no key gets weights 0, output 0 and
/// passes no gradient. Gradients flow to query, key, value and bias. Throws ShapeError when the sizes do not fit,
/// OptionError for dropout outside [0, 1) and for training with dropout without a random source.
template <class T, class D>
Attended<T, D> attention(const Variable<T, 3, D>& query, const Variable<T, 3, D>& key, const Variable<T, 3, D>& value,
                         const Mask<2, D>& present = {}, AttentionOptions options = {},
                         const Variable<T, 4, D>& bias = {}, const Context& context = {}) {
  const index_t batch = key.extent(0), keys = key.extent(1), queries = query.extent(1);
  const index_t dk = key.extent(2), dv = value.extent(2), heads = options.num_heads;
  const bool shared = query.extent(0) == 1 && batch != 1;
  if (!shared) detail::expect_axis("attention", "query", query.shape(), 0, batch);
  detail::expect_axis("attention", "query", query.shape(), 2, dk);
  detail::expect_axis("attention", "value", value.shape(), 0, batch);
  detail::expect_axis("attention", "value", value.shape(), 1, keys);
  if (heads < 1 || dk % heads || dv % heads)
    throw ShapeError(
        detail::cat("attention: key size ", dk, " and value size ", dv, " must divide into ", heads, " heads"));
  detail::AttentionCall<T, D> call(
      {batch, queries, keys, heads, dk / heads, dv / heads, 0, shared, nullptr, options.causal, dk, dk, dv}, present,
      options, bias, context);
  const Tensor<T, 3, D> y = call.forward(query.data(), key.data(), value.data());
  const Tensor<T, 4, D> weights = call.weights;
  const auto backward = [=, value = detail::Saved(value)](const Tensor<T, 3, D>& dy) {
    call.backward(query.data(), key.data(), value.data(), y.data(), dy.data(), query.gradient_slot(),
                  key.gradient_slot(), value.gradient_slot());
  };
  return {record("attention", y, backward, query, key, value, bias), weights};
}

namespace detail {

/// Sizes of a call on packed projections.
template <class T, class D>
AttentionSizes packed_sizes(const Variable<T, 3, D>& qkv, const AttentionOptions& options) {
  const index_t batch = qkv.extent(0), frames = qkv.extent(1), packed = qkv.extent(2), width = packed / 3;
  const index_t heads = options.num_heads;
  if (heads < 1 || packed % 3 || width % heads)
    throw ShapeError(cat("attention_packed: qkv ", qkv.shape(), " must divide into three times ", heads, " heads"));
  return {batch, frames,  frames,         heads,  width / heads, width / heads, 0,
          false, nullptr, options.causal, packed, packed,        packed};
}
template <class T, class D>
Variable<T, 3, D> attend_packed(AttentionCall<T, D> call, const Variable<T, 3, D>& qkv) {
  const index_t width = qkv.extent(2) / 3;
  const T* x = qkv.data();
  const Tensor<T, 3, D> y = call.forward(x, x + width, x + 2 * width);
  const auto backward = [=](const Tensor<T, 3, D>& dy) {
    const GradientSlot<T> slot = qkv.gradient_slot();
    const auto part = [&](index_t i) { return slot ? slot.at(i * width) : GradientSlot<T>(); };
    const T* from = qkv.data();
    call.backward(from, from + width, from + 2 * width, y.data(), dy.data(), part(0), part(1), part(2));
  };
  return record("attention", y, backward, qkv, call.bias);
}

}  // namespace detail

/// Self-attention on one packed projection: qkv (B, T, 3·E), queries in the first E columns of a frame, then keys, then
/// values; head h has columns h·E/heads … of each. Otherwise as above.
template <class T, class D>
Attended<T, D> attention_packed(const Variable<T, 3, D>& qkv, const Mask<2, D>& present = {},
                                AttentionOptions options = {}, const Variable<T, 4, D>& bias = {},
                                const Context& context = {}) {
  const detail::AttentionCall<T, D> call(detail::packed_sizes(qkv, options), present, options, bias, context);
  return {detail::attend_packed(call, qkv), call.weights};
}

}  // namespace lacuna
