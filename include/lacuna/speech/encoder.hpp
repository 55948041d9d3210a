/// WavLM, HuBERT and wav2vec 2.0: what they hear in a clip, one vector per 20 ms.
/// (Chen et al. 2022; Hsu et al. 2021; Baevski et al. 2020)
///
///     const speech::Encoder<float> encoder("wavlm-large");
///     const auto heard = encoder(wave, {.states = true});   // wave: mono, 16 kHz, in [−1, 1]
///     heard.state(-5);                                      // (F, 1024)
///
/// Convolutions make frames of samples (400 give the first, 320 each further one); a projection, a positional
/// convolution and transformer layers follow. Entry 0 of the states is the input of layer 0, entry i the output of layer i,
/// as it is: of models with norms in front the last one is not normed, `last` is. `state(-1)` is `last`, as transformers
/// 4, SLAM-LLM and SDUMC's authors mean it; `raw(-1)` the other reading, of transformers 5. Both are the same in models
/// with norms behind.
///
/// One clip at a time, without padding: what is in a batch changes nothing. Evaluation only; nothing is trained.
#pragma once

#include "lacuna/core/function.hpp"
#include "lacuna/kernels/cpu/grouped_attention.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/arithmetic.hpp"
#include "lacuna/ops/norm.hpp"
#include "lacuna/ops/stored_linear.hpp"
#include "lacuna/speech/config.hpp"
#include "lacuna/speech/position_bias.hpp"

namespace lacuna::speech {

/// (x − mean) / √(variance + 1e-7) over the first `samples`; the others become 0. (What feature extractors do.)
template <class T>
Tensor<T, 1> normalized(const Tensor<T, 1>& wave, index_t samples) {
  Tensor<T, 1> y = Tensor<T, 1>::zeros({wave.size()});
  double mean = 0, square = 0;
  for (index_t i = 0; i < samples; ++i) mean += double(wave.data()[i]) / double(samples);
  for (index_t i = 0; i < samples; ++i) square += std::pow(double(wave.data()[i]) - mean, 2) / double(samples);
  for (index_t i = 0; i < samples; ++i) y.data()[i] = T((double(wave.data()[i]) - mean) / std::sqrt(square + 1e-7));
  return y;
}

struct EncodeOptions {
  bool states = false;      ///< keep all, not the last alone
  index_t samples = -1;     ///< the clip's true length, zeros behind it; −1: all
  bool mask = true;         ///< frames of padding are not attended to; false: they are heard as silence
  bool normalized = false;  ///< the waveform is already, as the checkpoint asks
};

template <class T>
struct Heard {
  Tensor<T, 2> last;                 ///< (F, D)
  std::vector<Tensor<T, 2>> states;  ///< layers + 1, when they were asked for

  /// The states as transformers 4 counts them: the last one is `last`. Negative from the end.
  const Tensor<T, 2>& state(index_t i) const { return number(i) + 1 == index_t(states.size()) ? last : raw(i); }
  /// As transformers 5 does: the last one is what the last layer gave.
  const Tensor<T, 2>& raw(index_t i) const { return states[std::size_t(number(i))]; }

 private:
  index_t number(index_t i) const {
    const auto count = index_t(states.size()), n = i < 0 ? i + count : i;
    if (n < 0 || n >= count)
      throw OptionError(detail::cat("speech: state ", i, " of ", count, " is asked for; expected ", -count, " to ",
                                    count - 1, ", with EncodeOptions::states set"));
    return n;
  }
};

template <class T = float>
class Encoder {
 public:
  /// Sees what is inside, under names of its own: for tests and studies.
  using Watch = Function<void(const std::string&, const Array<T>&)>;

  /// A folder with config.json, preprocessor_config.json and weights. Throws IoError.
  explicit Encoder(const std::string& folder)
      : Encoder(read_encoder_config(folder), io::Weights(folder, {"wavlm.", "hubert.", "wav2vec2."})) {}
  Encoder(const EncoderConfig& config, const io::Weights& weights);

  const EncoderConfig& config() const { return config_; }
  /// wave (N), mono, 16 kHz; normalised here, if the checkpoint asks for it. Throws ShapeError for a clip without a
  /// frame, Error when something is not finite.
  Heard<T> operator()(const Tensor<T, 1>& wave, const EncodeOptions& options = {}, const Watch& watch = {}) const;

 private:
  struct Norm {
    Variable<T, 1> weight, bias;
  };
  struct Dense {
    StoredArray weight;
    Variable<T, 1> bias;
    Variable<T, 2> operator()(const Variable<T, 2>& x) const { return linear(x, weight, bias); }
  };
  struct Layer {
    Norm first, second;
    Dense query, key, value, output, inner, outer;
    PositionGate<T> gate;
  };

