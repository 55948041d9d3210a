/// Rows of tests/ops.hpp: reductions over axes, running sums.
#pragma once

#include "lacuna/ops/reduction.hpp"
#include "rows/arithmetic.hpp"

namespace lacuna::test {

/// numbers: {which, form}. Forms: 0, 1, -1 that axis; 2 the first and last; 3 the last two, which stay; 4 the whole; 5
/// axis 1, which stays.
struct ReductionRow {
  static constexpr const char* name = "reductions";
  static constexpr const char* kinds[] = {"sum",    "mean",   "prod",     "max",    "min", "logsumexp",
                                          "norm 1", "norm 2", "norm inf", "norm 3", "var", "stddev"};
  static std::vector<Case> cases() {
    std::vector<Case> all;
    const auto add = [&](double which, double form, Shape shape, std::string name) {
      all.push_back({.name = std::string(kinds[int(which)]) + ", " + name,
                     .leaves = {shape},
                     .numbers = {which, form},
                     .low = which == 9 ? 0.2 : -1.5,
                     .high = 1.5});
    };
    for (std::size_t i = 0; i < std::size(kinds); ++i) {
      add(double(i), double(i % 3) - 1, {3, 4, 5}, "one axis");
      add(double(i), 2, {3, 4, 5}, "first and last axis");
      if (i != 9) add(double(i), i % 2 ? 3 : 4, {2, 3, 4}, "last two or whole");
    }
    for (const double which : {0.0, 5.0, 3.0}) {
      add(which, 5, {1, 3, 1}, "batch of one, one feature");
      add(which, 0, {1, 1, 1}, "one number");
      add(which, -1, {0, 3, 2}, "empty batch");
      add(which, 2, {2, 0, 3}, "empty result");
      add(which, 2, {2, 3, 11}, "more than eight in a run");
    }
    add(0, 1, {2, 0, 3}, "of nothing");
    add(1, 1, {2, 0, 3}, "of nothing");
    add(2, 1, {2, 0, 3}, "of nothing");
    return all;
  }
  static std::vector<Case> large() {
    const auto of = [](double which, double form, double low = -1) {
      return Case{.name = std::string(kinds[int(which)]) + ", form " + std::to_string(int(form)),
                  .leaves = {{30, 41, 65}},
                  .numbers = {which, form},
                  .low = low};
    };
    return {of(0, 0), of(0, -1), of(1, 2), of(5, 1), of(5, 4), of(7, 3), of(10, 2)};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto x = in.template leaf<3>(0);
    switch (int(in.number(0))) {
      case 0:
        return in.number(1) == 4 ? out(flat(sum(x)))
                                 : forms(in, [&](const auto&... how) { return flat(sum(x, how...)); });
      case 1:
        return in.number(1) == 4 ? out(flat(mean(x)))
                                 : forms(in, [&](const auto&... how) { return flat(mean(x, how...)); });
      case 2:
        return forms(in, [&](const auto&... how) { return flat(prod(x, how...)); });
      case 3:
        return forms(in, [&](const auto&... how) { return flat(max(x, how...)); });
      case 4:
        return forms(in, [&](const auto&... how) { return flat(min(x, how...)); });
      case 5:
        return forms(in, [&](const auto&... how) { return flat(logsumexp(x, how...)); });
      case 6:
        return forms(in, [&](const auto&... how) { return flat(norm(x, 1, how...)); });
      case 7:
        return forms(in, [&](const auto&... how) { return flat(norm(x, 2, how...)); });
      case 8:
        return forms(in, [&](const auto&... how) { return flat(norm(x, INFINITY, how...)); });
      case 9:
        return forms(in, [&](const auto&... how) { return flat(norm(x, 3, how...)); });
      case 10:
        return forms(in, [&](const auto&... how) { return flat(var(x, how...)); });
      default:
        return forms(in, [&](const auto&... how) { return flat(stddev(x, Correction{0}, how...)); });
    }
  }

 private:
  template <class V>
  static std::vector<V> out(const V& y) {
    return {y};
  }
  template <class T, class D, class F>
  static Outputs<T, D> forms(const Inputs<T, D>& in, F f) {
    static constexpr int ends[] = {0, 2}, last[] = {-2, -1};
    switch (int(in.number(1))) {
      case 2:
        return {f(ends)};
      case 3:
        return {f(last, keepdim)};
      case 4:
        return {f()};
      case 5:
        return {f(1, keepdim)};
      default:
        return {f(int(in.number(1)))};
    }
  }
};

/// masks: 0 = the number is 0.
struct ProductOfZerosRow {
  static constexpr const char* name = "prod with zeros";
  static std::vector<Case> cases() {
    return {
        {.name = "one and two zeros", .leaves = {{2, 4}}, .masks = {{{2, 4}, {1, 0, 1, 1, 0, 1, 1, 0}}}, .low = 0.5},
        {.name = "none", .leaves = {{1, 3}}, .masks = {{{1, 3}, {1, 1, 1}}}, .low = 0.5}};
  }
  static std::vector<Case> large() {
    Constant mask{Shape{600, 30}, {}};
    for (int i = 0; i < 600 * 30; ++i) mask.numbers.push_back(i % 37 != 0);
    return {{.name = "large", .leaves = {{600, 30}}, .masks = {mask}, .low = 0.9, .high = 1.1}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    // x − stop(x) where the mask is 0: the number is 0 and its gradient flows
    const auto x = in.template leaf<2>(0);
    const auto present = in.template mask<2>(0);
    List<T> factors(std::size_t(x.size()), T(0));
    const auto host = present.to_list();
    for (std::size_t i = 0; i < host.size(); ++i) factors[i] = host[i] ? T(0) : T(1);
    const auto start = Inputs<T, D>(in.problem()).template leaf<2>(0).detach();
    const Variable<T, 2, D> off(Tensor<T, 2, D>::from(x.extents(), factors));
    return {flat(prod(x - start * off, -1))};
  }
};

/// numbers: {axis}.
struct CumsumRow {
  static constexpr const char* name = "cumsum";
  static std::vector<Case> cases() {
    return {{.name = "last axis", .leaves = {{2, 3, 4}}, .numbers = {-1}},
            {.name = "middle axis", .leaves = {{2, 3, 4}}, .numbers = {1}},
            {.name = "one entry", .leaves = {{1, 1, 1}}, .numbers = {0}},
            {.name = "empty axis", .leaves = {{2, 0, 3}}, .numbers = {1}},
            {.name = "empty batch", .leaves = {{0, 2, 3}}, .numbers = {-1}}};
  }
  static std::vector<Case> large() { return {{.name = "middle axis", .leaves = {{20, 30, 140}}, .numbers = {1}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(cumsum(in.template leaf<3>(0), int(in.number(0))))};
  }
};

using ReductionRows = Rows<ReductionRow, ProductOfZerosRow, CumsumRow>;

}  // namespace lacuna::test
