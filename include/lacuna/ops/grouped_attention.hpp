/// Causal attention of a decoder over whole sequences, several query heads to a key head. (Ainslie et al. 2023)
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/grouped_attention.hpp"

namespace lacuna {

/// Sequences one after the other, without padding: rows of sequence i are starts[i] .. starts[i+1] − 1. Per query head
/// h, with key head ⌊h / (H/G)⌋:  y_t = Σ_{u ≤ t} softmax_u(scale q_t·k_u) v_u, u in the sequence of t.
/// query (N, H·d); key, value (N, G·d); y (N, H·d). Throws ShapeError when the sizes do not fit.
template <class T>
Variable<T, 2> grouped_attention(const Variable<T, 2>& query, const Variable<T, 2>& key, const Variable<T, 2>& value,
                                 const cpu::GroupedSizes& sizes, const std::vector<index_t>& starts) {
  const index_t rows = query.extent(0);
  detail::expect_axis("grouped_attention", "query", query.shape(), 1, sizes.width());
  detail::expect_shape("grouped_attention", "key", key.shape(), Shape{rows, sizes.key_width()});
  detail::expect_shape("grouped_attention", "value", value.shape(), key.shape());
  if (starts.empty() || starts.front() != 0 || starts.back() != rows || !std::is_sorted(starts.begin(), starts.end()))
    throw ShapeError(detail::cat("grouped_attention: starts must rise from 0 to the ", rows, " rows"));
  if (sizes.key_heads < 1 || sizes.heads % sizes.key_heads != 0)
    throw ShapeError(detail::cat("grouped_attention: ", sizes.heads, " heads over ", sizes.key_heads, " key heads"));
  Tensor<T, 2> y({rows, sizes.width()});
  for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
    const index_t from = starts[i], count = starts[i + 1] - from, at = from * sizes.key_width();
    const cpu::KeyRun<T> run{key.data() + at, value.data() + at, count};
    cpu::GroupedAttention::grouped_attention<T>(sizes, count, 1, query.data() + from * sizes.width(), {&run, 1},
                                                y.data() + from * sizes.width());
  }
  if (!detail::recorded(query, key, value)) return Variable<T, 2>(y);
  return record(
      "grouped_attention", y,
      [=](const Tensor<T, 2>& dy) {
        const auto dq = query.gradient_slot(), dk = key.gradient_slot(), dv = value.gradient_slot();
        for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
          const index_t from = starts[i], at = from * sizes.width(), key_at = from * sizes.key_width();
          const auto part = [](const auto& slot, index_t offset) { return slot ? slot.data + offset : nullptr; };
          cpu::GroupedAttention::grouped_attention_gradient<T>(
              sizes, starts[i + 1] - from, query.data() + at, key.data() + key_at, value.data() + key_at,
              dy.data() + at, dq.beta(), part(dq, at), dk.beta(), part(dk, key_at), dv.beta(), part(dv, key_at));
        }
      },
      query, key, value);
}

}  // namespace lacuna
