/// A decoder of the Llama family over weights that stay in their file. (Touvron et al. 2023; Yang et al. 2024)
///
///     const language::Llama<float> model("vicuna-7b-v1.5");
///     const auto states = model.read(model.embed(ids)).states;     // layers + 1 of them, (positions, hidden)
///
/// Per layer, with rms(x; w) = w x / √(mean x² + ε):
///   x ← x + W_o attention(rms(x)),   x ← x + W_down (silu(W_gate z) ∘ W_up z), z = rms(x);
/// attention is causal, with rotary positions and H/G query heads to a key head. `states` are counted as transformers
/// does: 0 = the embeddings, i = behind layer i, the last one behind the final norm.
///
/// Weights are used where they lie, in bf16, f16, f32 or f64, or kept in eight bits; everything else is computed in T. Sequences are read
/// without padding, one after the other. The gradient flows through to the embeddings; no weight is trained.
#pragma once

#include "lacuna/autograd/recompute.hpp"
#include "lacuna/io/weights.hpp"
#include "lacuna/kernels/cpu/quantize.hpp"
#include "lacuna/language/cache.hpp"
#include "lacuna/language/config.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/grouped_attention.hpp"
#include "lacuna/ops/norm.hpp"
#include "lacuna/ops/rotary.hpp"
#include "lacuna/ops/stored_linear.hpp"

namespace lacuna::language {

/// y = x Wᵀ + b as stored.
template <class T>
struct StoredLinear {
  StoredArray weight;
  Variable<T, 1> bias;
  Variable<T, 2> operator()(const Variable<T, 2>& x) const { return linear(x, weight, bias); }
};

template <class T>
struct LlamaLayer {
  Variable<T, 1> attention_norm, inner_norm;
  StoredLinear<T> query, key, value, output, gate, up, down;
};

/// What reading gave: (N, hidden) behind the final norm, and all states if they were asked for.
template <class T>
struct Reading {
  Variable<T, 2> last;
  std::vector<Tensor<T, 2>> states;
};

/// How the weights are kept.
struct WeightOptions {
  /// In eight bits (kernels/cpu/quantize.hpp), made of the files' when the model is loaded: half the memory of bf16, and
  /// half the time of a token. docs/speech.md says what it costs in accuracy.
  bool int8 = false;
};

struct ReadOptions {
  bool states = false;
  /// Backward keeps one row of numbers per position and layer, and computes the inside of each layer again.
  bool recompute = true;
};

template <class T = float>
class Llama {
 public:
  /// A folder with config.json and weights. Nothing is copied but norms and biases. Throws IoError.
  explicit Llama(const std::string& folder, const WeightOptions& options = {})
      : Llama(read_config(folder), io::Weights(folder, {"model."}), options) {}
  Llama(const LlamaConfig& config, const io::Weights& weights, const WeightOptions& options = {});

  const LlamaConfig& config() const { return config_; }

  /// ids (n) → (n, hidden).
  Variable<T, 2> embed(std::span<const index_t> ids) const { return Variable<T, 2>(stored_rows<T>(embedding_, ids)); }

  /// Whole sequences: x (N, hidden), rows of sequence i from starts[i] to starts[i+1] − 1; none: one sequence.
  Reading<T> read(const Variable<T, 2>& x, std::vector<index_t> starts = {}, const ReadOptions& options = {}) const;
  /// The next positions of every beam: x (beams · n, hidden), n rows per beam, which the cache then holds. Without
  /// gradient.
  Reading<T> read(Cache<T>& cache, const Tensor<T, 2>& x, bool states = false) const;

  /// Scores of the next token: last (N, hidden) → (N, vocabulary).
  Variable<T, 2> logits(const Variable<T, 2>& last) const { return linear(last, output_); }
  /// What is inside: for tests and studies.
  const LlamaLayer<T>& layer(index_t i) const { return (*layers_)[std::size_t(i)]; }
  Cache<T> cache() const { return Cache<T>(config_.layers, config_.key_heads * config_.head_size); }

  cpu::GroupedSizes sizes() const {
    return {config_.heads, config_.key_heads, config_.head_size, 1 / std::sqrt(double(config_.head_size))};
  }

 private:
  using Layers = std::vector<LlamaLayer<T>>;

  RotaryTable<T> angles(const std::vector<index_t>& positions, index_t length) const {
    return RotaryTable<T>(rotary_frequencies(config_.rotary, config_.head_size, length), positions);
  }
  /// One layer; attend(q, k, v) gives the heads' results.
  template <class Attend>
  static Variable<T, 2> pass(const LlamaLayer<T>& layer, double epsilon, const RotaryTable<T>& angle,
                             const Variable<T, 2>& x, const Attend& attend) {
    const auto z = rms_norm(x, layer.attention_norm, epsilon);
    const auto query = rotary(layer.query(z), angle.cosine, angle.sine);
    const auto key = rotary(layer.key(z), angle.cosine, angle.sine);
    const auto h = add(x, layer.output(attend(query, key, layer.value(z))));
    const auto inner = rms_norm(h, layer.inner_norm, epsilon);
    return add(h, layer.down(multiply(silu(layer.gate(inner)), layer.up(inner))));
  }

