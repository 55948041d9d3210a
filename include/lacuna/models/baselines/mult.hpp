/// MulT, the Multimodal Transformer.  (Tsai, Bai, Liang, Kolter, Morency & Salakhutdinov, ACL 2019, arXiv 1906.00295)
///
///   x_m = convolution of stream m over time                      (B, T_m, d)      (crossmodal_streams.hpp)
///   h_m = E_m([E_mn(x_m; x_n) ; E_mo(x_m; x_o)])                 (B, T_m, 2d)
///   f   = [h_1, h_2, h_3] at the last present frame              (B, 6d)
///   M   = W (W₂ relu(W₁ f) + f),  L = mean |M − label|           (B, outputs)
///
/// Streams of unaligned lengths. A stream without any frame is no key, and its part of f is 0. With `published`, as in
/// MMSA (github.com/thuiar/MMSA): convolutions without padding, padded frames are seen, attention is causal (the paper
/// has it not), f is taken at the last padded frame. Positions are off there as well; the paper has them: `positions`.
/// Defaults: MOSI of MMSA. Its gradient is clipped by value, here by norm; it sums the gradients of 8 batches.
#pragma once

#include "lacuna/models/baselines/crossmodal_streams.hpp"

namespace lacuna::models {

struct MultOptions {
  std::vector<index_t> inputs = {};
  index_t text = 0;  ///< which of them
  index_t width = 50, num_heads = 10, layers = 4;
  std::vector<index_t> kernels = {5, 5, 5};            ///< of the convolutions: text, then the others
  std::vector<double> source_dropout = {0.3, 0.2, 0};  ///< of attention, by the stream that is asked
  double embedding_dropout = 0.2, residual_dropout = 0, hidden_dropout = 0, input_dropout = 0.5, head_dropout = 0.5;
  bool positions = true;
  bool published = false;
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::l1;
  missing::MrmOptions drop = missing::mrm_preset("none");
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("text", self.text);
    visit("width", self.width);
    visit("num_heads", self.num_heads);
    visit("layers", self.layers);
    visit("kernels", self.kernels);
    visit("source_dropout", self.source_dropout);
    visit("embedding_dropout", self.embedding_dropout);
    visit("residual_dropout", self.residual_dropout);
    visit("hidden_dropout", self.hidden_dropout);
    visit("input_dropout", self.input_dropout);
    visit("head_dropout", self.head_dropout);
    visit("positions", self.positions);
    visit("published", self.published);
  }
};

template <class T = float, class D = Cpu>
struct MultNetwork {
  using scalar = T;
  using device = D;
  using Options = MultOptions;
  static constexpr const char* name = "MulT";

  struct Forward {
    typename CrossmodalStreams<T, D>::Result stacks;
    std::vector<Variable<T, 2, D>> last;  ///< of every stream (B, 2d)
    Variable<T, 2, D> joined, hidden, score;
  };

  Options options;
  StreamProjections<T, D> projections;
  CrossmodalStreams<T, D> streams;
  Linear<T, D> proj1, proj2, out;

  MultNetwork() = default;
  MultNetwork(const Options& o, Random& random) : options(o) {
    const auto in = three_inputs(name, o);
    projections = StreamProjections<T, D>(in, o.width, o.kernels, o.published, random);
    streams = CrossmodalStreams<T, D>({.layer = {.width = o.width,
                                                 .num_heads = o.num_heads,
                                                 .layers = o.layers,
                                                 .positions = o.positions,
                                                 .hidden_dropout = o.hidden_dropout,
                                                 .residual_dropout = o.residual_dropout,
                                                 .embedding_dropout = o.embedding_dropout},
                                       .memory_layers = std::max<index_t>(o.layers, 3),
                                       .source_dropout = o.source_dropout,
                                       .published = o.published},
                                      random);
    const index_t all = 6 * o.width;
    proj1 = Linear<T, D>({.in_features = all, .out_features = all}, random);
    proj2 = Linear<T, D>({.in_features = all, .out_features = all}, random);
    out = Linear<T, D>({.in_features = all, .out_features = outputs_for(o.classes)}, random);
  }

  Forward forward(Sequences<T, D> x, const Context& context) const {
    Forward r;
    x[0].frames = lacuna::dropout(x[0].frames, options.input_dropout, context);
    x = projections(x);
    r.stacks = streams(x, context);
    for (std::size_t m = 0; m < 3; ++m) r.last.push_back(last_frame(r.stacks.memory[m], x[m].seen(options.published)));
    r.joined = concat(r.last, -1);
    const auto h = linear_relu_dropout<T, 2, D>(r.joined, proj1.weight, proj1.bias, options.head_dropout, context);
    r.hidden = proj2(h) + r.joined;
    r.score = out(r.hidden);
    return r;
  }
  LossTerms<T, D> losses(const Forward& r, const TrainingBatch<T, D>& batch) const {
    return Objective<T, D>().add("task", 1, batch.task_loss(r.score)).result();
  }

  /// What the last layer reads (B, 6d).
  Variable<T, 2, D> embed(const Streams<T, D>& x, const Context& context) const {
    return forward(sequences(x, options.text), context).hidden;
  }
  Variable<T, 2, D> operator()(const Streams<T, D>& x, const Context& context) const {
    return forward(sequences(x, options.text), context).score;
  }
  static void reflect(auto& self, auto&& visit) {
    self.projections.reflect(self.projections, visit);
    self.streams.reflect(self.streams, visit);
    visit("proj1", self.proj1);
    visit("proj2", self.proj2);
    visit("out_layer", self.out);
  }
};

template <class T = float, class D = Cpu>
using Mult = Model<MultNetwork<T, D>>;

}  // namespace lacuna::models