  Variable<T, 2> norm(const Variable<T, 2>& x, const Norm& n, double epsilon) const {
    return layer_norm(x, n.weight, n.bias, epsilon);
  }
  Tensor<T, 2> features(const Tensor<T, 1>& wave, const Watch& watch) const;
  Variable<T, 2> attend(const Layer& layer, const Variable<T, 2>& z, index_t seen, const std::vector<T>& table) const;

  EncoderConfig config_;
  std::vector<Convolution<T>> convolutions_;
  std::vector<Norm> convolution_norms_;
  Norm projection_norm_, norm_;
  Dense projection_;
  PositionalConvolution<T> position_;
  std::vector<T> bias_table_;  ///< (buckets, heads)
  std::vector<Layer> layers_;
};

template <class T>
Encoder<T>::Encoder(const EncoderConfig& c, const io::Weights& weights) : config_(c) {
  const auto vector = [&](const std::string& name, index_t size) {
    return Variable<T, 1>(Tensor<T, 1>::from({size}, detail::widened<T>(weights.at(name, {size}))));
  };
  const auto norm = [&](const std::string& name, index_t size) {
    return Norm{vector(name + ".weight", size), vector(name + ".bias", size)};
  };
  const auto dense = [&](const std::string& name, index_t out, index_t in) {
    return Dense{weights.matrix(name + ".weight", out, in), vector(name + ".bias", out)};
  };
  index_t in = 1;
  for (std::size_t j = 0; j < c.channels.size(); ++j) {
    const std::string at = detail::cat("feature_extractor.conv_layers.", j);
    convolutions_.emplace_back(weights, at + ".conv", in, c.kernels[j], c.strides[j], c.channels[j],
                               c.convolution_bias);
    in = c.channels[j];
    convolution_norms_.push_back(!c.group_norm || j == 0 ? norm(at + ".layer_norm", in) : Norm{});
  }
  if (c.projection_norm) projection_norm_ = norm("feature_projection.layer_norm", in);
  projection_ = dense("feature_projection.projection", c.hidden, in);
  position_ =
      PositionalConvolution<T>(weights, "encoder.pos_conv_embed.conv", c.hidden, c.position_kernel, c.position_groups);
  norm_ = norm("encoder.layer_norm", c.hidden);
  const bool gated = c.kind == EncoderKind::wavlm;
  if (gated)
    bias_table_ =
        detail::widened<T>(weights.matrix("encoder.layers.0.attention.rel_attn_embed.weight", c.buckets, c.heads));
  for (index_t i = 0; i < c.layers; ++i) {
    const std::string at = detail::cat("encoder.layers.", i, "."), attention = at + "attention.";
    Layer layer{norm(at + "layer_norm", c.hidden),
                norm(at + "final_layer_norm", c.hidden),
                dense(attention + "q_proj", c.hidden, c.hidden),
                dense(attention + "k_proj", c.hidden, c.hidden),
                dense(attention + "v_proj", c.hidden, c.hidden),
                dense(attention + "out_proj", c.hidden, c.hidden),
                dense(at + "feed_forward.intermediate_dense", c.inner, c.hidden),
                dense(at + "feed_forward.output_dense", c.hidden, c.inner),
                {}};
    if (gated) layer.gate = PositionGate<T>(weights, attention, c.heads, c.hidden / c.heads);
    layers_.push_back(std::move(layer));
  }
}

/// What the convolutions make of a waveform: (F, C).
template <class T>
Tensor<T, 2> Encoder<T>::features(const Tensor<T, 1>& wave, const Watch& watch) const {
  Tensor<T, 2> x = wave.template reshape<2>({wave.size(), 1});
  for (std::size_t j = 0; j < convolutions_.size(); ++j) {
    x = convolutions_[j](x);
    const Norm& n = convolution_norms_[j];
    if (n.weight.defined() && config_.group_norm) {  // each channel over time
      const index_t rows = x.extent(0), width = x.extent(1);
      std::vector<double> mean(static_cast<std::size_t>(width)), square(mean);
      for (index_t t = 0; t < rows; ++t)
        for (index_t c = 0; c < width; ++c) mean[std::size_t(c)] += double(x.data()[t * width + c]) / double(rows);
      for (index_t t = 0; t < rows; ++t)
        for (index_t c = 0; c < width; ++c)
          square[std::size_t(c)] += std::pow(double(x.data()[t * width + c]) - mean[std::size_t(c)], 2) / double(rows);
      for (index_t t = 0; t < rows; ++t)
        for (index_t c = 0; c < width; ++c) {
          T& one = x.data()[t * width + c];
          one =
              T((double(one) - mean[std::size_t(c)]) / std::sqrt(square[std::size_t(c)] + 1e-5)) * n.weight.data()[c] +
              n.bias.data()[c];
        }
    } else if (n.weight.defined()) {
      x = norm(Variable<T, 2>(x), n, 1e-5).value();
    }
    Kernels<Cpu>::Activations::activation(Activation::gelu, default_parameter(Activation::gelu), x.size(), x.data(), x.data());
    if (watch) watch(detail::cat("conv", j), x);
  }
  return x;
}

template <class T>
Variable<T, 2> Encoder<T>::attend(const Layer& layer, const Variable<T, 2>& z, index_t seen,
                                  const std::vector<T>& table) const {
  const index_t frames = z.extent(0), heads = config_.heads, size = config_.hidden / heads;
  const auto q = layer.query(z), k = layer.key(z), v = layer.value(z);
  Tensor<T, 2> gate;
  if (!table.empty()) gate = layer.gate(z.value());
  const T scale = T(1 / std::sqrt(double(size)));
  Tensor<T, 2> y(z.extents());
  cpu::GroupedAttention::full_attention<T>(
      {heads, heads, size, 1}, frames, q.data(), {k.data(), v.data(), seen},
      [&](index_t h, index_t i, T* scores, index_t count) {
        if (table.empty()) {
          for (index_t j = 0; j < count; ++j) scores[j] *= scale;
        } else {
          const T g = std::as_const(gate).data()[i * heads + h];
          const T* const bias = table.data() + h * (2 * frames - 1) + frames - 1 - i;
          for (index_t j = 0; j < count; ++j) scores[j] = scores[j] * scale + g * bias[j];
        }
      },
      y.data());
  return layer.output(Variable<T, 2>(y));
}

template <class T>
Heard<T> Encoder<T>::operator()(const Tensor<T, 1>& wave, const EncodeOptions& options, const Watch& watch) const {
  const NoGrad off;
  const index_t samples = options.samples < 0 ? wave.size() : std::min(options.samples, wave.size());
  const index_t frames = config_.frames(wave.size()), present = config_.frames(samples);
  if (present < 1)
    throw ShapeError(detail::cat("speech: a clip of ", samples, " samples has no frame; at least ", config_.field(),
                                 " are needed (", double(config_.field()) / 16000, " s at 16 kHz)"));
  const index_t seen = options.mask ? present : frames;
  const double epsilon = config_.norm_epsilon;
  Variable<T, 2> x(features(config_.normalize && !options.normalized ? normalized(wave, samples) : wave, watch));
  if (config_.projection_norm) x = norm(x, projection_norm_, epsilon);
  Tensor<T, 2> h = projection_(x).value();
  if (watch) watch("proj", h);
  std::fill_n(h.data() + seen * config_.hidden, (frames - seen) * config_.hidden, T(0));
  const Tensor<T, 2> where = position_(h);
  if (watch) watch("posconv", where);
  x = Variable<T, 2>(h) + Variable<T, 2>(where);
  std::vector<T> table;
  if (!bias_table_.empty()) {
    table = position_table(bias_table_, config_.buckets, config_.far, config_.heads, frames);
    if (watch) watch("bias", Tensor<T, 1>::from({index_t(table.size())}, table));
  }
  if (!config_.pre_norm) x = norm(x, norm_, epsilon);
  Heard<T> heard;
  if (options.states) heard.states.push_back(x.value());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const auto feed = [&](const Variable<T, 2>& z) { return layer.outer(gelu(layer.inner(z))); };
    const auto attended = attend(layer, config_.pre_norm ? norm(x, layer.first, epsilon) : x, seen, table);
    if (watch) watch(detail::cat("attn", i), attended.value());
    if (config_.pre_norm) {
      x = x + attended;
      x = x + feed(norm(x, layer.second, epsilon));
    } else {
      x = norm(x + attended, layer.first, epsilon);
      x = norm(x + feed(x), layer.second, epsilon);
    }
    if (options.states) heard.states.push_back(x.value());
  }
  heard.last = config_.pre_norm ? norm(x, norm_, epsilon).value() : x.value();
  const Tensor<T, 2>& y = heard.last;
  if (!std::all_of(y.data(), y.data() + y.size(), [](T number) { return std::isfinite(number); }))
    throw Error("speech: the features of a clip are not finite; the weights are damaged, or the sound is");
  return heard;
}

}  // namespace lacuna::speech
