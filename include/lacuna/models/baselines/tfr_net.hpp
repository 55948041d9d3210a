/// TFR-Net: learns by rebuilding the frames that training erased.  (Yuan, Li, Xu & Yu, "Transformer-based Feature
/// Reconstruction Network for Robust Multimodal Sentiment Analysis", ACM MM 2021)
///
///   x_m = convolution of stream m over time                                                      (B, T_m, d)
///   H_m = [E_m(x_m), E_mn(x_m; x_n), E_mo(x_m; x_o)]      crossmodal Transformers                (B, T_m, 3d)
///   G_m = E over the 3d features as a sequence of width T_m,  X̂_m = W G_m                        (B, T_m, D_m)
///   y = GRU H_m,  U = tanh F [H_m, tanh y · σ(c * y)],  u_m = max over the frames of U            (B, u_m)
///   M = W₂ leaky(W₁ batch_norm [u_1; u_2; u_3])
///   L = mean |M − label| + Σ_m weight_m rebuild_loss(X̂_m, X_m) over what was erased (rebuild_loss.hpp)
///
/// M does not read the generator: only training does. Absent frames are no keys, are not read by the GRU and give no
/// maximum; a sample without modality m has u_m = 0. Streams have `stream_frames` frames at most. Erasing is `drop`.
/// With `published` (github.com/thuiar/MMSA): padding is seen, attention is causal, and the generator's attention goes
/// over the samples of the batch. Defaults: MOSI there but its 500 and 375 frames and its dropout, which are ours; the
/// weights of the generation enter from the first epoch on (there from the second).
#pragma once

#include "lacuna/models/baselines/crossmodal_streams.hpp"
#include "lacuna/models/baselines/rebuild_loss.hpp"
#include "lacuna/nn/recurrent.hpp"
#include "lacuna/ops/manipulation.hpp"
#include "lacuna/ops/pooling.hpp"

namespace lacuna::models {

struct TfrNetOptions {
  std::vector<index_t> inputs = {};
  index_t text = 0;  ///< which of them
  index_t width = 30, num_heads = 6, layers = 3;
  std::vector<index_t> kernels = {1, 5, 3};           ///< of the convolutions: text, then the others
  std::vector<index_t> stream_frames = {50, 50, 50};  ///< the generator's width
  index_t time_heads = 25;                            ///< of the generator; divides stream_frames
  index_t gru_layers = 3;
  std::vector<index_t> fused = {36, 20, 48};  ///< of u_m
  index_t hidden = 128;
  std::vector<double> generation = {5, 2, 20};  ///< weights
  double similarity = 5;                        ///< weight of CMD in them
  double attention_dropout = 0.2, head_dropout = 0.1;
  bool published = false;
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::l1;
  missing::MrmOptions drop = frames_only();
  bool standardize = true;
  double feature_clip = 5;

  /// Frames at a rate of 0, 0.1, …, 0.9, streams as a whole never.
  static missing::MrmOptions frames_only() {
    missing::MrmOptions o;
    o.rate_law = missing::RateLaw::tenths, o.sampling = missing::Sampling::bernoulli, o.stream_probability = 0;
    return o;
  }
  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("text", self.text);
    visit("width", self.width);
    visit("num_heads", self.num_heads);
    visit("layers", self.layers);
    visit("kernels", self.kernels);
    visit("stream_frames", self.stream_frames);
    visit("time_heads", self.time_heads);
    visit("gru_layers", self.gru_layers);
    visit("fused_sizes", self.fused);
    visit("hidden", self.hidden);
    visit("generation", self.generation);
    visit("similarity", self.similarity);
    visit("attention_dropout", self.attention_dropout);
    visit("head_dropout", self.head_dropout);
    visit("published", self.published);
  }
};

template <class T = float, class D = Cpu>
struct TfrNetwork {
  using scalar = T;
  using device = D;
  using Options = TfrNetOptions;
  using Rows = Variable<T, 2, D>;
  using Frames = Variable<T, 3, D>;
  using Number = Variable<T, 0, D>;
  using Order = CrossmodalStreams<T, D>;  ///< which pairs there are, and their names
  static constexpr const char* name = "TFR-Net";

