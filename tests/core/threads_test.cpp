#include "lacuna/core/threads.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <vector>

using namespace lacuna;

namespace {

/// The chunks that were called, in order of their begin; fails when one overlaps another or one is missing.
std::vector<std::pair<index_t, index_t>> chunks(index_t count, index_t grain) {
  std::vector<std::atomic<int>> visits(std::size_t(std::max<index_t>(count, 0)));
  std::vector<std::atomic<index_t>> ends(visits.size());
  parallel_for(count, grain, [&](index_t begin, index_t end) {
    ends[std::size_t(begin)] = end;
    for (index_t i = begin; i < end; ++i) ++visits[std::size_t(i)];
  });
  for (const auto& visit : visits) CHECK(visit == 1);
  std::vector<std::pair<index_t, index_t>> list;
  for (std::size_t i = 0; i < ends.size(); ++i)
    if (ends[i] > 0) list.push_back({index_t(i), ends[i]});
  return list;
}

}  // namespace

TEST_CASE("threads: chunks cover everything once, and do not depend on the number of threads") {
  using List = std::vector<std::pair<index_t, index_t>>;
  for (const int count : {1, 2, 3, 8}) {
    set_threads(count);
    CHECK(chunks(10, 4) == List{{0, 4}, {4, 8}, {8, 10}});
    CHECK(chunks(8, 4) == List{{0, 4}, {4, 8}});
    CHECK(chunks(3, 100) == List{{0, 3}});
    CHECK(chunks(2, 0) == List{{0, 1}, {1, 2}});
    CHECK(chunks(0, 4).empty());
    CHECK(chunks(-1, 4).empty());
  }
  set_threads(0);
}

TEST_CASE("threads: the team is as large as asked for, a call inside it does not nest") {
#ifdef _OPENMP
  set_threads(3);
  CHECK(threads() == 3);
  std::atomic<int> team{0}, inner{0};
  parallel_for(12, 1, [&](index_t, index_t) {
    team = omp_get_num_threads();
    const int self = omp_get_thread_num();
    parallel_for(4, 1, [&](index_t, index_t) {
      if (omp_get_thread_num() != self || omp_get_num_threads() != 3) ++inner;
    });
  });
  CHECK(team == 3);
  CHECK(inner == 0);
  // the same threads where there are fewer chunks, and none where there is one
  parallel_for(2, 1, [&](index_t, index_t) { team = omp_get_num_threads(); });
  CHECK(team == 3);
  parallel_for(1, 1, [&](index_t, index_t) { team = omp_get_num_threads(); });
  CHECK(team == 1);
#endif
  set_threads(0);
  CHECK(threads() >= 1);
  CHECK_THROWS_AS(set_threads(-1), OptionError);
}

TEST_CASE("threads: sums have the same bits with any number of threads") {
  // terms of very different sizes: another order of addition gives other bits
  const auto term = [](index_t i) { return std::sin(double(i)) * std::pow(10.0, double(i % 17)); };
  const auto run = [&] {
    return parallel_sum(100000, 1000, [&](index_t begin, index_t end) {
      double sum = 0;
      for (index_t i = begin; i < end; ++i) sum += term(i);
      return sum;
    });
  };
  set_threads(1);
  const double one = run();
  double backwards = 0;
  for (index_t i = 99999; i >= 0; --i) backwards += term(i);
  CHECK(backwards != one);  // the order does matter
  CHECK(backwards == doctest::Approx(one));
  for (const int count : {2, 3, 8}) {
    set_threads(count);
    for (int again = 0; again < 20; ++again) CHECK(run() == one);
  }
  set_threads(0);
  CHECK(parallel_sum(0, 10, [](index_t, index_t) { return 1.0; }) == 0.0);
}

TEST_CASE("threads: an exception reaches the caller") {
  for (const int count : {1, 3}) {
    set_threads(count);
    const auto run = [] {
      parallel_for(12, 1, [](index_t begin, index_t) {
        if (begin == 7) throw Error("chunk 7");
      });
    };
    CHECK_THROWS_WITH_AS(run(), "chunk 7", Error);
    CHECK(chunks(10, 4).size() == 3);  // and the threads work on
  }
  set_threads(0);
}
