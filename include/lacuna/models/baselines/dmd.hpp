/// DMD: decoupled multimodal distillation.  (Li, Wang & Cui, CVPR 2023, arXiv 2303.13802)
///
///   x_m = convolution of stream m;  s_m = S_m x_m its own part,  c_m = C x_m the common one        (B, T_m, d), linear
///   r_m = D_m [s_m; c_m],  s'_m = S_m r_m
///   low   g_m = relu(P c_m),  logits of c_m through g_m;  f_c = last frames of E(c_m), logits of f_c
///   high  h_m = the crossmodal streams of s_m (crossmodal_streams.hpp), a perceptron and logits of each
///   M   = out(perceptron [σ W_m h_m; σ W_c f_c])
///   L   = task of all eight + 0.05 (distillation of g, its logits) + 0.05 (of the high parts, its logits and representations)
///         + 0.1 (Σ mean (s − s')² + Σ mean (r − x)² + 0.1 (margin + ort))
/// Distillation: graph_distillation.hpp. ort = Σ mean max(0, cos(s_m, c_m)) over features. margin: rows A c_m of all
/// modalities with their labels, mean max(0, 0.15 |y_i − y_k| − cos_ij + cos_ik) over equal labels j and others k.
///
/// The low part is as long as the streams: `stream_frames`; longer ones are refused. A modality that a sample lacks is
/// 0 throughout and distils nothing. With `published` (github.com/mdswyz/DMD): padding as in MulT there, ort takes its
/// cosine over the batch, and distillation pushes high representations apart. Defaults: MOSI there.
#pragma once

#include "lacuna/losses/label_margin.hpp"
#include "lacuna/models/baselines/crossmodal_predictor.hpp"
#include "lacuna/models/baselines/graph_distillation.hpp"
#include "lacuna/models/baselines/sequence_network.hpp"

namespace lacuna::models {

struct DmdOptions {
  std::vector<index_t> inputs = {};
  index_t text = 0;  ///< which of them
  index_t width = 50, num_heads = 10, layers = 4;
  std::vector<index_t> kernels = {5, 5, 5};            ///< of the convolutions: text, then the others
  std::vector<index_t> stream_frames = {50, 50, 50};   ///< behind them
  std::vector<double> source_dropout = {0.3, 0.2, 0};  ///< of attention, by the stream that is asked
  double embedding_dropout = 0.2, head_dropout = 0.5;
  index_t low_hidden = 64, high_hidden = 32;  ///< of the two graphs
  bool published = false;
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::l1;
  missing::MrmOptions drop = missing::mrm_preset("none");
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    reflect_crossmodal(self, visit);
    visit("stream_frames", self.stream_frames);
    visit("low_hidden", self.low_hidden);
    visit("high_hidden", self.high_hidden);
  }
};

template <class T = float, class D = Cpu>
struct DmdNetwork : SequenceNetwork<DmdNetwork<T, D>, T, D> {
  using Options = DmdOptions;
  using Rows = Variable<T, 2, D>;
  using Frames = Variable<T, 3, D>;
  using Number = Variable<T, 0, D>;
  static constexpr const char* name = "DMD";

  struct Stream {
    Conv1d<T, D> own, decoder;
    Linear<T, D> align, low_out, high_out, weight;
    TwoLayers<T, D> low;
    ResidualLayers<T, D> high;
    CrossmodalTransformer<T, D> attention;
    static void reflect(auto& self, auto&& visit) {
      visit("encoder_s", self.own);
      visit("decoder", self.decoder);
      visit("align_c", self.align);
      visit("proj1_low", self.low.fc1);
      visit("proj2_low", self.low.fc2);
      visit("out_layer_low", self.low_out);
      visit("proj1_high", self.high.fc1);
      visit("proj2_high", self.high.fc2);
      visit("out_layer_high", self.high_out);
      visit("weight", self.weight);
      visit("self_attentions_c", self.attention);
    }
  };
  struct Part {
    Frames x, own, common, rebuilt, again;  ///< x, s, c, r, s'
    Rows aligned, low, last;                ///< A c, g, h
    Rows high, low_score, high_score;
    Mask<1, D> has;  ///< undefined: all
  };
  struct Forward {
    std::array<Part, 3> parts;  ///< text, first, second
    Rows common_score, joined, score;
  };
  /// The order of the graphs and of f_c: text, second, first.
  static constexpr std::size_t order[3] = {0, 2, 1};

