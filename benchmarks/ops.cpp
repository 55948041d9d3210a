// Times every operation of the table in tests/ops.hpp on its large cases: forward alone, and forward with backward.
//
//   cmake --build build --target bench_ops && build/benchmarks/ops [--threads N] [--repeats N] [NAME ...]
//
// The backward is that of the sum of all results. The smallest of the repeats is shown: other programs can only make
// times longer.

#include "ops.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>

namespace {

using namespace lacuna;

/// The shortest of the calls of f, in milliseconds, after one that warms up.
template <class F>
double smallest_ms(int repeats, F&& f) {
  double smallest = 1e300;
  f();
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    const auto end = std::chrono::steady_clock::now();
    smallest = std::min(smallest, std::chrono::duration<double, std::milli>(end - start).count());
  }
  return smallest;
}

template <class Row>
void time_row(const std::vector<std::string>& wanted, int repeats) {
  if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), Row::name) == wanted.end()) return;
  for (const test::Case& problem : Row::large()) {
    const test::Inputs<float> in(problem);
    const double forward = smallest_ms(repeats, [&] {
      const NoGrad off;
      Row::build(in);
    });
    const double both = smallest_ms(repeats, [&] {
      in.zero_grad();
      Variable<float, 0> total;
      for (const auto& output : Row::build(in)) total = total.defined() ? total + sum(output) : sum(output);
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
  app.add_option("--threads", thread_count, "threads; 0 = all cores")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--repeats", repeats, "runs of which the shortest is shown")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  set_threads(thread_count);
  std::printf("%-28s %-24s %10s %10s   ms, %d threads\n", "operation", "case", "forward", "with back", threads());
  time_all(test::Operations{}, wanted, repeats);
  return 0;
}
