/// MCTN: a text translated into the other modalities, and back; what stands between is the joint representation.  (Pham,
/// Liang, Manzini, Morency & Póczos, AAAI 2019, arXiv 1812.07809)
///
///   S(x → y): J = forward + backward states of an LSTM over x,  s = tanh(F(last states))          (B, T, h), (B, h)
///             a = softmax_u v·tanh(A [s; J_u]),  c = Σ_u a_u J_u,  o, s ← an LSTM cell on [y_{t−1}; c],  ŷ_t = W [o; c]
///   J₁, v̂ = S₁(text → first),  _, t̂ = S₁(v̂ → text),  J₂, â = S₂(J₁ → second)
///   M = W₂ Σ_t softmax_t(tanh(w·H_t)) H_t,  H an LSTM over J₂
///   L = mean |M − label| + translation · (MSE v̂ + MSE t̂ + MSE â)
///
/// Streams are padded with zeros to the widest. M reads the text alone: the others are what training translates to, and
/// need not be there afterwards. Absent frames are not read and teach no translation; ŷ_1 = 0. The decoder cell runs in
/// both directions from zero, as in MMSA's port (github.com/thuiar/MMSA), which is the source; with `published` it is as
/// coded there: it takes the samples of a batch for time.
#pragma once

#include "lacuna/models/baselines/sequence_network.hpp"
#include "lacuna/nn/subnetwork.hpp"
#include "lacuna/ops/softmax.hpp"

namespace lacuna::models {

struct MctnOptions {
  std::vector<index_t> inputs = {};
  index_t text = 0;  ///< which of them
  index_t hidden = 32;
  double translation = 0.1;  ///< weight of every translation
  bool published = false;
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::l1;
  missing::MrmOptions drop = missing::mrm_preset("none");
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("text", self.text);
    visit("hidden", self.hidden);
    visit("translation", self.translation);
    visit("published", self.published);
  }
};

/// S: sequences (B, T, in) → (B, T, out), with what stands between.
template <class T = float, class D = Cpu>
struct Translator {
  Lstm<T, D> encoder, decoder;
  Linear<T, D> state, attention, score, out;

  Translator() = default;
  Translator(index_t in, index_t target, index_t h, Random& random)
      : encoder({.in = in, .hidden = h, .bidirectional = true}, random),
        decoder({.in = target + h, .hidden = h, .bidirectional = true}, random),
        state({.in_features = h, .out_features = h, .bias = false}, random),
        attention({.in_features = 2 * h, .out_features = h, .bias = false}, random),
        score({.in_features = h, .out_features = 1, .bias = false}, random),
        out({.in_features = 2 * h, .out_features = target}, random) {}

  struct Encoded {
    Variable<T, 3, D> joint;
    Variable<T, 2, D> state;
  };
  Encoded encode(const Sequence<T, D>& x) const {
    const auto r = encoder(x.frames, x.present);
    return {sum_of_directions(r.y), tanh(state(sum(r.h, 0)))};
  }
  /// Teacher-forced: step t is told target frame t − 1.
  Variable<T, 3, D> decode(const Encoded& e, const Mask<2, D>& present, const Variable<T, 3, D>& target) const {
    const index_t batch = target.extent(0), frames = target.extent(1), h = e.state.extent(1), keys = e.joint.extent(1);
    auto s = e.state;
    std::vector<Variable<T, 3, D>> all{Variable<T, 3, D>(Tensor<T, 3, D>::zeros({batch, 1, target.extent(2)}))};
    for (index_t t = 1; t < frames; ++t) {
      const auto asked = expand(reshape(s, batch, 1, h), {batch, keys, h});
      const auto energy = reshape(score(tanh(attention(concat({asked, e.joint}, -1)))), batch, keys);
      const auto context = weighted_sum(softmax(energy, 1, present), e.joint);
      const auto c = reshape(context, batch, 1, h);
      const auto o = sum(decoder(concat({slice(target, 1, t - 1, 1), c}, -1)).h, 0);
      all.push_back(reshape(out(concat({o, context}, -1)), batch, 1, target.extent(2)));
      s = o;
    }
    return concat(all, 1);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("encoder", self.encoder);
    visit("state", self.state);
    visit("attention", self.attention);
    visit("score", self.score);
    visit("decoder", self.decoder);
    visit("out", self.out);
  }
};

