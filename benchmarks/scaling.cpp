// How the cost grows: processor time of a training step against batch, length, width, number of modalities and threads,
// and of Rank-N-Contrast against the number of vectors, each with the exponent that a straight line through log(time)
// over log(size) has.
//
//   cmake --build build --target bench_scaling && build/benchmarks/scaling [--threads N] [--seconds S]
//
// A step is CorrKD's student without distillation: encoders, dropout, task loss, backward, Adam. The sizes of a table
// take turns, three rounds of them, and the smallest time of each counts: other programs can only make times longer.
// The last table shows what threads make of the time on the clock. The last column of Rank-N-Contrast is the exponent
// of time / log n: 2 where the cost is n² log n.

#include <CLI/CLI.hpp>
#include <cmath>
#include <functional>

#include "support/measure.hpp"
#include "support/problems.hpp"

namespace {

using namespace lacuna;

struct Size {
  index_t batch = 16, frames = 50, width = 40, modalities = 3;
};

/// One call of what is timed; what it works on lives as long as it does.
using Work = std::function<void()>;

struct Step {
  Random random{7};
  models::CorrkdOptions options;
  models::CorrkdNetwork<float> network;
  Packed<float> packed;
  optim::Adam<float> adam;
  data::Streams<float> streams;
  models::Targets<float> target;

  static models::CorrkdOptions sized(const Size& size) {
    models::CorrkdOptions o;
    o.network = {.inputs = std::vector<index_t>(std::size_t(size.modalities), 64),
                 .width = size.width,
                 .num_heads = 4,
                 .depth = 2};
    o.network.outputs = o.outputs();
    return o;
  }
  explicit Step(const Size& size)
      : options(sized(size)), network(options.network, random), packed(pack<float>(network)), adam(packed) {
    for (index_t m = 0; m < size.modalities; ++m)
      streams.push_back(bench::stream(size.batch, size.frames, 64, 1, random));
    for (index_t i = 0; i < size.batch; ++i) target.classes.push_back(random.below(2));
  }
  void operator()() {
    packed.zero_grad();
    const Context context = Context::train(random);
    options.task().loss(network(streams, context).scores, target).backward();
    adam.step();
  }
};
Work step(const Size& size) {
  return [work = std::make_shared<Step>(size)] { (*work)(); };
}

Work rank_n_contrast_of(index_t n) {
  Random random(7);
  const Variable<float, 2> features(bench::normal<2>({n, 64}, random), true);
  return [=, labels = bench::normal<1>({n}, random)] {
    features.zero_grad();
    rank_n_contrast(features, labels, {.temperature = 2.0}).backward();
  };
}

/// Slope of a straight line through (log size, log of f(size, time)).
template <class F>
double exponent(const std::vector<index_t>& sizes, const std::vector<double>& ms, F&& f) {
  double x = 0, y = 0, xx = 0, xy = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const double a = std::log(double(sizes[i])), b = std::log(f(double(sizes[i]), ms[i]));
    x += a, y += b, xx += a * a, xy += a * b;
  }
  const double n = double(sizes.size());
  return (n * xy - x * y) / (n * xx - x * x);
}

/// The smallest time of each size, and what a straight line makes of them.
template <class F>
std::vector<double> table(const char* what, const std::vector<index_t>& sizes, double seconds, double (*clock)(),
                          F&& make) {
  constexpr int rounds = 3;
  std::vector<Work> works;
  for (const index_t size : sizes) works.push_back(make(size));
  std::vector<double> ms(sizes.size(), 1e300);
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (round == 0) works[i]();  // takes its memory
      ms[i] = std::min(ms[i], bench::smallest_ms(seconds / rounds, clock, works[i]));
    }
  std::printf("%-18s", what);
  for (std::size_t i = 0; i < sizes.size(); ++i)
    std::printf(" %5lld: %8.2f ms", static_cast<long long>(sizes[i]), ms[i]);
  std::printf("   exponent %.2f", exponent(sizes, ms, [](double, double time) { return time; }));
  return ms;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Cost against size, float, on the CPU.", "scaling");
  int thread_count = 2;
  double seconds = 1;
  app.add_option("--threads", thread_count, "threads of all but the last table; 0 = all cores")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--seconds", seconds, "time for each size")->check(CLI::PositiveNumber)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  set_threads(thread_count);
  std::printf("CorrKD's student, one step; batch 16, 50 frames, width 40, 3 modalities of 64 features; %d threads\n",
              threads());
  const auto plain = [&](const char* what, const std::vector<index_t>& sizes, auto&& make,
                         double (*clock)() = bench::cpu_ms) {
    table(what, sizes, seconds, clock, make);
    std::printf("\n");
    std::fflush(stdout);
  };
  plain("batch", {8, 16, 32, 64, 128}, [](index_t n) { return step({.batch = n}); });
  plain("frames", {25, 50, 100, 200}, [](index_t n) { return step({.frames = n}); });
  plain("width", {20, 40, 80, 160}, [](index_t n) { return step({.width = n}); });
  plain("modalities", {1, 2, 4, 8}, [](index_t n) { return step({.modalities = n}); });
  const std::vector<index_t> counts{256, 512, 1024, 2048};
  const std::vector<double> ms = table("rank-n-contrast, n", counts, seconds, bench::cpu_ms, rank_n_contrast_of);
  std::printf(", of time / log n %.2f\n", exponent(counts, ms, [](double n, double t) { return t / std::log(n); }));
  plain(
      "threads", {1, 2},
      [](index_t n) -> Work {
        return [n, work = step({.batch = 64})] {
          set_threads(int(n));
          work();
        };
      },
      bench::now_ms);
  return 0;
}
