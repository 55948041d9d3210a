/// MulT, the Multimodal Transformer.  (Tsai, Bai, Liang, Kolter, Morency & Salakhutdinov, ACL 2019, arXiv 1906.00295)
///
///   x_m = convolution of stream m over time                      (B, T_m, d)      (crossmodal_streams.hpp)
///   h_m = E_m([E_mn(x_m; x_n) ; E_mo(x_m; x_o)])                 (B, T_m, 2d)     (crossmodal_predictor.hpp)
///   f   = [h_1, h_2, h_3] at the last present frame              (B, 6d)
///   M   = W (W₂ relu(W₁ f) + f),  L = mean |M − label|           (B, outputs)
///
/// Streams of unaligned lengths. A stream without any frame is no key, and its part of f is 0. With `published`, as in
/// MMSA (github.com/thuiar/MMSA): convolutions without padding, padded frames are seen, attention is causal (the paper
/// has it not), f is taken at the last padded frame. Positions are off there as well; the paper has them: `positions`.
/// Defaults: MOSI of MMSA. Its gradient is clipped by value, here by norm; it sums the gradients of 8 batches.
#pragma once

#include "lacuna/models/baselines/crossmodal_predictor.hpp"
#include "lacuna/models/baselines/sequence_network.hpp"

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
    reflect_crossmodal(self, visit);
    visit("residual_dropout", self.residual_dropout);
    visit("hidden_dropout", self.hidden_dropout);
    visit("input_dropout", self.input_dropout);
    visit("positions", self.positions);
  }
};

template <class T = float, class D = Cpu>
struct MultNetwork : SequenceNetwork<MultNetwork<T, D>, T, D> {
  using Options = MultOptions;
  static constexpr const char* name = "MulT";

  using Forward = typename CrossmodalPredictor<T, D>::Result;

  Options options;
  StreamProjections<T, D> projections;
  CrossmodalPredictor<T, D> predictor;

  MultNetwork() = default;
  MultNetwork(const Options& o, Random& random) : options(o) {
    projections = {three_inputs(name, o), o.width, o.kernels, o.published, random};
    predictor = {crossmodal_options(o), outputs_for(o.classes), random};
  }
  Forward forward(Sequences<T, D> x, const Context& context) const {
    x[0].frames = lacuna::dropout(x[0].frames, options.input_dropout, context);
    return predictor(projections(x), options.head_dropout, context);
  }
  static void reflect(auto& self, auto&& visit) {
    self.projections.reflect(self.projections, visit);
    self.predictor.reflect(self.predictor, visit);
  }
};

template <class T = float, class D = Cpu>
using Mult = Model<MultNetwork<T, D>>;

}  // namespace lacuna::models
