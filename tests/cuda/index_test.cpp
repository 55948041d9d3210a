// Which thread does what: every piece of work is done exactly once, whatever the sizes.
#include "lacuna/kernels/cuda/index.cuh"

#include <doctest/doctest.h>

#include "emulated.hpp"
#include "lacuna/kernels/cuda/attention.cuh"
#include "lacuna/kernels/cuda/conv1d.cuh"

using namespace lacuna;
using namespace lacuna::cuda;

namespace {

/// How often each of n pieces is taken by the threads of a grid; rows count once per warp.
std::vector<int> taken(index_t n, index_t blocks, bool rows) {
  std::vector<int> times(std::size_t(n), 0);
  for (index_t block = 0; block < blocks; ++block)
    for (int thread = 0; thread < block_threads; thread += rows ? warp_lanes : 1) {
      const Stride own = rows ? rows_of(block, blocks, thread) : elements_of(block, blocks, thread);
      if (rows)
        for (int lane = 1; lane < warp_lanes; ++lane)
          CHECK(rows_of(block, blocks, thread + lane).first == own.first);  // a warp works on one row
      for (index_t i = own.first; i < n; i += own.step) ++times[std::size_t(i)];
    }
  return times;
}
bool once(const std::vector<int>& times) {
  return std::all_of(times.begin(), times.end(), [](int count) { return count == 1; });
}

}  // namespace

TEST_CASE("launch: every element and every row once") {
  for (const index_t n : {1, 2, 31, 32, 33, 255, 256, 257, 1000, 4096, 70001}) {
    CAPTURE(n);
    CHECK(once(taken(n, blocks_for(n, block_threads), false)));
    CHECK(once(taken(std::min<index_t>(n, 5000), blocks_for(std::min<index_t>(n, 5000), warps_per_block), true)));
    CHECK(once(taken(n, 3, false)));  // a grid that is too small goes round
    CHECK(once(taken(std::min<index_t>(n, 300), 2, true)));
  }
}
TEST_CASE("launch: grids stay within what a device takes, far beyond 32 bits") {
  CHECK(blocks_for(1, 256) == 1);
  CHECK(blocks_for(256, 256) == 1);
  CHECK(blocks_for(257, 256) == 2);
  CHECK(blocks_for(index_t(1) << 50, 256) == most_blocks);
  const Stride last = elements_of(most_blocks - 1, most_blocks, block_threads - 1);
  CHECK(last.first == last.step - 1);
}
TEST_CASE("pieces of a reduction cover everything once, and depend on the size alone") {
  for (const index_t n : {0, 1, 63, 64, 65, 2047, 2048, 2049, 100000, 5000000})
    for (const auto& [least, most] : {std::pair<index_t, index_t>{64, 64}, {2048, 1024}, {1, 7}}) {
      const Pieces cut = pieces_of(n, least, most);
      CAPTURE(n);
      CHECK(cut.pieces >= 1);
      CHECK(cut.pieces <= most);
      index_t at = 0;
      for (index_t p = 0; p < cut.pieces; ++p) {
        CHECK(cut.begin(p) == at);
        CHECK((n == 0 || cut.end(p) > cut.begin(p)));
        at = cut.end(p);
      }
      CHECK(at == n);
    }
}
TEST_CASE("runs along a middle axis touch every number once") {
  for (const index_t outer : {1, 3})
    for (const index_t n : {1, 5})
      for (const index_t inner : {1, 4}) {
        std::vector<int> times(std::size_t(outer * n * inner), 0);
        for (index_t run = 0; run < outer * inner; ++run)
          for (index_t j = 0; j < n; ++j) ++times.at(std::size_t(run_start(run, n, inner) + j * inner));
        CHECK(once(times));
      }
}
TEST_CASE("attention: heads touch every number of query, key, value and output once, plain and packed") {
  for (const bool packed : {false, true}) {
    AttentionSizes s{};
    s.batch = 3, s.queries = 5, s.keys = 4, s.heads = 2, s.key_size = 3, s.value_size = 7;
    s.query_stride = s.key_stride = packed ? 13 : 6;
    s.value_stride = packed ? 20 : 14;
    const auto count = [&](index_t rows, index_t width, index_t frame, auto place) {
      std::vector<int> times(std::size_t(s.batch * rows * frame), 0);
      for (index_t head = 0; head < s.batch * s.heads; ++head)
        for (index_t i = 0; i < rows; ++i)
          for (index_t c = 0; c < width; ++c) ++times.at(std::size_t(place(HeadView::of(s, head), i) + c));
      index_t touched = 0;
      for (const int time : times) touched += time;
      CHECK(touched == s.batch * rows * s.heads * width);
      for (std::size_t at = 0; at < times.size(); ++at)
        CHECK(times[at] == (index_t(at) % frame < s.heads * width ? 1 : 0));
    };
    count(s.queries, s.key_size, s.query_stride, [&](HeadView v, index_t i) { return v.query(s, i); });
    count(s.keys, s.key_size, s.key_stride, [&](HeadView v, index_t j) { return v.key(s, j); });
    count(s.keys, s.value_size, s.value_stride, [&](HeadView v, index_t j) { return v.value(s, j); });
    count(s.queries, s.value_size, s.heads * s.value_size, [&](HeadView v, index_t i) { return v.output(s, i); });
    s.shared_query = true;
    CHECK(HeadView::of(s, 5).query(s, 1) == HeadView::of(s, 1).query(s, 1));
  }
}
TEST_CASE("sums over broadcast axes: every number goes into one sum") {
  using Broadcast = Attention<test::EmulatedRun>::Broadcast;
  const index_t size[4] = {2, 3, 4, 5};
  for (int which = 0; which < 16; ++which) {
    Broadcast axes{};
    index_t results = 1;
    for (int a = 0; a < 4; ++a) {
      axes.size[a] = size[a];
      axes.extent[a] = which >> a & 1 ? size[a] : 1;
      results *= axes.extent[a];
    }
    std::vector<int> times(120, 0);
    for (index_t e = 0; e < results; ++e)
      for (index_t term = 0; term < axes.terms(); ++term) ++times.at(std::size_t(axes.start(e) + axes.offset(term)));
    CHECK(once(times));
  }
}
TEST_CASE("convolution: reading and being read are inverse") {
  for (const index_t stride : {1, 2, 3})
    for (const index_t dilation : {1, 2})
      for (const index_t pad : {0, 2}) {
        Conv1dSizes s{1, 11, 1, 1, 3, stride, dilation, 1, pad, 0};
        s.steps = (s.frames + 2 * pad - dilation * (s.kernel - 1) - 1) / stride + 1;
        index_t pairs = 0, back = 0;
        for (index_t j = 0; j < s.kernel; ++j) {
          for (index_t t = 0; t < s.steps; ++t) {
            const index_t frame = frame_read(s, t, j);
            if (frame < 0 || frame >= s.frames) continue;
            ++pairs;
            CHECK(step_reading(s, frame, j) == t);
          }
          for (index_t f = 0; f < s.frames; ++f) back += step_reading(s, f, j) >= 0;
        }
        CHECK(pairs == back);
      }
}

