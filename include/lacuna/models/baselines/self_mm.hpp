/// Self-MM: every modality learns a label of its own, which the model makes.  (Yu, Xu, Yuan & Wu, AAAI 2021, arXiv
/// 2102.04830)
///
///   x_t = mean of the text's frames,  x_a, x_v = linear of the last state of an LSTM       (nn/subnetwork.hpp)
///   F_s = relu(W₁ x_s),  y_s = W₃ relu(W₂ F_s)         s: text, first, second, and M of [x_t, x_a, x_v]
///   L   = mean |y_M − label| + Σ_s mean tanh|label_s − label| · |y_s − label_s|,  label_s: unimodal_labels.hpp
///
/// Prediction: y_M. A sample without modality s has x_s = 0 and teaches neither y_s nor label_s. Real labels only, whose
/// zero must mean neutral: they are not standardised by default. With `published` (github.com/thuiar/MMSA) x_t is the first frame, which is BERT's
/// CLS there. Defaults: MOSI there; its four learning rates are one here, and gradients of four batches are not summed.
#pragma once

#include "lacuna/models/baselines/sequence_network.hpp"
#include "lacuna/models/baselines/unimodal_labels.hpp"
#include "lacuna/nn/subnetwork.hpp"
#include "lacuna/ops/arithmetic.hpp"

namespace lacuna::models {

struct SelfMmOptions {
  std::vector<index_t> inputs = {};
  index_t text = 0;                                                        ///< which of them
  index_t first_hidden = 16, second_hidden = 32;                           ///< of the LSTMs
  index_t first_out = 16, second_out = 32;                                 ///< behind them
  index_t fused = 128, text_post = 32, first_post = 16, second_post = 32;  ///< of F
  double dropout = 0.1;  ///< before the heads of text and the first modality
  bool published = false;
  RegressionLoss loss = RegressionLoss::l1;
  missing::MrmOptions drop = missing::mrm_preset("none");
  bool standardize = true, standardize_labels = false;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("standardize_labels", self.standardize_labels);
    visit("text", self.text);
    visit("first_hidden", self.first_hidden);
    visit("second_hidden", self.second_hidden);
    visit("first_out", self.first_out);
    visit("second_out", self.second_out);
    visit("fused", self.fused);
    visit("text_post", self.text_post);
    visit("first_post", self.first_post);
    visit("second_post", self.second_post);
    visit("dropout", self.dropout);
    visit("published", self.published);
  }
};

template <class T = float, class D = Cpu>
struct SelfMmNetwork : SequenceNetwork<SelfMmNetwork<T, D>, T, D> {
  using Options = SelfMmOptions;
  using Rows = Variable<T, 2, D>;
  static constexpr const char* name = "Self-MM";
  static constexpr std::size_t heads = UnimodalLabels::heads;

  struct Head {
    Linear<T, D> layer_1, layer_2, layer_3;

    Head() = default;
    Head(index_t in, index_t width, Random& random)
        : layer_1({.in_features = in, .out_features = width}, random),
          layer_2({.in_features = width, .out_features = width}, random),
          layer_3({.in_features = width, .out_features = 1}, random) {}
    static void reflect(auto& self, auto&& visit) {
      visit("layer_1", self.layer_1);
      visit("layer_2", self.layer_2);
      visit("layer_3", self.layer_3);
    }
  };
  struct Forward {
    std::array<Rows, heads> feature, score;  ///< joint, text, first, second
    std::array<Mask<1, D>, heads> has;       ///< undefined: all
  };

  Options options;
  LastStateSubnet<T, D> first, second;
  std::vector<Head> head;
  mutable UnimodalLabels labels;  ///< moved by `objective` in training

  SelfMmNetwork() = default;
  SelfMmNetwork(const Options& o, Random& random) : options(o) {
    const auto in = three_inputs(name, o);
    expect_sizes(name, {o.first_hidden, o.second_hidden, o.first_out, o.second_out, o.fused, o.text_post, o.first_post,
                        o.second_post});
    first = LastStateSubnet<T, D>({in[1], o.first_hidden, o.first_out}, random);
    second = LastStateSubnet<T, D>({in[2], o.second_hidden, o.second_out}, random);
    head.emplace_back(in[0] + o.first_out + o.second_out, o.fused, random);
    head.emplace_back(in[0], o.text_post, random);
    head.emplace_back(o.first_out, o.first_post, random);
    head.emplace_back(o.second_out, o.second_post, random);
  }

