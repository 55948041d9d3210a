/// Multi-head attention with its projections: q = Q Wqᵀ + bq, k = K Wkᵀ + bk, v = V Wvᵀ + bv, head h has columns
/// h·embed_dim/heads … of each; y = [head_1; …; head_H] Woᵀ + bo.  (Vaswani et al. 2017; the fused core is
/// ops/attention.hpp)
///
/// A query that may see no key gets context 0, so y = bo there, and passes no gradient to query, key and value. Queries
/// at absent positions are computed like any other. Absent frames must hold finite numbers: the projections multiply
/// them.
///
/// ```cpp
/// MultiHeadAttention<float> attend({.embed_dim = 8, .num_heads = 2}, random);
/// const auto seen = attend(frames, memory, memory, memory_present);  // .output (B, T, 8): frames ask, memory answers
/// const auto own = attend(frames, frames, frames, present).output;   // self-attention
/// ```
#pragma once

#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/attention.hpp"

namespace lacuna {

struct MultiHeadAttentionOptions {
  index_t embed_dim;  ///< of queries and of the result; must divide into `num_heads`
  index_t num_heads = 1;
  index_t key_dim = 0, value_dim = 0;  ///< 0 = embed_dim
  bool bias = true;                    ///< of all four projections
  bool causal = false;                 ///< query t sees keys 0..t only
  double dropout = 0;                  ///< of the weights
  bool need_weights = true;            ///< whether the result holds them; without them less memory is needed
};

namespace detail {
inline void check(const MultiHeadAttentionOptions& o) {
  if (o.num_heads < 1 || o.embed_dim < 1 || o.embed_dim % o.num_heads)
    throw OptionError(
        cat("multi-head attention: embed_dim ", o.embed_dim, " must divide into ", o.num_heads, " heads"));
}
}  // namespace detail

/// Self- or cross-attention: query (B, Q, embed_dim), key (B, K, key_dim), value (B, K, value_dim), present (B, K),
/// bias of the scores broadcast to (B, heads, Q, K) → output (B, Q, embed_dim), weights (B, heads, Q, K).
/// Throws OptionError when embed_dim does not divide into heads, ShapeError when the arrays do not fit.
template <class T = float, class D = Cpu>
struct MultiHeadAttention {
  using Options = MultiHeadAttentionOptions;
  AttentionOptions options;
  Linear<T, D> query, key, value, output;

  MultiHeadAttention() = default;
  MultiHeadAttention(const Options& o, Random& random)
      : options{.num_heads = o.num_heads, .causal = o.causal, .dropout = o.dropout, .need_weights = o.need_weights} {
    detail::check(o);
    const auto projection = [&](index_t in) {
      return Linear<T, D>({.in_features = in, .out_features = o.embed_dim, .bias = o.bias}, random);
    };
    query = projection(o.embed_dim);
    key = projection(o.key_dim > 0 ? o.key_dim : o.embed_dim);
    value = projection(o.value_dim > 0 ? o.value_dim : o.embed_dim);
    output = projection(o.embed_dim);
  }

  Attended<T, D> operator()(const Variable<T, 3, D>& q, const Variable<T, 3, D>& k, const Variable<T, 3, D>& v,
                            const Mask<2, D>& present = {}, const Context& context = {},
                            const Variable<T, 4, D>& bias = {}) const {
    auto attended = attention(query(q), key(k), value(v), present, options, bias, context);
    attended.output = output(attended.output);
    return attended;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("query", self.query);
    visit("key", self.key);
    visit("value", self.value);
    visit("output", self.output);
  }
};

/// Self-attention with one packed projection, faster than three: qkv.weight (3·embed_dim, embed_dim), rows of the queries
/// first, then keys, then values. x (B, T, embed_dim), present (B, T) → output (B, T, embed_dim), weights (B, heads, T, T).
template <class T = float, class D = Cpu>
struct SelfAttention {
  using Options = MultiHeadAttentionOptions;
  AttentionOptions options;
  Linear<T, D> qkv, output;

  SelfAttention() = default;
  /// key_dim and value_dim do not apply.
  SelfAttention(const Options& o, Random& random)
      : options{.num_heads = o.num_heads, .causal = o.causal, .dropout = o.dropout, .need_weights = o.need_weights} {
    detail::check(o);
    qkv = Linear<T, D>({.in_features = o.embed_dim, .out_features = 3 * o.embed_dim, .bias = o.bias}, random);
    output = Linear<T, D>({.in_features = o.embed_dim, .out_features = o.embed_dim, .bias = o.bias}, random);
  }

  Attended<T, D> operator()(const Variable<T, 3, D>& x, const Mask<2, D>& present = {}, const Context& context = {},
                            const Variable<T, 4, D>& bias = {}) const {
    auto attended = attention_packed(qkv(x), present, options, bias, context);
    attended.output = output(attended.output);
    return attended;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("qkv", self.qkv);
    visit("output", self.output);
  }
};

}  // namespace lacuna
