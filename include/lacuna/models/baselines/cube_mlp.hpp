/// CubeMLP: perceptrons over time, over modalities and over features, one axis after the other.  (Sun, Wang, Liu, Chen &
/// Lin, ACM MM 2022, arXiv 2207.14087)
///
///   e_t = W X_t,  e_m = relu(norm(forward + backward states of a recurrence over X_m))      (B, T_m, d)
///   x   = [e_t; e_a; e_v], padded with zeros to `frames`                                    (B, T, 3, d)
///   block, for each axis: y is x with that axis last,  x ← R y + W₂ gelu(W₁ norm y)         or, norm last, norm(R y + …)
///   M   = head(x, mean or all of it over time, then over modalities),  L = mean |M − label|
///
/// The head is linear, above 128 inputs a perceptron of 128. Absent frames are 0 in x. With `published`
/// (github.com/kiva12138/CubeMLP) frames of the other two streams stand in the middle of the text's, get its lengths, rows
/// of zeros among them become 1e-6, and padding is what norm and relu make of 0. Defaults: MOSI there.
#pragma once

#include <utility>

#include "lacuna/models/baselines/sequence_network.hpp"
#include "lacuna/nn/axis_mixer.hpp"
#include "lacuna/nn/conv1d.hpp"
#include "lacuna/nn/subnetwork.hpp"

namespace lacuna::models {

/// Of the streams besides the text: a GRU of two layers, an LSTM of one, a convolution over three frames.
enum class CubeEncoder { gru, lstm, conv };
/// An axis as one number: its mean, or all of it.
enum class CubeCompose { mean, concat };

struct CubeMlpOptions {
  std::vector<index_t> inputs = {};
  index_t text = 0;      ///< which of them
  index_t width = 128;   ///< d
  index_t frames = 100;  ///< T: longer sequences are refused; a training on vectors makes it 1
  std::vector<index_t> mixer_hidden = {50, 3, 128, 10, 3, 32},
                       mixer_out = {50, 3, 128, 10, 3, 32};  ///< T, K, D of every block
  std::vector<index_t> projected = {1, 1};                   ///< of every block: R is a matrix, not the identity
  CubeEncoder encoder = CubeEncoder::gru;
  CubeCompose over_time = CubeCompose::mean, over_modalities = CubeCompose::concat;
  bool mixer_bias = true, norm_first = true;
  double dropout = 0.1;
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
    visit("mixer_frames", self.frames);
    visit("mixer_hidden", self.mixer_hidden);
    visit("mixer_out", self.mixer_out);
    visit("projected", self.projected);
    visit("encoder", self.encoder);
    visit("over_time", self.over_time);
    visit("over_modalities", self.over_modalities);
    visit("mixer_bias", self.mixer_bias);
    visit("norm_first", self.norm_first);
    visit("dropout", self.dropout);
    visit("published", self.published);
  }
};

template <class T = float, class D = Cpu>
struct CubeMlpNetwork : SequenceNetwork<CubeMlpNetwork<T, D>, T, D> {
  using Options = CubeMlpOptions;
  static constexpr const char* name = "CubeMLP";

  struct Forward {
    std::vector<Variable<T, 3, D>> encoded;
    std::vector<Variable<T, 4, D>> blocks;
    Variable<T, 2, D> joined, score;
  };

  Options options;
  Linear<T, D> text;
  std::vector<RecurrentNetwork<T, D>> recurrent;  ///< first, second
  std::vector<Conv1d<T, D>> conv;                 ///< in their place
  std::vector<LayerNorm<T, D>> norm;
  std::vector<CubeMixer<T, D>> blocks;
  std::vector<Linear<T, D>> head;

