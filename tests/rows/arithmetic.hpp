/// Rows of tests/ops.hpp: elementwise arithmetic, sums, activations, dropout.
#pragma once

#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/dropout.hpp"
#include "lacuna/ops/linear.hpp"
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

struct AddDropoutRow : PairCases {
  static constexpr const char* name = "add_dropout";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(7);
    return {flat(add_dropout(in.template leaf<2>(0), in.template leaf<2>(1), 0.4, Context::train(random)))};
  }
};
/// Leaves: x, weight and, or not, bias.
struct LinearCases {
  static std::vector<Case> cases() {
    return {{.name = "several rows", .leaves = {{3, 4}, {5, 4}, {5}}},
            {.name = "no bias", .leaves = {{3, 4}, {5, 4}}},
            {.name = "batch of one, one number", .leaves = {{1, 1}, {1, 1}, {1}}},
            {.name = "two groups of the generator", .leaves = {{3, 2}, {33, 2}, {33}}},
            {.name = "nothing in", .leaves = {{3, 0}, {2, 0}, {2}}},
            {.name = "empty batch", .leaves = {{0, 4}, {5, 4}, {5}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{1025, 40}, {33, 40}, {33}}}}; }
};
struct LinearReluRow : LinearCases {
  static constexpr const char* name = "linear, relu";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto bias = in.leaf_count() > 2 ? in.template leaf<1>(2) : Variable<T, 1, D>();
    return {flat(linear(in.template leaf<2>(0), in.template leaf<2>(1), bias, Activation::relu))};
  }
};
struct LinearReluDropoutRow : LinearCases {
  static constexpr const char* name = "linear_relu_dropout";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(7);
    const auto bias = in.leaf_count() > 2 ? in.template leaf<1>(2) : Variable<T, 1, D>();
    return {
        flat(linear_relu_dropout(in.template leaf<2>(0), in.template leaf<2>(1), bias, 0.4, Context::train(random)))};
  }
};

using ArithmeticRows = Rows<AddRow, SubtractRow, MultiplyRow, ScaleRow, SumRow, MeanRow, ReluRow, TanhRow, DropoutRow,
                            AddDropoutRow, LinearReluRow, LinearReluDropoutRow>;

}  // namespace lacuna::test
