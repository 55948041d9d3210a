/// Scaled dot-product attention as one fused operation: softmax(scale · Q Kᵀ) V per head.  (Vaswani et al. 2017)
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {

struct AttentionOptions {
  index_t heads = 1;
  double scale = 0;  ///< 0 = 1/√(key size of one head)
};

template <class T, class D = Cpu>
struct Attended {
  Variable<T, 3, D> output;   ///< (B, Q, heads · value size)
  Tensor<T, 4, D> weights;    ///< (B, heads, Q, K): softmax over the present keys, 0 for absent ones
};

/// query (B, Q, heads·dk), or (1, Q, heads·dk) shared by the batch; key (B, K, heads·dk); value (B, K, heads·dv);
/// present (B, K), 1 = present, or undefined for all. A sample without a present key gives 0 and gradient 0.
/// Gradients flow to query, key and value. Throws ShapeError when the sizes do not fit.
template <class T, class D>
Attended<T, D> attention(const Variable<T, 3, D>& query, const Variable<T, 3, D>& key, const Variable<T, 3, D>& value,
                         const Mask<2, D>& present, AttentionOptions options = {}) {
  const index_t batch = key.extent(0), keys = key.extent(1), queries = query.extent(1);
  const index_t dk = key.extent(2), dv = value.extent(2), heads = options.heads;
  const bool shared = query.extent(0) == 1 && batch != 1;
  if (!shared) detail::expect_axis("attention", "query", query.shape(), 0, batch);
  detail::expect_axis("attention", "query", query.shape(), 2, dk);
  detail::expect_axis("attention", "value", value.shape(), 0, batch);
  detail::expect_axis("attention", "value", value.shape(), 1, keys);
  if (present.defined()) detail::expect_shape("attention", "present", present.shape(), Shape{batch, keys});
  if (heads < 1 || dk % heads || dv % heads)
    throw ShapeError(detail::cat("attention: key size ", dk, " and value size ", dv, " must divide into ", heads, " heads"));
  const double factor = options.scale != 0 ? options.scale : 1.0 / std::sqrt(double(std::max<index_t>(dk / heads, 1)));

  Tensor<T, 3, D> y({batch, queries, dv});
  Tensor<T, 4, D> weights({batch, heads, queries, keys});
  const auto sizes = [=] {  // rebuilt in the backward: the mask's storage lives in the closure
    return AttentionSizes{batch,  queries, keys, heads, dk / heads, dv / heads, factor, shared,
                          present.defined() ? present.data() : nullptr};
  };
  Kernels<D>::attention(sizes(), query.data(), key.data(), value.data(), weights.data(), y.data());
  auto output = record(
      "attention", y,
      [=](const Tensor<T, 3, D>& dy) {
        Kernels<D>::attention_gradient(sizes(), query.data(), key.data(), value.data(), weights.data(), dy.data(),
                                       query.gradient_slot(), key.gradient_slot(), value.gradient_slot());
      },
      query, key, value);
  return {output, weights};
}

}  // namespace lacuna
