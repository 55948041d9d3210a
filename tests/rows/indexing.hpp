/// Rows of tests/ops.hpp: numbers chosen by index, by mask, by order.
#pragma once

#include "lacuna/ops/indexing.hpp"
#include "rows/arithmetic.hpp"

namespace lacuna::test {

/// numbers: {axis, indices...}.
struct IndexSelectRow {
  static constexpr const char* name = "index_select";
  static std::vector<Case> cases() {
    return {{.name = "middle axis, one twice, one not",
             .leaves = {{2, 3, 2}},
             .numbers = {1, 2, 0, 2},
             .absent = {{0, {0, 1}}, {0, {1, 1}}}},
            {.name = "first axis", .leaves = {{3, 2, 2}}, .numbers = {0, 1, 1, 1, 2}, .absent = {{0, {0}}}},
            {.name = "last axis", .leaves = {{2, 2, 3}}, .numbers = {-1, 2}},
            {.name = "no index", .leaves = {{2, 2, 3}}, .numbers = {1}},
            {.name = "empty batch", .leaves = {{0, 2, 3}}, .numbers = {1, 1, 0}}};
  }
  static std::vector<Case> large() {
    Case rows{.name = "rows", .leaves = {{300, 3, 65}}, .numbers = {0}};
    for (int i = 0; i < 500; ++i) rows.numbers.push_back(i * 17 % 300);
    return {rows};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto& numbers = in.problem().numbers;
    const std::vector<index_t> index(numbers.begin() + 1, numbers.end());
    return {flat(index_select(in.template leaf<3>(0), int(numbers[0]), index))};
  }
};

/// Leaves: x, source of the shape of the indices. numbers: {axis}; indices count through the axis in steps of five.
struct GatherScatterRow {
  static constexpr const char* name = "gather and scatter_add";
  static std::vector<Case> cases() {
    return {{.name = "middle axis", .leaves = {{2, 3, 4}, {2, 5, 4}}, .numbers = {1}},
            {.name = "last axis", .leaves = {{2, 3, 4}, {2, 3, 2}}, .numbers = {-1}},
            {.name = "first axis", .leaves = {{4, 1, 3}, {2, 1, 3}}, .numbers = {0}},
            {.name = "one entry", .leaves = {{1, 1, 1}, {1, 1, 1}}, .numbers = {2}},
            {.name = "no index", .leaves = {{2, 3, 4}, {2, 0, 4}}, .numbers = {1}},
            {.name = "empty batch", .leaves = {{0, 3, 4}, {0, 2, 4}}, .numbers = {1}}};
  }
  static std::vector<Case> large() {
    return {{.name = "middle axis", .leaves = {{30, 41, 33}, {30, 60, 33}}, .numbers = {1}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto x = in.template leaf<3>(0), source = in.template leaf<3>(1);
    const int axis = int(in.number(0));
    std::vector<index_t> numbers(std::size_t(source.size()));
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = index_t(i * i * 5 + i) % x.extent(axis);
    const auto index = Tensor<index_t, 3, D>::from(source.extents(), numbers);
    return {flat(gather(x, axis, index)), flat(scatter_add(x, axis, index, source))};
  }
};

/// masks: 1 = chosen, like x.
struct MaskedRow {
  static constexpr const char* name = "masked_select and masked_fill";
  static std::vector<Case> cases() {
    return {{.name = "some",
             .leaves = {{2, 3}},
             .masks = {{{2, 3}, {0, 1, 1, 0, 0, 1}}},
             .absent = {{0, {0, 0}}, {0, {1, 0}}, {0, {1, 1}}}},
            {.name = "none", .leaves = {{2, 2}}, .masks = {{{2, 2}, {0, 0, 0, 0}}}, .absent = {{0, {}}}},
            {.name = "all, batch of one", .leaves = {{1, 2}}, .masks = {{{1, 2}, {1, 1}}}},
            {.name = "empty batch", .leaves = {{0, 2}}, .masks = {{{0, 2}, {}}}}};
  }
  static std::vector<Case> large() {
    Constant mask{Shape{300, 65}, {}};
    for (int i = 0; i < 300 * 65; ++i) mask.numbers.push_back(i * 7 % 11 < 5);
    return {{.name = "large", .leaves = {{300, 65}}, .masks = {mask}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto x = in.template leaf<2>(0);
    const auto mask = in.template mask<2>(0);
    return {flat(masked_select(x, mask)), flat(masked_fill(x, logical_not(mask), -2))};
  }
};

/// numbers: {axis, how many}.
struct SortRow {
  static constexpr const char* name = "sort and topk";
  static constexpr bool reorders = true;
  static std::vector<Case> cases() {
    return {{.name = "last axis", .leaves = {{2, 2, 5}}, .numbers = {-1, 2}},
            {.name = "middle axis", .leaves = {{2, 4, 3}}, .numbers = {1, 3}},
            {.name = "one entry", .leaves = {{1, 1, 1}}, .numbers = {0, 1}},
            {.name = "empty axis", .leaves = {{2, 0, 3}}, .numbers = {1, 0}},
            {.name = "empty batch", .leaves = {{0, 3, 2}}, .numbers = {1, 2}}};
  }
  static std::vector<Case> large() {
    return {{.name = "large", .leaves = {{20, 90, 31}}, .numbers = {1, 7}, .low = -50, .high = 50}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto x = in.template leaf<3>(0);
    const int axis = int(in.number(0));
    const index_t k = index_t(in.number(1));
    return {flat(sort(x, axis).values), flat(sort(x, axis, true).values), flat(topk(x, k, axis).values),
            flat(topk(x, k, axis, false).values)};
  }
};

using IndexingRows = Rows<IndexSelectRow, GatherScatterRow, MaskedRow, SortRow>;

}  // namespace lacuna::test
