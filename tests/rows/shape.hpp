/// Rows of tests/ops.hpp: operations that move numbers.
#pragma once

#include "rows/arithmetic.hpp"

namespace lacuna::test {

struct ReshapeRow : SingleCases {
  static constexpr const char* name = "reshape";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto x = in.template leaf<2>(0);
    return {flat(reshape(x, std::array<index_t, 3>{x.extent(1), 1, x.extent(0)}))};
  }
};

struct ConcatLastAxisRow {
  static constexpr const char* name = "concat, last axis";
  static std::vector<Case> cases() {
    return {{.name = "three parts", .leaves = {{2, 3, 4}, {2, 3, 1}, {2, 3, 2}}},
            {.name = "batch of one, T = 1", .leaves = {{1, 1, 2}, {1, 1, 3}}},
            {.name = "one part", .leaves = {{2, 2, 3}}},
            {.name = "empty part", .leaves = {{2, 2, 0}, {2, 2, 3}}},
            {.name = "empty sequence", .leaves = {{2, 0, 3}, {2, 0, 2}}},
            {.name = "empty batch", .leaves = {{0, 2, 3}, {0, 2, 2}}}};
  }
  static std::vector<Case> large() {
    return {{.name = "large", .leaves = {{60, 40, 33}, {60, 40, 20}}},
            {.name = "two long rows", .leaves = {{1, 2, 50000}, {1, 2, 40000}}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    std::vector<Variable<T, 3, D>> parts;
    for (std::size_t i = 0; i < in.leaf_count(); ++i) parts.push_back(in.template leaf<3>(i));
    return {flat(concat(parts, -1))};
  }
};

struct StackRow {
  static constexpr const char* name = "stack";
  static std::vector<Case> cases() {
    return {{.name = "three parts", .leaves = {{2, 3, 2}, {2, 3, 2}, {2, 3, 2}}},
            {.name = "batch of one, T = 1", .leaves = {{1, 1, 2}, {1, 1, 2}}},
            {.name = "one part", .leaves = {{2, 2, 3}}},
            {.name = "empty sequence", .leaves = {{2, 0, 3}, {2, 0, 3}}},
            {.name = "empty batch", .leaves = {{0, 2, 3}, {0, 2, 3}}}};
  }
  static std::vector<Case> large() {
    return {{.name = "large", .leaves = {{300, 10, 33}, {300, 10, 33}, {300, 10, 33}}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    std::vector<Variable<T, 3, D>> parts;
    for (std::size_t i = 0; i < in.leaf_count(); ++i) parts.push_back(in.template leaf<3>(i));
    return {flat(stack(parts, 1))};
  }
};

/// The same part twice: its gradients add up.
struct StackTwiceRow : SingleCases {
  static constexpr const char* name = "stack of one part twice";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto x = in.template leaf<2>(0);
    return {flat(stack(std::vector{x, x}, 1))};
  }
};

/// More parts than one kernel takes, some of them several times, one that wants no gradient.
struct ConcatManyRow {
  static constexpr const char* name = "concat of many parts";
  static std::vector<Case> cases() {
    return {{.name = "several rows", .leaves = {{2, 3}, {2, 1}, {2, 2}}, .constants = {{{2, 2}}}},
            {.name = "batch of one", .leaves = {{1, 3}, {1, 0}, {1, 2}}, .constants = {{{1, 1}}}},
            {.name = "empty batch", .leaves = {{0, 3}, {0, 1}, {0, 2}}, .constants = {{{0, 2}}}}};
  }
  static std::vector<Case> large() {
    return {{.name = "large", .leaves = {{301, 33}, {301, 20}, {301, 7}}, .constants = {{{301, 5}}}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto a = in.template leaf<2>(0), b = in.template leaf<2>(1), c = in.template leaf<2>(2);
    const Variable<T, 2, D> still(in.template constant<2>(0));
    return {flat(concat(std::vector{a, b, c, a, still, c, b, relu(a), tanh(b), relu(c), still, tanh(a), tanh(c)}, -1))};
  }
};

/// numbers: the n that take part; none given: all.
struct WeightedSumRow {
  static constexpr const char* name = "weighted_sum";
  static std::vector<Case> cases() {
    Case many{.name = "more than 64", .leaves = {{2, 70}, {2, 70, 3}}};
    for (int i = 0; i < 70; ++i) many.numbers.push_back(i % 3 != 1);
    return {many,
            {.name = "all", .leaves = {{2, 3}, {2, 3, 4}}},
            {.name = "one left out",
             .leaves = {{2, 3}, {2, 3, 4}},
             .numbers = {1, 0, 1},
             .absent = {{0, {0, 1}}, {0, {1, 1}}, {1, {0, 1}}, {1, {1, 1}}}},
            {.name = "none", .leaves = {{2, 2}, {2, 2, 3}}, .numbers = {0, 0}, .absent = {{0, {}}, {1, {}}}},
            {.name = "batch of one, one row, one feature", .leaves = {{1, 1}, {1, 1, 1}}},
            {.name = "no features", .leaves = {{2, 3}, {2, 3, 0}}},
            {.name = "empty batch", .leaves = {{0, 3}, {0, 3, 4}}}};
  }
  static std::vector<Case> large() {
    return {{.name = "large", .leaves = {{500, 5}, {500, 5, 41}}},
            {.name = "large, one left out", .leaves = {{500, 3}, {500, 3, 65}}, .numbers = {1, 1, 0}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    std::vector<std::uint8_t> include;
    for (const double number : in.problem().numbers) include.push_back(number != 0);
    return {flat(weighted_sum(in.template leaf<2>(0), in.template leaf<3>(1), include))};
  }
};

using ShapeRows = Rows<ReshapeRow, ConcatLastAxisRow, StackRow, StackTwiceRow, ConcatManyRow, WeightedSumRow>;

}  // namespace lacuna::test
