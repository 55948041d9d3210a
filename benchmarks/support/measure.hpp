/// What the benchmarks share: repeated timing, the measured rate of a matrix product, peak memory, one line of JSON.
#pragma once

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "lacuna/core/random.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace bench {

using lacuna::index_t;

inline double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Timing {
  double median_ms = 0, min_ms = 0;
  std::size_t reps = 0;
};

/// Three calls to warm up, then calls for `seconds`, at least five.
template <class F>
Timing repeat(double seconds, F&& f) {
  for (int i = 0; i < 3; ++i) f();
  std::vector<double> times;
  times.reserve(1 << 20);  // no allocation of ours between the steps
  const double end = now_ms() + 1e3 * seconds;
  while (times.size() < 5 || (now_ms() < end && times.size() < times.capacity())) {
    const double start = now_ms();
    f();
    times.push_back(now_ms() - start);
  }
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[0], times.size()};
}

/// GFLOP/s of a float product of 1024 x 1024 x 1024 on the threads in use, the best of `repeats`: what the workloads'
/// rates are divided by. The peak of this library's own entry point, hence of its BLAS where there is one.
inline double sgemm_rate(int repeats = 6) {
  constexpr index_t n = 1024;
  std::vector<float> a(std::size_t(n * n)), b(a), c(a);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = b[i] = float(i % 97) / 97.0f - 0.5f;
  double best = 1e300;
  for (int i = 0; i < repeats; ++i) {
    const double start = now_ms();
    lacuna::Kernels<lacuna::Cpu>::Gemm::gemm<float>(n, n, n, {a.data(), n}, {b.data(), n}, 0.0f, c.data(), n);
    best = std::min(best, now_ms() - start);
  }
  return 2e-6 * double(n) * double(n) * double(n) / best;
}

/// Processor time of all threads so far: what a loaded machine leaves comparable.
inline double cpu_ms() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return 1e3 * double(spent.tv_sec) + 1e-6 * double(spent.tv_nsec);
}

/// The smallest of at least three calls in about `seconds`, by a clock: now_ms, or cpu_ms, which other programs on the
/// same cores disturb less.
template <class F>
double smallest_ms(double seconds, double (*clock)(), F&& f) {
  double smallest = 1e300;
  const double end = now_ms() + 1e3 * seconds;
  for (int calls = 0; calls < 3 || now_ms() < end; ++calls) {
    const double start = clock();
    f();
    smallest = std::min(smallest, clock() - start);
  }
  return smallest;
}

inline double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) / 1024;
}

}  // namespace bench
