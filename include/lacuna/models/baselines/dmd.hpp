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

#include "lacuna/models/baselines/crossmodal_streams.hpp"
#include "lacuna/models/baselines/graph_distillation.hpp"
#include "lacuna/ops/matmul.hpp"

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
    visit("text", self.text);
    visit("width", self.width);
    visit("num_heads", self.num_heads);
    visit("layers", self.layers);
    visit("kernels", self.kernels);
    visit("stream_frames", self.stream_frames);
    visit("source_dropout", self.source_dropout);
    visit("embedding_dropout", self.embedding_dropout);
    visit("head_dropout", self.head_dropout);
    visit("low_hidden", self.low_hidden);
    visit("high_hidden", self.high_hidden);
    visit("published", self.published);
  }
};

template <class T = float, class D = Cpu>
struct DmdNetwork {
  using scalar = T;
  using device = D;
  using Options = DmdOptions;
  using Rows = Variable<T, 2, D>;
  using Frames = Variable<T, 3, D>;
  using Number = Variable<T, 0, D>;
  static constexpr const char* name = "DMD";

  struct Stream {
    Conv1d<T, D> own, decoder;
    Linear<T, D> align, low_1, low_2, low_out, high_1, high_2, high_out, weight;
    CrossmodalTransformer<T, D> attention;
    static void reflect(auto& self, auto&& visit) {
      visit("encoder_s", self.own);
      visit("decoder", self.decoder);
      visit("align_c", self.align);
      visit("proj1_low", self.low_1);
      visit("proj2_low", self.low_2);
      visit("out_layer_low", self.low_out);
      visit("proj1_high", self.high_1);
      visit("proj2_high", self.high_2);
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
  Linear<T, D> common_1, common_2, common_out, common_weight, proj1, proj2, out;
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
    CrossmodalOptions attention{.width = d,
                                .num_heads = o.num_heads,
                                .layers = o.layers,
                                .causal = o.published,
                                .attention_dropout = o.source_dropout.empty() ? 0 : o.source_dropout[0],
                                .embedding_dropout = o.embedding_dropout};
    for (const index_t frames : o.stream_frames) {
      const index_t flat = frames * d;
      stream.push_back({point(d), point(2 * d), layer(flat, d), layer(flat, d), layer(d, flat), layer(flat, outputs),
                        layer(2 * d, 2 * d), layer(2 * d, 2 * d), layer(2 * d, outputs), layer(2 * d, 2 * d),
                        CrossmodalTransformer<T, D>(attention, random)});
    }
    streams = CrossmodalStreams<T, D>({.layer = attention,
                                       .memory_layers = std::max<index_t>(o.layers, 3),
                                       .source_dropout = o.source_dropout,
                                       .published = o.published},
                                      random);
    common_1 = layer(3 * d, 3 * d), common_2 = layer(3 * d, 3 * d), common_out = layer(3 * d, outputs);
    common_weight = layer(3 * d, 3 * d);
    proj1 = layer(9 * d, 9 * d), proj2 = layer(9 * d, 9 * d), out = layer(9 * d, outputs);
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
      lengthen(x[m], options.stream_frames[m]);
      const auto seen = x[m].seen(options.published);
      if (!options.published) part.has = any_present(x[m].present);
      part.x = x[m].frames;
      part.own = s.own(part.x), part.common = common(part.x);
      part.rebuilt = s.decoder(concat({part.own, part.common}, -1));
      part.again = s.own(part.rebuilt);
      const index_t batch = part.x.extent(0), flat = part.x.extent(1) * part.x.extent(2);
      part.aligned = s.align(reshape(transpose(part.common, 1, 2), batch, flat));
      const auto rows = reshape(part.common, batch, flat);
      part.low = s.low_1(rows, Activation::relu);
      part.low_score = s.low_out(s.low_2(part.low) + rows);
      common_last.push_back(last_frame(s.attention(part.common, seen, context), seen));
      own.push_back({part.own, x[m].present});
    }
    const auto f = concat<T, 2, D>({common_last[0], common_last[2], common_last[1]}, -1);
    r.common_score = common_out(two(common_1, common_2, f, context));
    const auto memory = streams(own, context).memory;
    std::vector<Rows> fused;
    for (const std::size_t m : order) {
      Part& part = r.parts[m];
      part.last = last_frame(memory[m], own[m].seen(options.published));
      part.high = two(stream[m].high_1, stream[m].high_2, part.last, context);
      part.high_score = stream[m].high_out(part.high);
      fused.push_back(stream[m].weight(part.last, Activation::sigmoid));
    }
    fused.push_back(common_weight(f, Activation::sigmoid));
    r.joined = two(proj1, proj2, concat(fused, -1), context);
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
  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context& context) const {
    return losses(forward(sequences(batch.seen, options.text), context), batch);
  }
  /// mean max(0, cos(s, c)) along an axis.
  static Number apart(const Part& part, int axis) { return mean(relu(models::cosine(part.own, part.common, axis))); }

