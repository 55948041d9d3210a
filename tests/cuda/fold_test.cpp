// Sums over the rows of a matrix: exact on whole numbers, whoever adds them.
#include <doctest/doctest.h>

#include "emulated.hpp"

using namespace lacuna;
using namespace lacuna::cuda;
using test::Emulated;
using test::EmulatedRun;

namespace {

constexpr index_t fold_sizes[][2] = {{0, 3},    {1, 1},     {2, 40},     {31, 7},    {32, 8},
                                     {33, 9},   {64, 33},   {65, 1100},  {513, 8},   {1025, 40},
                                     {3200, 3}, {16384, 2}, {16385, 40}, {50001, 1}, {5, 0}};

LACUNA_HD inline double fold_number(index_t i, index_t j) { return double((i * 7 + j * 13) % 31 - 9); }

}  // namespace

TEST_CASE("fold: tiles of columns cover everything, and depend on the fold_sizes alone") {
  for (const auto& size : fold_sizes) {
    const index_t rows = size[0], width = size[1];
    const ColumnTiles by = ColumnTiles::of(rows, width);
    CAPTURE(rows);
    CAPTURE(width);
    CHECK(by.tile * by.slots() == by.places);
    CHECK(by.tile * by.blocks >= width);
    CHECK(by.tile * (by.blocks - 1) < std::max<index_t>(width, 1));
  }
  CHECK(ColumnTiles::of(3200, 40).blocks == 10);  // a bias of a narrow layer: not one block
  CHECK(ColumnTiles::of(6400, 256).blocks == 64);
  CHECK(ColumnTiles::of(100, 1).slots() == 1024);  // one column: every thread takes rows
}
TEST_CASE("fold: the sums of all columns, with one thread and with teams, forwards and backwards") {
  for (const int lanes : {1, 32})
    for (const bool reversed : {false, true})
      for (const auto& size : fold_sizes) {
        const index_t rows = size[0], width = size[1];
        if (lanes > 1 && rows > 20000) continue;
        CAPTURE(rows);
        CAPTURE(width);
        EmulatedRun::lanes = lanes;
        EmulatedRun::reversed = reversed;
        Array<double, Emulated> total(Shape{width});
        fold<EmulatedRun>("test", rows, width, fold_number, total.data());
        EmulatedRun::reversed = false;
        const std::vector<double> found = total.to_vector();
        for (index_t j = 0; j < width; ++j) {
          double sum = 0;
          for (index_t i = 0; i < rows; ++i) sum += fold_number(i, j);
          CHECK(found[std::size_t(j)] == sum);
        }
      }
  CHECK(Emulated::violations() == 0);
}
TEST_CASE("column sums: the same bits in whatever order threads come, added or written") {
  for (const bool fresh : {false, true}) {
    std::vector<float> first;
    for (const bool reversed : {false, true}) {
      Array<float, Emulated> x(Shape{1025, 40}), to(Shape{40});
      std::vector<float> numbers(1025 * 40);
      for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = float(i % 977) * 0.37f - 100.0f;
      x.assign(numbers);
      to.assign(std::vector<float>(40, 1.0f));
      EmulatedRun::lanes = 32;
      EmulatedRun::reversed = reversed;
      Reduce<EmulatedRun>::column_sums<float>(1025, 40, x.data(), {to.data(), fresh});
      EmulatedRun::reversed = false;
      if (!reversed) first = to.to_vector();
      CHECK(to.to_vector() == first);
      for (std::size_t j = 0; j < 40; ++j) {
        double sum = fresh ? 0 : 1;
        for (std::size_t i = 0; i < 1025; ++i) sum += double(numbers[i * 40 + j]);
        CHECK(double(first[j]) == doctest::Approx(sum).epsilon(1e-6));
      }
    }
  }
}
