/// Small networks that published models are made of, again and again.
///
///   TwoLayers        y = W₂ dropout(act(W₁ x))                                        x (..., in) → (..., out)
///   ResidualLayers   y = x + W₂ dropout(relu(W₁ x))                                   x (..., d) → same
///   AverageSubnet    y = relu W₃ relu W₂ relu W₁ dropout(batch_norm(mean of the frames))     (B, T, in) → (B, hidden)
///   LastStateSubnet  y = W h + b, h the last state of an LSTM, forward then reverse          (B, T, in) → (B, out)
///
/// The two last ones take frames and present (B, T): absent frames are not read, and a sample without any frame is left
/// out of the batch's statistics and gives exactly 0. Without a mask every frame counts.  (AverageSubnet and
/// LastStateSubnet: Zadeh et al., EMNLP 2017; ResidualLayers: the head of MulT, Tsai et al., ACL 2019)
///
/// ```cpp
/// ResidualLayers<float> head(8, random);
/// const auto h = head(first, 0.5, Context::train(random));           // (B, 8) -> (B, 8)
/// LastStateSubnet<float> reader({.in = 8, .hidden = 4, .out = 3}, random);
/// const auto code = reader(frames, present);                         // (B, T, 8) -> (B, 3)
/// ```
#pragma once

#include "lacuna/nn/norm.hpp"
#include "lacuna/nn/recurrent.hpp"
#include "lacuna/ops/pooling.hpp"

namespace lacuna {

/// Start: that of Linear.
template <class T = float, class D = Cpu>
struct TwoLayers {
  Linear<T, D> fc1, fc2;
  Activation inner = Activation::relu;

  TwoLayers() = default;
  TwoLayers(index_t in, index_t hidden, index_t out, Random& random, Activation between = Activation::relu)
      : fc1({.in_features = in, .out_features = hidden}, random),
        fc2({.in_features = hidden, .out_features = out}, random),
        inner(between) {}

  template <int R>
  Variable<T, R, D> operator()(const Variable<T, R, D>& x, double dropout = 0, const Context& context = {}) const {
    if (inner == Activation::relu) return fc2(linear_relu_dropout<T, R, D>(x, fc1.weight, fc1.bias, dropout, context));
    return fc2(lacuna::dropout(fc1(x, inner), dropout, context));
  }
  static void reflect(auto& self, auto&& visit) {
    visit("fc1", self.fc1);
    visit("fc2", self.fc2);
  }
};

template <class T = float, class D = Cpu>
struct ResidualLayers : TwoLayers<T, D> {
  ResidualLayers() = default;
  ResidualLayers(index_t width, index_t hidden, Random& random) : TwoLayers<T, D>(width, hidden, width, random) {}
  ResidualLayers(index_t width, Random& random) : ResidualLayers(width, width, random) {}

  template <int R>
  Variable<T, R, D> operator()(const Variable<T, R, D>& x, double dropout = 0, const Context& context = {}) const {
    return TwoLayers<T, D>::operator()(x, dropout, context) + x;
  }
};

template <class T = float, class D = Cpu>
struct AverageSubnet {
  struct Options {
    index_t in, hidden;
    double dropout = 0;
  };
  double dropout = 0;
  BatchNorm<T, D> norm;
  Linear<T, D> linear_1, linear_2, linear_3;

  AverageSubnet() = default;
  AverageSubnet(const Options& o, Random& random)
      : dropout(o.dropout),
        norm({.num_features = o.in}),
        linear_1({.in_features = o.in, .out_features = o.hidden}, random),
        linear_2({.in_features = o.hidden, .out_features = o.hidden}, random),
        linear_3({.in_features = o.hidden, .out_features = o.hidden}, random) {}

  Variable<T, 2, D> operator()(const Variable<T, 3, D>& frames, const Mask<2, D>& present,
                               const Context& context) const {
    const auto has = present.defined() ? any_present(present) : Mask<1, D>();
    auto y = lacuna::dropout(norm(mean_pool(frames, present), context, has), dropout, context);
    for (const auto* layer : {&linear_1, &linear_2, &linear_3}) y = (*layer)(y, Activation::relu);
    return has.defined() ? apply_mask(y, has) : y;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("norm", self.norm);
    visit("linear_1", self.linear_1);
    visit("linear_2", self.linear_2);
    visit("linear_3", self.linear_3);
  }
};

/// The last states of a recurrence of one layer, forward then reverse: (dirs, B, hidden) → (B, dirs·hidden).
template <class T, class D>
Variable<T, 2, D> last_states(const RecurrentResult<T, D>& r) {
  const auto forward = select(r.h, 0, 0);
  return r.h.extent(0) == 1 ? forward : concat({forward, select(r.h, 0, 1)}, -1);
}

/// Both directions of a recurrence added: y (B, T, 2·hidden) → (B, T, hidden).
template <class T, class D>
Variable<T, 3, D> sum_of_directions(const Variable<T, 3, D>& y) {
  const index_t hidden = y.extent(2) / 2;
  return slice(y, 2, 0, hidden) + slice(y, 2, hidden, hidden);
}

template <class T = float, class D = Cpu>
struct LastStateSubnet {
  struct Options {
    index_t in, hidden, out;
    bool bidirectional = false;
  };
  Lstm<T, D> rnn;
  Linear<T, D> linear_1;

  LastStateSubnet() = default;
  LastStateSubnet(const Options& o, Random& random)
      : rnn({.in = o.in, .hidden = o.hidden, .bidirectional = o.bidirectional}, random),
        linear_1({.in_features = o.bidirectional ? 2 * o.hidden : o.hidden, .out_features = o.out}, random) {}

  Variable<T, 2, D> operator()(const Variable<T, 3, D>& frames, const Mask<2, D>& present) const {
    const auto y = linear_1(last_states(rnn(frames, present)));
    return present.defined() ? apply_mask(y, any_present(present)) : y;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("rnn", self.rnn);
    visit("linear_1", self.linear_1);
  }
};

}  // namespace lacuna