  Options options;
  StreamProjections<T, D> projections;
  Conv1d<T, D> common;
  std::vector<Stream> stream;
  CrossmodalStreams<T, D> streams;
  ResidualLayers<T, D> common_head, head;
  Linear<T, D> common_out, common_weight, out;
  GraphDistillation<T, D> low, high;

  DmdNetwork() = default;
  DmdNetwork(const Options& o, Random& random) : options(o) {
    const auto in = three_inputs(name, o);
    const index_t d = o.width, outputs = outputs_for(o.classes);
    if (o.stream_frames.size() != 3)
      throw OptionError(detail::cat(name, ": stream_frames has ", o.stream_frames.size(), " numbers, expected 3"));
    const auto layer = [&](index_t i, index_t to) {
      return Linear<T, D>({.in_features = i, .out_features = to}, random);
    };
    const auto point = [&](index_t i) {
      return Conv1d<T, D>({.in_channels = i, .out_channels = d, .bias = false}, random);
    };
    projections = StreamProjections<T, D>(in, d, o.kernels, o.published, random);
    common = point(d);
    CrossmodalOptions attention = crossmodal_options(o).layer;
    attention.causal = o.published;
    attention.attention_dropout = o.source_dropout.empty() ? 0 : o.source_dropout[0];
    for (const index_t frames : o.stream_frames) {
      const index_t flat = frames * d;
      stream.push_back({point(d), point(2 * d), layer(flat, d), layer(flat, outputs), layer(2 * d, outputs),
                        layer(2 * d, 2 * d), TwoLayers<T, D>(flat, d, flat, random),
                        ResidualLayers<T, D>(2 * d, random), CrossmodalTransformer<T, D>(attention, random)});
    }
    streams = CrossmodalStreams<T, D>(crossmodal_options(o), random);
    common_head = {3 * d, random}, common_out = layer(3 * d, outputs), common_weight = layer(3 * d, 3 * d);
    head = {9 * d, random}, out = layer(9 * d, outputs);
    low = {{outputs, d, o.low_hidden, {0, 0, 1, 0, 1, 0}, false, o.published}, random};
    high = {{outputs, 2 * d, o.high_hidden, {0, 0, 1, 0, 1, 1}, true, o.published}, random};
  }

  Forward forward(const Sequences<T, D>& given, const Context& context) const {
    Forward r;
    Sequences<T, D> x = projections(given), own;
    std::vector<Rows> common_last;
    for (std::size_t m = 0; m < 3; ++m) {
      Part& part = r.parts[m];
      const Stream& s = stream[m];
      x[m] = lengthened(x[m], options.stream_frames[m], "DMD: stream_frames");
      const auto seen = x[m].seen(options.published);
      if (!options.published) part.has = any_present(x[m].present);
      part.x = x[m].frames;
      part.own = s.own(part.x), part.common = common(part.x);
      part.rebuilt = s.decoder(concat({part.own, part.common}, -1));
      part.again = s.own(part.rebuilt);
      const index_t batch = part.x.extent(0), flat = part.x.extent(1) * part.x.extent(2);
      part.aligned = s.align(reshape(transpose(part.common, 1, 2), batch, flat));
      const auto rows = reshape(part.common, batch, flat);
      part.low = s.low.fc1(rows, Activation::relu);
      part.low_score = s.low_out(s.low.fc2(part.low) + rows);
      common_last.push_back(last_frame(s.attention(part.common, seen, context), seen));
      own.push_back({part.own, x[m].present});
    }
    const auto f = concat<T, 2, D>({common_last[0], common_last[2], common_last[1]}, -1);
    r.common_score = common_out(common_head(f, options.head_dropout, context));
    const auto memory = streams(own, context).memory;
    std::vector<Rows> fused;
    for (const std::size_t m : order) {
      Part& part = r.parts[m];
      part.last = last_frame(memory[m], own[m].seen(options.published));
      part.high = stream[m].high(part.last, options.head_dropout, context);
      part.high_score = stream[m].high_out(part.high);
      fused.push_back(stream[m].weight(part.last, Activation::sigmoid));
    }
    fused.push_back(common_weight(f, Activation::sigmoid));
    r.joined = head(concat(fused, -1), options.head_dropout, context);
    r.score = out(r.joined);
    return r;
  }

