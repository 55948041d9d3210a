#include <doctest/doctest.h>

#include "cuda/emulated_rows.hpp"
#include "rows/attention.hpp"
#include "rows/fusion.hpp"
#include "rows/sequence.hpp"

// Float where it costs digits most, double everywhere: instantiating layers is what takes time.
TEST_CASE("kernels of the GPU, emulated: attention, sequences, fusion agree with the host") {
  using namespace lacuna::test;
  Join<AttentionRows, lacuna::test::Rows<Conv1dRow, AddBlockRow, MeanPoolRow, MaxPoolRow>>::for_each(
      []<class Row>() { CHECK(check_emulated<Row, float>(1e-4) == ""); });
  Join<AttentionRows, SequenceRows, FusionRows>::for_each(
      []<class Row>() { CHECK(check_emulated<Row, double>(1e-9) == ""); });
}

TEST_CASE("kernels of the GPU, emulated: attention that does not fit into the memory of a block") {
  using namespace lacuna::test;
  const std::size_t shared = EmulatedRun::shared;
  EmulatedRun::shared = std::size_t(8) << 10;  // what other kernels need
  CHECK(check_emulated<AttentionRow, double>(1e-9) == "");
  CHECK(check_emulated<AttentionExtrasRow, double>(1e-9) == "");
  EmulatedRun::shared = shared;
}
