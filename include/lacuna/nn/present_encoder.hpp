/// A Transformer encoder over the present frames alone: batches of mixed lengths pay for no padding in projections,
/// norms and feed-forward parts; attention sees the padded batch with its mask.
#pragma once

#include "lacuna/kernels/cpu/shape.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/nn/transformer.hpp"
#include "lacuna/ops/present_rows.hpp"

namespace lacuna {
namespace detail {

/// One layer on rows (N, embed_dim), with the random numbers of the padded one.
template <class T>
Variable<T, 2> encode_rows(const TransformerEncoderLayer<T>& layer, const Variable<T, 2>& x, const PresentRows& rows,
                           const Mask<2>& present, const Context& context) {
  const auto branch = [&](const LayerNorm<T>& norm, const Variable<T, 2>& h, auto&& f) -> Variable<T, 2> {
    const Variable<T, 2> change = layer.norm_first ? f(norm(h)) : f(h);
    const auto joined = h + dropout_present(change, rows, layer.dropout, context);
    return layer.norm_first ? joined : norm(joined);
  };
  const auto attended = branch(layer.norm1, x, [&](const Variable<T, 2>& h) {
    const auto qkv = scatter_present(layer.attention.qkv(h), rows);
    const auto seen = attention_packed(qkv, present, layer.attention.options, {}, context).output;
    return layer.attention.output(gather_present(seen, rows));
  });
  return branch(layer.norm2, attended, [&](const Variable<T, 2>& h) {
    const auto& part = layer.feed_forward;
    return part.out(dropout_present(part.in(h, part.activation), rows, part.hidden_dropout, context));
  });
}

}  // namespace detail

/// layer(frames), frames (B, T, in) being zeros where absent, at the cost of the present ones: the same bits, unless there
/// are at most `cpu::Gemm::few` present frames and more in all: few rows are multiplied in another order.
template <class T, class D>
Variable<T, 3, D> linear_present(const Linear<T, D>& layer, const Tensor<T, 3, D>& frames, const Mask<2, D>&,
                                 Rows = Rows::automatic) {
  return layer(Variable<T, 3, D>(frames));
}
template <class T>
Variable<T, 3> linear_present(const Linear<T>& layer, const Tensor<T, 3>& frames, const Mask<2>& present,
                              Rows rows = Rows::automatic) {
  if (!Kernels<Cpu>::ShapeMoves::keeps_all(present.size(), present.data()))
    if (const PresentRows here(present); here.taken(rows))
      return linear_present<T>(frames, here, layer.weight, layer.bias);
  return layer(Variable<T, 3>(frames));
}

/// encoder(x, present, context) at the present frames, the same bits as linear_present gives; what stands at absent ones is
/// not to be read.
/// x (B, T, embed_dim), present (B, T), or undefined for all → (B, T, embed_dim).
/// Other devices than the host compute absent frames as well: a launch costs more than they do.
template <class T, class D>
Variable<T, 3, D> encode_present(const TransformerEncoder<T, D>& encoder, const Variable<T, 3, D>& x,
                                 const Mask<2, D>& present, const Context& context = {}, Rows = Rows::automatic) {
  return encoder(x, present, context);
}
template <class T>
Variable<T, 3> encode_present(const TransformerEncoder<T>& encoder, const Variable<T, 3>& x, const Mask<2>& present,
                              const Context& context = {}, Rows rows = Rows::automatic) {
  if (!present.defined() || rows == Rows::all || context.recorded()) return encoder(x, present, context);
  detail::expect_shape("encoder", "present", present.shape(), Shape{x.extent(0), x.extent(1)});
  const PresentRows here(present);
  if (!here.taken(rows)) return encoder(x, present, context);
  Variable<T, 2> h = gather_present(x, here);
  for (const auto& layer : encoder.layers) h = detail::encode_rows(layer, h, here, present, context);
  return scatter_present(encoder.norm_first ? encoder.norm(h) : h, here);
}

}  // namespace lacuna
