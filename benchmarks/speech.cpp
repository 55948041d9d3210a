/// Speech and language models at their real sizes, with weights by formula: agreement with transformers (real_size.npz of
/// the oracle), time, memory.
///
///     speech check ORACLE/real_size.npz      WavLM-Large and Qwen2.5-0.5B against stored rows
///     speech encoder [SECONDS] [TYPE]        WavLM-Large; f32 | bf16 | f16
///     speech decoder SHAPE TYPE [TOKENS]     qwen0.5b | 1.1b | 7b; f32 | bf16 | f16 | int8 (made of bf16)
///
/// `decoder`: a prompt of 128 ids, then greedy search at batch 1; a token is the median of all. The environment's
/// OMP_NUM_THREADS says how many threads. Prints one JSON object; benchmarks/compare_speech puts transformers beside it.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>

#include "lacuna/io/bfloat16.hpp"
#include "lacuna/io/half.hpp"
#include "lacuna/io/npz.hpp"
#include "lacuna/language/generate.hpp"
#include "lacuna/speech/encoder.hpp"

namespace {

using namespace lacuna;

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}
/// What a stretch of work took: on the clock, and of the processor, all threads.
struct Time {
  double wall = seconds(), cpu = cpu_seconds();
  Time since(const Time& start) const { return {wall - start.wall, cpu - start.cpu}; }
};
double median(std::vector<double> numbers) {
  std::nth_element(numbers.begin(), numbers.begin() + std::ptrdiff_t(numbers.size() / 2), numbers.end());
  return numbers[numbers.size() / 2];
}
StoredType type_of(const std::string& name) {
  if (name == "f32") return StoredType::f32;
  if (name == "f16") return StoredType::f16;
  if (name == "bf16" || name == "int8") return StoredType::bf16;
  throw OptionError("type '" + name + "', expected f32, bf16, f16 or int8");
}
/// Gigabytes per second and per second of the processor that all threads together read, where nothing but reading is
/// done: the best of three passes over 256 MiB.
std::pair<double, double> bandwidth() {
  const std::vector<std::uint64_t> numbers(std::size_t(1) << 25, 1);
  double wall = 0, cpu = 0;
  std::uint64_t all = 0;
  for (int pass = 0; pass < 4; ++pass) {
    const Time start;
    List<std::uint64_t> sums(64);
    parallel_for(64, 1, [&](index_t part, index_t) {
      const std::uint64_t* const from = numbers.data() + part * index_t(numbers.size() / 64);
      std::uint64_t sum = 0;
      for (std::size_t i = 0; i < numbers.size() / 64; ++i) sum += from[i];
      sums[std::size_t(part)] = sum;
    });
    const Time took = Time().since(start);
    for (const std::uint64_t sum : sums) all += sum;
    wall = std::max(wall, double(numbers.size() * 8) / 1e9 / took.wall);
    cpu = std::max(cpu, double(numbers.size() * 8) / 1e9 / took.cpu);
  }
  if (all != 4 * numbers.size()) throw Error("bandwidth: the sum is wrong");
  return {wall, cpu};
}
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
  const auto bytes = std::make_shared<std::vector<std::uint8_t>>(std::size_t(bytes_of(type, shape.size())));
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

