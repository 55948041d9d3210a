// What a graph node costs by itself: a chain of a hundred additions of eight numbers on one thread, where the sums are
// next to nothing.
//
//   cmake --build build --target bench_nodes && build/benchmarks/nodes [--repeats N]
//
// Prints the smallest nanoseconds per operation, without recording and with its backward. Instructions per operation:
// the difference of two counts of `valgrind --tool=callgrind`, for repeats that differ, by what they differ in.

#include <CLI/CLI.hpp>

#include "lacuna/ops/elementwise.hpp"
#include "support/measure.hpp"

namespace {

using namespace lacuna;
constexpr int chain_length = 100;

Variable<float, 1> chain(const Variable<float, 1>& start, const Variable<float, 1>& step) {
  auto x = start;
  for (int i = 0; i < chain_length; ++i) x = x + step;
  return x;
}

template <class F>
double ns_per_operation(int repeats, F&& f) {
  double smallest = 1e300;
  for (int i = 0; i < repeats; ++i) {
    const double start = bench::now_ms();
    f();
    smallest = std::min(smallest, bench::now_ms() - start);
  }
  return 1e6 * smallest / chain_length;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The cost of a graph node.", "nodes");
  int repeats = 20000;
  bool forward = true, both = true;
  app.add_option("--repeats", repeats, "chains of which the quickest is shown")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("!--no-forward", forward, "leave out the chain without recording");
  app.add_flag("!--no-backward", both, "leave out the chain with its backward");
  CLI11_PARSE(app, argc, argv);
  set_threads(1);
  const Variable<float, 1> start(Tensor<float, 1>::full({8}, 1), true), step(Tensor<float, 1>::full({8}, 0.5f), true);
  if (forward)
    std::printf("without recording  %6.1f ns\n", ns_per_operation(repeats, [&] {
                  const NoGrad off;
                  chain(start, step);
                }));
  if (both)
    std::printf("with its backward  %6.1f ns\n", ns_per_operation(repeats, [&] {
                  sum(chain(start, step)).backward();
                  start.zero_grad();
                  step.zero_grad();
                }));
  return 0;
}
