/// Encoders of TFN and LMF: a stream of vectors, and a text.  (Zadeh et al., EMNLP 2017)
///
///   vectors   v = mean over the frames,  y = relu W₃ relu W₂ relu W₁ batch_norm(v)      (B, hidden)
///   text      y = W h + b, h the last state of an LSTM                                  (B, out)
///
/// A sample without the modality is left out of the batch's statistics and gives exactly 0.
#pragma once

#include "lacuna/models/baselines/sequences.hpp"
#include "lacuna/nn/norm.hpp"
#include "lacuna/nn/recurrent.hpp"
#include "lacuna/ops/pooling.hpp"

namespace lacuna::models {

template <class T = float, class D = Cpu>
struct VectorSubnet {
  struct Options {
    index_t in, hidden;
    double dropout = 0;
    bool published = false;  ///< the mean goes over padding as well, and what is absent is a vector of zeros
  };
  double dropout = 0;
  bool published = false;
  BatchNorm<T, D> norm;
  Linear<T, D> linear_1, linear_2, linear_3;

  VectorSubnet() = default;
  VectorSubnet(const Options& o, Random& random)
      : dropout(o.dropout),
        published(o.published),
        norm({.width = o.in}),
        linear_1({.in_features = o.in, .out_features = o.hidden}, random),
        linear_2({.in_features = o.hidden, .out_features = o.hidden}, random),
        linear_3({.in_features = o.hidden, .out_features = o.hidden}, random) {}

  Variable<T, 2, D> operator()(const Sequence<T, D>& x, const Context& context) const {
    const Mask<1, D> has = published ? Mask<1, D>() : any_present(x.present);
    const auto v = norm(mean_pool(x.frames, x.seen(published)), context, has);
    const auto y = linear_3(
        linear_2(linear_1(lacuna::dropout(v, dropout, context), Activation::relu), Activation::relu), Activation::relu);
    return has.defined() ? apply_mask(y, has) : y;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("norm", self.norm);
    visit("linear_1", self.linear_1);
    visit("linear_2", self.linear_2);
    visit("linear_3", self.linear_3);
  }
};

/// The last state of an LSTM, and a linear layer: of a text, and of frames (Self-MM).
template <class T = float, class D = Cpu>
struct LastStateSubnet {
  struct Options {
    index_t in, hidden, out;
    bool bidirectional = false;
    bool published = false;  ///< the LSTM reads padding as well
  };
  bool published = false;
  Lstm<T, D> rnn;
  Linear<T, D> linear_1;

  LastStateSubnet() = default;
  LastStateSubnet(const Options& o, Random& random)
      : published(o.published),
        rnn({.in = o.in, .hidden = o.hidden, .bidirectional = o.bidirectional}, random),
        linear_1({.in_features = o.bidirectional ? 2 * o.hidden : o.hidden, .out_features = o.out}, random) {}

  Variable<T, 2, D> operator()(const Sequence<T, D>& x) const {
    const auto h = rnn(x.frames, x.seen(published)).h;  // (dirs, B, hidden)
    auto last = select(h, 0, 0);
    if (h.extent(0) == 2) last = concat({last, select(h, 0, 1)}, -1);
    const auto y = linear_1(last);
    return published ? y : apply_mask(y, any_present(x.present));
  }
  static void reflect(auto& self, auto&& visit) {
    visit("rnn", self.rnn);
    visit("linear_1", self.linear_1);
  }
};

}  // namespace lacuna::models
