/// Rows of tests/ops.hpp: elementwise arithmetic, sums, activations, dropout.
#pragma once

#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/dropout.hpp"
#include "support/rows.hpp"

namespace lacuna::test {

/// Operations of two equal shapes.
struct PairCases {
  static std::vector<Case> cases() {
    return {{.name = "several rows", .leaves = {{3, 4}, {3, 4}}},
            {.name = "batch of one", .leaves = {{1, 3}, {1, 3}}},
            {.name = "one element", .leaves = {{1, 1}, {1, 1}}},
            {.name = "empty batch", .leaves = {{0, 4}, {0, 4}}},
            {.name = "empty rows", .leaves = {{3, 0}, {3, 0}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{300, 257}, {300, 257}}}}; }
};
/// Operations of one tensor.
struct SingleCases {
  static std::vector<Case> cases() {
    return {{.name = "several rows", .leaves = {{3, 4}}},
            {.name = "batch of one", .leaves = {{1, 3}}},
            {.name = "one element", .leaves = {{1, 1}}},
            {.name = "empty batch", .leaves = {{0, 4}}},
            {.name = "empty rows", .leaves = {{3, 0}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{300, 257}}}}; }
};

struct AddRow : PairCases {
  static constexpr const char* name = "add";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(in.template leaf<2>(0) + in.template leaf<2>(1))};
  }
};
struct SubtractRow : PairCases {
  static constexpr const char* name = "subtract";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(in.template leaf<2>(0) - in.template leaf<2>(1))};
  }
};
struct MultiplyRow : PairCases {
  static constexpr const char* name = "multiply";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(in.template leaf<2>(0) * in.template leaf<2>(1))};
  }
};
struct ScaleRow : SingleCases {
  static constexpr const char* name = "scale";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(-2.5 * in.template leaf<2>(0))};
  }
};
struct SumRow : SingleCases {
  static constexpr const char* name = "sum";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(sum(in.template leaf<2>(0)))};
  }
};
struct MeanRow : SingleCases {
  static constexpr const char* name = "mean";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(mean(in.template leaf<2>(0)))};
  }
};
struct ReluRow : SingleCases {
  static constexpr const char* name = "relu";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(relu(in.template leaf<2>(0)))};
  }
};
struct TanhRow : SingleCases {
  static constexpr const char* name = "tanh";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(tanh(in.template leaf<2>(0)))};
  }
};
struct DropoutRow : SingleCases {
  static constexpr const char* name = "dropout";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(7);  // the same elements every time
    return {flat(dropout(in.template leaf<2>(0), 0.4, Context::train(random)))};
  }
};

using ArithmeticRows =
    Rows<AddRow, SubtractRow, MultiplyRow, ScaleRow, SumRow, MeanRow, ReluRow, TanhRow, DropoutRow>;

}  // namespace lacuna::test
