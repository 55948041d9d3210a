/// Where in the sequence a frame stands, added to it. x (B, T, embed_dim) → same. Absent frames get it too: mask
/// afterwards.
#pragma once

#include <cmath>

#include "lacuna/nn/init.hpp"
#include "lacuna/nn/module.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/slice.hpp"

namespace lacuna {

/// table[t, 2i] = sin((t + offset) · 10000^(−2i/embed_dim)), table[t, 2i+1] = cos of the same angle; the last column of an
/// odd embed_dim is a sine.  (Vaswani et al. 2017)
template <class T = float, class D = Cpu>
Tensor<T, 2, D> sinusoidal_table(index_t frames, index_t width, index_t offset = 0) {
  List<T> table(static_cast<std::size_t>(frames * width));
  for (index_t c = 0; c < width; ++c) {
    const double frequency = std::pow(10000.0, -double(c - c % 2) / double(width));
    for (index_t t = 0; t < frames; ++t) {
      const double angle = double(t + offset) * frequency;
      table[std::size_t(t * width + c)] = T(c % 2 ? std::cos(angle) : std::sin(angle));
    }
  }
  return Tensor<T, 2, D>::from({frames, width}, table);
}

/// Fixed sines and cosines, for any length: `frames` rows are kept, more are computed when they are needed.
template <class T = float, class D = Cpu>
struct SinusoidalPositions {
  struct Options {
    index_t embed_dim;
    index_t frames = 512;
  };
  Tensor<T, 2, D> table;

  SinusoidalPositions() = default;
  explicit SinusoidalPositions(Options o) : table(sinusoidal_table<T, D>(o.frames, o.embed_dim)) {}

  /// The first frame of x stands at `offset`.
  Variable<T, 3, D> operator()(const Variable<T, 3, D>& x, index_t offset = 0) const {
    const index_t frames = x.extent(1), width = table.extent(1);
    if (offset + frames > table.extent(0)) return x + Variable<T, 2, D>(sinusoidal_table<T, D>(frames, width, offset));
    return x + Variable<T, 2, D>(Tensor<T, 2, D>(table.window(offset * width, Shape{frames, width})));
  }
  static void reflect(auto&, auto&&) {}
};

/// A learned vector for each of the first `frames` positions. Start: N(0, 0.02²). Throws ShapeError for a longer
/// sequence.
template <class T = float, class D = Cpu>
struct LearnedPositions {
  struct Options {
    index_t embed_dim, frames;
  };
  Parameter<T, 2, D> table;

  LearnedPositions() = default;
  LearnedPositions(Options o, Random& random) : table(init::normal<T, 2, D>({o.frames, o.embed_dim}, 0.02, random)) {}

  Variable<T, 3, D> operator()(const Variable<T, 3, D>& x, index_t offset = 0) const {
    if (offset < 0 || offset + x.extent(1) > table.extent(0))
      throw ShapeError(detail::cat("learned positions: frames ", offset, "..", offset + x.extent(1), " of a table of ",
                                   table.extent(0)));
    return x + slice<T, 2, D>(table, 0, offset, x.extent(1));
  }
  static void reflect(auto& self, auto&& visit) { visit("table", self.table); }
};

}  // namespace lacuna