TEST_CASE("the emulated device finds what it is there for") {
  using test::Emulated;
  using test::EmulatedRun;
  const int before = Emulated::violations();
  EmulatedRun::lanes = 32;
  SUBCASE("sums over lanes, and what one lane wrote for another") {
    Array<double, Emulated> x(Shape{40}), y(Shape{40});
    double *const a = x.data(), *const b = y.data();
    EmulatedRun::rows("test", 1, [=](index_t, EmulatedRun::Team team) {
      double sum = 0;
      for (index_t j = team.lane(); j < 40; j += team.lanes()) sum += a[j] = double(j);
      const double all = team.sum(sum), most = team.largest(double(team.lane()));
      team.sync();
      for (index_t j = team.lane(); j < 40; j += team.lanes()) b[j] = a[39 - j] + all + most;
    });
    for (std::size_t j = 0; j < 40; ++j) CHECK(y.to_vector()[j] == 39 - double(j) + 780 + 31);
    CHECK(Emulated::violations() == before);
  }
  SUBCASE("lanes that part") {
    EmulatedRun::rows("test", 1, [](index_t, EmulatedRun::Team team) {
      if (team.lane() < 3) team.sum(1.0);
    });
    CHECK(Emulated::violations() == before + 1);
  }
  SUBCASE("a write behind the end") {
    {
      Array<float, Emulated> x(Shape{5});
      float* const a = x.data();
      EmulatedRun::each("test", 6, [=](index_t i) { a[i] = 0; });
    }
    CHECK(Emulated::violations() == before + 1);
  }
  SUBCASE("numbers that nobody wrote") { CHECK(std::isnan(Array<float, Emulated>(Shape{1}).to_vector()[0])); }
  SUBCASE("threads that race") {
    std::vector<double> last;
    for (const bool reversed : {false, true}) {
      Array<double, Emulated> x(Shape{1});
      double* const a = x.data();
      EmulatedRun::reversed = reversed;
      EmulatedRun::each("test", 2, [=](index_t i) { *a = double(i); });
      last.push_back(x.to_vector()[0]);
    }
    EmulatedRun::reversed = false;
    CHECK(last[0] != last[1]);
  }
  test::Arena::instance().violations = before;
}