  CubeMlpNetwork() = default;
  CubeMlpNetwork(const Options& o, Random& random) : options(o) {
    const auto in = three_inputs(name, o);
    expect_sizes(name, {o.width, o.frames});
    if (o.mixer_hidden.size() != o.mixer_out.size() || o.mixer_out.size() != 3 * o.projected.size() ||
        o.projected.empty())
      throw OptionError(detail::cat(name, ": mixer_hidden has ", o.mixer_hidden.size(), " sizes, mixer_out ",
                                    o.mixer_out.size(), ", expected three for each of the ", o.projected.size(),
                                    " blocks of projected"));
    text = Linear<T, D>({.in_features = in[0], .out_features = o.width, .bias = false}, random);
    for (std::size_t m = 1; m < 3; ++m) {
      const bool gru = o.encoder == CubeEncoder::gru;
      if (o.encoder == CubeEncoder::conv)
        conv.emplace_back(typename Conv1d<T, D>::Options{.in_channels = in[m], .out_channels = o.width, .kernel = 3},
                          random);
      else
        recurrent.emplace_back(
            gru ? Recurrence::gru : Recurrence::lstm,
            RecurrentOptions{.in = in[m], .hidden = o.width, .layers = gru ? 2 : 1, .bidirectional = true}, random);
      norm.push_back(LayerNorm<T, D>({.num_features = o.width, .epsilon = 1e-6}));
    }
    std::array<index_t, 3> size{o.frames, 3, o.width};
    for (std::size_t b = 0; b < o.projected.size(); ++b) {
      std::array<AxisMixerOptions, 3> axes;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const index_t in_axis = std::exchange(size[axis], o.mixer_out[3 * b + axis]);
        axes[axis] = {
            in_axis,  o.mixer_hidden[3 * b + axis], size[axis], o.projected[b] != 0, o.mixer_bias, o.norm_first,
            o.dropout};
      }
      blocks.emplace_back(axes, random);
    }
    const index_t wide = (o.over_time == CubeCompose::mean ? 1 : size[0]) *
                         (o.over_modalities == CubeCompose::mean ? 1 : size[1]) * size[2];
    const index_t out = outputs_for(o.classes);
    if (wide > 128) head.emplace_back(typename Linear<T, D>::Options{wide, 128}, random);
    head.emplace_back(typename Linear<T, D>::Options{std::min<index_t>(wide, 128), out}, random);
  }

  Forward forward(Sequences<T, D> x, const Context& context) const {
    Forward r;
    if (options.published)
      for (std::size_t m = 1; m < 3; ++m) x[m] = centred(x[m], x[0]);
    r.encoded.push_back(text(x[0].frames));
    for (std::size_t m = 1; m < 3; ++m) r.encoded.push_back(encode(m - 1, x[m]));
    std::vector<Variable<T, 3, D>> padded;
    for (const auto& e : r.encoded) {
      if (e.extent(1) > options.frames)
        throw ShapeError(detail::cat(name, ": ", e.extent(1), " frames, mixer_frames is ", options.frames));
      padded.push_back(pad(e, 1, 0, options.frames - e.extent(1)));
    }
    auto cube = stack(padded, 2);
    for (const auto& block : blocks) r.blocks.push_back(cube = block(cube, context));
    r.joined = joined(cube);
    r.score =
        head.size() == 1
            ? head[0](r.joined)
            : head[1](linear_relu_dropout<T, 2, D>(r.joined, head[0].weight, head[0].bias, options.dropout, context));
    return r;
  }

  /// Of vectors, which have one frame, no other is mixed: `frames` becomes 1. Throws OptionError for sequences that are too
  /// long.
  void fit(Options& o, const data::Dataset& data, Random& random) {
    refuse_longer(name, "mixer_frames", o.frames, data);
    if (o.frames == 1 || !are_vectors(data)) return;
    o.frames = 1;
    *this = CubeMlpNetwork(o, random);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("W_t", self.text);
    visit("recurrent", self.recurrent);
    visit("conv", self.conv);
    visit("norm", self.norm);
    visit("blocks", self.blocks);
    visit("head", self.head);
  }

 private:
  Variable<T, 3, D> encode(std::size_t i, const Sequence<T, D>& x) const {
    Variable<T, 3, D> y;
    if (options.encoder == CubeEncoder::conv) {
      y = apply_mask(conv[i](x.frames), x.present);
    } else {
      y = sum_of_directions(recurrent[i](x.frames, x.present).y);
    }
    const auto e = relu(norm[i](y));
    return options.published ? e : apply_mask(e, x.present);
  }
  Variable<T, 2, D> joined(const Variable<T, 4, D>& cube) const {
    const index_t batch = cube.extent(0), frames = cube.extent(1), count = cube.extent(2), width = cube.extent(3);
    const auto over_time = options.over_time == CubeCompose::mean
                               ? mean(cube, 1)
                               : reshape(transpose(cube, 1, 2), batch, count, frames * width);
    if (options.over_modalities == CubeCompose::mean) return mean(over_time, 1);
    return reshape(over_time, batch, count * over_time.extent(2));
  }
  /// The frames in the middle of the text's; rows of zeros under its mask become 1e-6.
  static Sequence<T, D> centred(const Sequence<T, D>& x, const Sequence<T, D>& text) {
    const index_t batch = x.frames.extent(0), missing = text.frames.extent(1) - x.frames.extent(1),
                  before = missing / 2;
    if (missing < 0) throw ShapeError(detail::cat(name, ": published: a stream is longer than the text"));
    const auto y = pad(x.frames, 1, before, missing - before);
    const std::vector<T> numbers = y.value().to_vector();
    const auto under = text.present.to_vector();
    const index_t width = y.extent(2);
    std::vector<std::uint8_t> empty(under.size());
    for (std::size_t row = 0; row < under.size(); ++row) {
      empty[row] = under[row];
      for (std::size_t i = 0; i < std::size_t(width); ++i) empty[row] &= numbers[row * std::size_t(width) + i] == T(0);
    }
    return {masked_fill(y, Mask<3, D>::from({batch, text.frames.extent(1), 1}, empty), 1e-6), text.present};
  }
};

template <class T = float, class D = Cpu>
using CubeMlp = Model<CubeMlpNetwork<T, D>>;

}  // namespace lacuna::models
