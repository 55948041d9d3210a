// One workload, timed: what benchmarks/compare runs beside the PyTorch peer.
//
//   cmake --build build --target bench_workloads && build/benchmarks/workloads corrkd-step --threads 2
//
// Prints one JSON object: workload, peer, device, median_ms, min_ms, reps, threads, peak_rss_mb like the peer, and
//   cpu_ms            mean processor time of a call, all threads together
//   gflop             operations of one call that the mathematics needs
//   gflops            the same per second, at the median
//   sgemm_gflops      a product of 1024 x 1024 x 1024 on these threads, measured in this run
//   sgemm_fraction    gflops / sgemm_gflops
//   allocations       calls of malloc and its relatives per step, once warm
//   gemm              which library multiplies
//   checksum          a number that depends on the work, the same on every machine but for rounding

#include <CLI/CLI.hpp>

#include "lacuna/version.hpp"
#include "support/measure.hpp"
#include "support/mult.hpp"
#include "support/problems.hpp"
//
#include "support/count_allocations.hpp"

int main(int argc, char** argv) {
  CLI::App app("Times one workload, float, on the CPU.", "workloads");
  std::string name;
  int thread_count = 2;
  double seconds = 10;
  app.add_option(
         "workload", name,
         "corrkd-step, corrkd-infer, sdumc-step, sdumc-infer, rnc or mult-step; over mixed lengths corrkd-mixed,\n"
         "corrkd-mixed-infer and sdumc-mixed, each also with -padded at its end: padding computed")
      ->required();
  app.add_option("--threads", thread_count, "threads; 0 = all cores")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--seconds", seconds, "time to measure for; at least five calls")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  lacuna::set_threads(thread_count);

  const auto workload = name == "mult-step" ? std::unique_ptr<bench::Workload>(std::make_unique<bench::MultStep>())
                                            : bench::make_workload(name);
  if (!workload) {
    std::fprintf(stderr, "workloads: no workload '%s'\n", name.c_str());
    return 1;
  }
  long long before = 0, calls = -3;
  double cpu = 0;
  const bench::Timing timing = bench::repeat(seconds, [&] {
    if (calls++ == 0) before = bench::allocations(), cpu = bench::cpu_ms();  // three calls warm up
    (*workload)();
  });
  const double allocations = double(bench::allocations() - before) / double(calls);
  cpu = (bench::cpu_ms() - cpu) / double(calls);
  const double peak = bench::peak_rss_mb();  // before the product below adds its own
  const double rate = workload->gflop / (1e-3 * timing.median_ms), sgemm = bench::sgemm_rate();
  std::printf(
      "{\"workload\": \"%s\", \"peer\": \"lacuna %d.%d.%d\", \"device\": \"cpu\", \"median_ms\": %.4f, \"min_ms\": "
      "%.4f, "
      "\"cpu_ms\": %.4f, "
      "\"reps\": %zu, \"threads\": %d, \"peak_rss_mb\": %.1f, \"gflop\": %.4g, \"gflops\": %.2f, \"sgemm_gflops\": "
      "%.1f, "
      "\"sgemm_fraction\": %.3f, \"allocations\": %.1f, \"gemm\": \"%s\", \"checksum\": %.6g}\n",
      name.c_str(), LACUNA_VERSION_MAJOR, LACUNA_VERSION_MINOR, LACUNA_VERSION_PATCH, timing.median_ms, timing.min_ms,
      cpu, timing.reps, lacuna::threads(), peak, workload->gflop, rate, sgemm, rate / sgemm, allocations,
      lacuna::cpu::Blas::name(), workload->checksum());
  return 0;
}