  void fit(const Options& o, const data::Dataset& data, Random&) {
    std::vector<double> start(data.train.labels.begin(), data.train.labels.end());
    if (o.standardize_labels) {
      const auto scale = data::LabelStatistics::fit(data.train);
      for (double& y : start) y = scale.standardize(y);
    }
    double limit = 0;
    for (const double y : start)
      if (std::isfinite(y)) limit = std::max(limit, std::abs(y));
    labels = UnimodalLabels(start, limit, o.published);
  }
  void save_state(State& state) const { state.put("unimodal_labels", labels); }
  void load_state(const State& state) { state.get("unimodal_labels", labels); }

  Forward forward(const Sequences<T, D>& x, const Context& context) const {
    Forward r;
    const Rows t = options.published ? select(x[0].frames, 1, 0) : mean_pool(x[0].frames, x[0].present);
    const std::array<Rows, heads> in{Rows(), t, first(x[1].frames, x[1].present), second(x[2].frames, x[2].present)};
    for (std::size_t s = 0; s < heads; ++s) {
      const Rows from = s == 0 ? concat<T, 2, D>({in[1], in[2], in[3]}, -1) : in[s];
      const double p = s == 1 || s == 2 ? options.dropout : 0;
      if (s > 0 && !options.published) r.has[s] = any_present(x[s - 1].present);
      r.feature[s] = head[s].layer_1(lacuna::dropout(from, p, context), Activation::relu);
      r.score[s] = head[s].layer_3(head[s].layer_2(r.feature[s], Activation::relu));
    }
    return r;
  }
  /// samples: places in the training split.
  LossTerms<T, D> losses(const Forward& r, const TrainingBatch<T, D>& batch) const {
    static constexpr const char* names[heads] = {"M", "T", "A", "V"};
    Objective<T, D> objective;
    objective.add(names[0], 1, batch.task_loss(r.score[0]));
    const index_t size = r.score[0].extent(0);
    for (std::size_t s = 1; s < heads; ++s) {
      const auto there = flags(r.has[s], size);
      std::vector<T> weight, target;
      index_t count = 0;
      for (std::size_t b = 0; b < std::size_t(size); ++b) {
        const double own = labels.label(s, batch.samples[b]), joint = labels.label(0, batch.samples[b]);
        const bool takes_part = there[b] && std::isfinite(own) && std::isfinite(joint);
        count += takes_part;
        weight.push_back(takes_part ? T(std::tanh(std::abs(own - joint))) : T(0));
        target.push_back(takes_part ? T(own) : T(0));
      }
      const Rows w(Tensor<T, 2, D>::from({size, 1}, weight)), y(Tensor<T, 2, D>::from({size, 1}, target));
      objective.add(names[s], 1, scale(sum(w * abs(r.score[s] - y)), count > 0 ? 1.0 / double(count) : 0.0));
    }
    return objective.result();
  }
  /// What the labels learn from a batch.
  void teach(const Forward& r, std::span<const index_t> samples) const {
    UnimodalLabels::Found found;
    for (std::size_t s = 0; s < heads; ++s) {
      const std::vector<T> f = r.feature[s].value().to_vector();
      found[s].assign(f.begin(), f.end());
    }
    std::array<std::vector<std::uint8_t>, heads> there;
    for (std::size_t s = 1; s < heads; ++s)
      if (r.has[s].defined()) there[s] = r.has[s].to_vector();
    labels.learn(samples, found, there);
  }
  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context& context) const {
    const Forward r = forward(sequences(batch.seen, options.text), context);
    const auto result = losses(r, batch);
    if (context.training()) teach(r, batch.samples);
    return result;
  }

  /// F_M (B, fused).
  Rows embed(const Streams<T, D>& x, const Context& context) const {
    return forward(sequences(x, options.text), context).feature[0];
  }
  Rows operator()(const Streams<T, D>& x, const Context& context) const {
    return forward(sequences(x, options.text), context).score[0];
  }
  static void reflect(auto& self, auto&& visit) {
    visit("audio_model", self.first);
    visit("video_model", self.second);
    visit("head", self.head);
  }
};

template <class T = float, class D = Cpu>
using SelfMm = Model<SelfMmNetwork<T, D>>;

}  // namespace lacuna::models
