/// Sizes and settings of a language model of the Llama family, read from the config.json beside its weights.
#pragma once

#include "lacuna/io/json_file.hpp"
#include "lacuna/nn/rotary.hpp"

namespace lacuna::language {

/// Llama (Vicuna, TinyLlama, Llama 2 and 3) and Qwen2 (2.5): what differs between them is in the numbers, and in which
/// biases the file has.
struct LlamaConfig {
  index_t vocabulary = 0, hidden = 0, inner = 0, layers = 0;
  index_t heads = 0, key_heads = 0, head_size = 0;
  double norm_epsilon = 1e-6;
  bool tied = false;  ///< the output table is the input table
  RotaryOptions rotary = {};
  std::vector<index_t> ends = {};  ///< ids that end a text
  index_t start = -1;              ///< id in front of a text; -1: none
};

}  // namespace lacuna::language

namespace lacuna::detail {

/// `rope_parameters` of transformers 5, or `rope_theta` and `rope_scaling` of 4.
inline RotaryOptions read_rotary(const io::Settings& settings) {
  const io::Settings rope = settings.group(settings.has("rope_parameters") ? "rope_parameters" : "rope_scaling");
  RotaryOptions o;
  o.theta = rope.number("rope_theta", settings.number("rope_theta", 10000));
  const std::string kind = rope.text("rope_type", rope.text("type", "default"));
  if (kind == "linear")
    o.scaling = RotaryScaling::linear;
  else if (kind == "dynamic")
    o.scaling = RotaryScaling::dynamic;
  else if (kind == "llama3")
    o.scaling = RotaryScaling::llama3;
  else if (kind == "yarn")
    o.scaling = RotaryScaling::yarn;
  else if (kind != "default")
    settings.refuse("rope_type", " is '", printable(kind), "', expected default, linear, dynamic, llama3 or yarn");
  if (o.scaling == RotaryScaling::standard) return o;
  o.factor = rope.number("factor");
  o.original_length = o.scaling == RotaryScaling::dynamic ? settings.number("max_position_embeddings")
                                                          : rope.number("original_max_position_embeddings",
                                                                        settings.number("max_position_embeddings", 0));
  o.low_factor = rope.number("low_freq_factor", 1);
  o.high_factor = rope.number("high_freq_factor", 4);
  o.beta_fast = rope.number("beta_fast", 32);
  o.beta_slow = rope.number("beta_slow", 1);
  o.attention_factor = rope.number("attention_factor", 0);
  return o;
}

}  // namespace lacuna::detail

namespace lacuna::language {

/// Throws IoError for a file that is missing, damaged, or of a model that is not of this family.
inline LlamaConfig read_config(const std::string& folder) {
  const io::Settings s(folder + "/config.json");
  const std::string kind = s.text("model_type", "");
  if (kind != "llama" && kind != "qwen2")
    s.refuse("model_type", " is '", detail::printable(kind), "', expected llama or qwen2");
  if (const std::string act = s.text("hidden_act", "silu"); act != "silu")
    s.refuse("hidden_act", " is '", detail::printable(act), "', expected silu");
  if (s.flag("use_sliding_window", false)) s.refuse("use_sliding_window", " is true, which is not supported");
  LlamaConfig c;
  c.vocabulary = s.size("vocab_size");
  c.hidden = s.size("hidden_size");
  c.inner = s.size("intermediate_size");
  c.layers = s.size("num_hidden_layers");
  c.heads = s.size("num_attention_heads");
  c.key_heads = s.size("num_key_value_heads", c.heads);
  c.head_size = s.size("head_dim", std::max<index_t>(c.hidden / c.heads, 1));
  if (c.heads % c.key_heads != 0 || c.head_size % 2 != 0)
    s.refuse("num_attention_heads", " is ", c.heads, " of size ", c.head_size, " over ", c.key_heads,
             " key heads; expected a multiple, and an even size");
  c.norm_epsilon = s.number("rms_norm_eps", 1e-6);
  c.tied = s.flag("tie_word_embeddings", false);
  c.rotary = detail::read_rotary(s);
  c.ends = s.integers("eos_token_id");
  c.start = s.integer("bos_token_id", -1);
  return c;
}

}  // namespace lacuna::language