speech::Encoder<float> wavlm_large(StoredType type = StoredType::f32) {
  speech::EncoderConfig c;
  c.channels.assign(7, 512);
  c.kernels = {10, 3, 3, 3, 3, 2, 2};
  c.strides = {5, 2, 2, 2, 2, 2, 2};
  c.hidden = 1024;
  c.layers = 24;
  c.heads = 16;
  c.inner = 4096;
  c.pre_norm = c.normalize = true;
  return speech::Encoder<float>(c, weights("", type, true));
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
int encoder(double length, const std::string& kind) {
  const auto net = wavlm_large(type_of(kind));
  Tensor<float, 1> wave({index_t(length * 16000)});
  for (index_t i = 0; i < wave.size(); ++i) wave.data()[i] = float(std::sin(0.05 * double(i % 977)));
  net(Tensor<float, 1>(wave.window(0, Shape{std::min<index_t>(16000, wave.size())})));
  Time best{1e9, 1e9};
  double mean = 0;
  for (int i = 0; i < 3; ++i) {
    const Time start;
    const auto heard = net(wave).last;
    const Time took = Time().since(start);
    best = {std::min(best.wall, took.wall), std::min(best.cpu, took.cpu)};
    mean = 0;
    for (index_t j = 0; j < heard.size(); ++j) mean += std::abs(double(heard.data()[j])) / double(heard.size());
  }
  std::printf(
      "{\"workload\": \"wavlm-large-%s\", \"seconds_of_sound\": %g, \"seconds\": %.4f, \"cpu_s\": %.4f, "
      "\"mean_abs\": %.6f, \"threads\": %d, \"peak_gb\": %.2f}\n",
      kind.c_str(), length, best.wall, best.cpu, mean, threads(), peak_gigabytes());
  return 0;
}
int decoder(const std::string& shape, const std::string& kind, index_t tokens) {
  const StoredType type = type_of(kind);
  const bool int8 = kind == "int8";
  const language::LlamaConfig config = shape_of(shape);
  const language::Llama<float> model(config, weights("model.", type, false), {.int8 = int8});
  std::vector<index_t> prompt(128);
  for (std::size_t i = 0; i < prompt.size(); ++i) prompt[i] = index_t(i * 37 % 20000);
  const auto x = model.embed(prompt).value();
  std::vector<Time> steps;  // when each token was there
  const auto said = [&](index_t count) {
    steps = {Time()};
    return language::generate(model, x, {.num_beams = 1, .max_new_tokens = count}, {},
                              [&](const auto&) { steps.push_back(Time()); });
  };
  said(1);
  const auto text = said(tokens);
  std::vector<double> wall, cpu;
  for (std::size_t i = 2; i < steps.size(); ++i) {
    const Time took = steps[i].since(steps[i - 1]);
    wall.push_back(took.wall), cpu.push_back(took.cpu);
  }
  const Time first = steps[1].since(steps[0]);
  const double peak = peak_gigabytes();
  const auto [rate, rate_cpu] = bandwidth();
  const StoredType kept = int8 ? StoredType::q8 : type;
  const auto bytes = [&](index_t rows, index_t columns) { return double(rows) * double(bytes_of(kept, columns)); };
  const index_t heads = config.heads * config.head_size, narrow = config.key_heads * config.head_size;
  const double gigabytes =
      1e-9 * (bytes(config.vocabulary, config.hidden) +
              double(config.layers) * (bytes(heads + 2 * narrow + 2 * config.inner, config.hidden) +
                                       bytes(config.hidden, heads) + bytes(config.hidden, config.inner)));
  std::string ids;
  for (std::size_t i = 0; i < std::min<std::size_t>(8, text.best().tokens.size()); ++i)
    ids += (i ? ", " : "") + std::to_string(text.best().tokens[i]);
  std::printf(
      "{\"workload\": \"%s-%s\", \"first_token_s\": %.4f, \"first_token_cpu_s\": %.4f, \"token_s\": %.5f, "
      "\"token_cpu_s\": %.5f, \"read_gb\": %.3f, \"bandwidth_gb_per_s\": %.2f, \"bandwidth_gb_per_cpu_s\": %.2f, "
      "\"said\": [%s], \"threads\": %d, \"peak_gb\": %.2f}\n",
      shape.c_str(), kind.c_str(), first.wall, first.cpu, median(wall), median(cpu), gigabytes, rate, rate_cpu,
      ids.c_str(), threads(), peak);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "check" && argc == 3) return check(argv[2]);
    if (what == "encoder") return encoder(argc > 2 ? std::stod(argv[2]) : 10, argc > 3 ? argv[3] : "f32");
    if (what == "decoder" && argc >= 4) return decoder(argv[2], argv[3], argc > 4 ? std::stoll(argv[4]) : 16);
    std::fprintf(stderr, "usage: speech check FILE | encoder [SECONDS] [TYPE] | decoder SHAPE TYPE [TOKENS]\n");
    return 2;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "speech: %s\n", problem.what());
    return 1;
  }
}
