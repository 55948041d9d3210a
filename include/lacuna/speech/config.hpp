/// Sizes and settings of a speech encoder, read from the config.json and preprocessor_config.json beside its weights.
#pragma once

#include "lacuna/io/json_file.hpp"

namespace lacuna::speech {

/// WavLM adds a gated bias of relative positions; HuBERT and wav2vec 2.0 have none.
enum class EncoderKind { wavlm, hubert, wav2vec2 };

struct EncoderConfig {
  EncoderKind kind = EncoderKind::wavlm;
  std::vector<index_t> channels, kernels, strides;  ///< of the convolutions over the waveform
  bool convolution_bias = false;
  bool group_norm =
      false;  ///< one norm over time behind the first convolution, instead of one over channels behind each
  bool projection_norm = true;
  index_t hidden = 0, layers = 0, heads = 0, inner = 0;
  index_t position_kernel = 128, position_groups = 16;
  double norm_epsilon = 1e-5;
  bool pre_norm = false;             ///< norms in front of attention and feed-forward, and one behind the last layer
  bool normalize = false;            ///< the waveform: mean 0, variance 1
  index_t buckets = 320, far = 800;  ///< WavLM: of relative positions, and where the last one is reached

  /// Frames of a clip of n samples; 0 when it is too short.
  index_t frames(index_t samples) const {
    for (std::size_t j = 0; j < kernels.size(); ++j)
      samples = samples < kernels[j] ? 0 : (samples - kernels[j]) / strides[j] + 1;
    return samples;
  }
  /// Samples between the starts of two frames: 320.
  index_t hop() const {
    index_t product = 1;
    for (const index_t stride : strides) product *= stride;
    return product;
  }
  /// Samples that one frame is made of, and the fewest that a clip needs: 400.
  index_t field() const {
    index_t samples = 1;
    for (std::size_t j = kernels.size(); j-- > 0;) samples = (samples - 1) * strides[j] + kernels[j];
    return samples;
  }
};

/// Throws IoError for a file that is missing or damaged, and for what is not supported.
inline EncoderConfig read_encoder_config(const std::string& folder) {
  const io::Settings s(folder + "/config.json");
  EncoderConfig c;
  const std::string kind = s.text("model_type", "");
  if (kind == "wavlm")
    c.kind = EncoderKind::wavlm;
  else if (kind == "hubert")
    c.kind = EncoderKind::hubert;
  else if (kind == "wav2vec2")
    c.kind = EncoderKind::wav2vec2;
  else
    s.refuse("model_type", " is '", detail::printable(kind), "', expected wavlm, hubert or wav2vec2");
  for (const char* name : {"hidden_act", "feat_extract_activation"})
    if (const std::string act = s.text(name, "gelu"); act != "gelu")
      s.refuse(name, " is '", detail::printable(act), "', expected gelu");
  for (const char* name : {"conv_pos_batch_norm", "add_adapter"})
    if (s.flag(name, false)) s.refuse(name, " is true, which is not supported");
  c.channels = s.integers("conv_dim");
  c.kernels = s.integers("conv_kernel");
  c.strides = s.integers("conv_stride");
  const auto positive = [](const std::vector<index_t>& list) {
    return std::all_of(list.begin(), list.end(), [](index_t n) { return n >= 1 && n <= 1'000'000; });
  };
  if (c.channels.empty() || c.kernels.size() != c.channels.size() || c.strides.size() != c.channels.size() ||
      !positive(c.channels) || !positive(c.kernels) || !positive(c.strides))
    s.refuse("conv_dim", ", conv_kernel and conv_stride have ", c.channels.size(), ", ", c.kernels.size(), " and ",
             c.strides.size(), " entries; expected as many positive numbers in each");
  c.convolution_bias = s.flag("conv_bias", false);
  const std::string norm = s.text("feat_extract_norm", "group");
  if (norm != "group" && norm != "layer")
    s.refuse("feat_extract_norm", " is '", detail::printable(norm), "', expected group or layer");
  c.group_norm = norm == "group";
  c.projection_norm = s.flag("feat_proj_layer_norm", true);
  c.hidden = s.size("hidden_size");
  c.layers = s.size("num_hidden_layers");
  c.heads = s.size("num_attention_heads");
  c.inner = s.size("intermediate_size");
  c.position_kernel = s.size("num_conv_pos_embeddings", 128);
  c.position_groups = s.size("num_conv_pos_embedding_groups", 16);
  if (c.hidden % c.heads != 0 || c.hidden % c.position_groups != 0)
    s.refuse("hidden_size", " is ", c.hidden, ", expected a multiple of the ", c.heads, " heads and the ",
             c.position_groups, " groups of the positional convolution");
  c.norm_epsilon = s.number("layer_norm_eps", 1e-5);
  c.pre_norm = s.flag("do_stable_layer_norm", false);
  c.buckets = s.size("num_buckets", 320);
  c.far = s.size("max_bucket_distance", 800);
  const io::Settings sound(folder + "/preprocessor_config.json");
  c.normalize = sound.flag("do_normalize", true);
  if (const index_t rate = sound.integer("sampling_rate", 16000); rate != 16000)
    sound.refuse("sampling_rate", " is ", rate, ", expected 16000");
  return c;
}

}  // namespace lacuna::speech
