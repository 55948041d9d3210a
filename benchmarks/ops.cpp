// Times every operation of the table in tests/ops.hpp on its large cases: forward alone, and forward with backward.
//
//   cmake --build build --target bench_ops && build/benchmarks/ops [--threads N] [--repeats N] [NAME ...]
//
// Times on a shared machine are noisy: the median of the repeats is shown; compare rows within one run only.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "ops.hpp"

namespace {

using namespace lacuna;

/// Median of the milliseconds that f() takes.
template <class F>
double median_ms(int repeats, F&& f) {
  std::vector<double> times;
  f();
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + repeats / 2, times.end());
  return times[std::size_t(repeats / 2)];
}

template <class Row>
void time_row(const std::vector<std::string>& wanted, int repeats) {
  if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), Row::name) == wanted.end()) return;
  for (const test::Case& problem : Row::large()) {
    const test::Inputs<float> in(problem);
    const double forward = median_ms(repeats, [&] {
      const NoGrad off;
      Row::build(in);
    });
    const double both = median_ms(repeats, [&] {
      in.zero_grad();
      const auto total = test::objective<Row>(in);
      if (total.requires_grad()) total.backward();
    });
    std::printf("%-28s %-24s %10.3f %10.3f\n", Row::name, problem.name.c_str(), forward, both);
  }
}

template <class... Row>
void time_all(test::Rows<Row...>, const std::vector<std::string>& wanted, int repeats) {
  (time_row<Row>(wanted, repeats), ...);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Times every operation, float, on the CPU.", "ops");
  std::vector<std::string> wanted;
  int thread_count = 0, repeats = 11;
  app.add_option("operations", wanted, "names of the operations; all without one");
  app.add_option("--threads", thread_count, "threads; 0 = all cores")->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--repeats", repeats, "runs of which the median is shown")->check(CLI::PositiveNumber)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  set_threads(thread_count);
  std::printf("%-28s %-24s %10s %10s   ms, %d threads\n", "operation", "case", "forward", "with back", threads());
  time_all(test::Operations{}, wanted, repeats);
}
