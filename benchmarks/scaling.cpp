// How the cost grows: time of a training step against batch, length, width, number of modalities and threads, and of
// Rank-N-Contrast against the number of vectors, each with the exponent that a straight line through log(time) over
// log(size) has.
//
//   cmake --build build --target bench_scaling && build/benchmarks/scaling [--threads N] [--seconds S]
//
// A step is CorrKD's student without distillation: encoders, dropout, task loss, backward, Adam. Smallest times of each
// size are taken: other programs can only make them longer.

#include <CLI/CLI.hpp>
#include <cmath>

#include "support/measure.hpp"
#include "support/problems.hpp"

namespace {

using namespace lacuna;

struct Size {
  index_t batch = 16, frames = 50, width = 40, modalities = 3;
};

double step_ms(const Size& size, double seconds) {
  Random random(7);
  models::CorrkdOptions options;
  options.network = {
      .inputs = std::vector<index_t>(std::size_t(size.modalities), 64), .width = size.width, .heads = 4, .depth = 2};
  options.network.outputs = options.outputs();
  models::CorrkdNetwork<float> network(options.network, random);
  const Packed<float> packed = pack<float>(network);
  Adam<float> adam(packed);
  std::vector<data::Stream<float>> streams;
  for (index_t m = 0; m < size.modalities; ++m)
    streams.push_back(bench::stream(size.batch, size.frames, 64, 1, random));
  models::CorrkdTarget<float> target;
  for (index_t i = 0; i < size.batch; ++i) target.classes.push_back(random.below(2));
  return bench::repeat(
             seconds,
             [&] {
               packed.zero_grad();
               const Context context = Context::train(random);
               models::corrkd_task_loss(options, network(streams, context).scores, target, Mask<1>{}).backward();
               adam.step(1e-3);
             })
      .min_ms;
}

double rnc_ms(index_t n, double seconds) {
  Random random(7);
  const Variable<float, 2> features(bench::normal<2>({n, 64}, random), true);
  const auto labels = bench::normal<1>({n}, random);
  return bench::repeat(seconds,
                       [&] {
                         features.zero_grad();
                         rank_n_contrast(features, labels, {.temperature = 2.0}).backward();
                       })
      .min_ms;
}

/// One table: the sizes, their times, the slope of log(time) over log(size).
template <class F>
void table(const char* what, const std::vector<index_t>& sizes, F&& f) {
  std::printf("%-22s", what);
  double x = 0, y = 0, xx = 0, xy = 0;
  for (const index_t size : sizes) {
    const double ms = f(size), a = std::log(double(size)), b = std::log(ms);
    x += a, y += b, xx += a * a, xy += a * b;
    std::printf(" %6lld: %8.2f ms", static_cast<long long>(size), ms);
    std::fflush(stdout);
  }
  const double n = double(sizes.size());
  std::printf("   exponent %.2f\n", (n * xy - x * y) / (n * xx - x * x));
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
  table("batch", {4, 8, 16, 32, 64}, [&](index_t n) { return step_ms({.batch = n}, seconds); });
  table("frames", {25, 50, 100, 200}, [&](index_t n) { return step_ms({.frames = n}, seconds); });
  table("width", {20, 40, 80, 160}, [&](index_t n) { return step_ms({.width = n}, seconds); });
  table("modalities", {1, 2, 4, 8}, [&](index_t n) { return step_ms({.modalities = n}, seconds); });
  table("rank-n-contrast, n", {128, 256, 512, 1024}, [&](index_t n) { return rnc_ms(n, seconds); });
  table("threads", {1, 2}, [&](index_t n) {
    set_threads(int(n));
    return step_ms({}, seconds);
  });
}
