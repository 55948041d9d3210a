/// Convolutions of a speech encoder over (time, channels): a window of K frames is K · C numbers in a row, so that a
/// convolution is a matrix product whose rows overlap, and nothing is unfolded.
#pragma once

#include "lacuna/io/weights.hpp"
#include "lacuna/kernels/cpu/activation.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/widen.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna::detail {

/// All numbers of a stored array, in T.
template <class T>
std::vector<T> widened(const StoredArray& stored) {
  std::vector<T> numbers(std::size_t(stored.shape.size()));
  cpu::Widen::widen(stored.type, stored.shape.size(), stored.bytes, numbers.data());
  return numbers;
}
/// (A, B, C) → (A, C, B).
template <class T>
std::vector<T> swapped_last(const std::vector<T>& x, index_t a, index_t b, index_t c) {
  std::vector<T> y(x.size());
  for (index_t i = 0; i < a; ++i)
    for (index_t j = 0; j < b; ++j)
      for (index_t k = 0; k < c; ++k) y[std::size_t((i * c + k) * b + j)] = x[std::size_t((i * b + j) * c + k)];
  return y;
}

}  // namespace lacuna::detail

namespace lacuna::speech {

/// y_t = W [x_{s t}; …; x_{s t + K − 1}] + b, without padding: (N, C) → ((N − K)/s + 1, C').
template <class T>
struct Convolution {
  index_t channels = 0, kernel = 0, stride = 0, out = 0;
  std::vector<T> weight;  ///< (C', K, C)
  std::vector<T> bias;    ///< (C'), or none

  Convolution() = default;
  /// "….weight" (C', C, K) and perhaps "….bias".
  Convolution(const io::Weights& weights, const std::string& name, index_t in, index_t k, index_t s, index_t to,
              bool with_bias)
      : channels(in), kernel(k), stride(s), out(to) {
    weight =
        lacuna::detail::swapped_last(lacuna::detail::widened<T>(weights.at(name + ".weight", {to, in, k})), to, in, k);
    if (with_bias) bias = lacuna::detail::widened<T>(weights.at(name + ".bias", {to}));
  }

  Tensor<T, 2> operator()(const Tensor<T, 2>& x) const {
    const index_t frames = x.extent(0) < kernel ? 0 : (x.extent(0) - kernel) / stride + 1, depth = kernel * channels;
    Tensor<T, 2> y({frames, out});
    cpu::Gemm::gemm<T>(frames, out, depth, {x.data(), stride * channels}, {weight.data(), depth, true}, T(0), y.data(),
                       out, [&](index_t row, index_t rows, index_t column, index_t columns) {
                         if (bias.empty()) return;
                         for (index_t i = row; i < row + rows; ++i)
                           for (index_t j = column; j < column + columns; ++j)
                             y.data()[i * out + j] += bias[std::size_t(j)];
                       });
    return y;
  }
};

/// Where a frame is, learned: gelu(conv(x)) over K frames around each, in groups of channels, zeros beyond the ends.
/// (F, D) → (F, D). The weight is stored as direction and length per tap: w_k = g_k v_k / ‖v_k‖, the norm over both
/// channels.
template <class T>
struct PositionalConvolution {
  index_t width = 0, kernel = 0, groups = 0;
  std::vector<T> weight;  ///< (D, K, D / groups)
  std::vector<T> bias;

  PositionalConvolution() = default;
  /// "….weight_g", "….weight_v" of older files, "….parametrizations.weight.original0", "…1" of newer ones.
  PositionalConvolution(const io::Weights& weights, const std::string& name, index_t d, index_t k, index_t g)
      : width(d), kernel(k), groups(g) {
    const index_t narrow = d / g;
    const bool old = weights.contains(name + ".weight_g");
    const auto length = lacuna::detail::widened<double>(
        weights.at(name + (old ? ".weight_g" : ".parametrizations.weight.original0"), {1, 1, k}));
    auto numbers = lacuna::detail::widened<double>(
        weights.at(name + (old ? ".weight_v" : ".parametrizations.weight.original1"), {d, narrow, k}));
    std::vector<double> square(std::size_t(k), 0.0);
    for (std::size_t i = 0; i < numbers.size(); ++i) square[i % std::size_t(k)] += numbers[i] * numbers[i];
    for (std::size_t i = 0; i < numbers.size(); ++i)
      numbers[i] *= length[i % std::size_t(k)] / std::sqrt(square[i % std::size_t(k)]);
    numbers = lacuna::detail::swapped_last(numbers, d, narrow, k);
    weight.assign(numbers.begin(), numbers.end());
    bias = lacuna::detail::widened<T>(weights.at(name + ".bias", {d}));
  }

  Tensor<T, 2> operator()(const Tensor<T, 2>& x) const {
    const index_t frames = x.extent(0), narrow = width / groups, before = kernel / 2, depth = kernel * narrow;
    Tensor<T, 2> y({frames, width});
    parallel_for(groups, 1, [&](index_t begin, index_t end) {
      std::vector<T> padded(std::size_t((frames + kernel) * narrow));
      for (index_t g = begin; g < end; ++g) {
        for (index_t t = 0; t < frames; ++t)
          std::copy_n(x.data() + t * width + g * narrow, narrow, padded.data() + (before + t) * narrow);
        cpu::Gemm::gemm_serial<T>(frames, narrow, depth, {padded.data(), narrow},
                                  {weight.data() + g * narrow * depth, depth, true}, T(0), y.data() + g * narrow,
                                  width);
      }
    });
    for (index_t t = 0; t < frames; ++t)
      for (index_t j = 0; j < width; ++j) y.data()[t * width + j] += bias[std::size_t(j)];
    Kernels<Cpu>::Activations::activation(Activation::gelu, default_parameter(Activation::gelu), y.size(), y.data(),
                                          y.data());
    return y;
  }
};

}  // namespace lacuna::speech
