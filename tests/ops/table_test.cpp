/// The table itself, and the proof that its checks can fail: rows that are wrong on purpose must be found out.
#include <doctest/doctest.h>

#include <set>

#include "ops.hpp"

namespace {

using namespace lacuna;
using namespace lacuna::test;

struct OneCase {
  static std::vector<Case> cases() { return {{.name = "small", .leaves = {{3, 4}}}}; }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{300, 257}}}}; }
};

/// y = x with a backward of one's own.
template <class T, class D, class F>
Outputs<T, D> identity(const Inputs<T, D>& in, F backward) {
  const auto x = in.template leaf<2>(0);
  return {flat(record(
      "identity", x.value().clone(), [x, backward](const Tensor<T, 2, D>& dy) { backward(x, dy, x.gradient_slot()); }, x))};
}

struct Right : OneCase {
  static constexpr const char* name = "right";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return identity(in, [](const auto&, const auto& dy, auto slot) {
      for (index_t i = 0; i < dy.size() && slot; ++i) slot.put(i, dy.data()[i]);
    });
  }
};
struct WrongGradient : OneCase {
  static constexpr const char* name = "wrong gradient of one element";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return identity(in, [](const auto&, const auto& dy, auto slot) {
      for (index_t i = 0; i < dy.size() && slot; ++i) slot.put(i, i == 5 ? T(0.999) * dy.data()[i] : dy.data()[i]);
    });
  }
};
struct NanGradient : OneCase {
  static constexpr const char* name = "NaN as the gradient of one element";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return identity(in, [](const auto&, const auto& dy, auto slot) {
      for (index_t i = 0; i < dy.size() && slot; ++i) slot.put(i, i == 5 ? T(NAN) : dy.data()[i]);
    });
  }
};
struct WrongFarOut : OneCase {
  static constexpr const char* name = "wrong gradient behind the first chunk";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return identity(in, [](const auto&, const auto& dy, auto slot) {
      for (index_t i = 0; i < dy.size() && slot; ++i) slot.put(i, i > 40000 ? T(0) : dy.data()[i]);
    });
  }
};
struct Overwrites : OneCase {
  static constexpr const char* name = "overwrites a gradient that is there";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return identity(in, [](const auto&, const auto& dy, auto slot) {
      for (index_t i = 0; i < dy.size() && slot; ++i) slot.data[i] = dy.data()[i];
    });
  }
};
struct PoorInFloat : OneCase {
  static constexpr const char* name = "loses digits in float";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto x = in.template leaf<2>(0);
    const auto offset = Tensor<T, 2, D>::full(x.value().extents(), T(1e5));
    return {flat((x + Variable<T, 2, D>(offset)) - Variable<T, 2, D>(offset))};
  }
};
struct CountsThreads : OneCase {
  static constexpr const char* name = "depends on the number of threads";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(scale(in.template leaf<2>(0), 1 + 1e-7 * std::min(threads(), 2)))};
  }
};
/// The mean over all samples, present or not.
struct AveragesAbsent {
  static constexpr const char* name = "averages over an absent sample";
  static std::vector<Case> cases() {
    return {{.name = "small", .leaves = {{3, 4}}, .masks = {{{3}, {1, 0, 1}}}, .absent = {{0, {1}}}}};
  }
  static std::vector<Case> large() { return {}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(mean(in.template leaf<2>(0)))};
  }
};
/// Multiplies the absent sample by zero: right for finite numbers only.
struct MultipliesAbsent : AveragesAbsent {
  static constexpr const char* name = "multiplies an absent sample by zero";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const Mask<1, D> present = in.template mask<1>(0);
    Tensor<T, 2, D> factors({3, 4});
    for (index_t b = 0; b < 3; ++b)
      for (index_t f = 0; f < 4; ++f) factors(b, f) = T(present(b));
    return {flat(sum(in.template leaf<2>(0) * Variable<T, 2, D>(factors)))};
  }
};

template <class Row>
void expect_found(const char* what) {
  const std::string wrong = check_row<Row>();
  CHECK_MESSAGE(wrong.find(what) != std::string::npos, Row::name << " was judged '" << wrong << "'");
}

}  // namespace

TEST_CASE("checks of the table find what is wrong") {
  CHECK(check_row<Right>() == "");
  expect_found<WrongGradient>("gradient: leaf 0, element 5");
  expect_found<NanGradient>("gradient: leaf 0, element 5");
  expect_found<WrongFarOut>("direction: leaf 0");
  expect_found<Overwrites>("does not add a second gradient");
  expect_found<PoorInFloat>("float: output 0");
  expect_found<CountsThreads>("threads: other");
  expect_found<AveragesAbsent>("absent: element 4 of leaf 0 has a gradient");
  expect_found<MultipliesAbsent>("absent: set to nan");
}

TEST_CASE("table of operations: every name once, every row with small and large cases") {
  std::set<std::string> names;
  Operations::for_each([&]<class Row>() {
    CHECK_MESSAGE(names.insert(Row::name).second, Row::name << " stands twice");
    CHECK_MESSAGE(!Row::cases().empty(), Row::name);
    CHECK_MESSAGE(!Row::large().empty(), Row::name);
    std::set<std::string> titles;
    for (const Case& c : Row::cases()) CHECK_MESSAGE(titles.insert(c.name).second, Row::name << ": case " << c.name << " twice");
  });
  CHECK(names.size() == Operations::count);
  std::printf("table of operations: %zu rows\n", names.size());
}