  /// (B, T, 3d) → (B, u): a recurrent reader with a gate over its frames.
  struct Reader {
    Gru<T, D> gru;
    Conv1d<T, D> gate;
    Linear<T, D> fc;
    Rows operator()(const Frames& h, const Mask<2, D>& read, const Mask<2, D>& counted) const {
      const auto y = gru(h, read).y;
      return max_pool(tanh(fc(concat({h, tanh(y) * sigmoid(gate(y))}, -1))), counted);
    }
    static void reflect(auto& self, auto&& visit) {
      visit("gru.gru", self.gru);
      visit("cnn", self.gate);
      visit("fc", self.fc);
    }
  };
  struct Forward {
    std::array<Frames, 3> h;  ///< text, first, second
    std::array<Rows, 3> u;
    Rows hidden, score;
  };
  struct Generated {
    Frames g, frames;  ///< G_m, X̂_m
  };

  Options options;
  std::vector<Conv1d<T, D>> projection;
  std::vector<CrossmodalTransformer<T, D>> pairs, memory, generator;
  std::vector<Linear<T, D>> rebuild;
  std::vector<Reader> reader;
  BatchNorm<T, D> norm;
  Linear<T, D> head, out;

  TfrNetwork() = default;
  TfrNetwork(const Options& o, Random& random) : options(o) {
    const auto in = three_inputs(name, o);
    const auto three = [](const char* option, std::size_t found) {
      if (found != 3) throw OptionError(detail::cat(name, ": ", option, " has ", found, " numbers, expected 3"));
    };
    three("kernels", o.kernels.size()), three("stream_frames", o.stream_frames.size());
    three("fused_sizes", o.fused.size()), three("generation", o.generation.size());
    expect_sizes(name, {o.width, o.gru_layers, o.hidden, o.fused[0], o.fused[1], o.fused[2]});
    CrossmodalOptions attention{.embed_dim = o.width,
                                .num_heads = o.num_heads,
                                .layers = o.layers,
                                .causal = o.published,
                                .attention_dropout = o.attention_dropout};
    for (int p = 0; p < 6; ++p) pairs.emplace_back(attention, random);
    attention.layers = std::max<index_t>(o.layers, 3);
    for (std::size_t m = 0; m < 3; ++m) {
      projection.emplace_back(
          typename Conv1d<T, D>::Options{
              .in_channels = in[m], .out_channels = o.width, .kernel = o.kernels[m], .bias = false},
          random);
      memory.emplace_back(attention, random);
      CrossmodalOptions over_features = attention;
      over_features.embed_dim = o.stream_frames[m], over_features.num_heads = o.time_heads;
      over_features.positions = false;
      generator.emplace_back(over_features, random);
      rebuild.emplace_back(typename Linear<T, D>::Options{.in_features = 3 * o.width, .out_features = in[m]}, random);
      const index_t u = o.fused[m];
      reader.push_back(
          {Gru<T, D>({.in = 3 * o.width, .hidden = u, .layers = o.gru_layers, .bidirectional = true}, random),
           Conv1d<T, D>({.in_channels = 2 * u, .out_channels = 1, .kernel = 3}, random),
           Linear<T, D>({.in_features = 3 * o.width + 2 * u, .out_features = u}, random)});
    }
    const index_t all = o.fused[0] + o.fused[1] + o.fused[2];
    norm = BatchNorm<T, D>({.num_features = all});
    head = Linear<T, D>({.in_features = all, .out_features = o.hidden}, random);
    out = Linear<T, D>({.in_features = o.hidden, .out_features = outputs_for(o.classes)}, random);
  }