  LossTerms<T, D> losses(const Forward& r, const TrainingBatch<T, D>& batch) const {
    Number task = batch.task_loss(r.score) + batch.task_loss(r.common_score), recon, cycle, ort;
    std::array<Rows, 3> low_scores, lows, high_scores, highs;
    std::array<Mask<1, D>, 3> has;
    for (std::size_t i = 0; i < 3; ++i) {
      const Part& part = r.parts[order[i]];
      low_scores[i] = part.low_score, lows[i] = part.low, high_scores[i] = part.high_score, highs[i] = part.high;
      has[i] = part.has;
      task = task + batch.task_loss(part.low_score) + batch.task_loss(part.high_score);
      const auto also = [&](Number& sum, const Number& term) { sum = i == 0 ? term : sum + term; };
      also(recon, mse_loss(part.rebuilt, part.x));
      also(cycle, mse_loss(part.own, part.again));
      also(ort, apart(part, options.published ? 0 : 2));
    }
    const auto homo = low(low_scores, lows, has), hetero = high(high_scores, highs, has);
    return Objective<T, D>()
        .add("task", 1, task)
        .add("homo_logit", 0.05, homo.logit)
        .add("homo_reg", 0.05, homo.reg)
        .add("homo_repr", 0, homo.repr)
        .add("hetero_logit", 0.05, hetero.logit)
        .add("hetero_repr", 0.05, hetero.repr)
        .add("hetero_reg", 0.05, hetero.reg)
        .add("cycle", 0.1, cycle)
        .add("recon", 0.1, recon)
        .add("margin", 0.01, margin(r, batch.targets))
        .add("ort", 0.01, ort)
        .result();
  }
  /// mean max(0, cos(s, c)) along an axis.
  static Number apart(const Part& part, int axis) { return mean(relu(models::cosine(part.own, part.common, axis))); }

  static void reflect(auto& self, auto&& visit) {
    self.projections.reflect(self.projections, visit);
    visit("encoder_c", self.common);
    visit("stream", self.stream);
    self.streams.reflect(self.streams, visit);
    visit("proj1_c", self.common_head.fc1);
    visit("proj2_c", self.common_head.fc2);
    visit("out_layer_c", self.common_out);
    visit("weight_c", self.common_weight);
    visit("proj1", self.head.fc1);
    visit("proj2", self.head.fc2);
    visit("out_layer", self.out);
    visit("homo", self.low);
    visit("hetero", self.high);
  }

 private:
  /// Over the common parts of all modalities, of every sample that has a label and the modality.
  static Number margin(const Forward& r, const Targets<T, D>& targets) {
    const index_t n = index_t(targets.classes.size());
    std::vector<T> labels, own(targets.classes.begin(), targets.classes.end());
    if (targets.values.defined() && targets.values.size() > 0) own = targets.values.to_vector();
    std::vector<std::uint8_t> there;
    std::vector<Rows> rows;
    for (const std::size_t m : order) {
      const auto has = flags(r.parts[m].has, n);
      for (std::size_t b = 0; b < has.size(); ++b) there.push_back(has[b] && targets.classes[b] >= 0);
      labels.insert(labels.end(), own.begin(), own.end());
      rows.push_back(r.parts[m].aligned);
    }
    return label_margin_loss(concat(rows, 0), Labels<D, T>(labels), 0.15,
                             Present<D>::of(Mask<1>::from({index_t(there.size())}, there)));
  }
};

template <class T = float, class D = Cpu>
using Dmd = Model<DmdNetwork<T, D>>;

}  // namespace lacuna::models
