/// Rows of tests/ops.hpp: numbers under other axes, in other places, more often, joined and parted.
#pragma once

#include "lacuna/ops/manipulation.hpp"
#include "rows/arithmetic.hpp"

namespace lacuna::test {

/// numbers: {which}.
struct MovesRow {
  static constexpr const char* name = "moves";
  static constexpr const char* kinds[] = {
      "reshape", "squeeze and unsqueeze", "permute", "transpose", "transpose 0 2", "flip", "select", "repeat", "pad",
      "expand"};
  static std::vector<Case> cases() {
    std::vector<Case> all;
    for (std::size_t i = 0; i < std::size(kinds); ++i) {
      all.push_back({.name = kinds[i], .leaves = {{2, 3, 5}}, .numbers = {double(i)}});
      all.push_back({.name = std::string(kinds[i]) + ", batch of one, single axes",
                     .leaves = {{1, 2, 1}},
                     .numbers = {double(i)}});
      if (i > 0)
        all.push_back({.name = std::string(kinds[i]) + ", empty batch", .leaves = {{0, 3, 2}}, .numbers = {double(i)}});
    }
    return all;
  }
  static std::vector<Case> large() {
    std::vector<Case> all;
    for (const std::size_t i : {2, 4, 5, 6, 8, 9})
      all.push_back({.name = kinds[i], .leaves = {{30, 41, 33}}, .numbers = {double(i)}});
    return all;
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto x = in.template leaf<3>(0);
    const index_t b = x.extent(0), t = x.extent(1), f = x.extent(2);
    switch (int(in.number(0))) {
      case 0:
        return {flat(reshape(x, f, -1)), flat(reshape(x, -1)), flat(reshape(x, b, 1, t, f))};
      case 1:
        return {flat(squeeze(unsqueeze(x, -1), 3)), flat(unsqueeze(x, 0))};
      case 2:
        return {flat(permute(x, {2, 0, 1})), flat(permute(x, {0, -1, 1}))};
      case 3:
        return {flat(transpose(x))};
      case 4:
        return {flat(transpose(x, 0, 2))};
      case 5:
        return {flat(flip(x, 1)), flat(flip(x, -1)), flat(flip(x, 0))};
      case 6:
        return {flat(select(x, 1, -1)), flat(select(x, 2, 0))};
      case 7:
        return {flat(repeat(x, {2, 1, 3}))};
      case 8:
        return {flat(pad(x, 1, 1, 2)), flat(pad(x, -1, 0, 1, 0.5)), flat(pad(x, 0, 2, 0))};
      default:
        return {flat(expand(x, {2, b, t, f})), flat(expand(unsqueeze(x, 2), {b, t, 3, f})),
                flat(expand(unsqueeze(x, -1), {b, t, f, 2}))};
    }
  }
};

/// numbers: {axis}.
struct ConcatRow {
  static constexpr const char* name = "concat";
  static std::vector<Case> cases() {
    return {{.name = "middle axis", .leaves = {{2, 3, 2}, {2, 1, 2}, {2, 2, 2}}, .numbers = {1}},
            {.name = "first axis", .leaves = {{1, 2, 3}, {3, 2, 3}}, .numbers = {0}},
            {.name = "last axis", .leaves = {{2, 2, 3}, {2, 2, 1}}, .numbers = {-1}},
            {.name = "one part", .leaves = {{2, 2, 3}}, .numbers = {1}},
            {.name = "empty part", .leaves = {{2, 0, 3}, {2, 2, 3}}, .numbers = {1}},
            {.name = "empty batch", .leaves = {{0, 2, 3}, {0, 1, 3}}, .numbers = {-2}}};
  }
  static std::vector<Case> large() {
    return {{.name = "large", .leaves = {{60, 40, 33}, {60, 20, 33}}, .numbers = {1}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    std::vector<Variable<T, 3, D>> parts;
    for (std::size_t i = 0; i < in.leaf_count(); ++i) parts.push_back(in.template leaf<3>(i));
    return {flat(concat(parts, int(in.number(0))))};
  }
};
/// numbers: {axis of the result}.
struct StackAxisRow {
  static constexpr const char* name = "stack along an axis";
  static std::vector<Case> cases() {
    return {{.name = "first axis", .leaves = {{3, 2}, {3, 2}, {3, 2}}, .numbers = {0}},
            {.name = "second axis", .leaves = {{3, 2}, {3, 2}}, .numbers = {1}},
            {.name = "last axis", .leaves = {{1, 4}, {1, 4}}, .numbers = {-1}},
            {.name = "empty batch", .leaves = {{0, 4}, {0, 4}}, .numbers = {0}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{300, 65}, {300, 65}}, .numbers = {0}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    std::vector<Variable<T, 2, D>> parts;
    for (std::size_t i = 0; i < in.leaf_count(); ++i) parts.push_back(in.template leaf<2>(i));
    return {flat(stack(parts, int(in.number(0)))), flat(stack({parts[0], parts[0]}, 0))};
  }
};
/// numbers: {axis, length of a part}.
struct SplitRow {
  static constexpr const char* name = "split";
  static std::vector<Case> cases() {
    return {{.name = "middle axis", .leaves = {{2, 5, 3}}, .numbers = {1, 2}},
            {.name = "last axis", .leaves = {{2, 2, 3}}, .numbers = {-1, 1}},
            {.name = "one part", .leaves = {{1, 1, 2}}, .numbers = {1, 4}},
            {.name = "empty batch", .leaves = {{0, 4, 2}}, .numbers = {1, 3}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{60, 40, 33}}, .numbers = {1, 13}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Outputs<T, D> parts;
    for (const auto& part : split(in.template leaf<3>(0), index_t(in.number(1)), int(in.number(0))))
      parts.push_back(flat(part));
    return parts;
  }
};

using ManipulationRows = Rows<MovesRow, ConcatRow, StackAxisRow, SplitRow>;

}  // namespace lacuna::test
