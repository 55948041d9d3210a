/// Scaled dot-product attention of one sample as a plain function of Eigen's matrices: the operation of
/// ops/attention.hpp, its bits and its errors.
///
///     Eigen::MatrixXf weights;
///     const Eigen::MatrixXf y = dot_product_attention(query, key, value, present, &weights);
#pragma once

#include "lacuna/interop/eigen_function.hpp"
#include "lacuna/ops/attention.hpp"

namespace lacuna {
namespace detail {

/// (rows, columns) as a batch of one.
template <class M>
Tensor<typename M::Scalar, 3> batch_of_one(const M& matrix) {
  const auto rows = rows_of(matrix);
  return rows.reshape(std::array<index_t, 3>{1, rows.extent(0), rows.extent(1)});
}
/// present (K) as (1, K), or undefined.
inline Mask<2> batch_of_one(const Mask<1>& present) {
  return present.defined() ? present.reshape(std::array<index_t, 2>{1, present.extent(0)}) : Mask<2>();
}

}  // namespace detail

/// softmax(scale · Q Kᵀ) V: query (Q, d), key (K, d), value (K, dv) → (Q, dv). present (K), true = present, or nothing
/// for all: absent keys and values are not read; with nothing present the output is 0. `weights` gets (Q, K), of
/// several heads (heads · Q, K), one head below the other. `options` says heads, scale and causal order; there is no
/// dropout here. Throws ShapeError when the sizes do not fit.
template <detail::EigenReal A, detail::EigenLike<A> B, detail::EigenLike<A> C>
RowMajorMatrix<typename A::Scalar> dot_product_attention(const A& query, const B& key, const C& value,
                                                         const Mask<1>& present = {}, detail::IntoLike<A> weights = {},
                                                         AttentionOptions options = {}) {
  using T = typename A::Scalar;
  const detail::RecordingIf off(false);
  options.need_weights = bool(weights);
  const Variable<T, 3> q(detail::batch_of_one(query)), k(detail::batch_of_one(key)), v(detail::batch_of_one(value));
  const auto attended = attention(q, k, v, detail::batch_of_one(present), options);
  if (weights) weights.put(attended.weights.matrix());
  const Tensor<T, 3> output = attended.output.value();
  return output.matrix();
}

/// Gradients of Σ slope ∘ dot_product_attention(...) in query, key and value; slope (Q, dv).
template <detail::EigenReal A, detail::EigenLike<A> B, detail::EigenLike<A> C, detail::EigenLike<A> S>
void dot_product_attention_gradient(const A& query, const B& key, const C& value, const S& slope,
                                    detail::IntoLike<A> to_query, detail::IntoLike<A> to_key = {},
                                    detail::IntoLike<A> to_value = {}, const Mask<1>& present = {},
                                    AttentionOptions options = {}) {
  using T = typename A::Scalar;
  const detail::RecordingIf on(true);
  options.need_weights = false;
  const Variable<T, 3> q(detail::batch_of_one(query), bool(to_query)), k(detail::batch_of_one(key), bool(to_key)),
      v(detail::batch_of_one(value), bool(to_value));
  const Variable<T, 3> output = attention(q, k, v, detail::batch_of_one(present), options).output;
  if (output.requires_grad()) output.backward(detail::batch_of_one(slope));
  const auto fill = [](const Into<T>& into, const Variable<T, 3>& x) {
    if (!into) return;
    const Tensor<T, 3> gradient = x.grad();
    into.put(gradient.matrix());
  };
  fill(to_query, q), fill(to_key, k), fill(to_value, v);
}

}  // namespace lacuna
