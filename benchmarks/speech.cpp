/// Speech and language models at their real sizes, with weights by formula: agreement with transformers (real_size.npz of
/// the oracle), time, memory.
///
///     speech check ORACLE/real_size.npz      WavLM-Large and Qwen2.5-0.5B against stored rows
///     speech encoder [SECONDS]               WavLM-Large, float32
///     speech decoder SHAPE TYPE [TOKENS]     qwen0.5b | 1.1b | 7b; f32 | bf16 | f16
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

#include "lacuna/io/bfloat16.hpp"
#include "lacuna/io/half.hpp"
#include "lacuna/io/npz.hpp"
#include "lacuna/language/generate.hpp"
#include "lacuna/speech/encoder.hpp"

namespace {

using namespace lacuna;

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
double peak_gigabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) / 1048576;
}

/// The oracle's formula: element i of tensor NAME is a hash of both.
StoredArray by_formula(const std::string& name, const Shape& shape, StoredType type) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : name) hash = (hash ^ std::uint8_t(c)) * 1099511628211u;
  const auto contains = [&](const char* part) { return name.find(part) != std::string::npos; };
  double scale = .1, offset = 0;
  if (contains("weight_g") || contains("original0") || contains("gru_rel_pos_const") ||
      (contains("norm") && name.ends_with("weight"))) {
    offset = 1;
  } else if (shape.rank() >= 2) {
    scale = contains("rel_attn_embed") ? std::sqrt(3.0)
            : contains("embed_tokens") ? .02
                                       : std::sqrt(3 / double(shape.size() / shape[0]));
    if (contains("rel_attn_embed")) scale = 1;
  }
  const auto bytes = std::make_shared<std::vector<std::uint8_t>>(std::size_t(shape.size() * bytes_of(type)));
  parallel_for(shape.size(), 1 << 16, [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i) {
      std::uint64_t x = hash + std::uint64_t(i) + 0x9E3779B97F4A7C15u;
      x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
      x = (x ^ x >> 27) * 0x94D049BB133111EBu;
      const double u = double((x ^ x >> 31) >> 11) / 9007199254740992.0 * 2 - 1;
      const auto value = float(offset + u * scale);
      const std::uint16_t half = type == StoredType::bf16 ? io::float_to_bfloat16(value) : io::float_to_half(value);
      if (type == StoredType::f32)
        std::memcpy(bytes->data() + 4 * i, &value, 4);
      else
        std::memcpy(bytes->data() + 2 * i, &half, 2);
    }
  });
  return {type, shape, bytes->data(), bytes, name};
}
io::Weights weights(const char* prefix, StoredType type, bool biases) {
  return io::Weights(
      "weights by formula",
      [biases](std::string_view name) {
        if (name.ends_with("weight_g")) return false;
        const bool projection =
            name.find("q_proj") != name.npos || name.find("k_proj") != name.npos || name.find("v_proj") != name.npos;
        return biases || !name.ends_with("bias") || projection;
      },
      [prefix = std::string(prefix), type](const std::string& name, const Shape& shape) {
        return by_formula(name.starts_with("lm_head") ? name : prefix + name, shape, type);
      });
}

speech::Encoder<float> wavlm_large() {
  speech::EncoderConfig c;
  c.channels.assign(7, 512);
  c.kernels = {10, 3, 3, 3, 3, 2, 2};
  c.strides = {5, 2, 2, 2, 2, 2, 2};
  c.hidden = 1024;
  c.layers = 24;
  c.heads = 16;
  c.inner = 4096;
  c.pre_norm = c.normalize = true;
  return speech::Encoder<float>(c, weights("", StoredType::f32, true));
}
language::LlamaConfig shape_of(const std::string& name) {
  language::LlamaConfig c;
  if (name == "qwen0.5b") c = {151936, 896, 4864, 24, 14, 2, 64, 1e-6, true, {.theta = 1e6}};
  if (name == "1.1b") c = {32000, 2048, 5632, 22, 32, 4, 64, 1e-5};
  if (name == "7b") c = {32000, 4096, 11008, 32, 32, 32, 128, 1e-5};
  if (c.layers == 0) throw OptionError("shape '" + name + "', expected qwen0.5b, 1.1b or 7b");
  return c;
}

