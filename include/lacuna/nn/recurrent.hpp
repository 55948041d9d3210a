/// GRU and LSTM: layers, both directions, sequences of different lengths. Equations in lacuna/ops/recurrent.hpp.
///
/// x (B, T, in), present (B, T) → y (B, T, dirs·hidden), h and c (layers·dirs, B, hidden), forward before reverse.
/// Absent frames are not read (NaN included): the state stays, y is 0 there. The reverse direction starts at the last
/// present frame. A sample with nothing present gives 0 and passes no gradient but to its initial state.
///
/// ```cpp
/// Gru<float> gru({8, 4}, random);
/// const auto states = gru(frames, present);          // .y (B, T, 4), zeros at absent frames; .h (1, B, 4), the last states
/// const auto code = select(states.h, 0, 0);          // (B, 4)
/// ```
#pragma once

#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/ops/recurrent.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna {

struct RecurrentOptions {
  index_t in, hidden;
  index_t layers = 1;
  bool bidirectional = false;
  bool bias = true;
  double dropout = 0;  ///< of the result of every layer but the last
};

/// Weights of one direction of one layer. Start: all uniform in ±1/√hidden.
template <class T = float, class D = Cpu>
struct RecurrentCell {
  Parameter<T, 2, D> weight_x, weight_h;  ///< (G·hidden, in), (G·hidden, hidden)
  Parameter<T, 1, D> bias_x, bias_h;      ///< (G·hidden)

  RecurrentCell() = default;
  RecurrentCell(index_t gates, index_t in, index_t hidden, bool bias, Random& random) {
    const double bound = 1.0 / std::sqrt(double(hidden));
    weight_x = Parameter<T, 2, D>(init::uniform<T, 2, D>({gates * hidden, in}, bound, random));
    weight_h = Parameter<T, 2, D>(init::uniform<T, 2, D>({gates * hidden, hidden}, bound, random));
    if (!bias) return;
    bias_x = Parameter<T, 1, D>(init::uniform<T, 1, D>({gates * hidden}, bound, random));
    bias_h = Parameter<T, 1, D>(init::uniform<T, 1, D>({gates * hidden}, bound, random));
  }
  static void reflect(auto& self, auto&& visit) {
    visit("weight_x", self.weight_x);
    visit("weight_h", self.weight_h);
    visit("bias_x", self.bias_x);
    visit("bias_h", self.bias_h);
  }
};

template <class T, class D = Cpu>
struct RecurrentResult {
  Variable<T, 3, D> y;  ///< (B, T, dirs·hidden)
  Variable<T, 3, D> h;  ///< (layers·dirs, B, hidden)
  Variable<T, 3, D> c;  ///< the same of an LSTM's cells, undefined for a GRU
};

/// What GRU and LSTM share.
template <class T = float, class D = Cpu>
struct RecurrentNetwork {
  using Options = RecurrentOptions;
  Recurrence kind = Recurrence::gru;
  Options options{};
  std::vector<RecurrentCell<T, D>> cells;  ///< layer by layer, forward before reverse

  RecurrentNetwork() = default;
  RecurrentNetwork(Recurrence k, const Options& o, Random& random) : kind(k), options(o) {
    if (o.in < 1 || o.hidden < 1 || o.layers < 1)
      throw OptionError(detail::cat("recurrent: sizes must be positive, found in ", o.in, ", hidden ", o.hidden, ", ",
                                    o.layers, " layers"));
    const index_t gates = k == Recurrence::gru ? 3 : 4;
    for (index_t layer = 0; layer < o.layers; ++layer)
      for (index_t d = 0; d < directions(); ++d)
        cells.emplace_back(gates, layer == 0 ? o.in : directions() * o.hidden, o.hidden, o.bias, random);
  }
  index_t directions() const { return options.bidirectional ? 2 : 1; }

  /// h0, c0 (layers·dirs, B, hidden), or undefined for zeros. Throws ShapeError when the sizes do not fit.
  RecurrentResult<T, D> operator()(const Variable<T, 3, D>& x, const Mask<2, D>& present = {},
                                   const Context& context = {}, const Variable<T, 3, D>& h0 = {},
                                   const Variable<T, 3, D>& c0 = {}) const {
    detail::expect_made("recurrent", cells);
    const index_t batch = x.extent(0), n = options.hidden;
    const Shape states{index_t(cells.size()), batch, n};
    if (h0.defined()) detail::expect_shape("recurrent", "h0", h0.shape(), states);
    if (c0.defined()) detail::expect_shape("recurrent", "c0", c0.shape(), states);
    const auto initial = [&](const Variable<T, 3, D>& all, std::size_t i) {
      if (!all.defined()) return Variable<T, 2, D>();
      return reshape(slice(all, 0, index_t(i), 1), std::array<index_t, 2>{batch, n});
    };
    Variable<T, 3, D> y = present.defined() ? apply_mask(x, present) : x;
    std::vector<Variable<T, 2, D>> h, c;
    for (std::size_t i = 0; i < cells.size();) {
      if (i > 0) y = dropout(y, options.dropout, context);
      std::vector<Variable<T, 3, D>> parts;
      for (index_t d = 0; d < directions(); ++d, ++i) {
        const RecurrentCell<T, D>& cell = cells[i];
        const auto gates = linear<T, 3, D>(y, cell.weight_x, cell.bias_x);
        const auto output =
            recurrent<T, D>(kind, gates, cell.weight_h, cell.bias_h, initial(h0, i), initial(c0, i), present, d == 1);
        parts.push_back(output.y);
        h.push_back(output.h);
        c.push_back(output.c);
      }
      y = parts.size() == 1 ? parts[0] : concat(parts, -1);
    }
    return {y, join(h), kind == Recurrence::lstm ? join(c) : Variable<T, 3, D>()};
  }
  static void reflect(auto& self, auto&& visit) { visit("cells", self.cells); }

 private:
  /// (B, H) each → (count, B, H)
  static Variable<T, 3, D> join(const std::vector<Variable<T, 2, D>>& states) {
    const index_t batch = states[0].extent(0), n = states[0].extent(1);
    std::vector<Variable<T, 1, D>> flat;
    for (const auto& state : states) flat.push_back(reshape(state, std::array<index_t, 1>{batch * n}));
    return reshape(concat(flat, -1), std::array<index_t, 3>{index_t(states.size()), batch, n});
  }
};

/// Gated recurrent unit.  (Cho et al. 2014)
template <class T = float, class D = Cpu>
struct Gru : RecurrentNetwork<T, D> {
  Gru() = default;
  Gru(const RecurrentOptions& o, Random& random) : RecurrentNetwork<T, D>(Recurrence::gru, o, random) {}
};

/// Long short-term memory.  (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000)
template <class T = float, class D = Cpu>
struct Lstm : RecurrentNetwork<T, D> {
  Lstm() = default;
  Lstm(const RecurrentOptions& o, Random& random) : RecurrentNetwork<T, D>(Recurrence::lstm, o, random) {}
};

}  // namespace lacuna
