/// The angles of rotary positions, with the scalings that published models use to reach beyond the length they were
/// trained on.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "lacuna/core/tensor.hpp"

namespace lacuna {

/// standard: f_j = θ^(−2j/d), j = 0..d/2−1.  linear: f/factor.  dynamic: θ grows with the sequence.  llama3: low
/// frequencies are divided, high ones stay.  yarn: the same by a ramp over j (Peng et al. 2023), and cos, sin scaled.
enum class RotaryScaling { standard, linear, dynamic, llama3, yarn };

struct RotaryOptions {
  RotaryScaling scaling = RotaryScaling::standard;
  double theta = 10000, factor = 1;
  double original_length = 0;              ///< positions of the training: dynamic, llama3, yarn
  double low_factor = 1, high_factor = 4;  ///< llama3
  double beta_fast = 32, beta_slow = 1;    ///< yarn
  double attention_factor = 0;             ///< yarn; 0 = 0.1 ln(factor) + 1
};

struct RotaryFrequencies {
  std::vector<double> frequency;  ///< d/2 numbers
  double factor = 1;              ///< on cos and sin
};

/// Of heads of size d; `length`, the positions of the sequence, matters to `dynamic` alone. All in double: positions of
/// long sequences are lost in fewer bits.
inline RotaryFrequencies rotary_frequencies(const RotaryOptions& o, index_t d, index_t length) {
  RotaryFrequencies r;
  double theta = o.theta;
  if (o.scaling == RotaryScaling::dynamic) {
    const double n = std::max(double(length), o.original_length);
    theta *= std::pow(o.factor * n / o.original_length - o.factor + 1, double(d) / double(d - 2));
  }
  for (index_t j = 0; j < d / 2; ++j) r.frequency.push_back(std::pow(theta, -2.0 * double(j) / double(d)));
  const double turn = 2 * std::numbers::pi;
  if (o.scaling == RotaryScaling::linear)
    for (double& f : r.frequency) f /= o.factor;
  if (o.scaling == RotaryScaling::llama3)
    for (double& f : r.frequency) {
      const double s = (o.original_length * f / turn - o.low_factor) / (o.high_factor - o.low_factor);
      const double kept = std::clamp(s, 0.0, 1.0);
      f *= kept + (1 - kept) / o.factor;
    }
  if (o.scaling == RotaryScaling::yarn) {
    const auto index_of = [&](double turns) {
      return double(d) * std::log(o.original_length / (turn * turns)) / (2 * std::log(o.theta));
    };
    const double low = std::max(std::floor(index_of(o.beta_fast)), 0.0);
    double high = std::min(std::ceil(index_of(o.beta_slow)), double(d - 1));
    if (high == low) high += 0.001;
    for (std::size_t j = 0; j < r.frequency.size(); ++j) {
      const double ramp = std::clamp((double(j) - low) / (high - low), 0.0, 1.0);
      r.frequency[j] *= 1 - ramp + ramp / o.factor;
    }
    r.factor = o.attention_factor > 0 ? o.attention_factor : 0.1 * std::log(o.factor) + 1;
  }
  return r;
}

/// cos and sin (N, d/2) of the given positions.
template <class T>
struct RotaryTable {
  Tensor<T, 2> cosine, sine;

  RotaryTable(const RotaryFrequencies& r, const std::vector<index_t>& positions)
      : cosine({index_t(positions.size()), index_t(r.frequency.size())}), sine(cosine.extents()) {
    const std::size_t half = r.frequency.size();
    for (std::size_t i = 0; i < positions.size(); ++i)
      for (std::size_t j = 0; j < half; ++j) {
        const double angle = double(positions[i]) * r.frequency[j];
        cosine.data()[i * half + j] = T(r.factor * std::cos(angle));
        sine.data()[i * half + j] = T(r.factor * std::sin(angle));
      }
  }
};

}  // namespace lacuna
