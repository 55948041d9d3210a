/// Rows of tests/ops.hpp: activations, softmax, normalisation.
#pragma once

#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/norm.hpp"
#include "lacuna/ops/softmax.hpp"
#include "rows/arithmetic.hpp"

namespace lacuna::test {

/// numbers: {kind, parameter}.
struct ActivateRow {
  static constexpr const char* name = "activate";
  static std::vector<Case> cases() {
    std::vector<Case> all;
    for (int kind = int(Activation::sigmoid); kind <= int(Activation::mish); ++kind)
      all.push_back({.name = "kind " + std::to_string(kind),
                     .leaves = {{3, 4}},
                     .numbers = {double(kind), 0.3},
                     .low = -3,
                     .high = 3});
    all.push_back({.name = "one element", .leaves = {{1, 1}}, .numbers = {double(Activation::gelu)}});
    all.push_back({.name = "empty batch", .leaves = {{0, 4}}, .numbers = {double(Activation::silu)}});
    return all;
  }
  static std::vector<Case> large() {
    return {
        {.name = "gelu", .leaves = {{300, 257}}, .numbers = {double(Activation::gelu)}, .low = -3, .high = 3},
        {.name = "sigmoid", .leaves = {{300, 257}}, .numbers = {double(Activation::sigmoid)}, .low = -3, .high = 3}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(activate(in.template leaf<2>(0), Activation(int(in.number(0))), in.number(1, 1)))};
  }
};

struct GluRow {
  static constexpr const char* name = "glu";
  static std::vector<Case> cases() {
    return {{.name = "several rows", .leaves = {{3, 4}}},
            {.name = "batch of one", .leaves = {{1, 2}}},
            {.name = "empty batch", .leaves = {{0, 4}}},
            {.name = "empty rows", .leaves = {{3, 0}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{300, 256}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(glu(in.template leaf<2>(0)))};
  }
};

/// numbers: {axis}. mask like x.
struct SoftmaxRow {
  static constexpr const char* name = "softmax";
  static std::vector<Case> cases() {
    return {{.name = "last axis", .leaves = {{2, 3, 4}}, .numbers = {-1}, .low = -3, .high = 3},
            {.name = "middle axis", .leaves = {{2, 3, 4}}, .numbers = {1}, .low = -3, .high = 3},
            {.name = "first axis", .leaves = {{2, 3, 4}}, .numbers = {0}},
            {.name = "present entries, one run absent",
             .leaves = {{1, 3, 3}},
             .masks = {{{1, 3, 3}, {1, 0, 1, 0, 0, 0, 0, 0, 1}}},
             .numbers = {2},
             .absent = {{0, {0, 1}}, {0, {0, 0, 1}}, {0, {0, 2, 0}}}},
            {.name = "one entry", .leaves = {{1, 1, 1}}, .numbers = {1}},
            {.name = "empty axis", .leaves = {{2, 0, 3}}, .numbers = {1}},
            {.name = "empty batch", .leaves = {{0, 2, 3}}, .numbers = {-1}}};
  }
  static std::vector<Case> large() {
    return {{.name = "last axis", .leaves = {{20, 30, 140}}, .numbers = {-1}},
            {.name = "middle axis", .leaves = {{20, 30, 140}}, .numbers = {1}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(softmax(in.template leaf<3>(0), int(in.number(0)), in.template mask<3>(0)))};
  }
};

/// numbers: {axis}.
struct LogSoftmaxRow {
  static constexpr const char* name = "log_softmax";
  static std::vector<Case> cases() {
    return {{.name = "last axis", .leaves = {{2, 3, 4}}, .numbers = {-1}, .low = -3, .high = 3},
            {.name = "middle axis", .leaves = {{2, 3, 4}}, .numbers = {1}},
            {.name = "one entry", .leaves = {{1, 1, 1}}, .numbers = {1}},
            {.name = "empty axis", .leaves = {{2, 0, 3}}, .numbers = {1}},
            {.name = "empty batch", .leaves = {{0, 2, 3}}, .numbers = {-1}}};
  }
  static std::vector<Case> large() { return {{.name = "middle axis", .leaves = {{20, 30, 140}}, .numbers = {1}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(log_softmax(in.template leaf<3>(0), int(in.number(0))))};
  }
};

/// Leaves: x, weight, bias, or x alone.
struct LayerNormRow {
  static constexpr const char* name = "layer_norm";
  static std::vector<Case> cases() {
    return {{.name = "affine", .leaves = {{3, 4}, {4}, {4}}},
            {.name = "plain", .leaves = {{3, 5}}},
            {.name = "weight alone", .leaves = {{3, 5}, {5}}},
            {.name = "batch of one", .leaves = {{1, 3}, {3}, {3}}},
            {.name = "one feature: the bias", .leaves = {{3, 1}, {1}, {1}}},
            {.name = "empty batch", .leaves = {{0, 3}, {3}, {3}}}};
  }
  static std::vector<Case> large() {
    return {{.name = "large", .leaves = {{300, 257}, {257}, {257}}},
            {.name = "many narrow rows", .leaves = {{1025, 33}, {33}, {33}}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto vector = [&](std::size_t i) {
      return in.leaf_count() > i ? in.template leaf<1>(i) : Variable<T, 1, D>();
    };
    return {flat(layer_norm(in.template leaf<2>(0), vector(1), vector(2)))};
  }
};

/// Leaves: x, weight.
struct RmsNormRow {
  static constexpr const char* name = "rms_norm";
  static std::vector<Case> cases() {
    return {{.name = "several rows", .leaves = {{3, 4}, {4}}},
            {.name = "batch of one, one feature", .leaves = {{1, 1}, {1}}},
            {.name = "empty batch", .leaves = {{0, 3}, {3}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{300, 257}, {257}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(rms_norm(in.template leaf<2>(0), in.template leaf<1>(1)))};
  }
};

/// Leaves: x (B, T, C), weight, bias. mask: present (B, T). numbers: {training}.
struct BatchNormRow {
  static constexpr const char* name = "batch_norm";
  static std::vector<Case> cases() {
    return {{.name = "training", .leaves = {{3, 4, 2}, {2}, {2}}, .numbers = {1}},
            {.name = "inference", .leaves = {{3, 4, 2}, {2}, {2}}, .numbers = {0}},
            {.name = "training, no parameters", .leaves = {{3, 2, 2}}, .numbers = {1}},
            {.name = "training, lengths, one sample absent",
             .leaves = {{3, 4, 2}, {2}, {2}},
             .masks = {present_frames({3, 0, 4}, 4)},
             .numbers = {1},
             .absent = {{0, {1}}, {0, {0, 3}}}},
            {.name = "inference, all absent",
             .leaves = {{2, 2, 2}, {2}, {2}},
             .masks = {present_frames({0, 0}, 2)},
             .numbers = {0},
             .absent = {{0, {}}}},
            {.name = "training, all absent",
             .leaves = {{2, 2, 2}, {2}, {2}},
             .masks = {present_frames({0, 0}, 2)},
             .numbers = {1},
             .absent = {{0, {}}}},
            {.name = "empty batch", .leaves = {{0, 4, 2}, {2}, {2}}, .numbers = {1}}};
  }
  static std::vector<Case> large() {
    return {{.name = "training",
             .leaves = {{11, 40, 96}, {96}, {96}},
             .masks = {present_frames({40, 3, 0, 40, 40, 12, 40, 1, 2, 40, 40}, 40)},
             .numbers = {1},
             .absent = {{0, {2}}}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto x = in.template leaf<3>(0);
    const auto vector = [&](std::size_t i) {
      return in.leaf_count() > i ? in.template leaf<1>(i) : Variable<T, 1, D>();
    };
    const index_t n = x.extent(2);
    Array<T, D> mean = Tensor<T, 1, D>::full({n}, T(0.25)), variance = Tensor<T, 1, D>::full({n}, T(0.5));
    return {flat(batch_norm(x, vector(1), vector(2), mean, variance, in.number(0) != 0, {}, in.template mask<2>(0)))};
  }
};

using FunctionRows = Rows<ActivateRow, GluRow, SoftmaxRow, LogSoftmaxRow, LayerNormRow, RmsNormRow, BatchNormRow>;

}  // namespace lacuna::test
