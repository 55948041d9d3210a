/// Rows of tests/ops.hpp: linear layers and attention, as operations and as the layers made of them.
#pragma once

#include "lacuna/nn/attention_pooling.hpp"
#include "lacuna/nn/imagination.hpp"
#include "support/rows.hpp"

namespace lacuna::test {

/// numbers: {activation}. Leaves: x, weight, and a bias or none.
struct LinearRow {
  static constexpr const char* name = "linear";
  static std::vector<Case> cases() {
    return {{.name = "plain", .leaves = {{4, 3}, {5, 3}, {5}}},
            {.name = "relu", .leaves = {{4, 3}, {5, 3}, {5}}, .numbers = {double(Activation::relu)}},
            {.name = "tanh", .leaves = {{4, 3}, {5, 3}, {5}}, .numbers = {double(Activation::tanh)}},
            {.name = "no bias", .leaves = {{4, 3}, {5, 3}}},
            {.name = "no bias, tanh", .leaves = {{4, 3}, {5, 3}}, .numbers = {double(Activation::tanh)}},
            {.name = "batch of one, one output", .leaves = {{1, 3}, {1, 3}, {1}}},
            {.name = "one input", .leaves = {{3, 1}, {2, 1}, {2}}},
            {.name = "no inputs: the bias", .leaves = {{3, 0}, {2, 0}, {2}}},
            {.name = "empty batch", .leaves = {{0, 3}, {2, 3}, {2}}}};
  }
  static std::vector<Case> large() {
    return {
        {.name = "tiles by rows", .leaves = {{301, 67}, {95, 67}, {95}}, .numbers = {double(Activation::tanh)}},
        {.name = "tiles by columns", .leaves = {{37, 130}, {301, 130}, {301}}, .numbers = {double(Activation::relu)}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto bias = in.leaf_count() > 2 ? in.template leaf<1>(2) : Variable<T, 1, D>();
    return {flat(linear(in.template leaf<2>(0), in.template leaf<2>(1), bias, Activation(int(in.number(0)))))};
  }
};

/// Leaves: query, key, value. mask: present (B, K). numbers: {heads, scale, dropout, whether the weights are kept}.
struct AttentionRow {
  static constexpr const char* name = "attention";
  static std::vector<Case> cases() {
    return {
        {.name = "one head", .leaves = {{2, 3, 4}, {2, 5, 4}, {2, 5, 3}}},
        {.name = "two heads, own scale", .leaves = {{2, 3, 4}, {2, 4, 4}, {2, 4, 6}}, .numbers = {2, 0.3}},
        {.name = "one query for all", .leaves = {{1, 2, 3}, {3, 4, 3}, {3, 4, 2}}, .numbers = {1, 0.3}},
        {.name = "lengths, one sample absent",
         .leaves = {{3, 2, 4}, {3, 4, 4}, {3, 4, 2}},
         .masks = {present_frames({4, 0, 2}, 4)},
         .numbers = {2},
         .absent = {{0, {1}}, {1, {1}}, {2, {1}}, {1, {2, 2}}, {1, {2, 3}}, {2, {2, 2}}, {2, {2, 3}}}},
        {.name = "one query for all, holes, one sample absent",
         .leaves = {{1, 2, 4}, {3, 4, 4}, {3, 4, 2}},
         .masks = {{{3, 4}, {0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 1}}},
         .absent = {{1, {0}}, {2, {0}}},
         .unseen = {{1, {1, 0}}, {2, {1, 0}}, {1, {1, 2}}, {2, {1, 2}}, {1, {2, 1}}, {2, {2, 2}}}},
        {.name = "all absent",
         .leaves = {{2, 2, 3}, {2, 3, 3}, {2, 3, 2}},
         .masks = {present_frames({0, 0}, 3)},
         .absent = {{0, {}}, {1, {}}, {2, {}}}},
        {.name = "weights not kept, dropout, holes, one sample absent",
         .leaves = {{3, 5, 4}, {3, 6, 4}, {3, 6, 2}},
         .masks = {{{3, 6}, {1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1}}},
         .numbers = {2, 0, 0.3, 0},
         .absent = {{0, {1}}, {1, {1}}, {2, {1}}, {1, {0, 1}}, {2, {0, 5}}, {1, {2, 0}}, {2, {2, 4}}}},
        {.name = "many features, one query for all, holes, one sample absent",
         .leaves = {{1, 1, 18}, {3, 3, 18}, {3, 3, 5}},
         .masks = {{{3, 3}, {1, 0, 1, 0, 0, 0, 1, 0, 0}}},
         .numbers = {1, 0.3},
         .absent = {{1, {1}}, {2, {1}}, {1, {0, 1}}, {2, {0, 1}}, {1, {2, 2}}, {2, {2, 2}}}},
        {.name = "many features, weights not kept, dropout",
         .leaves = {{2, 3, 5}, {2, 4, 5}, {2, 4, 17}},
         .masks = {present_frames({4, 0}, 4)},
         .numbers = {1, 0, 0.3, 0},
         .absent = {{0, {1}}, {1, {1}}, {2, {1}}}},
        {.name = "many features, all absent",
         .leaves = {{2, 1, 17}, {2, 2, 17}, {2, 2, 3}},
         .masks = {present_frames({0, 0}, 2)},
         .absent = {{0, {}}, {1, {}}, {2, {}}}},
        {.name = "batch of one, T = 1", .leaves = {{1, 1, 2}, {1, 1, 2}, {1, 1, 3}}},
        {.name = "large scores", .leaves = {{2, 2, 3}, {2, 4, 3}, {2, 4, 2}}, .numbers = {1, 5}, .low = -4, .high = 4},
        {.name = "no queries", .leaves = {{2, 0, 3}, {2, 4, 3}, {2, 4, 2}}},
        {.name = "empty sequence", .leaves = {{2, 2, 3}, {2, 0, 3}, {2, 0, 2}}},
        {.name = "empty batch", .leaves = {{0, 2, 3}, {0, 4, 3}, {0, 4, 2}}}};
  }
  /// More queries, keys and features than a block takes at once.
  static std::vector<Case> medium() {
    return {{.name = "few features, many queries and keys",
             .leaves = {{2, 70, 4}, {2, 75, 4}, {2, 75, 3}},
             .masks = {present_frames({75, 66}, 75)},
             .numbers = {1, 0, 0.2, 0}},
            {.name = "few features, more keys than threads",
             .leaves = {{2, 2, 16}, {2, 140, 16}, {2, 140, 10}},
             .masks = {present_frames({140, 131}, 140)},
             .numbers = {2}},
            {.name = "many features, many queries and keys",
             .leaves = {{2, 10, 40}, {2, 75, 40}, {2, 75, 70}},
             .masks = {present_frames({75, 9}, 75)},
             .numbers = {1, 0.3, 0.2, 0},
             .absent = {{1, {1, 9}}, {2, {1, 10}}, {2, {1, 74}}}},
            {.name = "many features, one query, many keys", .leaves = {{1, 1, 70}, {2, 141, 70}, {2, 141, 40}}}};
  }
  static std::vector<Case> large() {
    return {{.name = "few features, more queries than a tile, more keys than threads",
             .leaves = {{3, 67, 8}, {3, 133, 8}, {3, 133, 8}},
             .masks = {present_frames({133, 0, 129}, 133)},
             .numbers = {2, 0, 0.2, 0},
             .absent = {{0, {1}}, {1, {1}}, {2, {1}}}},
            {.name = "many features, seven queries",
             .leaves = {{3, 7, 256}, {3, 100, 256}, {3, 100, 256}},
             .masks = {present_frames({100, 0, 57}, 100)},
             .numbers = {1, 0.3},
             .absent = {{0, {1}}, {1, {1}}, {2, {1}}, {1, {2, 57}}, {2, {2, 99}}}},
            {.name = "two heads, lengths",
             .leaves = {{11, 7, 32}, {11, 33, 32}, {11, 33, 48}},
             .masks = {present_frames({33, 1, 0, 7, 20, 33, 32, 5, 6, 7, 19}, 33)},
             .numbers = {2},
             .absent = {{0, {2}}, {1, {2}}, {2, {2}}}},
            {.name = "one query for all", .leaves = {{1, 7, 32}, {11, 33, 32}, {11, 33, 48}}, .numbers = {1, 0.3}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(7);
    const AttentionOptions options{.num_heads = index_t(in.number(0, 1)),
                                   .scale = in.number(1),
                                   .dropout = in.number(2),
                                   .need_weights = in.number(3, 1) != 0};
    return {flat(attention(in.template leaf<3>(0), in.template leaf<3>(1), in.template leaf<3>(2),
                           in.template mask<2>(0), options, {}, Context::train(random))
                     .output)};
  }
};

/// Leaves: x (B, T, width), query, key weight, key bias. numbers: {dropout}.
struct AttentionPoolingRow {
  static constexpr const char* name = "AttentionPooling";
  static std::vector<Case> cases() {
    return {{.name = "all present", .leaves = {{2, 4, 3}, {1, 3}, {3, 3}, {3}}},
            {.name = "lengths, one sample absent",
             .leaves = {{3, 4, 3}, {1, 3}, {3, 3}, {3}},
             .masks = {present_frames({3, 0, 4}, 4)},
             .unseen = {{0, {1}}, {0, {0, 3}}}},
            {.name = "dropout", .leaves = {{2, 4, 3}, {1, 3}, {3, 3}, {3}}, .numbers = {0.5}},
            {.name = "batch of one, T = 1", .leaves = {{1, 1, 3}, {1, 3}, {3, 3}, {3}}},
            {.name = "empty sequence", .leaves = {{2, 0, 3}, {1, 3}, {3, 3}, {3}}},
            {.name = "empty batch", .leaves = {{0, 2, 3}, {1, 3}, {3, 3}, {3}}}};
  }
  static std::vector<Case> large() {
    return {{.name = "large",
             .leaves = {{13, 50, 64}, {1, 64}, {64, 64}, {64}},
             .masks = {present_frames({50, 0, 13, 49, 1, 2, 3, 50, 50, 8, 9, 25, 26}, 50)},
             .numbers = {0.5},
             .unseen = {{0, {1}}}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(7);
    AttentionPooling<T, D> layer({.embed_dim = in.template leaf<3>(0).extent(2), .dropout = in.number(0, 0)}, random);
    seat(layer, in, 1);
    return {flat(layer(in.template leaf<3>(0), in.template mask<2>(0), Context::train(random)).pooled)};
  }
};

/// Leaves: queries (B, V, width), x (B, T, width), and the two projections. numbers: {dropout}.
struct ViewCrossAttentionRow {
  static constexpr const char* name = "ViewCrossAttention";
  static std::vector<Case> cases() {
    return {{.name = "all present", .leaves = {{2, 2, 3}, {2, 4, 3}, {3, 3}, {3}, {3, 3}, {3}}},
            {.name = "lengths, one sample absent",
             .leaves = {{3, 2, 3}, {3, 4, 3}, {3, 3}, {3}, {3, 3}, {3}},
             .masks = {present_frames({3, 0, 4}, 4)},
             .unseen = {{0, {1}}, {1, {1}}, {1, {0, 3}}}},
            {.name = "dropout", .leaves = {{2, 2, 3}, {2, 4, 3}, {3, 3}, {3}, {3, 3}, {3}}, .numbers = {0.5}},
            {.name = "batch of one, T = 1, one view", .leaves = {{1, 1, 3}, {1, 1, 3}, {3, 3}, {3}, {3, 3}, {3}}},
            {.name = "empty sequence", .leaves = {{2, 2, 3}, {2, 0, 3}, {3, 3}, {3}, {3, 3}, {3}}},
            {.name = "empty batch", .leaves = {{0, 2, 3}, {0, 2, 3}, {3, 3}, {3}, {3, 3}, {3}}}};
  }
  static std::vector<Case> large() {
    return {{.name = "large",
             .leaves = {{9, 7, 64}, {9, 50, 64}, {64, 64}, {64}, {64, 64}, {64}},
             .masks = {present_frames({50, 0, 13, 49, 1, 2, 3, 50, 8}, 50)},
             .numbers = {0.5},
             .unseen = {{0, {1}}, {1, {1}}}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(7);
    ViewCrossAttention<T, D> layer({.embed_dim = in.template leaf<3>(0).extent(2), .dropout = in.number(0, 0)}, random);
    seat(layer, in, 2);
    return {flat(
        layer(in.template leaf<3>(0), in.template leaf<3>(1), in.template mask<2>(0), Context::train(random)).output)};
  }
};

/// Leaves: three inputs (B, V, d), then the four linear layers. numbers: {residual, missing}.
struct ImaginationAutoencoderRow {
  static constexpr const char* name = "ImaginationAutoencoder";
  static Case one(const char* title, index_t batch, index_t views, index_t d, index_t narrow,
                  std::vector<double> numbers) {
    return {.name = title,
            .leaves = {{batch, views, d},
                       {batch, views, d},
                       {batch, views, d},
                       {d, 3 * d},
                       {d},
                       {d, d},
                       {d},
                       {narrow, d},
                       {narrow},
                       {d, narrow},
                       {d}},
            .numbers = std::move(numbers)};
  }
  static std::vector<Case> cases() {
    return {one("residual from the transition", 2, 2, 3, 2, {double(ImaginationResidual::transition), 1}),
            one("residual from the input", 2, 2, 3, 2, {double(ImaginationResidual::input), 2}),
            one("batch of one, one view", 1, 1, 2, 1, {double(ImaginationResidual::input), 0}),
            one("empty batch", 0, 2, 2, 1, {double(ImaginationResidual::transition), 1})};
  }
  static std::vector<Case> large() { return {one("large", 31, 7, 64, 32, {double(ImaginationResidual::input), 1})}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(0);
    const index_t width = in.template leaf<3>(0).extent(2), narrow = in.template leaf<2>(7).extent(0);
    ImaginationAutoencoder<T, D> layer({3, width, narrow, ImaginationResidual(int(in.number(0)))}, random);
    seat(layer, in, 3);
    const std::vector inputs{in.template leaf<3>(0), in.template leaf<3>(1), in.template leaf<3>(2)};
    return {flat(layer(inputs, std::size_t(in.number(1))))};
  }
};

/// Leaves: x, then two linear layers. Dropout 0.3.
struct MlpRow {
  static constexpr const char* name = "Mlp";
  static std::vector<Case> cases() {
    return {{.name = "plain", .leaves = {{3, 4}, {5, 4}, {5}, {2, 5}, {2}}},
            {.name = "batch of one", .leaves = {{1, 4}, {5, 4}, {5}, {2, 5}, {2}}},
            {.name = "empty batch", .leaves = {{0, 4}, {5, 4}, {5}, {2, 5}, {2}}}};
  }
  static std::vector<Case> large() {
    return {{.name = "large", .leaves = {{260, 64}, {96, 64}, {96}, {70, 96}, {70}}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(7);
    const index_t width = in.template leaf<2>(0).extent(1), middle = in.template leaf<1>(2).extent(0);
    Mlp<T, D> layer({.sizes = {width, middle, in.template leaf<1>(4).extent(0)}, .dropout = 0.3}, random);
    seat(layer, in, 1);
    return {flat(layer(in.template leaf<2>(0), Context::train(random)))};
  }
};

using AttentionRows =
    Rows<LinearRow, AttentionRow, AttentionPoolingRow, ViewCrossAttentionRow, ImaginationAutoencoderRow, MlpRow>;

}  // namespace lacuna::test
