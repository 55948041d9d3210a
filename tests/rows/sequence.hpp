/// Rows of tests/ops.hpp: what works along time: convolution, pooling, recurrence, attention with all its extras; and
/// the small operations around it.
#pragma once

#include "lacuna/nn/recurrent.hpp"
#include "lacuna/ops/attention.hpp"
#include "lacuna/ops/conv1d.hpp"
#include "lacuna/ops/embedding.hpp"
#include "lacuna/ops/manipulation.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/ops/pooling.hpp"
#include "lacuna/ops/slice.hpp"
#include "support/rows.hpp"

namespace lacuna::test {

/// Leaves: x, weight, and a bias or none. numbers: {stride, dilation, groups, pad_left, pad_right}.
struct Conv1dRow {
  static constexpr const char* name = "conv1d";
  static std::vector<Case> cases() {
    return {
        {.name = "same padding", .leaves = {{2, 5, 3}, {4, 3, 3}, {4}}, .numbers = {1, 1, 1, 1, 1}},
        {.name = "no bias, no padding", .leaves = {{2, 5, 3}, {2, 3, 2}}, .numbers = {1, 1, 1, 0, 0}},
        {.name = "kernel 1", .leaves = {{2, 5, 3}, {4, 3, 1}, {4}}, .numbers = {1, 1, 1, 0, 0}},
        {.name = "kernel 1, padding behind", .leaves = {{2, 3, 3}, {2, 3, 1}, {2}}, .numbers = {1, 1, 1, 0, 1}},
        {.name = "kernel 1, stride 2", .leaves = {{2, 5, 3}, {2, 3, 1}}, .numbers = {2, 1, 1, 0, 0}},
        {.name = "kernel 5, padding 2", .leaves = {{1, 4, 2}, {3, 2, 5}, {3}}, .numbers = {1, 1, 1, 2, 2}},
        {.name = "absent frames are zeros",
         .leaves = {{2, 4, 3}, {2, 3, 3}, {2}},
         .masks = {present_frames({4, 2}, 4)},
         .numbers = {1, 1, 1, 1, 1},
         .absent = {{0, {1, 2}}, {0, {1, 3}}}},
        {.name = "no channels", .leaves = {{2, 3, 0}, {2, 0, 3}, {2}}, .numbers = {1, 1, 1, 1, 1}},
        {.name = "stride 2", .leaves = {{2, 6, 2}, {3, 2, 3}, {3}}, .numbers = {2, 1, 1, 1, 1}},
        {.name = "stride 3, dilation 2, two groups", .leaves = {{2, 9, 4}, {2, 2, 3}, {2}}, .numbers = {3, 2, 2, 2, 1}},
        {.name = "causal", .leaves = {{1, 4, 2}, {2, 2, 3}, {2}}, .numbers = {1, 2, 1, 4, 0}},
        {.name = "padding beyond the sequence", .leaves = {{1, 1, 2}, {2, 2, 2}, {2}}, .numbers = {1, 1, 1, 4, 4}},
        {.name = "batch of one, T = 1", .leaves = {{1, 1, 2}, {2, 2, 3}, {2}}, .numbers = {1, 1, 1, 1, 1}},
        {.name = "kernel longer than the sequence", .leaves = {{2, 2, 2}, {2, 2, 3}, {2}}, .numbers = {1, 1, 1, 0, 0}},
        {.name = "empty sequence", .leaves = {{2, 0, 2}, {2, 2, 3}, {2}}, .numbers = {1, 1, 1, 1, 1}},
        {.name = "empty batch", .leaves = {{0, 4, 2}, {2, 2, 3}, {2}}, .numbers = {1, 1, 1, 1, 1}}};
  }
  static std::vector<Case> large() {
    return {{.name = "rows of 35", .leaves = {{33, 32, 35}, {40, 35, 3}, {40}}, .numbers = {1, 1, 1, 1, 1}},
            {.name = "kernel 3", .leaves = {{19, 50, 40}, {32, 40, 3}, {32}}, .numbers = {1, 1, 1, 1, 1}},
            {.name = "stride 2, groups", .leaves = {{19, 50, 40}, {32, 10, 5}, {32}}, .numbers = {2, 1, 4, 2, 2}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto bias = in.leaf_count() > 2 ? in.template leaf<1>(2) : Variable<T, 1, D>();
    const auto option = [&](std::size_t i) { return index_t(in.number(i)); };
    const auto present = in.template mask<2>(0);
    const auto x = in.template leaf<3>(0);
    return {flat(conv1d(present.defined() ? apply_mask(x, present) : x, in.template leaf<3>(1), bias,
                        {option(0), option(1), option(2), option(3), option(4)}))};
  }
};

/// Leaves: table (5, E). numbers: padding index, then the ids.
struct EmbeddingRow {
  static constexpr const char* name = "embedding";
  static std::vector<Case> cases() {
    return {{.name = "equal ids", .leaves = {{5, 3}}, .numbers = {-1, 4, 0, 4, 4, 2, 0}},
            {.name = "padding row gets nothing", .leaves = {{5, 3}}, .numbers = {4, 0, 1}},
            {.name = "one id", .leaves = {{5, 1}}, .numbers = {-1, 3}},
            {.name = "no ids", .leaves = {{5, 3}}, .numbers = {-1}}};
  }
  static std::vector<Case> large() {
    Case c{.name = "large", .leaves = {{50, 300}}, .numbers = {3}};
    for (int i = 0; i < 400; ++i) c.numbers.push_back(i * 7 % 47 == 3 ? 4 : i * 7 % 47);
    return {c};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    std::vector<index_t> ids;
    for (std::size_t i = 1; i < in.problem().numbers.size(); ++i) ids.push_back(index_t(in.number(i)));
    return {flat(embedding(Tensor<index_t, 1, D>::from({index_t(ids.size())}, ids), in.template leaf<2>(0),
                           index_t(in.number(0))))};
  }
};

/// Leaves: x (B, T, F), block (T, F).
struct AddBlockRow {
  static constexpr const char* name = "add, one block for the batch";
  static std::vector<Case> cases() {
    return {{.name = "several samples", .leaves = {{3, 2, 4}, {2, 4}}},
            {.name = "batch of one", .leaves = {{1, 1, 2}, {1, 2}}},
            {.name = "empty batch", .leaves = {{0, 2, 3}, {2, 3}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{60, 40, 33}, {40, 33}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(in.template leaf<3>(0) + in.template leaf<2>(1))};
  }
};

/// numbers: {batch}.
struct ExpandBatchRow {
  static constexpr const char* name = "expand over the batch";
  static std::vector<Case> cases() {
    return {{.name = "several samples", .leaves = {{2, 4}}, .numbers = {3}},
            {.name = "one sample", .leaves = {{1, 2}}, .numbers = {1}},
            {.name = "no sample", .leaves = {{2, 3}}, .numbers = {0}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{40, 33}}, .numbers = {60}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const auto block = in.template leaf<2>(0);
    return {flat(expand(block, {index_t(in.number(0)), block.extent(0), block.extent(1)}))};
  }
};

/// Cases of x (B, T, F) with a mask (B, T).
struct FrameCases {
  static std::vector<Case> cases() {
    return {{.name = "all present", .leaves = {{2, 3, 4}}, .masks = {present_frames({3, 3}, 3)}},
            {.name = "holes, one sample absent",
             .leaves = {{3, 3, 2}},
             .masks = {{{3, 3}, {0, 1, 1, 0, 0, 0, 1, 0, 1}}},
             .absent = {{0, {1}}, {0, {0, 0}}, {0, {2, 1}}}},
            {.name = "all absent", .leaves = {{2, 2, 2}}, .masks = {present_frames({0, 0}, 2)}, .absent = {{0, {}}}},
            {.name = "batch of one, T = 1", .leaves = {{1, 1, 1}}, .masks = {present_frames({1}, 1)}},
            {.name = "empty sequence", .leaves = {{2, 0, 3}}, .masks = {present_frames({0, 0}, 0)}},
            {.name = "empty batch", .leaves = {{0, 2, 3}}, .masks = {{{0, 2}, {}}}}};
  }
  static std::vector<Case> large() {
    return {{.name = "lengths",
             .leaves = {{13, 50, 96}},
             .masks = {present_frames({50, 0, 13, 49, 1, 2, 3, 50, 50, 8, 9, 25, 26}, 50)},
             .absent = {{0, {1}}, {0, {3, 49}}}}};
  }
};

struct ApplyMaskRow : FrameCases {
  static constexpr const char* name = "apply_mask";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(apply_mask(in.template leaf<3>(0), in.template mask<2>(0)))};
  }
};
struct MeanPoolRow : FrameCases {
  static constexpr const char* name = "mean_pool";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(mean_pool(in.template leaf<3>(0), in.template mask<2>(0)))};
  }
};
struct MaxPoolRow : FrameCases {
  static constexpr const char* name = "max_pool";
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(max_pool(in.template leaf<3>(0), in.template mask<2>(0)))};
  }
};