  LlamaConfig config_;
  StoredArray embedding_, output_;
  Variable<T, 1> norm_;
  std::shared_ptr<const Layers> layers_;  ///< graphs may outlive the model
};

template <class T>
Llama<T>::Llama(const LlamaConfig& config, const io::Weights& weights, const WeightOptions& options) : config_(config) {
  const auto vector = [&](const std::string& name, index_t size) {
    const StoredArray stored = weights.at(name, Shape{size});
    Tensor<T, 1> numbers({size});
    cpu::Widen::widen(stored.type, size, stored.bytes, numbers.data());
    return Variable<T, 1>(numbers);
  };
  const auto kept = [&](const StoredArray& stored) { return options.int8 ? cpu::Quantize::q8(stored) : stored; };
  const auto matrix = [&](const std::string& name, index_t rows, index_t columns) {
    StoredLinear<T> made{kept(weights.matrix(name + ".weight", rows, columns)), {}};
    if (weights.contains(name + ".bias")) made.bias = vector(name + ".bias", rows);
    return made;
  };
  const index_t hidden = config.hidden, wide = config.heads * config.head_size,
                narrow = config.key_heads * config.head_size;
  embedding_ = weights.matrix("embed_tokens.weight", config.vocabulary, hidden);
  output_ = kept(config.tied ? embedding_ : weights.matrix("lm_head.weight", config.vocabulary, hidden));
  if (config.tied) embedding_ = output_;
  norm_ = vector("norm.weight", hidden);
  Layers layers;
  for (index_t i = 0; i < config.layers; ++i) {
    const std::string at = detail::cat("layers.", i, "."), attention = at + "self_attn.", mlp = at + "mlp.";
    layers.push_back({vector(at + "input_layernorm.weight", hidden),
                      vector(at + "post_attention_layernorm.weight", hidden),
                      matrix(attention + "q_proj", wide, hidden), matrix(attention + "k_proj", narrow, hidden),
                      matrix(attention + "v_proj", narrow, hidden), matrix(attention + "o_proj", hidden, wide),
                      matrix(mlp + "gate_proj", config.inner, hidden), matrix(mlp + "up_proj", config.inner, hidden),
                      matrix(mlp + "down_proj", hidden, config.inner)});
  }
  layers_ = std::make_shared<const Layers>(std::move(layers));
}

template <class T>
Reading<T> Llama<T>::read(const Variable<T, 2>& x, std::vector<index_t> starts, const ReadOptions& options) const {
  detail::expect_axis("Llama", "x", x.shape(), 1, config_.hidden);
  if (starts.empty()) starts = {0, x.extent(0)};
  std::vector<index_t> positions;
  index_t longest = 0;
  for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
    longest = std::max(longest, starts[i + 1] - starts[i]);
    for (index_t t = 0; t < starts[i + 1] - starts[i]; ++t) positions.push_back(t);
  }
  const RotaryTable<T> angle = angles(positions, longest);
  const auto attend = [s = sizes(), starts](const auto& q, const auto& k, const auto& v) {
    return grouped_attention(q, k, v, s, starts);
  };
  Reading<T> reading;
  Variable<T, 2> h = x;
  for (index_t i = 0; i < config_.layers; ++i) {
    if (options.states) reading.states.push_back(h.value());
    const auto layer = [layers = layers_, i, epsilon = config_.norm_epsilon, angle, attend](const Variable<T, 2>& in) {
      return pass((*layers)[std::size_t(i)], epsilon, angle, in, attend);
    };
    h = options.recompute && h.requires_grad() ? recompute(layer, h) : layer(h);
  }
  reading.last = rms_norm(h, norm_, config_.norm_epsilon);
  if (options.states) reading.states.push_back(reading.last.value());
  return reading;
}

template <class T>
Reading<T> Llama<T>::read(Cache<T>& cache, const Tensor<T, 2>& x, bool states) const {
  const NoGrad off;
  const index_t beams = cache.beams(), count = x.extent(0) / beams, before = cache.length();
  std::vector<index_t> positions;
  for (index_t b = 0; b < beams; ++b)
    for (index_t t = 0; t < count; ++t) positions.push_back(before + t);
  const RotaryTable<T> angle = angles(positions, before + count);
  cache.grow(count);
  Reading<T> reading;
  Variable<T, 2> h(x);
  for (index_t i = 0; i < config_.layers; ++i) {
    if (states) reading.states.push_back(h.value());
    h = pass(layer(i), config_.norm_epsilon, angle, h, [&](const auto& q, const auto& k, const auto& v) {
      cache.append(i, k.data(), v.data());
      Tensor<T, 2> y(q.extents());
      for (index_t b = 0; b < beams; ++b) {
        const auto runs = cache.runs(i, b);
        const index_t at = b * count * q.extent(1);
        cpu::GroupedAttention::grouped_attention<T>(sizes(), count, before + 1, q.data() + at, runs, y.data() + at);
      }
      return Variable<T, 2>(y);
    });
  }
  cache.advance();
  reading.last = rms_norm(h, norm_, config_.norm_epsilon);
  if (states) reading.states.push_back(reading.last.value());
  return reading;
}

}  // namespace lacuna::language
