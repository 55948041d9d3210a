#include "lacuna/nn/linear.hpp"

#include <doctest/doctest.h>

#include "support/oracle.hpp"

namespace {

using namespace lacuna;
using test::OracleBlocks;

const OracleBlocks blocks("nn_blocks.npz", {"linear"});

template <int R, class Case>
void linear_case(Case& c) {
  using T = typename Case::scalar;
  const auto x = c.template leaf<R>("in/x");
  const auto weight = c.template leaf<2>("par/weight");
  const auto bias = c.has("par/bias") ? c.template leaf<1>("par/bias") : Variable<T, 1>();
  c.out("y", linear(x, weight, bias));
}

}  // namespace

TEST_CASE("linear: oracle" * doctest::skip(!test::have_oracle())) {
  test::compare_cases(blocks, [](auto& c) { c.rank("in/x") == 2 ? linear_case<2>(c) : linear_case<3>(c); });
}