/// numbers: {axis, begin, count}.
struct SliceRow {
  static constexpr const char* name = "slice";
  static std::vector<Case> cases() {
    return {{.name = "first axis", .leaves = {{4, 2, 3}}, .numbers = {0, 1, 2}},
            {.name = "middle axis", .leaves = {{2, 4, 3}}, .numbers = {1, 0, 3}},
            {.name = "last axis", .leaves = {{2, 2, 5}}, .numbers = {-1, 3, 2}},
            {.name = "nothing", .leaves = {{2, 2, 5}}, .numbers = {1, 2, 0}},
            {.name = "empty batch", .leaves = {{0, 2, 5}}, .numbers = {2, 1, 2}}};
  }
  static std::vector<Case> large() {
    return {{.name = "middle axis", .leaves = {{60, 50, 33}}, .numbers = {1, 7, 31}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(slice(in.template leaf<3>(0), int(in.number(0)), index_t(in.number(1)), index_t(in.number(2))))};
  }
};

/// Leaves: x (B, T, in), then per direction weight_x, weight_h, bias_x, bias_h, then h0 (and c0). mask: present (B, T).
/// numbers: {bidirectional}.
template <bool lstm>
struct RecurrentRow {
  static constexpr const char* name = lstm ? "lstm" : "gru";
  static Case with(std::string title, index_t batch, index_t frames, index_t in, index_t n, bool both) {
    Case c{.name = std::move(title), .leaves = {{batch, frames, in}}, .numbers = {double(both)}};
    const index_t gates = (lstm ? 4 : 3) * n, dirs = both ? 2 : 1;
    for (index_t d = 0; d < dirs; ++d)
      for (const Shape& shape : {Shape{gates, in}, Shape{gates, n}, Shape{gates}, Shape{gates}})
        c.leaves.push_back(shape);
    for (int state = 0; state < (lstm ? 2 : 1); ++state) c.leaves.push_back({dirs, batch, n});
    return c;
  }
  static std::vector<Case> cases() {
    Case lengths = with("both directions, lengths, one sample absent", 3, 3, 2, 2, true);
    lengths.masks = {present_frames({3, 0, 2}, 3)};
    lengths.absent = {{0, {1}}, {0, {2, 2}}};
    Case holes = with("holes", 2, 4, 2, 2, true);
    holes.masks = {{{2, 4}, {0, 1, 0, 1, 1, 1, 0, 0}}};
    holes.absent = {{0, {0, 0}}, {0, {0, 2}}, {0, {1, 2}}};
    return {with("one direction", 2, 3, 2, 3, false),
            lengths,
            holes,
            with("batch of one, T = 1", 1, 1, 1, 1, true),
            with("empty sequence", 2, 0, 2, 2, true),
            with("empty batch", 0, 2, 2, 2, true)};
  }
  static std::vector<Case> large() {
    Case c = with("both directions, lengths", 19, 12, 20, 24, true);
    c.masks = {present_frames({12, 0, 3, 12, 12, 1, 7, 12, 12, 12, 5, 12, 12, 4, 0, 9, 12, 2, 12}, 12)};
    c.absent = {{0, {1}}, {0, {14}}};
    return {c};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(1);
    const bool both = in.number(0) != 0;
    const index_t width = in.template leaf<3>(0).extent(2), n = in.template leaf<2>(2).extent(1);
    RecurrentNetwork<T, D> layer(lstm ? Recurrence::lstm : Recurrence::gru,
                                 {.in = width, .hidden = n, .bidirectional = both}, random);
    seat(layer, in, 1);
    const std::size_t state = both ? 9 : 5;
    const auto c0 = lstm ? in.template leaf<3>(state + 1) : Variable<T, 3, D>();
    const auto result = layer(in.template leaf<3>(0), in.template mask<2>(0), {}, in.template leaf<3>(state), c0);
    Outputs<T, D> outputs{flat(result.y), flat(result.h)};
    if (lstm) outputs.push_back(flat(result.c));
    return outputs;
  }
};

/// Leaves: query, key, value, and a bias or none. mask: present (B, K). numbers: {heads, causal, dropout}.
struct AttentionExtrasRow {
  static constexpr const char* name = "attention with order, bias and dropout";
  static std::vector<Case> cases() {
    return {{.name = "causal", .leaves = {{2, 4, 4}, {2, 4, 4}, {2, 4, 2}}, .numbers = {2, 1}},
            {.name = "causal, holes: the first query sees nothing",
             .leaves = {{2, 4, 4}, {2, 4, 4}, {2, 4, 2}},
             .masks = {{{2, 4}, {0, 1, 0, 1, 0, 0, 0, 0}}},
             .numbers = {2, 1},
             .absent = {{1, {1}}, {2, {1}}, {0, {1}}, {1, {0, 0}}, {2, {0, 0}}, {1, {0, 2}}, {2, {0, 2}}, {0, {0, 0}}}},
            {.name = "bias for all", .leaves = {{2, 2, 4}, {2, 3, 4}, {2, 3, 4}, {1, 1, 2, 3}}, .numbers = {2}},
            {.name = "bias per head and key",
             .leaves = {{2, 2, 4}, {2, 3, 4}, {2, 3, 4}, {1, 2, 1, 3}},
             .masks = {{{2, 3}, {1, 0, 1, 0, 0, 0}}},
             .numbers = {2},
             .absent = {{1, {1}}, {2, {0, 1}}, {3, {0, 0, 0, 1}}, {3, {0, 1, 0, 1}}}},
            {.name = "bias of its own for every score",
             .leaves = {{2, 2, 4}, {2, 3, 4}, {2, 3, 4}, {2, 2, 2, 3}},
             .numbers = {2}},
            {.name = "dropout", .leaves = {{2, 3, 4}, {2, 5, 4}, {2, 5, 4}}, .numbers = {2, 0, 0.4}},
            {.name = "dropout, holes, bias",
             .leaves = {{2, 3, 4}, {2, 5, 4}, {2, 5, 4}, {2, 1, 3, 5}},
             .masks = {{{2, 5}, {1, 0, 1, 0, 1, 0, 1, 1, 0, 1}}},
             .numbers = {2, 0, 0.4},
             .absent = {{1, {0, 1}}, {2, {0, 3}}, {2, {1, 0}}}},
            {.name = "many features, causal, holes, bias, dropout: the first query sees nothing",
             .leaves = {{2, 4, 17}, {2, 4, 17}, {2, 4, 3}, {1, 1, 4, 4}},
             .masks = {{{2, 4}, {0, 1, 0, 1, 0, 0, 0, 0}}},
             .numbers = {1, 1, 0.3},
             .absent = {{1, {1}}, {2, {1}}, {0, {1}}, {1, {0, 0}}, {2, {0, 0}}, {1, {0, 2}}, {2, {0, 2}}, {0, {0, 0}}}},
            {.name = "empty sequence with bias",
             .leaves = {{2, 2, 4}, {2, 0, 4}, {2, 0, 4}, {1, 1, 2, 0}},
             .numbers = {2}}};
  }
  static std::vector<Case> large() {
    return {{.name = "holes, bias, dropout",
             .leaves = {{11, 33, 32}, {11, 33, 32}, {11, 33, 48}, {1, 2, 33, 33}},
             .masks = {present_frames({33, 1, 0, 7, 20, 33, 32, 5, 6, 7, 19}, 33)},
             .numbers = {2, 1, 0.2},
             .absent = {{0, {2}}, {1, {2}}, {2, {2}}}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(7);
    const auto bias = in.leaf_count() > 3 ? in.template leaf<4>(3) : Variable<T, 4, D>();
    const AttentionOptions options{
        .num_heads = index_t(in.number(0, 1)), .causal = in.number(1) != 0, .dropout = in.number(2)};
    return {flat(attention(in.template leaf<3>(0), in.template leaf<3>(1), in.template leaf<3>(2),
                           in.template mask<2>(0), options, bias, Context::train(random))
                     .output)};
  }
};

/// Leaves: qkv (B, T, 3 E). mask: present (B, T). numbers: {heads, causal, dropout}.
struct AttentionPackedRow {
  static constexpr const char* name = "attention_packed";
  static std::vector<Case> cases() {
    return {{.name = "two heads", .leaves = {{2, 3, 12}}, .numbers = {2}},
            {.name = "causal, dropout", .leaves = {{2, 3, 6}}, .numbers = {1, 1, 0.3}},
            {.name = "holes, one sample absent",
             .leaves = {{3, 3, 12}},
             .masks = {{{3, 3}, {1, 0, 1, 0, 0, 0, 1, 1, 0}}},
             .numbers = {2},
             .absent = {{0, {1}}}},
            {.name = "batch of one, T = 1", .leaves = {{1, 1, 3}}, .numbers = {1}},
            {.name = "empty sequence", .leaves = {{2, 0, 6}}, .numbers = {2}},
            {.name = "empty batch", .leaves = {{0, 2, 6}}, .numbers = {2}}};
  }
  static std::vector<Case> large() {
    return {{.name = "ten heads",
             .leaves = {{8, 50, 120}},
             .masks = {present_frames({50, 1, 0, 7, 20, 50, 32, 5}, 50)},
             .numbers = {10},
             .absent = {{0, {2}}}}};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(7);
    const AttentionOptions options{
        .num_heads = index_t(in.number(0, 1)), .causal = in.number(1) != 0, .dropout = in.number(2)};
    return {flat(
        attention_packed(in.template leaf<3>(0), in.template mask<2>(0), options, {}, Context::train(random)).output)};
  }
};

using SequenceRows = Rows<Conv1dRow, EmbeddingRow, AddBlockRow, ExpandBatchRow, ApplyMaskRow, MeanPoolRow, MaxPoolRow,
                          SliceRow, RecurrentRow<false>, RecurrentRow<true>, AttentionExtrasRow, AttentionPackedRow>;

}  // namespace lacuna::test