  /// valid (B, T_m): frames that the GRU of `published` reads; undefined: those up to the last present one.
  Forward forward(Sequences<T, D> x, const Context& context, const std::vector<Mask<2, D>>& valid = {}) const {
    const bool p = options.published;
    Forward r;
    for (std::size_t m = 0; m < 3; ++m) {
      if (p && x[m].frames.extent(2) == options.width) continue;
      const auto y = projection[m](x[m].frames);
      x[m].frames = p ? y : apply_mask(y, x[m].present);
    }
    std::vector<Rows> all;
    for (std::size_t m = 0; m < 3; ++m) {
      const Mask<2, D> seen = x[m].seen(p);
      std::vector<Frames> parts{memory[m](x[m].frames, seen, context)};
      for (std::size_t i = 2 * m; i < 2 * m + 2; ++i) {
        const auto& from = x[std::size_t(Order::pair[i][1])];
        parts.push_back(pairs[i](x[m].frames, seen, from.frames, from.seen(p), context));
      }
      r.h[m] = concat(parts, -1);
      r.u[m] = reader[m](r.h[m], !p ? x[m].present : valid.empty() ? up_to_last(x[m].present) : valid[m], seen);
      all.push_back(r.u[m]);
    }
    const auto joined = dropout(norm(concat(all, -1), context), options.head_dropout, context);
    r.hidden = leaky_relu(head(joined), 0.01);
    r.score = out(r.hidden);
    return r;
  }
  /// What the generator makes of H_m. over_batch: its defect, see `published`.
  Generated generate(std::size_t m, const Frames& h, bool over_batch) const {
    const index_t frames = h.extent(1), width = options.stream_frames[m];
    if (frames > width)
      throw ShapeError(detail::cat(name, ": ", frames, " frames, stream_frames says ", width, "; raise it"));
    const auto whole = frames == width ? h : pad(h, 1, 0, width - frames);
    const auto made = over_batch ? permute(generator[m](permute(whole, {2, 0, 1}), {}, {}), {1, 2, 0})
                                 : transpose(generator[m](transpose(whole, 1, 2), {}, {}), 1, 2);
    const auto g = frames == width ? made : slice(made, 1, 0, frames);
    return {g, rebuild[m](g)};
  }
  LossTerms<T, D> losses(const Forward& r, const TrainingBatch<T, D>& batch,
                         const std::array<Number, 3>& generated) const {
    static constexpr const char* names[3] = {"gen_text", "gen_first", "gen_second"};
    Objective<T, D> objective;
    objective.add("task", 1, batch.task_loss(r.score));
    for (std::size_t m = 0; m < 3; ++m) objective.add(names[m], options.generation[m], generated[m]);
    return objective.result();
  }
  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context& context) const {
    const auto x = sequences(batch.seen, options.text), whole = sequences(batch.whole, options.text);
    const Forward r = forward(x, context, {whole[0].present, whole[1].present, whole[2].present});
    std::array<Number, 3> generated;
    for (std::size_t m = 0; m < 3; ++m)
      generated[m] = rebuild_loss(generate(m, r.h[m], options.published).frames, whole[m].frames,
                                  frames_erased(whole[m].present, x[m].present), options.similarity);
    return losses(r, batch, generated);
  }
  /// What the last layer reads (B, hidden).
  Rows embed(const Streams<T, D>& x, const Context& context) const {
    return forward(sequences(x, options.text), context).hidden;
  }
  Rows operator()(const Streams<T, D>& x, const Context& context) const {
    return forward(sequences(x, options.text), context).score;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("projection", self.projection);
    for (std::size_t i = 0; i < self.pairs.size(); ++i) visit(Order::pair_names[i], self.pairs[i]);
    for (std::size_t m = 0; m < self.memory.size(); ++m) visit(Order::memory_names[m], self.memory[m]);
    visit("generator", self.generator);
    visit("rebuild", self.rebuild);
    visit("reader", self.reader);
    visit("classifier.norm", self.norm);
    visit("classifier.hidden", self.head);
    visit("classifier.final", self.out);
  }

 private:
  static Mask<2, D> up_to_last(const Mask<2, D>& present) {
    const index_t batch = present.extent(0), frames = present.extent(1);
    auto all = present.to_vector();
    for (index_t b = 0; b < batch; ++b)
      for (index_t t = frames - 2; t >= 0; --t)
        all[std::size_t(b * frames + t)] |= all[std::size_t(b * frames + t + 1)];
    return Mask<2, D>::from({batch, frames}, all);
  }
};

template <class T = float, class D = Cpu>
using TfrNet = Model<TfrNetwork<T, D>>;

}  // namespace lacuna::models
