/// Rows of tests/ops.hpp: matrix products.
#pragma once

#include "lacuna/ops/einsum.hpp"
#include "lacuna/ops/matmul.hpp"
#include "rows/arithmetic.hpp"

namespace lacuna::test {

/// Leaves of ranks 1, 2 or 4. numbers: {first transposed, second transposed}.
struct MatmulRow {
  static constexpr const char* name = "matmul";
  static std::vector<Case> cases() {
    std::vector<Case> all;
    const auto add = [&](std::string name, Shape a, Shape b, double ta = 0, double tb = 0) {
      all.push_back({.name = name, .leaves = {a, b}, .numbers = {ta, tb}});
    };
    add("matrices", {3, 5}, {5, 2});
    add("matrices, first transposed", {5, 3}, {5, 2}, 1);
    add("matrices, second transposed", {3, 5}, {2, 5}, 0, 1);
    add("matrices, both transposed", {5, 3}, {2, 5}, 1, 1);
    add("vectors", {5}, {5});
    add("vector, matrix", {3}, {3, 4});
    add("vector, transposed matrix", {3}, {4, 3}, 0, 1);
    add("matrix, vector", {3, 4}, {4});
    add("vector, batch", {3}, {2, 2, 3, 4});
    add("batch, vector", {2, 1, 3, 4}, {4});
    for (const double ta : {0.0, 1.0})
      for (const double tb : {0.0, 1.0}) {
        const std::string how =
            std::string(ta != 0 ? ", first" : "") + (tb != 0 ? ", second" : "") + (ta + tb > 0 ? " transposed" : "");
        const Shape a2 = ta != 0 ? Shape{3, 2} : Shape{2, 3}, b2 = tb != 0 ? Shape{4, 3} : Shape{3, 4};
        const auto batch = [](index_t m, index_t n, const Shape& s) { return Shape{m, n, s[0], s[1]}; };
        add("batches" + how, batch(2, 3, a2), batch(2, 3, b2), ta, tb);
        add("batch and matrix" + how, batch(2, 2, a2), b2, ta, tb);
        add("matrix and batch" + how, a2, batch(3, 1, b2), ta, tb);
        add("both batches repeat" + how, batch(2, 1, a2), batch(1, 3, b2), ta, tb);
      }
    add("batch of ones", {1, 1, 1, 1}, {1, 1, 1, 1});
    add("inner size 0", {3, 0}, {0, 2});
    add("inner size 0, batch", {2, 1, 3, 0}, {0, 2});
    add("empty batch", {0, 2, 3, 4}, {4, 2});
    add("empty batch, first shared", {2, 4}, {0, 2, 4, 3});
    add("no rows", {0, 3}, {3, 2});
    return all;
  }
  static std::vector<Case> large() {
    return {{.name = "batches", .leaves = {{3, 4, 40, 33}, {3, 4, 33, 50}}, .numbers = {0, 0}},
            {.name = "batches, second transposed", .leaves = {{5, 2, 40, 33}, {5, 1, 50, 33}}, .numbers = {0, 1}},
            {.name = "a shared matrix, first transposed", .leaves = {{2, 2, 33, 120}, {33, 150}}, .numbers = {1, 0}},
            {.name = "rows", .leaves = {{4, 5, 40, 65}, {65, 33}}, .numbers = {0, 0}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    if (in.rank(0) == 1) return second(in, in.template leaf<1>(0));
    if (in.rank(0) == 2) return second(in, in.template leaf<2>(0));
    return second(in, in.template leaf<4>(0));
  }

 private:
  template <class T, class D, int A>
  static Outputs<T, D> second(const Inputs<T, D>& in, const Variable<T, A, D>& a) {
    const MatmulOptions options{in.number(0) != 0, in.number(1) != 0};
    if (in.rank(1) == 1) return {flat(matmul(a, in.template leaf<1>(1), options))};
    if (in.rank(1) == 2) return {flat(matmul(a, in.template leaf<2>(1), options))};
    return {flat(matmul(a, in.template leaf<4>(1), options))};
  }
};

struct OuterOfVectorsRow {
  static constexpr const char* name = "outer of vectors";
  static std::vector<Case> cases() {
    return {{.name = "two vectors", .leaves = {{3}, {4}}},
            {.name = "one number each", .leaves = {{1}, {1}}},
            {.name = "empty", .leaves = {{0}, {3}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{300}, {257}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(outer(in.template leaf<1>(0), in.template leaf<1>(1)))};
  }
};

/// Leaves: (B, T, F), (B, S, F).
struct EinsumRow {
  static constexpr const char* name = "einsum";
  static std::vector<Case> cases() {
    return {{.name = "several", .leaves = {{2, 3, 4}, {2, 5, 4}}},
            {.name = "one of each", .leaves = {{1, 1, 1}, {1, 1, 1}}},
            {.name = "empty batch", .leaves = {{0, 3, 4}, {0, 2, 4}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{10, 41, 33}, {10, 37, 33}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto a = in.template leaf<3>(0), b = in.template leaf<3>(1);
    return {flat(einsum<3>("btd,bsd->bts", a, b)), flat(einsum<3>("btd,bsd->sbt", a, b)),
            flat(einsum<2>("btd,bsd->bd", a, b)), flat(einsum<0>("btd,bsd->", a, b))};
  }
};

using MatmulRows = Rows<MatmulRow, OuterOfVectorsRow, EinsumRow>;

}  // namespace lacuna::test
