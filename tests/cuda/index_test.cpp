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

TEST_CASE("matrix products: equal keys for calls that may share an algorithm, and only for those") {
  alignas(512) static float room[4096];
  CHECK(alignment_of(room) == 256);
  CHECK(alignment_of(room + 1) == 4);
  CHECK(alignment_of(room + 6) == 8);
  CHECK(alignment_of(room + 32) == 128);
  CHECK(alignment_of(nullptr) == 256);
  using cpu::Operand;
  const auto key = [&](index_t m, index_t n, index_t k, Operand<float> a, Operand<float> b, const float* bias,
                       MatmulFinish finish, const float* c) {
    return MatmulKey::of(BlasCall<float>::of(m, n, k, a, b), finish, bias, c, n);
  };
  const auto none = MatmulFinish::none;
  const Operand<float> a{room, 8}, b{room + 256, 8, true};
  const MatmulKey usual = key(4, 5, 8, a, b, nullptr, none, room);
  CHECK(usual ==
        key(4, 5, 8, {room + 64, 8}, {room, 8, true}, nullptr, none, room + 1024));  // elsewhere, as well aligned
  CHECK(usual != key(4, 5, 8, {room + 1, 8}, b, nullptr, none, room));
  CHECK(usual != key(4, 5, 8, a, {room + 1, 8, true}, nullptr, none, room));
  CHECK(usual != key(4, 5, 8, a, b, nullptr, none, room + 1));
  CHECK(usual != key(4, 5, 8, a, b, room + 1, none, room));
  CHECK(usual != key(4, 5, 8, a, b, nullptr, MatmulFinish::bias, room));
  CHECK(key(4, 5, 8, a, b, room, MatmulFinish::none, room) != key(4, 5, 8, a, b, room, MatmulFinish::bias, room));
  CHECK(usual != key(5, 4, 8, a, b, nullptr, none, room));
  CHECK(usual != key(4, 5, 7, a, b, nullptr, none, room));
  CHECK(usual != key(4, 5, 8, {room, 9}, b, nullptr, none, room));
  CHECK(usual != key(4, 5, 8, a, {room, 8}, nullptr, none, room));
  CHECK((usual < key(5, 5, 8, a, b, nullptr, none, room) || key(5, 5, 8, a, b, nullptr, none, room) < usual));
  const auto batched = [&](const GemmBatch& batch) {
    return MatmulKey::of(BlasCall<float>::of(4, 5, 8, a, b, batch), none, static_cast<const float*>(nullptr), room, 5);
  };
  CHECK(batched({}) == usual);
  CHECK(batched({3, 64, 64, 64}) != usual);
  CHECK(batched({3, 64, 64, 64}) != batched({2, 64, 64, 64}));
  CHECK(batched({3, 64, 64, 64}) != batched({3, 128, 64, 64}));
  CHECK(batched({3, 64, 64, 64}) != batched({3, 64, 128, 64}));
  CHECK(batched({3, 64, 64, 64}) != batched({3, 64, 64, 128}));
  CHECK(batched({3, 65, 64, 64}).second_alignment == 4);  // the second of the batch stands worse than the first
  const auto call = BlasCall<float>::of(4, 5, 8, a, b);
  CHECK((call.rows == 5 && call.columns == 4 && call.depth == 8));
  CHECK((call.first == b.data && call.second == a.data && call.first_transposed && !call.second_transposed));
}
TEST_CASE("ranking: every anchor visits the others from the farthest label to the nearest") {
  for (const std::vector<double>& label :
       {std::vector<double>{-2, -1, 0, 0, 0.5, 1, 1, 4}, std::vector<double>{3, 3, 3}, std::vector<double>{0, 1},
        std::vector<double>{-1, 0, 1, 2, 3}})
    for (index_t i = 0; i < index_t(label.size()); ++i) {
      const index_t n = index_t(label.size());
      const VisitOrder order{n, i, label.data()};
      std::vector<index_t> expected;  // from the two ends inwards, the left first where both are as far
      for (index_t left = 0, right = n - 1; left < i || right > i;)
        if (left < i && (right == i || order.distance(left) >= order.distance(right)))
          expected.push_back(left++);
        else
          expected.push_back(right--);
      std::vector<double> far;
      for (const index_t k : expected) far.push_back(order.distance(k));
      CHECK(std::is_sorted(far.rbegin(), far.rend()));
      for (std::size_t p = 0; p < expected.size(); ++p) CHECK(order.place(expected[p]) == index_t(p));
      for (const double slack : {0.0, 0.75, 2.0}) {
        const Prefixes prefix{n - 1, far.data(), slack};
        for (index_t p = 0; p < n - 1; ++p) {
          index_t count = 0;
          for (const double other : far) count += other >= far[std::size_t(p)] - slack;
          CHECK(prefix.end(p) == count);
          for (index_t q = 0; q < n - 1; ++q) CHECK((q >= prefix.first(p)) == (prefix.end(q) > p));
        }
      }
    }
  for (const index_t count : {0, 1, 31, 32, 33, 100})
    for (const index_t lanes : {1, 32}) {
      index_t at = 0;
      for (index_t lane = 0; lane < lanes; ++lane) {
        const LanePiece piece = LanePiece::of(count, lane, lanes);
        CHECK(piece.begin == at);
        CHECK(piece.end >= piece.begin);
        at = piece.end;
      }
      CHECK(at == count);
    }
}
TEST_CASE("pairs: a row and itself, close pairs, and differences") {
  const double a[] = {1, 2, 1, 2.0001, -3, 4}, norm[] = {5, 5.0004, 25};
  const double squared[] = {0, 1e-8, 20, 1e-8, 0, 19.9992, 20, 19.9992, 0};
  const PairView<double> within{3, 3, 2, a, a, squared, norm, norm};
  CHECK((within.own(1, 1) && !within.own(0, 1)));
  CHECK((within.near(0, 1) && within.near(1, 0) && !within.near(0, 2) && !within.near(2, 2)));
  CHECK(within.difference(0, 2) == 20);
  const double copy[] = {1, 2, 1, 2.0001, -3, 4};
  const PairView<double> between{3, 3, 2, a, copy, squared, norm, norm};
  CHECK((!between.own(1, 1) && between.near(1, 1)));
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
TEST_CASE("division by a multiplication is division") {
  for (const index_t below : {index_t(1) << 31, (index_t(1) << 31) + 1})  // the second: too far for it
    for (const index_t divisor : {index_t(1),
                                  index_t(2),
                                  index_t(3),
                                  index_t(5),
                                  index_t(7),
                                  index_t(32),
                                  index_t(35),
                                  index_t(40),
                                  index_t(641),
                                  index_t(1000),
                                  index_t(65535),
                                  index_t(65536),
                                  index_t(65537),
                                  (index_t(1) << 30) - 1,
                                  index_t(1) << 30,
                                  (index_t(1) << 30) + 1,
                                  (index_t(1) << 31) - 2,
                                  (index_t(1) << 31) - 1,
                                  index_t(1) << 31,
                                  index_t(1) << 40}) {
      const Divider by(divisor, below);
      CAPTURE(divisor);
      bool right = true;
      const auto look = [&](index_t i) {
        if (i < 0 || i >= below) return;
        right = right && by.quotient(i) == i / divisor && by.remainder(i) == i % divisor;
      };
      for (index_t i = 0; i < 2000; ++i) look(i), look(below - 1 - i);
      const index_t most = below / divisor;  // around every kind of multiple
      for (index_t k = 0; k <= 64; ++k)
        for (const index_t factor : {k, most - k, most / 2 + k, most / 64 * k})
          for (index_t near = -1; near <= 1; ++near) look(factor * divisor + near);
      CHECK(right);
    }
  const RandomStream stream{5, 1};
  bool right = true;
  for (std::uint64_t k = 0; k < 200000; ++k) {
    const index_t divisor = index_t(stream.word(2 * k) >> (1 + k % 31)) + 1, i = index_t(stream.word(2 * k + 1) >> 1);
    if (divisor < index_t(1) << 31) right = right && Divider(divisor, index_t(1) << 31).quotient(i) == i / divisor;
  }
  CHECK(right);
  (void)Divider(0, 0);  // nothing is divided by it, but it is made
}
TEST_CASE("dropout: the words of the generator's blocks decide about every element once, as each would for itself") {
  const functors::Keep keep = functors::Keep::with({3, 4}, 0.4);
  for (const index_t n : {0, 1, 15, 16, 17, 63, 64, 65, 80, 1025}) {
    std::vector<int> times(std::size_t(n), 0);
    for (index_t block = 0; block < DrawnElements::blocks(n); ++block) {
      CHECK(DrawnElements::element(block, 0) < n);
      for (int word = 0; word < 4; ++word) {
        const index_t i = DrawnElements::element(block, word);
        if (i >= n) continue;
        ++times[std::size_t(i)];
        CHECK(keep.keeps(i) == (keep.stream.block(std::uint64_t(block)).word[word] >= keep.threshold));
      }
    }
    CHECK(once(times));
  }
}
TEST_CASE("joined rows: every place of a row belongs to one part") {
  RowParts<const float*> parts;
  const index_t widths[] = {3, 0, 1, 33, 0, 2, 7, 1};
  index_t column = 0;
  for (const index_t width : widths) parts.add(nullptr, column, width), column += width + 1;
  CHECK(parts.count == parts.most);
  CHECK(parts.width() == 47);
  index_t place = 0;
  for (int p = 0; p < parts.count; ++p)
    for (index_t j = 0; j < widths[p]; ++j, ++place) {
      CHECK(parts.part_of(place) == p);
      CHECK(place - parts.begin_of(p) == j);
      CHECK(parts.width_of(p) == widths[p]);
    }
}
