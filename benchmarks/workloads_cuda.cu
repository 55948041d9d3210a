// One workload on the GPU, timed: what `benchmarks/compare --device cuda` runs beside the PyTorch peer. Needs nothing
// but the library, so that it can be built where CLI11 is not.
//
//   cmake --build build --target bench_workloads_cuda && build/benchmarks/workloads_cuda corrkd-step --seconds 4
//
// Every call is timed with a wait for the device at its end; its data are on the GPU and stay there. Prints one JSON
// object: workload, peer, device, median_ms, min_ms, reps, threads, peak_rss_mb like the peer, and
//   gpu               the GPU
//   queue_ms          the part of the median call in which the host was busy or made to wait, before the wait at the
//   end gflop, gflops     operations of one call that the mathematics needs, and per second at the median
//   device_memory_mb  what the pool holds of the GPU's memory, used and kept, once the workload is in its stride: peer
//                     torch.cuda.max_memory_reserved
//   device_used_mb    memory of the GPU that is taken, programs and libraries included
//   requests          blocks that the pool asked the driver for per call, once warm
//   checksum          as on the host (workloads.cpp), but for rounding

#include "lacuna/cuda.cuh"
#include "lacuna/version.hpp"
#include "support/arguments.hpp"
#include "support/measure.hpp"
#include "support/problems.hpp"

namespace {
lacuna::Precision precision_of(const std::string& name) {
  if (name == "full") return lacuna::Precision::full;
  if (name == "tf32") return lacuna::Precision::tf32;
  if (name == "bf16") return lacuna::Precision::bf16;
  throw lacuna::Error("LACUNA_BENCH_PRECISION is '" + name + "', expected full, tf32 or bf16");
}
}  // namespace

int main(int argc, char** argv) try {
  using lacuna::Cuda;
  const bench::Arguments o(argc, argv);
  const std::string gpu = Cuda::description();
  lacuna::set_threads(o.threads);
  bench::replaying() = std::getenv("LACUNA_BENCH_EAGER") == nullptr;  // set: every step is run, none replayed
  const char* const precision = std::getenv("LACUNA_BENCH_PRECISION");
  lacuna::set_matmul_precision(precision_of(precision == nullptr ? "full" : precision));
  auto workload = bench::make_workload<Cuda>(o.workload);
  if (!workload) {
    std::fprintf(stderr, "workloads_cuda: no workload '%s'\n", o.workload.c_str());
    return 1;
  }
  auto& pool = lacuna::detail::CudaPool::instance();
  std::size_t asked = 0;
  long long calls = -3;
  std::vector<double> queued;
  queued.reserve(1 << 20);
  const bench::Timing timing = bench::repeat(o.seconds, [&] {
    if (calls++ == 0) asked = pool.system_calls(), queued.clear();  // three calls warm up
    const double start = bench::now_ms();
    (*workload)();
    queued.push_back(bench::now_ms() - start);
    Cuda::synchronize();
  });
  const double requests = double(pool.system_calls() - asked) / double(calls);
  std::sort(queued.begin(), queued.end());
  const double checksum = workload->checksum(), gflop = workload->gflop;
  std::size_t free = 0, total = 0;
  lacuna::detail::expect_cuda("memory", cudaMemGetInfo(&free, &total));
  workload.reset();  // all blocks are then kept ones
  const double mb = 1.0 / (1 << 20);
  std::printf(
      "{\"workload\": \"%s\", \"peer\": \"lacuna %d.%d.%d\", \"device\": \"cuda\", \"gpu\": \"%s\", \"median_ms\": "
      "%.4f, \"min_ms\": %.4f, \"queue_ms\": %.4f, \"reps\": %zu, \"threads\": %d, \"peak_rss_mb\": %.1f, \"gflop\": "
      "%.4g, \"gflops\": %.2f, \"device_memory_mb\": %.1f, \"device_used_mb\": %.1f, \"requests\": %.2f, \"checksum\": "
      "%.6g}\n",
      o.workload.c_str(), LACUNA_VERSION_MAJOR, LACUNA_VERSION_MINOR, LACUNA_VERSION_PATCH, gpu.c_str(),
      timing.median_ms, timing.min_ms, queued[queued.size() / 2], timing.reps, lacuna::threads(), bench::peak_rss_mb(),
      gflop, gflop / (1e-3 * timing.median_ms), mb * double(pool.kept_bytes()), mb * double(total - free), requests,
      checksum);
} catch (const std::exception& why) {
  std::fprintf(stderr, "workloads_cuda: %s\n", why.what());
  return 1;
}
