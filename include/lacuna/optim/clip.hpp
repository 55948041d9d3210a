/// Gradient clipping, over all parameters of a model that have a gradient. Everything takes a model, packed or not, or
/// a `Packed`:
///
///     loss.backward();
///     const double norm = clip_gradient_norm(model, 1.0);      // of all gradients together, before
///     optimizer.step();
#pragma once

#include <cmath>
#include <limits>

#include "lacuna/kernels/cpu/optimizer.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/nn/pack.hpp"

namespace lacuna {
namespace detail {

/// f(count, gradient) for every run of neighbouring parameters with a gradient, with the zeros between them.
template <class T, class D, class F>
void for_each_gradient_run(const Packed<T, D>& packed, F&& f) {
  const auto& segments = packed.segments;
  for (std::size_t i = 0; i < segments.size();) {
    std::size_t next = i + 1;
    if (segments[i].node->has_gradient) {
      while (next < segments.size() && segments[next].node->has_gradient && follows(segments[next - 1], segments[next]))
        ++next;
      f(segments[next - 1].offset + segments[next - 1].size - segments[i].offset, segments[i].node->gradient.data());
    }
    i = next;
  }
}

/// The parameters of a module, packed or not, each with a gradient that is its own.
template <class M>
Packed<scalar_of<M>, place_of<M>> gradients_of(const M& module) {
  Packed<scalar_of<M>, place_of<M>> found;
  index_t offset = 0;
  for_each_parameter(module, [&](const std::string&, const auto& parameter) {
    auto& node = *parameter.node();
    if (std::exchange(node.borrowed, false)) node.gradient = node.gradient.clone();
    found.segments.push_back({{}, offset, parameter.size(), parameter.node()});
    offset += seat_size(parameter.size());
  });
  return found;
}

}  // namespace detail

/// Norm of all gradients together, accumulated in double: p = 2 (√Σ g²), 1 (Σ |g|) or infinity (max |g|).
/// Throws OptionError for another p.
template <class T, class D>
double gradient_norm(const Packed<T, D>& packed, double p = 2) {
  constexpr double most = std::numeric_limits<double>::infinity();
  if (p != 1 && p != 2 && p != most)
    throw OptionError(detail::cat("gradient_norm: p is ", p, ", expected 1, 2 or infinity"));
  double norm = 0;
  detail::for_each_gradient_run(packed, [&](index_t n, const T* g) {
    if (p == 2) norm += Kernels<D>::Optimizer::sum_of_squares(n, g);
    if (p == 1) norm += Kernels<D>::Optimizer::sum_of_magnitudes(n, g);
    if (p != most) return;
    const double largest = Kernels<D>::Optimizer::largest_magnitude(n, g);
    if (largest > norm || std::isnan(largest)) norm = largest;  // NaN stays
  });
  return p == 2 ? std::sqrt(norm) : norm;
}

template <class M>
requires Module<const M>
double gradient_norm(const M& model, double p = 2) { return gradient_norm(detail::gradients_of(model), p); }

namespace detail {
/// A negative one would turn the gradients round, NaN would clip nothing.
inline void expect_max_norm(double max_norm) {
  if (!(max_norm >= 0)) throw OptionError(cat("clip: max_norm is ", max_norm, ", expected a number not below 0"));
}
}  // namespace detail

/// The factor that brings the norm down to `max_norm`: min(1, max_norm / (norm + 1e-6)). Give it to the optimizer's
/// `step_scaled`: that clips without a pass of its own. Throws OptionError for a max_norm below 0 or NaN, as all below do.
inline double clip_factor(double norm, double max_norm) {
  detail::expect_max_norm(max_norm);
  const double factor = max_norm / (norm + 1e-6);
  return factor < 1 ? factor : 1;
}

/// What the gradients of a step are multiplied by: a number, or one that the device found and that nobody waits for.
template <class D>
struct GradientFactor {
  double number = 1;
  Array<double, D> there = {};  ///< undefined: 1

  GradientFactor() = default;
  GradientFactor(double factor) : number(factor) {}
  friend GradientFactor operator/(GradientFactor factor, double times) {
    factor.number /= times;
    return factor;
  }
  rules::Factor rule() const { return {number, there.data()}; }
};

/// clip_factor(gradient_norm(packed), max_norm), on a GPU without waiting for it:
///
///     optimizer.step_scaled(clip_factor(optimizer.packed(), 1.0));
template <class T, class D>
GradientFactor<D> clip_factor(const Packed<T, D>& packed, double max_norm) {
  detail::expect_max_norm(max_norm);
  if constexpr (requires(List<std::pair<index_t, index_t>> runs, const T* g, double* f) {
                  Kernels<D>::Optimizer::clip_factor(runs, max_norm, g, f);
                }) {
    const T* begin = nullptr;
    List<std::pair<index_t, index_t>> runs;
    detail::for_each_gradient_run(packed, [&](index_t n, const T* g) {
      if (begin == nullptr) begin = g;
      runs.emplace_back(g - begin, n);
    });
    GradientFactor<D> factor;
    factor.there = Array<double, D>(Shape{1});
    Kernels<D>::Optimizer::clip_factor(runs, max_norm, begin, factor.there.data());
    return factor;
  } else {
    return clip_factor(gradient_norm(packed), max_norm);
  }
}

/// The same on the gradients themselves. Returns the norm before; a GPU is waited for.
template <class T, class D>
double clip_gradient_norm(const Packed<T, D>& packed, double max_norm, double p = 2) {
  const double norm = gradient_norm(packed, p), factor = clip_factor(norm, max_norm);
  if (factor < 1)
    detail::for_each_gradient_run(packed, [&](index_t n, T* g) { Kernels<D>::Optimizer::rescale(n, factor, g); });
  return norm;
}

template <class M>
requires Module<const M>
double clip_gradient_norm(const M& model, double max_norm, double p = 2) {
  return clip_gradient_norm(detail::gradients_of(model), max_norm, p);
}

/// Every gradient limited to ±limit. Throws OptionError for a negative limit.
template <class T, class D>
void clip_gradient_value(const Packed<T, D>& packed, double limit) {
  if (!(limit >= 0)) throw OptionError(detail::cat("clip_gradient_value: limit ", limit, " is negative"));
  detail::for_each_gradient_run(packed, [&](index_t n, T* g) { Kernels<D>::Optimizer::limit(n, limit, g); });
}

template <class M>
requires Module<const M>
void clip_gradient_value(const M& model, double limit) { clip_gradient_value(detail::gradients_of(model), limit); }

}  // namespace lacuna
