// What one call of a workload asks of the GPU, and where its time goes: one line per name of a launch.
//
//   cmake --build build --target bench_profile_cuda && build/benchmarks/profile_cuda corrkd-step
//
// The first lines are counts. The table holds, per name, launches of one call, their time on the GPU in all and each,
// and the share. Time is between two events around each launch; a kernel that only waits goes before the first of them,
// so that all three are queued before the launch begins and the host's time is not in the figure. Two events with
// nothing between them are measured too, and taken off. Work that follows other work overlaps with its end otherwise:
// the sum is an upper bound of the GPU's part of a call, which workloads_cuda times as a whole. A copy to the host
// holds the host up: its time is that of the whole wait.

#include <map>

#include "lacuna/cuda.cuh"
#include "support/arguments.hpp"
#include "support/measure.hpp"
#include "support/problems.hpp"
#include "support/watched.hpp"

namespace bench {

using lacuna::detail::expect_cuda;

/// Holds the GPU for about that long.
__global__ void hold(long long cycles) {
  const long long start = clock64();
  while (clock64() - start < cycles) {
  }
}

struct Profile {
  struct Row {
    int count = 0;
    double ms = 0;
  };
  struct Pair {
    std::string name;
    cudaEvent_t first, second;
  };
  static inline bool timed = false;
  static inline int count[5] = {};
  static inline std::vector<Pair> open;

  static void begins(Asked, const char* name) {
    if (!timed) return;
    Pair pair{name, nullptr, nullptr};
    expect_cuda("profile", cudaEventCreate(&pair.first));
    expect_cuda("profile", cudaEventCreate(&pair.second));
    hold<<<1, 1, 0, lacuna::Cuda::stream()>>>(40000);  // about 20 microseconds
    expect_cuda("profile", cudaEventRecord(pair.first, lacuna::Cuda::stream()));
    open.push_back(pair);
  }
  static void ends(Asked what, const char* name) {
    if (timed) expect_cuda("profile", cudaEventRecord(open.back().second, lacuna::Cuda::stream()));
    if (name == nullptr) {  // was refused
      if (timed) open.back().name = "refused product";
      return;
    }
    ++count[int(what)];
  }
  /// Adds what came since the last call of this, by name.
  static void take(std::map<std::string, Row>& rows) {
    expect_cuda("profile", cudaDeviceSynchronize());
    for (const Pair& pair : open) {
      float ms = 0;
      expect_cuda("profile", cudaEventElapsedTime(&ms, pair.first, pair.second));
      Row& row = rows[pair.name];
      ++row.count;
      row.ms += double(ms);
      cudaEventDestroy(pair.first);
      cudaEventDestroy(pair.second);
    }
    open.clear();
  }
};

struct Watched : WatchedDevice<lacuna::Cuda, Profile> {};
struct ProfiledRun : WatchedRun<lacuna::cuda::CudaRun, Watched, Profile> {};

}  // namespace bench

template <>
struct lacuna::Kernels<bench::Watched> : lacuna::cuda::KernelsOn<bench::ProfiledRun> {};

namespace bench {

/// --seconds: how many calls are averaged, ten per second.
int profile(int argc, char** argv) {
  const Arguments o(argc, argv);
  std::puts(lacuna::Cuda::description().c_str());
  lacuna::set_threads(o.threads);
  auto workload = make_workload<Watched>(o.workload);
  if (!workload) {
    std::fprintf(stderr, "profile_cuda: no workload '%s'\n", o.workload.c_str());
    return 1;
  }
  for (int i = 0; i < 3; ++i) (*workload)();
  std::fill_n(Profile::count, 5, 0);
  auto& pool = lacuna::detail::CudaPool::instance();
  const std::size_t asked = pool.system_calls();
  (*workload)();
  std::printf(
      "%s: %d launches, of which %d products; %d copies, %d from the host, %d to the host (waits), %zu requests\n",
      o.workload.c_str(), Profile::count[0] + Profile::count[1], Profile::count[1], Profile::count[2],
      Profile::count[3], Profile::count[4], pool.system_calls() - asked);

  Profile::timed = true;
  for (int i = 0; i < 200; ++i) Profile::begins(Asked::launch, "nothing"), Profile::ends(Asked::launch, "nothing");
  std::map<std::string, Profile::Row> empty, rows;
  Profile::take(empty);
  const double nothing = empty["nothing"].ms / 200;
  const int calls = std::max(1, int(10 * o.seconds));
  for (int i = 0; i < calls; ++i) {
    (*workload)();
    Profile::take(rows);
  }
  double total = 0;
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [name, row] : rows) {
    const double ms = std::max(0.0, row.ms - nothing * row.count) / calls;
    total += ms;
    order.emplace_back(ms, name);
  }
  std::sort(order.rbegin(), order.rend());
  std::printf("%.3f ms of the GPU in one call, the mean of %d; an empty pair of events takes %.2f us\n", total, calls,
              1e3 * nothing);
  std::printf("%-28s %8s %9s %9s %7s\n", "name", "launches", "ms", "us each", "share");
  for (const auto& [ms, name] : order) {
    const double launches = double(rows.at(name).count) / calls;
    std::printf("%-28s %8.0f %9.4f %9.2f %6.1f%%\n", name.c_str(), launches, ms, 1e3 * ms / launches, 100 * ms / total);
  }
  return 0;
}

}  // namespace bench

int main(int argc, char** argv) try { return bench::profile(argc, argv); } catch (const std::exception& why) {
  std::fprintf(stderr, "profile_cuda: %s\n", why.what());
  return 1;
}
