// The threads of a block on the emulated device: what they share, where they meet, and what counts as a violation.
#include <doctest/doctest.h>

#include "cuda/emulated.hpp"

using namespace lacuna;
using namespace lacuna::test;

namespace {

struct Lanes {
  explicit Lanes(int lanes, bool reversed = false) { EmulatedRun::lanes = lanes, EmulatedRun::reversed = reversed; }
  ~Lanes() { EmulatedRun::lanes = 1, EmulatedRun::reversed = false; }
};

/// Violations that f adds.
template <class F>
int violations_of(F f) {
  const int before = Emulated::violations();
  f();
  const int added = Emulated::violations() - before;
  Arena::instance().violations = before;
  return added;
}

}  // namespace

TEST_CASE("blocks: threads hand numbers to each other, whatever their order") {
  for (const int lanes : {1, 32})
    for (const bool reversed : {false, true}) {
      const Lanes set(lanes, reversed);
      std::vector<int> sums(3);
      int* const to = sums.data();
      CHECK(violations_of([=] {
              EmulatedRun::blocks<128>("turn", 3, 100 * sizeof(int), [=](index_t i, EmulatedBlock block) {
                int* const shared = block.memory<int>();
                for (int k = block.thread(); k < 100; k += block.threads()) shared[k] = int(i) + k;
                block.sync();
                int turned[100] = {}, count = 0;
                for (int k = block.thread(); k < 100; k += block.threads()) turned[count++] = shared[99 - k] * (k + 1);
                block.sync();
                for (int k = block.thread(); k < 100; k += block.threads()) shared[k] = turned[k / block.threads()];
                block.sync();
                if (block.thread() > 0) return;
                to[i] = 0;
                for (int k = 0; k < 100; ++k) to[i] += shared[k];
              });
            }) == 0);
      for (int i = 0; i < 3; ++i) {
        int expected = 0;
        for (int k = 0; k < 100; ++k) expected += (i + 99 - k) * (k + 1);
        CHECK(sums[std::size_t(i)] == expected);
      }
    }
}

TEST_CASE("blocks: between syncs a team does what the other does not") {
  for (const bool reversed : {false, true}) {
    const Lanes set(32, reversed);
    int found[2] = {};
    int* const to = found;
    CHECK(violations_of([=] {
            EmulatedRun::blocks<64>("part", 1, 2 * sizeof(int), [=](index_t, EmulatedBlock block) {
              const auto team = block.team();
              int number = team.lane();
              for (int k = 0; k < 1 + 3 * block.team_number(); ++k) number = team.sum(number);
              if (block.team_number() == 1) number = team.largest(number + team.lane());
              if (team.lane() == 0) block.memory<int>()[block.team_number()] = number;
              block.sync();
              if (block.thread() < 2) to[block.thread()] = block.memory<int>()[block.thread()];
            });
          }) == 0);
    CHECK(found[0] == 496);
    CHECK(found[1] == 496 * 32 * 32 * 32 + 31);
  }
}

TEST_CASE("teams: many sums at once, each given to one lane") {
  for (const int lanes : {1, 32}) {
    const Lanes set(lanes);
    std::vector<int> found(13), calls(13);
    int *const to = found.data(), *const count = calls.data();
    CHECK(violations_of([=] {
            EmulatedRun::rows("sums", 1, [=](index_t, EmulatedTeam team) {
              int four[4], eight[8], one[1];
              for (int k = 0; k < 4; ++k) four[k] = k * 100 + team.lane();
              for (int k = 0; k < 8; ++k) eight[k] = k + team.lane() * k;
              one[0] = 1;
              team.sums(four, [=](int k, int total) { to[k] = total, ++count[k]; });
              team.sums(eight, [=](int k, int total) { to[4 + k] = total, ++count[4 + k]; });
              team.sums(one, [=](int k, int total) { to[12 + k] = total, ++count[12 + k]; });
            });
          }) == 0);
    const int rest = lanes == 32 ? 496 : 0;
    for (int k = 0; k < 4; ++k) CHECK(found[std::size_t(k)] == k * 100 * lanes + rest);
    for (int k = 0; k < 8; ++k) CHECK(found[std::size_t(4 + k)] == k * lanes + k * rest);
    CHECK(found[12] == lanes);
    for (const int n : calls) CHECK(n == 1);
  }
}

TEST_CASE("blocks: memory is fresh for every row, and has borders") {
  for (const int lanes : {1, 32}) {
    const Lanes set(lanes);
    bool fresh[2] = {};
    bool* const to = fresh;
    CHECK(violations_of([=] {
            EmulatedRun::blocks<64>("fresh", 2, sizeof(double), [=](index_t i, EmulatedBlock block) {
              if (block.thread() > 0) return;
              to[i] = std::isnan(*block.memory<double>());
              *block.memory<double>() = 1;
            });
          }) == 0);
    CHECK(fresh[0]);
    CHECK(fresh[1]);
    CHECK(violations_of([] {
            EmulatedRun::blocks<64>("behind", 1, 8, [](index_t, EmulatedBlock block) {
              if (block.thread() == 0) block.memory<float>()[2] = 1;
            });
          }) == 1);
    CHECK(violations_of([] {
            EmulatedRun::blocks<64>("before", 1, 8, [](index_t, EmulatedBlock block) {
              if (block.thread() == 0) block.memory<float>()[-1] = 1;
            });
          }) == 1);
    CHECK(violations_of([] {
            EmulatedRun::blocks<64>("too much", 1, EmulatedRun::most_shared() + 1, [](index_t, EmulatedBlock) {});
          }) == 1);
  }
}

TEST_CASE("blocks: a sync that a thread leaves out, or calls that differ, are violations") {
  const Lanes set(32);
  CHECK(violations_of([] {
          EmulatedRun::blocks<64>("left out", 1, 0, [](index_t, EmulatedBlock block) {
            if (block.thread() != 40) block.sync();
          });
        }) > 0);
  CHECK(violations_of([] {
          EmulatedRun::blocks<64>("other calls", 1, 0, [](index_t, EmulatedBlock block) {
            if (block.team().lane() < 5)
              block.team().sum(1);
            else
              block.team().largest(1);
          });
        }) > 0);
  // the threads that waited in vain do not disturb the next block
  int sum = 0;
  int* const to = &sum;
  CHECK(violations_of([=] {
          EmulatedRun::blocks<64>("after", 1, 0, [=](index_t, EmulatedBlock block) {
            const int total = block.team().sum(block.thread());
            if (block.thread() == 32) *to = total;
            block.sync();
          });
        }) == 0);
  CHECK(sum == 496 + 32 * 32);
}
