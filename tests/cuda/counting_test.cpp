// What a training step asks of a GPU, counted without one: the steps of benchmarks/support/problems.hpp with all their
// modalities, layers, heads and losses, over few and narrow numbers. LACUNA_COUNTS=1 in the environment prints the
// launches by name.
//
// The bounds are the counts of today: who adds a launch to a step sees it here, who saves some lowers the bound.
#include "cuda/counting.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "../benchmarks/support/problems.hpp"

namespace {

using namespace lacuna;
using test::Counting;
using test::Counts;

struct CountBounds {
  int launches, copies, from_host, to_host, unaligned;
};

void print_counts(const char* what, const Counts& counts) {
  std::printf("%s: %d launches (%d products), %d copies, %d from the host, %d to the host, %d products not aligned\n",
              what, counts.launched, counts.products, counts.copies, counts.from_host, counts.to_host,
              counts.unaligned);
  std::vector<std::pair<int, std::string>> list;
  for (const auto& [name, count] : counts.launches) list.emplace_back(count, name);
  std::sort(list.rbegin(), list.rend());
  for (const auto& [count, name] : list) std::printf("  %5d %s\n", count, name.c_str());
}

/// The second step and the third: the same counts, no more than the bounds, and no memory.
void check_counts(const char* what, bench::Workload& step, const CountBounds& most, bool replayed = false) {
  test::EmulatedRun::lanes = 1;
  bench::replaying() = replayed;
  Counts& now = Counts::now();
  step();
  now = {};
  step();
  const Counts second = now;
  now = {};
  const std::size_t asked = test::CountedPool::instance().system_calls();
  step();
  if (std::getenv("LACUNA_COUNTS") != nullptr) print_counts(what, now);
  CHECK(now.launches == second.launches);
  CHECK(test::CountedPool::instance().system_calls() == asked);
  CHECK(now.launched <= most.launches);
  CHECK(now.copies <= most.copies);
  CHECK(now.from_host <= most.from_host);
  CHECK(now.to_host <= most.to_host);
  CHECK(now.unaligned - now.forbidden <= most.unaligned);
  CHECK(std::isfinite(step.checksum()));
}

using CorrkdStep = bench::CorrkdStep<Counting>;
using SdumcStep = bench::SdumcStep<Counting>;
const bench::CorrkdSize small_corrkd{.batch = 8, .frames = 6, .features = {30, 14, 7}};
const bench::SdumcSize small_sdumc{
    .batch = 4, .frames = {10, 4, 6}, .features = {24, 40, 16}, .width = 32, .fused = 16};

}  // namespace

TEST_CASE("counts: a step of CorrKD") {
  CorrkdStep step(small_corrkd);
  check_counts("CorrKD", step, {.launches = 307, .copies = 10, .from_host = 0, .to_host = 0, .unaligned = 0});
}
TEST_CASE("counts: a step of SDUMC") {
  SdumcStep step(false, Rows::automatic, small_sdumc);
  check_counts("SDUMC", step, {.launches = 569, .copies = 6, .from_host = 0, .to_host = 0, .unaligned = 0});
}
TEST_CASE("counts: a replayed step is one launch and that of the optimizer") {
  CorrkdStep corrkd(small_corrkd);
  check_counts("CorrKD, replayed", corrkd, {.launches = 2, .copies = 0, .from_host = 1, .to_host = 0, .unaligned = 0},
               true);
  SdumcStep sdumc(false, Rows::automatic, small_sdumc);
  check_counts("SDUMC, replayed", sdumc, {.launches = 2, .copies = 0, .from_host = 1, .to_host = 0, .unaligned = 0},
               true);
}
