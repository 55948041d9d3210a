/// Rows of tests/ops.hpp: elementwise functions, operators that broadcast, comparisons and choices.
#pragma once

#include "lacuna/ops/indexing.hpp"
#include "rows/arithmetic.hpp"

namespace lacuna::test {

/// numbers: {which}.
struct ElementwiseRow {
  static constexpr const char* name = "elementwise functions";
  struct Kind {
    const char* name;
    double low, high;
  };
  static constexpr Kind kinds[] = {
      {"exp", -3, 3},    {"expm1", -2, 2},        {"log", 0.1, 3},       {"log1p", -0.8, 3}, {"sqrt", 0.1, 3},
      {"rsqrt", 0.2, 3}, {"square", -2, 2},       {"abs", -1, 1},        {"sign", -1, 1},    {"sin", -4, 4},
      {"cos", -4, 4},    {"sinh", -2, 2},         {"cosh", -2, 2},       {"clamp", -1, 1},   {"pow 2.5", 0.1, 2},
      {"pow 2", -2, 2},  {"1.5 to the x", -2, 2}, {"reciprocal", 0.3, 2}};
  static std::vector<Case> cases() {
    std::vector<Case> all;
    for (std::size_t i = 0; i < std::size(kinds); ++i)
      all.push_back({.name = kinds[i].name,
                     .leaves = {{3, 5}},
                     .numbers = {double(i)},
                     .low = kinds[i].low,
                     .high = kinds[i].high});
    all.push_back({.name = "exp of one element", .leaves = {{1, 1}}, .numbers = {0}});
    all.push_back({.name = "exp of an empty batch", .leaves = {{0, 4}}, .numbers = {0}});
    all.push_back({.name = "log of empty rows", .leaves = {{3, 0}}, .numbers = {2}});
    return all;
  }
  static std::vector<Case> large() {
    return {{.name = "exp", .leaves = {{300, 257}}, .numbers = {0}, .low = -3, .high = 3},
            {.name = "log", .leaves = {{300, 257}}, .numbers = {2}, .low = 0.5, .high = 3}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto x = in.template leaf<2>(0);
    switch (int(in.number(0))) {
      case 0:
        return {flat(exp(x))};
      case 1:
        return {flat(expm1(x))};
      case 2:
        return {flat(log(x))};
      case 3:
        return {flat(log1p(x))};
      case 4:
        return {flat(sqrt(x))};
      case 5:
        return {flat(rsqrt(x))};
      case 6:
        return {flat(square(x))};
      case 7:
        return {flat(abs(x))};
      case 8:
        return {flat(sign(x))};
      case 9:
        return {flat(sin(x))};
      case 10:
        return {flat(cos(x))};
      case 11:
        return {flat(sinh(x))};
      case 12:
        return {flat(cosh(x))};
      case 13:
        return {flat(clamp(x, -0.5, 0.4))};
      case 14:
        return {flat(pow(x, 2.5))};
      case 15:
        return {flat(pow(x, 2))};
      case 16:
        return {flat(pow(1.5, x))};
      default:
        return {flat(reciprocal(x))};
    }
  }
};

/// Leaves: a of rank 3, b of rank 3 or 1. numbers: {which, whether b comes first, of - and /}.
struct BroadcastRow {
  static constexpr const char* name = "broadcasting operators";
  static constexpr const char* kinds[] = {"+", "-", "*", "/", "pow", "minimum", "maximum"};
  static std::vector<Case> cases() {
    std::vector<Case> all;
    const auto add = [&](std::string name, Shape a, Shape b, double which, double turned = 0) {
      all.push_back({.name = name, .leaves = {a, b}, .numbers = {which, turned}, .low = 0.2, .high = 2});
    };
    for (std::size_t i = 0; i < std::size(kinds); ++i) {
      add(std::string(kinds[i]) + ", both repeat", {2, 1, 3}, {1, 5, 3}, double(i));
      add(std::string(kinds[i]) + ", a vector", {2, 3, 4}, {4}, double(i));
    }
    for (const double which : {1.0, 3.0}) {
      const std::string op = kinds[std::size_t(which)];
      add(op + ", a vector first", {2, 3, 4}, {4}, which, 1);
      add(op + ", equal shapes", {2, 3, 2}, {2, 3, 2}, which);
      add(op + ", a column", {2, 3, 4}, {2, 3, 1}, which);
      add(op + ", outer axes repeat", {3, 2, 5}, {1, 1, 5}, which);
      add(op + ", middle axis repeats", {3, 4, 2}, {3, 1, 2}, which, 1);
      add(op + ", one number", {1, 3, 2}, {1}, which);
      add(op + ", one element each", {1, 1, 1}, {1}, which);
      add(op + ", empty batch", {0, 3, 2}, {2}, which);
      add(op + ", empty rows", {2, 3, 0}, {1, 3, 1}, which);
      add(op + ", of the first an empty axis is made", {2, 1, 3}, {1, 0, 3}, which);
    }
    return all;
  }
  static std::vector<Case> large() {
    return {
        {.name = "division by a column", .leaves = {{30, 41, 65}, {30, 41, 1}}, .numbers = {3}, .low = 0.5, .high = 2},
        {.name = "a vector minus", .leaves = {{30, 41, 65}, {65}}, .numbers = {1, 1}},
        {.name = "both repeat", .leaves = {{40, 1, 33}, {1, 41, 33}}, .numbers = {2}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto a = in.template leaf<3>(0);
    if (in.rank(1) == 3) return {apply(in, a, in.template leaf<3>(1))};
    return {apply(in, a, in.template leaf<1>(1))};
  }

 private:
  template <class T, class D, int B>
  static Variable<T, 1, D> apply(const Inputs<T, D>& in, const Variable<T, 3, D>& a, const Variable<T, B, D>& b) {
    if (in.number(1) != 0) return in.number(0) == 1 ? flat(b - a) : flat(b / a);
    return of(in, a, b);
  }
  template <class T, class D, int A, int B>
  static Variable<T, 1, D> of(const Inputs<T, D>& in, const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
    switch (int(in.number(0))) {
      case 0:
        return flat(a + b);
      case 1:
        return flat(a - b);
      case 2:
        return flat(a * b);
      case 3:
        return flat(a / b);
      case 4:
        return flat(pow(a, b));
      case 5:
        return flat(minimum(a, b));
      default:
        return flat(maximum(a, b));
    }
  }
};

struct ScalarOperatorsRow {
  static constexpr const char* name = "operators with a number";
  static std::vector<Case> cases() {
    return {{.name = "several rows", .leaves = {{3, 5}}, .low = 0.3, .high = 2},
            {.name = "one element", .leaves = {{1, 1}}, .low = 0.3, .high = 2},
            {.name = "empty batch", .leaves = {{0, 4}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{150, 257}}, .low = 1.6, .high = 3}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto x = in.template leaf<2>(0);
    return {flat(x + 2), flat(0.5 + x), flat(x - 1), flat(2.5 - x),         flat(x * 3),          flat(-1.5 * x),
            flat(x / 2), flat(3 / x),   flat(-x),    flat(minimum(x, 1.5)), flat(maximum(x, 1.5))};
  }
};

/// Leaves: a, b. numbers: which comparison chooses.
struct CompareRow {
  static constexpr const char* name = "comparisons";
  static constexpr bool compares = true;
  static std::vector<Case> cases() {
    std::vector<Case> all;
    for (int i = 0; i < 6; ++i)
      all.push_back({.name = "comparison " + std::to_string(i), .leaves = {{2, 4}, {4}}, .numbers = {double(i)}});
    all.push_back({.name = "empty batch", .leaves = {{0, 4}, {4}}, .numbers = {2}});
    return all;
  }
  static std::vector<Case> large() { return {{.name = "less", .leaves = {{300, 257}, {257}}, .numbers = {2}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto a = in.template leaf<2>(0);
    const auto b = in.template leaf<1>(1);
    switch (int(in.number(0))) {
      case 0:
        return both(equal(a, b), equal(a, 0.25), a, b);
      case 1:
        return both(not_equal(a, b), not_equal(a, 0.25), a, b);
      case 2:
        return both(less(a, b), less(a, 0.25), a, b);
      case 3:
        return both(less_equal(a, b), less_equal(a, 0.25), a, b);
      case 4:
        return both(greater(a, b), greater(a, 0.25), a, b);
      default:
        return both(greater_equal(a, b), greater_equal(a, 0.25), a, b);
    }
  }

 private:
  template <class T, class D>
  static Outputs<T, D> both(const Mask<2, D>& one, const Mask<2, D>& two, const Variable<T, 2, D>& a,
                            const Variable<T, 1, D>& b) {
    return {flat(where(one, a, b)), flat(where(logical_and(one, logical_not(two)), a, 0.5)),
            flat(where(logical_or(one, two), 0.5, a)), flat(where(logical_xor(one, two), 2 * a, a))};
  }
};

/// Leaves: a, b, which may have to repeat. masks: 1 = a.
struct WhereRow {
  static constexpr const char* name = "where";
  static std::vector<Case> cases() {
    return {{.name = "equal shapes",
             .leaves = {{2, 3}, {2, 3}},
             .masks = {{{2, 3}, {1, 0, 1, 0, 0, 1}}},
             .absent = {{0, {0, 1}}, {0, {1, 0}}, {0, {1, 1}}, {1, {0, 0}}, {1, {0, 2}}, {1, {1, 2}}}},
            {.name = "a mask of samples, a row",
             .leaves = {{3, 4}, {1, 4}},
             .masks = {{{3, 1}, {1, 0, 1}}},
             .absent = {{0, {1}}}},
            {.name = "all of b", .leaves = {{2, 2}, {2, 1}}, .masks = {{{1, 1}, {0}}}, .absent = {{0, {}}}},
            {.name = "empty batch", .leaves = {{0, 3}, {1, 3}}, .masks = {{{0, 3}, {}}}}};
  }
  static std::vector<Case> large() {
    Constant mask{Shape{300, 257}, {}};
    for (int i = 0; i < 300 * 257; ++i) mask.numbers.push_back(i * 7 % 11 < 5);
    return {{.name = "large", .leaves = {{300, 257}, {1, 257}}, .masks = {mask}, .absent = {{0, {0, 3}}}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(where(in.template mask<2>(0), in.template leaf<2>(0), in.template leaf<2>(1)))};
  }
};

using ElementwiseRows = Rows<ElementwiseRow, BroadcastRow, ScalarOperatorsRow, CompareRow, WhereRow>;

}  // namespace lacuna::test
