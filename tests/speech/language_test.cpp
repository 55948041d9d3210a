/// Language models against transformers: states, scores, rotary positions, and what they generate.
#include <fstream>

#include "lacuna/language/generate.hpp"
#include "speech/speech_oracle.hpp"

namespace language_test {

using namespace speech_test;
using lacuna::Variable;
using lacuna::language::EarlyStopping;
using lacuna::language::Llama;

template <class T>
void states(const std::string& name, double allowed) {
  CAPTURE(name);
  Oracle oracle("llm.npz");
  const Llama<T> net(model(name));
  const std::string at = name + "/";
  const lacuna::NoGrad off;
  const std::vector<index_t> ids = oracle.integers(at + "ids");
  const auto reading = net.read(net.embed(ids), {}, {.states = true});
  for (std::size_t k = 0; k < reading.states.size(); ++k)
    oracle.compare(at + "hs" + std::to_string(k), reading.states[k], allowed);
  CHECK_FALSE(oracle.has(at + "hs" + std::to_string(reading.states.size())));
  const auto logits = net.logits(reading.last).value();
  oracle.compare(at + "logits", logits, allowed);
  if (oracle.has(at + "logits_f32")) oracle.compare(at + "logits_f32", logits, 1e-4);
  if (oracle.has(at + "native_logits")) oracle.compare(at + "native_logits", logits, 5e-2);
  if (oracle.has(at + "embeds")) {
    const auto given = net.read(Variable<T, 2>(oracle.tensor<T, 2>(at + "embeds")));
    oracle.compare(at + "embeds_logits", net.logits(given.last).value(), allowed);
    oracle.compare(at + "embeds_last", given.last.value(), allowed);
  }
  // a padded batch: its texts one after the other, without the padding, give the same
  for (const char* side : {"left", "right"}) {
    const std::string batch = at + side + "/";
    if (!oracle.has(batch + "ids")) continue;
    const auto padded = oracle.tensor<index_t, 2>(batch + "ids");
    const auto mask = oracle.integers(batch + "mask");
    std::vector<index_t> texts, starts{0};
    for (index_t b = 0; b < padded.extent(0); ++b) {
      for (index_t t = 0; t < padded.extent(1); ++t)
        if (mask[std::size_t(b * padded.extent(1) + t)]) texts.push_back(padded(b, t));
      starts.push_back(index_t(texts.size()));
    }
    const auto rows = net.logits(net.read(net.embed(texts), starts).last).value();
    const index_t width = rows.extent(1);
    auto spread = Tensor<T, 3>::zeros({padded.extent(0), padded.extent(1), width});
    for (index_t i = 0, from = 0; i < padded.size(); ++i)
      if (mask[std::size_t(i)]) std::copy_n(rows.data() + from++ * width, width, spread.data() + i * width);
    oracle.compare(batch + "logits", spread, allowed);
  }
  const auto& layer = net.layer(0);  // step by step
  const double epsilon = net.config().norm_epsilon;
  std::vector<index_t> positions(ids.size());
  for (std::size_t t = 0; t < ids.size(); ++t) positions[t] = index_t(t);
  const lacuna::RotaryTable<T> angle(
      lacuna::rotary_frequencies(net.config().rotary, net.config().head_size, index_t(ids.size())), positions);
  const auto turned = [&](const auto& x) { return rotary(x, angle.cosine, angle.sine); };
  const auto x = net.embed(ids), z = rms_norm(x, layer.attention_norm, epsilon);
  const auto heads = grouped_attention(turned(layer.query(z)), turned(layer.key(z)), layer.value(z), net.sizes(),
                                       {0, index_t(ids.size())});
  const auto attended = layer.output(heads), inner = rms_norm(x + attended, layer.inner_norm, epsilon);
  oracle.compare(at + "act/norm0", z.value(), allowed);
  oracle.compare(at + "act/attn0", attended.value(), allowed);
  oracle.compare(at + "act/mlp0", layer.down(multiply(silu(layer.gate(inner)), layer.up(inner))).value(), allowed);
  const auto left = oracle.left([&](const std::string& one) { return one.starts_with(at); });
  CHECK_MESSAGE(left.empty(), left.size() << " arrays were not compared, the first is " << left[0]);
  MESSAGE(name << " " << sizeof(T) << ": worst error " << oracle.worst());
}

TEST_CASE("language models: states and scores" * doctest::skip(!have())) {
  Oracle oracle("llm.npz");
  for (const std::string& name : first_parts(oracle)) {
    states<double>(name, 1e-10);
    states<float>(name, 1e-4);
  }
}

TEST_CASE("language models: both kinds of config.json give the same" * doctest::skip(!have())) {
  for (const char* name : {"vicuna_like", "llama3_like", "llama_bf16", "qwen2_f16"}) {
    const auto now = lacuna::language::read_config(model(name));
    const auto rope = lacuna::detail::read_rotary(lacuna::io::Settings(model(name) + "/config_v4.json"));
    CHECK(rope.theta == now.rotary.theta);
    CHECK(rope.scaling == now.rotary.scaling);
    CHECK(rope.factor == now.rotary.factor);
    CHECK(rope.original_length == now.rotary.original_length);
  }
}

TEST_CASE("rotary frequencies: all scalings" * doctest::skip(!have())) {
  using lacuna::RotaryOptions;
  using lacuna::RotaryScaling;
  Oracle oracle("rope.npz");
  const std::map<std::string, std::pair<RotaryOptions, index_t>> cases{
      {"default_1e4", {{}, 1}},
      {"default_1e6", {{.theta = 1e6}, 1}},
      {"linear", {{.scaling = RotaryScaling::linear, .factor = 4}, 1}},
      {"dynamic", {{.scaling = RotaryScaling::dynamic, .factor = 2, .original_length = 64}, 1}},
      {"dynamic_32", {{.scaling = RotaryScaling::dynamic, .factor = 2, .original_length = 64}, 32}},
      {"dynamic_192", {{.scaling = RotaryScaling::dynamic, .factor = 2, .original_length = 64}, 192}},
      {"llama3", {{.scaling = RotaryScaling::llama3, .theta = 5e5, .factor = 8, .original_length = 8192}, 1}},
      {"llama32", {{.scaling = RotaryScaling::llama3, .theta = 5e5, .factor = 32, .original_length = 8192}, 1}},
      {"yarn", {{.scaling = RotaryScaling::yarn, .theta = 1e6, .factor = 4, .original_length = 32768}, 1}}};
  for (const std::string& name : first_parts(oracle)) {
    REQUIRE_MESSAGE(cases.contains(name), name);
    const auto& [options, length] = cases.at(name);
    const index_t half = oracle.shape(name + "/inv_freq")[0];
    const auto r = lacuna::rotary_frequencies(options, 2 * half, length);
    const auto reference = oracle.numbers(name + "/inv_freq");
    for (std::size_t j = 0; j < reference.size(); ++j)
      CHECK_MESSAGE(std::abs(r.frequency[j] / reference[j] - 1) < 1e-12, name << " " << j);
    if (oracle.has(name + "/factor")) CHECK(std::abs(r.factor - oracle.numbers(name + "/factor")[0]) < 1e-12);
  }
}

lacuna::language::GenerateOptions options_of(Oracle& oracle, const std::string& at) {
  lacuna::language::GenerateOptions o;
  const auto number = [&](const char* name) { return oracle.numbers(at + "arg/" + name)[0]; };
  o.num_beams = index_t(number("num_beams"));
  o.max_new_tokens = index_t(number("max_new_tokens"));
  o.min_new_tokens = index_t(number("min_new_tokens"));
  o.length_penalty = number("length_penalty");
  o.repetition_penalty = number("repetition_penalty");
  const std::string early = oracle.text(at + "arg/early_stopping");
  o.early_stopping = early == "True" ? EarlyStopping::on : early == "never" ? EarlyStopping::never : EarlyStopping::off;
  o.ends = oracle.integers(at + "arg/eos");
  return o;
}

template <class T>
void generated(bool exact) {
  Oracle oracle("generate.npz");
  Oracle old("generate_431.npz");
  const Llama<T> net(model("vicuna_like"));
  const double allowed = exact ? 1e-10 : 1e-4;
  for (const std::string& name : first_parts(oracle)) {
    if (name == "embeds" || (!exact && name.find("trained_beam4") == 0)) continue;
    CAPTURE(name);
    const std::string at = name + "/";
    auto options = options_of(oracle, at);
    const auto prompt = oracle.tensor<T, 2>("embeds/" + oracle.text(at + "embeds"));
    std::vector<double> scores;
    const auto made = lacuna::language::generate(
        net, prompt, options, {.published = true, .forced = true},
        [&](const std::vector<double>& step) { scores.insert(scores.end(), step.begin(), step.end()); });
    CHECK(made.steps == oracle.integers(at + "steps")[0]);
    const auto sequences = oracle.tensor<index_t, 2>(at + "sequences");
    const bool beams = options.num_beams > 1;
    REQUIRE(index_t(made.texts.size()) == sequences.extent(0));
    for (index_t b = 0; b < sequences.extent(0); ++b) {
      const auto& text = made.texts[std::size_t(b)];
      for (std::size_t i = 0; i < text.tokens.size(); ++i) CHECK(text.tokens[i] == sequences(b, index_t(i)));
      if (!beams) continue;
      CHECK(std::abs(text.score - oracle.numbers(at + "scores")[std::size_t(b)]) <
            2e-5 * std::max(1.0, std::abs(text.score)));
      const auto rows = oracle.tensor<index_t, 2>(at + "beam_indices");
      for (index_t i = 0; i < rows.extent(1); ++i)
        CHECK(rows(b, i) == (i < index_t(text.rows.size()) ? text.rows[std::size_t(i)] : -1));
    }
    if (oracle.has(at + "step_scores")) {
      const auto reference = oracle.numbers(at + "step_scores");
      REQUIRE(reference.size() == scores.size());
      for (std::size_t i = 0; i < scores.size(); ++i)
        if (std::isfinite(reference[i]) && std::abs(scores[i] - reference[i]) > (exact ? 1e-4 : 1e-3))
          CHECK_MESSAGE(false, "score " << i << ": " << scores[i] << " for " << reference[i]);
    }
    if (oracle.has(at + "row0")) oracle.compare(at + "row0", made.published, allowed);
    oracle.compare(at + "first", made.first, allowed);
    oracle.compare(at + "forced", made.forced, allowed);
    if (oracle.has(at + "row0_sum4"))
      oracle.compare(at + "row0_sum4", lacuna::language::summed_layers(made.published, 4), allowed);
    if (!exact || !old.has(at + "sequences")) continue;
    options.rules = lacuna::language::BeamRules::v4;
    const auto before = lacuna::language::generate(net, prompt, options, {.published = true});
    CHECK(before.steps == old.integers(at + "steps")[0]);
    const auto texts = old.tensor<index_t, 2>(at + "sequences");
    for (index_t b = 0; b < std::min(texts.extent(0), index_t(before.texts.size())); ++b) {
      const auto& text = before.texts[std::size_t(b)];
      for (std::size_t i = 0; i < text.tokens.size(); ++i) {
        const bool end = std::find(options.ends.begin(), options.ends.end(), text.tokens[i]) != options.ends.end();
        CHECK((end ? options.ends[0] : text.tokens[i]) == texts(b, index_t(i) + 1));  // it writes the first of the ends
      }
      if (beams) {
        const auto rows = old.tensor<index_t, 2>(at + "beam_indices");
        for (std::size_t i = 0; i < text.rows.size(); ++i) CHECK(rows(b, index_t(i)) == text.rows[i]);
      }
      if (beams && old.has(at + "scores"))
        CHECK(std::abs(text.score - old.numbers(at + "scores")[std::size_t(b)]) <
              2e-5 * std::max(1.0, std::abs(text.score)));
    }
    if (old.has(at + "row0_sum4"))
      old.compare(at + "row0_sum4", lacuna::language::summed_layers(before.published, 4), 1e-4);
  }
  const auto left = oracle.left([&](const std::string& one) { return exact && one != "names"; });
  const auto old_left = old.left([&](const std::string& one) { return exact && one != "names" && one[0] != 'c'; });
  CHECK_MESSAGE(old_left.empty(), old_left.size() << " arrays were not compared, the first is " << old_left[0]);
  CHECK_MESSAGE(left.empty(), left.size() << " arrays were not compared, the first is " << left[0]);
  MESSAGE("generate " << sizeof(T) << ": worst error " << oracle.worst());
}

TEST_CASE("generate: greedy and beam search as transformers 5 and 4.31" * doctest::skip(!have())) {
  generated<double>(true);
  generated<float>(false);
}

}  // namespace language_test