template <class T = float, class D = Cpu>
struct MctnNetwork : SequenceNetwork<MctnNetwork<T, D>, T, D> {
  using Options = MctnOptions;
  using Frames = Variable<T, 3, D>;
  static constexpr const char* name = "MCTN";

  struct Forward {
    Frames first, text, second;                        ///< padded: what is translated to
    Mask<2, D> first_there, text_there, second_there;  ///< undefined: all
    Frames joint, to_first, back, joint2, to_second;
    Variable<T, 2, D> weights;  ///< of the frames in M
    Variable<T, 2, D> pooled, score;
  };

  Options options;
  Translator<T, D> between, onwards;  ///< S₁, S₂
  Lstm<T, D> reader;
  Linear<T, D> pool, out;

  MctnNetwork() = default;
  MctnNetwork(const Options& o, Random& random) : options(o) {
    const auto in = three_inputs(name, o);
    expect_sizes(name, {o.hidden});
    const index_t wide = *std::max_element(in.begin(), in.end()), h = o.hidden;
    between = Translator<T, D>(wide, wide, h, random);
    onwards = Translator<T, D>(h, wide, h, random);
    reader = Lstm<T, D>({.in = h, .hidden = h}, random);
    pool = Linear<T, D>({.in_features = h, .out_features = 1}, random);
    out = Linear<T, D>({.in_features = h, .out_features = outputs_for(o.classes)}, random);
  }

  /// Without `translate`: M alone, from the text.
  Forward forward(const Sequences<T, D>& x, const Context&, bool translate = true) const {
    Forward r;
    const bool p = options.published;
    const index_t wide = between.decoder.options.in - options.hidden;
    const auto widened = [&](const Frames& f) {
      const auto y = f.extent(2) == wide ? f : pad(f, 2, 0, wide - f.extent(2));
      return p ? transpose(y, 0, 1) : y;
    };
    r.text = widened(x[0].frames), r.first = widened(x[1].frames), r.second = widened(x[2].frames);
    r.text_there = x[0].seen(p), r.first_there = x[1].seen(p), r.second_there = x[2].seen(p);
    const auto source = between.encode({r.text, r.text_there});
    r.joint = source.joint;
    const auto second = onwards.encode({r.joint, r.text_there});
    r.joint2 = second.joint;
    if (translate) {
      r.to_first = between.decode(source, r.text_there, r.first);
      r.back = between.decode(between.encode({r.to_first, r.first_there}), r.first_there, r.text);
      r.to_second = onwards.decode(second, r.text_there, r.second);
    }
    const auto h = reader(r.joint2, r.text_there).y;
    const auto energy = tanh(pool(h));
    r.weights = reshape(energy, h.extent(0), h.extent(1));
    if (p) {  // the LSTM went over samples, the softmax goes over frames
      r.weights = softmax(transpose(r.weights), 1);
      r.pooled = weighted_sum(r.weights, transpose(h, 0, 1));
    } else {
      r.weights = softmax(r.weights, 1, r.text_there);
      r.pooled = weighted_sum(r.weights, h);
    }
    r.score = out(r.pooled);
    return r;
  }
  LossTerms<T, D> losses(const Forward& r, const TrainingBatch<T, D>& batch) const {
    const double w = options.translation;
    return Objective<T, D>()
        .add("v", w, mse_loss(r.to_first, r.first, r.first_there))
        .add("t", w, mse_loss(r.back, r.text, r.text_there))
        .add("a", w, mse_loss(r.to_second, r.second, r.second_there))
        .add("task", 1, batch.task_loss(r.score))
        .result();
  }

  /// What the last layer reads (B, hidden).
  Variable<T, 2, D> embed(const Streams<T, D>& x, const Context& context) const {
    return forward(sequences(x, options.text), context, false).pooled;
  }
  Variable<T, 2, D> operator()(const Streams<T, D>& x, const Context& context) const {
    return forward(sequences(x, options.text), context, false).score;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("between", self.between);
    visit("onwards", self.onwards);
    visit("regression.rnn", self.reader);
    visit("regression.linear", self.pool);
    visit("regression.linear2", self.out);
  }
};

template <class T = float, class D = Cpu>
using Mctn = Model<MctnNetwork<T, D>>;

}  // namespace lacuna::models
