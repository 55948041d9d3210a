/// WavLM's bias of attention by relative position. (Chen et al. 2022)
///
///   score(q, k) = q·k/√d + gate_{h,q} R[bucket(k − q), h]
///   gate = a (b c_h − 1) + 2,  a = σ(r_0 + … + r_3), b = σ(r_4 + … + r_7),  r = G z_h + g
/// with z_h the slice of head h of the layer's attention input. R is shared by all layers; G, g, c are of each.
#pragma once

#include <cmath>

#include "lacuna/speech/convolution.hpp"

namespace lacuna::speech {

/// The bucket of a distance r = key − query: one each for small ones, ever wider ones up to `far`; other ones for keys
/// behind the query.
inline index_t position_bucket(index_t r, index_t buckets, index_t far) {
  const index_t half = buckets / 2, exact = half / 2, a = r < 0 ? -r : r;
  index_t u = a;
  if (a >= exact)
    u = std::min(half - 1, exact + index_t(std::log(double(a) / double(exact)) / std::log(double(far) / double(exact)) *
                                           double(half - exact)));
  return u + (r > 0 ? half : 0);
}

/// R by distance, for clips of F frames: of head h and key − query = r at [h (2F − 1) + r + F − 1].
template <class T>
std::vector<T> position_table(const std::vector<T>& table, index_t buckets, index_t far, index_t heads,
                              index_t frames) {
  const index_t distances = 2 * frames - 1;
  std::vector<T> by_distance(std::size_t(heads * distances));
  for (index_t i = 0; i < distances; ++i) {
    const index_t bucket = position_bucket(i - frames + 1, buckets, far);
    for (index_t h = 0; h < heads; ++h)
      by_distance[std::size_t(h * distances + i)] = table[std::size_t(bucket * heads + h)];
  }
  return by_distance;
}

/// The gate of one layer.
template <class T>
struct PositionGate {
  std::vector<T> weight, bias, scale;  ///< G (8, d), g (8), c (heads)

  PositionGate() = default;
  PositionGate(const io::Weights& weights, const std::string& attention, index_t heads, index_t size)
      : weight(lacuna::detail::widened<T>(weights.at(attention + "gru_rel_pos_linear.weight", {8, size}))),
        bias(lacuna::detail::widened<T>(weights.at(attention + "gru_rel_pos_linear.bias", {8}))),
        scale(lacuna::detail::widened<T>(weights.at(attention + "gru_rel_pos_const", {1, heads, 1, 1}))) {}

  /// z (F, heads · d) → (F, heads).
  Tensor<T, 2> operator()(const Tensor<T, 2>& z) const {
    const auto heads = index_t(scale.size());
    const index_t frames = z.extent(0), size = z.extent(1) / heads;
    Tensor<T, 2> gate({frames, heads});
    const auto sigmoid = [](T u) { return T(1) / (T(1) + std::exp(-u)); };
    for (index_t i = 0; i < frames * heads; ++i) {
      const T* const part = z.data() + i * size;
      T sum[2] = {};
      for (index_t r = 0; r < 8; ++r) {
        T dot = bias[std::size_t(r)];
        for (index_t j = 0; j < size; ++j) dot += weight[std::size_t(r * size + j)] * part[j];
        sum[r / 4] += dot;
      }
      gate.data()[i] = sigmoid(sum[0]) * (sigmoid(sum[1]) * scale[std::size_t(i % heads)] - T(1)) + T(2);
    }
    return gate;
  }
};

}  // namespace lacuna::speech
