/// From three sequences of one width to a score: MulT behind its convolutions, and with it DiCMoR and IMDer.  (Tsai et
/// al., ACL 2019)
///
///   h_m = the crossmodal streams of x_m (crossmodal_streams.hpp)                      (B, T_m, 2d)
///   f   = [h_1, h_2, h_3] at the last present frame,  M = W (f + W₂ relu(W₁ f))       (B, 6d), (B, outputs)
///
/// A stream without any frame is no key, and its part of f is 0. published: the last padded frame is read.
#pragma once

#include "lacuna/models/baselines/crossmodal_streams.hpp"
#include "lacuna/nn/subnetwork.hpp"

namespace lacuna::models {

/// The fields that the options of all models on these layers have, by the same names.
void reflect_crossmodal(auto& self, auto&& visit) {
  visit("text", self.text);
  visit("width", self.width);
  visit("num_heads", self.num_heads);
  visit("layers", self.layers);
  visit("kernels", self.kernels);
  visit("source_dropout", self.source_dropout);
  visit("embedding_dropout", self.embedding_dropout);
  visit("head_dropout", self.head_dropout);
  visit("published", self.published);
}

/// Of the options of a model that has width, num_heads, layers, source_dropout, embedding_dropout and published, and
/// perhaps the others.
template <class Options>
CrossmodalStreamsOptions crossmodal_options(const Options& o) {
  CrossmodalStreamsOptions all{.layer = {.embed_dim = o.width,
                                         .num_heads = o.num_heads,
                                         .layers = o.layers,
                                         .embedding_dropout = o.embedding_dropout},
                               .memory_layers = std::max<index_t>(o.layers, 3),
                               .source_dropout = o.source_dropout,
                               .published = o.published};
  if constexpr (requires { o.positions; }) all.layer.positions = o.positions;
  if constexpr (requires { o.residual_dropout; }) all.layer.dropout = o.residual_dropout;
  if constexpr (requires { o.hidden_dropout; }) all.layer.hidden_dropout = o.hidden_dropout;
  return all;
}

template <class T = float, class D = Cpu>
struct CrossmodalPredictor {
  struct Result {
    typename CrossmodalStreams<T, D>::Result stacks;
    std::vector<Variable<T, 2, D>> last;  ///< of every stream (B, 2d)
    Variable<T, 2, D> joined, hidden, score;
  };
  CrossmodalStreams<T, D> streams;
  ResidualLayers<T, D> head;
  Linear<T, D> out;

  CrossmodalPredictor() = default;
  CrossmodalPredictor(const CrossmodalStreamsOptions& o, index_t outputs, Random& random)
      : streams(o, random),
        head(6 * o.layer.embed_dim, random),
        out({.in_features = 6 * o.layer.embed_dim, .out_features = outputs}, random) {}

  Result operator()(const Sequences<T, D>& x, double head_dropout, const Context& context) const {
    Result r;
    r.stacks = streams(x, context);
    for (std::size_t m = 0; m < 3; ++m) r.last.push_back(last_frame(r.stacks.memory[m], x[m].seen(streams.published)));
    r.joined = concat(r.last, -1);
    r.hidden = head(r.joined, head_dropout, context);
    r.score = out(r.hidden);
    return r;
  }
  static void reflect(auto& self, auto&& visit) {
    self.streams.reflect(self.streams, visit);
    visit("proj1", self.head.fc1);
    visit("proj2", self.head.fc2);
    visit("out_layer", self.out);
  }
};

}  // namespace lacuna::models
