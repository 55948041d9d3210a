/// Equal Transformer encoders with inputs of one shape, such as those of several modalities, as one set of launches.
#pragma once

#include "lacuna/nn/transformer.hpp"
#include "lacuna/ops/grouped.hpp"

namespace lacuna {
namespace detail {

template <class T, class D>
using Encoders = std::vector<TransformerEncoder<T, D>>;

/// The same linear layer, norm, ... of every encoder; `of` gives that of one.
template <class T, class D, class Of>
GroupLinear<T, D> group_linear(const Encoders<T, D>& encoders, Of&& of) {
  GroupLinear<T, D> layer;
  for (const auto& encoder : encoders) {
    layer.weight.push_back(of(encoder).weight);
    layer.bias.push_back(of(encoder).bias);
  }
  return layer;
}
template <class T, class D, class Of>
Variable<T, 3, D> group_norm(const Encoders<T, D>& encoders, const Variable<T, 3, D>& x, Of&& of) {
  GroupOf<T, 1, D> weight, bias;
  for (const auto& encoder : encoders) {
    weight.push_back(of(encoder).weight);
    bias.push_back(of(encoder).bias);
  }
  return layer_norm_grouped(x, weight, bias, of(encoders[0]).epsilon);
}

/// Streams that one encoder draws in training.
template <class T, class D>
std::uint64_t streams_of(const TransformerEncoder<T, D>& encoder) {
  std::uint64_t count = 0;
  for (const auto& layer : encoder.layers)
    count += std::uint64_t(layer.attention.options.dropout > 0) + 2 * std::uint64_t(layer.dropout > 0) +
             std::uint64_t(layer.feed_forward.hidden_dropout > 0);
  return count;
}

/// Whether encode_grouped may take their place: two to eight of them, with the options of the first, and dropout that
/// comes from a random source.
template <class T, class D>
bool can_group(const Encoders<T, D>& encoders, const Context& context) {
  if (encoders.size() < 2 || encoders.size() > std::size_t(Groups<const T*>::most)) return false;
  if (context.recorded() || (context.training() && context.random == nullptr)) return false;
  const auto fraction = [](double p) { return p >= 0 && p < 1; };
  const auto& first = encoders[0];
  for (const auto& encoder : encoders) {
    if (encoder.layers.size() != first.layers.size() || encoder.norm_first != first.norm_first ||
        encoder.norm.epsilon != first.norm.epsilon)
      return false;
    for (std::size_t l = 0; l < encoder.layers.size(); ++l) {
      const auto &a = encoder.layers[l], &b = first.layers[l];
      const auto &p = a.attention.options, &q = b.attention.options;
      if (a.norm_first != b.norm_first || a.dropout != b.dropout || a.norm1.epsilon != b.norm1.epsilon ||
          a.norm2.epsilon != b.norm2.epsilon || a.feed_forward.activation != b.feed_forward.activation ||
          a.feed_forward.hidden_dropout != b.feed_forward.hidden_dropout || p.num_heads != q.num_heads ||
          p.scale != q.scale || p.causal != q.causal || p.dropout != q.dropout || p.need_weights || q.need_weights ||
          a.attention.qkv.weight.shape() != b.attention.qkv.weight.shape() ||
          a.feed_forward.in.weight.shape() != b.feed_forward.in.weight.shape() || !fraction(p.dropout) ||
          !fraction(a.dropout) || !fraction(a.feed_forward.hidden_dropout))
        return false;
    }
  }
  return true;
}

/// x (G · B, T, embed_dim), present (G · B, T) or undefined for all → (G · B, T, embed_dim): part g is encoders[g] of part g of
/// x, with the random numbers of one encoder after the other. Needs can_group, and as many `streams` as streams_of.
template <class T, class D>
Variable<T, 3, D> encode_grouped(const Encoders<T, D>& encoders, Variable<T, 3, D> x, const Mask<2, D>& present,
                                 GroupStreams& streams) {
  for (std::size_t l = 0; l < encoders[0].layers.size(); ++l) {
    const auto& first = encoders[0].layers[l];
    const auto branch = [&](auto&& norm, auto&& f) {
      const auto join = [&](const Variable<T, 3, D>& change) {
        const double p = first.dropout;
        return streams.drops(p) ? add_dropout_grouped(x, change, streams.next(p)) : x + change;
      };
      x = first.norm_first ? join(f(group_norm(encoders, x, norm))) : group_norm(encoders, join(f(x)), norm);
    };
    using Encoder = TransformerEncoder<T, D>;
    branch(
        [&](const Encoder& e) -> const auto& { return e.layers[l].norm1; },
        [&](const Variable<T, 3, D>& h) {
          const auto qkv = linear_grouped(
              h, group_linear(
                     encoders, [&](const Encoder& e) -> const auto& { return e.layers[l].attention.qkv; }));
          return linear_grouped(
              attention_packed_grouped(qkv, present, first.attention.options, streams),
              group_linear(
                  encoders, [&](const Encoder& e) -> const auto& { return e.layers[l].attention.output; }));
        });
    branch(
        [&](const Encoder& e) -> const auto& { return e.layers[l].norm2; },
        [&](const Variable<T, 3, D>& h) {
          const auto& part = first.feed_forward;
          const auto in = group_linear(
              encoders, [&](const Encoder& e) -> const auto& { return e.layers[l].feed_forward.in; });
          const auto out = group_linear(
              encoders, [&](const Encoder& e) -> const auto& { return e.layers[l].feed_forward.out; });
          const double p = part.hidden_dropout;
          if (!streams.drops(p)) return linear_grouped(linear_grouped(h, in, part.activation), out);
          const GroupedKeep own = streams.next(p);
          if (part.activation == Activation::relu) return linear_grouped(linear_relu_dropout_grouped(h, in, own), out);
          return linear_grouped(dropout_grouped(linear_grouped(h, in, part.activation), own), out);
        });
  }
  if (!encoders[0].norm_first) return x;
  return group_norm(
      encoders, x, [](const TransformerEncoder<T, D>& e) -> const auto& { return e.norm; });
}

}  // namespace detail
}  // namespace lacuna