double error(const io::Npz& file, const std::string& name, const Tensor<float, 2>& found, index_t columns) {
  const auto reference = file.get(name).as<double>();
  const std::string at = name.substr(0, name.find('/'));
  const auto rows = file.get(at + "/rows").as<index_t>();
  double largest = 0, worst = 0;
  for (std::size_t r = 0; r < rows.size(); ++r)
    for (index_t j = 0; j < columns; ++j) {
      const double value = reference[r * std::size_t(columns) + std::size_t(j)];
      largest = std::max(largest, std::abs(value));
      worst = std::max(worst, std::abs(value - double(found(rows[r], j))));
    }
  return worst / largest;
}
int check(const char* path) {
  const io::Npz file(path);
  double worst = 0;
  const auto show = [&](const std::string& name, double off) {
    std::printf("%-14s %.2e\n", name.c_str(), off);
    worst = std::max(worst, off);
  };
  {
    const auto encoder = wavlm_large();
    const auto heard = encoder(file.tensor<float, 1>("wavlm/wave"), {.states = true});
    for (const std::string& name : file.names())
      if (name.starts_with("wavlm/hs")) show(name, error(file, name, heard.raw(std::stoll(name.substr(8))), 1024));
    show("wavlm/last", error(file, "wavlm/last", heard.last, 1024));
  }
  const language::Llama<float> model(shape_of("qwen0.5b"), weights("model.", StoredType::f32, false));
  const NoGrad off;
  const auto ids = file.get("qwen/ids").as<index_t>();
  const auto read = model.read(model.embed(ids), {}, {.states = true});
  for (const std::string& name : file.names())
    if (name.starts_with("qwen/hs"))
      show(name, error(file, name, read.states[std::size_t(std::stoll(name.substr(7)))], 896));
  const auto logits = model.logits(read.last).value();
  show("qwen/logits", error(file, "qwen/logits", logits, 64));
  const auto best = file.get("qwen/argmax").as<index_t>();
  index_t other = 0;
  for (index_t t = 0; t < logits.extent(0); ++t) {
    const float* const row = logits.data() + t * logits.extent(1);
    other += std::max_element(row, row + logits.extent(1)) - row != best[std::size_t(t)];
  }
  std::printf("qwen/argmax    %lld of %zu differ\nworst %.2e, allowed 1e-3; peak memory %.2f GB\n",
              static_cast<long long>(other), best.size(), worst, peak_gigabytes());
  return worst < 1e-3 && other == 0 ? 0 : 1;
}
int encoder(double length) {
  const auto net = wavlm_large();
  Tensor<float, 1> wave({index_t(length * 16000)});
  for (index_t i = 0; i < wave.size(); ++i) wave.data()[i] = float(std::sin(0.05 * double(i % 977)));
  net(wave);
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const double start = seconds();
    net(wave);
    best = std::min(best, seconds() - start);
  }
  std::printf(
      "{\"workload\": \"wavlm-large\", \"seconds_of_sound\": %g, \"seconds\": %.3f, \"threads\": %d, \"peak_gb\": "
      "%.2f}\n",
      length, best, threads(), peak_gigabytes());
  return 0;
}
int decoder(const std::string& shape, const std::string& kind, index_t tokens) {
  const StoredType type = kind == "bf16" ? StoredType::bf16 : kind == "f16" ? StoredType::f16 : StoredType::f32;
  const language::LlamaConfig config = shape_of(shape);
  const language::Llama<float> model(config, weights("model.", type, false));
  std::vector<index_t> prompt(128);
  for (std::size_t i = 0; i < prompt.size(); ++i) prompt[i] = index_t(i * 37 % 20000);
  const auto x = model.embed(prompt).value();
  const auto time = [&](index_t count) {
    const double start = seconds();
    language::generate(model, x, {.num_beams = 1, .max_new_tokens = count});
    return seconds() - start;
  };
  time(1);
  const double first = time(1), all = time(tokens);
  index_t numbers = config.vocabulary * config.hidden;
  numbers += config.layers * config.hidden *
             (2 * config.heads * config.head_size + 2 * config.key_heads * config.head_size + 3 * config.inner);
  const double rate = double(tokens - 1) / (all - first);
  std::printf(
      "{\"workload\": \"%s-%s\", \"first_token_s\": %.3f, \"tokens_per_s\": %.3f, \"read_gb_per_s\": %.2f, "
      "\"threads\": %d, \"peak_gb\": %.2f}\n",
      shape.c_str(), kind.c_str(), first, rate, rate * double(numbers * bytes_of(type)) / 1e9, threads(),
      peak_gigabytes());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "check" && argc == 3) return check(argv[2]);
    if (what == "encoder") return encoder(argc > 2 ? std::stod(argv[2]) : 10);
    if (what == "decoder" && argc >= 4) return decoder(argv[2], argv[3], argc > 4 ? std::stoll(argv[4]) : 32);
    std::fprintf(stderr, "usage: speech check FILE | encoder [SECONDS] | decoder SHAPE TYPE [TOKENS]\n");
    return 2;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "speech: %s\n", problem.what());
    return 1;
  }
}