  /// What the last layer reads (B, 9d).
  Rows embed(const Streams<T, D>& x, const Context& context) const {
    return forward(sequences(x, options.text), context).joined;
  }
  Rows operator()(const Streams<T, D>& x, const Context& context) const {
    return forward(sequences(x, options.text), context).score;
  }
  static void reflect(auto& self, auto&& visit) {
    self.projections.reflect(self.projections, visit);
    visit("encoder_c", self.common);
    visit("stream", self.stream);
    self.streams.reflect(self.streams, visit);
    visit("proj1_c", self.common_1);
    visit("proj2_c", self.common_2);
    visit("out_layer_c", self.common_out);
    visit("weight_c", self.common_weight);
    visit("proj1", self.proj1);
    visit("proj2", self.proj2);
    visit("out_layer", self.out);
    visit("homo", self.low);
    visit("hetero", self.high);
  }

 private:
  Rows two(const Linear<T, D>& a, const Linear<T, D>& b, const Rows& x, const Context& context) const {
    return b(linear_relu_dropout<T, 2, D>(x, a.weight, a.bias, options.head_dropout, context)) + x;
  }
  static void lengthen(Sequence<T, D>& x, index_t frames) {
    const index_t batch = x.frames.extent(0), own = x.frames.extent(1);
    if (own == frames) return;
    if (own > frames) throw ShapeError(detail::cat(name, ": ", own, " frames, stream_frames says ", frames));
    x.frames = pad(x.frames, 1, 0, frames - own);
    if (!x.present.defined()) return;
    const auto all = x.present.to_vector();
    std::vector<std::uint8_t> longer(std::size_t(batch * frames), 0);
    for (index_t b = 0; b < batch; ++b) std::copy_n(all.begin() + b * own, own, longer.begin() + b * frames);
    x.present = Mask<2, D>::from({batch, frames}, longer);
  }
  Number margin(const Forward& r, const Targets<T, D>& targets) const {
    std::vector<double> y;
    std::vector<Rows> all;
    std::vector<T> values;
    if (targets.values.defined() && targets.values.size() > 0) values = targets.values.to_vector();
    for (const std::size_t m : order) {
      const auto there =
          r.parts[m].has.defined() ? r.parts[m].has.to_vector() : std::vector<std::uint8_t>(targets.classes.size(), 1);
      for (std::size_t b = 0; b < targets.classes.size(); ++b)
        y.push_back(!there[b] || targets.classes[b] < 0 ? std::nan("")
                    : values.empty()                    ? double(targets.classes[b])
                                                        : double(values[b]));
      all.push_back(r.parts[m].aligned);
    }
    const auto rows = concat(all, 0);
    const index_t n = rows.extent(0);
    const auto unit = rows / sqrt(sum(square(rows), 1, keepdim) + 1e-8);
    const auto cosines = reshape(matmul(unit, unit, {.transpose_b = true}), n * n);
    List<index_t> near, far;
    std::vector<T> gap, weight;
    index_t counted = 0;
    for (index_t i = 0; i < n; ++i) {
      const std::size_t begin = gap.size();
      const double own = y[std::size_t(i)];
      for (index_t j = 0; j < n; ++j) {
        if (j == i || y[std::size_t(j)] != own) continue;
        for (index_t k = 0; k < n; ++k) {
          const double other = y[std::size_t(k)];
          if (std::isnan(other) || other == own) continue;
          near.push_back(i * n + j), far.push_back(i * n + k);
          gap.push_back(T(0.15 * std::abs(own - other)));
        }
      }
      if (gap.size() == begin) continue;
      ++counted;
      weight.insert(weight.end(), gap.size() - begin, T(1) / T(gap.size() - begin));
    }
    if (counted == 0) return Number(Tensor<T, 0, D>::full({}, T(0)));
    const auto at = [&](const List<index_t>& list) { return index_select(cosines, 0, std::span<const index_t>(list)); };
    const auto list = [&](const std::vector<T>& x) {
      return Variable<T, 1, D>(Tensor<T, 1, D>::from({index_t(x.size())}, x));
    };
    return scale(sum(list(weight) * relu(list(gap) - at(near) + at(far))), 1.0 / double(counted));
  }
};

template <class T = float, class D = Cpu>
using Dmd = Model<DmdNetwork<T, D>>;

}  // namespace lacuna::models
