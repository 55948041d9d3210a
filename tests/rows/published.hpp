/// Rows of tests/ops.hpp: what the published models are made of.
#pragma once

#include "lacuna/losses/label_margin.hpp"
#include "lacuna/nn/axis_mixer.hpp"
#include "lacuna/nn/channel_attention.hpp"
#include "lacuna/nn/conv_transpose1d.hpp"
#include "lacuna/nn/crossmodal.hpp"
#include "lacuna/nn/flow.hpp"
#include "lacuna/nn/gaussian_estimator.hpp"
#include "lacuna/nn/group_norm.hpp"
#include "lacuna/nn/subnetwork.hpp"
#include "lacuna/ops/gradient_reversal.hpp"
#include "lacuna/ops/log_det.hpp"
#include "rows/fusion.hpp"

namespace lacuna::test {

/// Leaves: x (B, T, width), key (B, K, width), then the parameters. masks: present of either. numbers: {self, causal}.
struct CrossmodalRow {
  static constexpr const char* name = "CrossmodalTransformer";
  template <class T, class D>
  static auto make(index_t width, bool causal, Random& random) {
    return CrossmodalTransformer<T, D>({.embed_dim = width,
                                        .num_heads = 2,
                                        .layers = 1,
                                        .causal = causal,
                                        .attention_dropout = 0.2,
                                        .hidden_dropout = 0.2,
                                        .dropout = 0.2,
                                        .embedding_dropout = 0.2},
                                       random);
  }
  static std::vector<Case> cases() {
    Random random(1);
    const auto layer = make<float, Cpu>(4, false, random);
    Case cross = layer_case("one sample has no key", {{2, 3, 4}, {2, 2, 4}}, layer);
    cross.masks = {present_frames({3, 2}, 3), present_frames({2, 0}, 2)};
    cross.numbers = {0, 0};
    cross.unseen = {{1, {1}}};
    Case causal = layer_case("causal, more queries than keys", {{2, 3, 4}, {2, 2, 4}}, layer);
    causal.masks = {present_frames({3, 2}, 3), present_frames({2, 1}, 2)};
    causal.numbers = {0, 1};
    causal.unseen = {{1, {1, 1}}};
    Case self = layer_case("self-attention, one sample with nothing", {{2, 3, 4}, {2, 1, 4}}, layer);
    self.masks = {present_frames({2, 0}, 3), present_frames({1, 1}, 1)};
    self.numbers = {1, 1};
    Case one = layer_case("batch of one, T = 1", {{1, 1, 4}, {1, 1, 4}}, layer);
    one.masks = {present_frames({1}, 1), present_frames({1}, 1)};
    Case empty = layer_case("empty batch", {{0, 2, 4}, {0, 2, 4}}, layer);
    empty.masks = {{{0, 2}, {}}, {{0, 2}, {}}};
    return {cross, causal, self, one, empty};
  }
  static std::vector<Case> large() {
    Random random(1);
    Case c = layer_case("large", {{9, 20, 32}, {9, 33, 32}}, make<float, Cpu>(32, false, random));
    c.masks = {present_frames({20, 3, 4, 20, 20, 1, 7, 8, 9}, 20),
               present_frames({33, 0, 33, 12, 1, 20, 33, 33, 8}, 33)};
    c.unseen = {{1, {1}}};
    return {c};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(1);
    const auto x = in.template leaf<3>(0), key = in.template leaf<3>(1);
    auto layer = make<T, D>(x.extent(2), in.number(1) != 0, random);
    seat(layer, in, 2);
    const auto there = in.template mask<2>(0), keys = in.template mask<2>(1);
    const auto context = Context::train(random);
    if (in.number(0) != 0) return {flat(layer(x, there, context))};
    return {flat(layer(x, there, key, keys, context))};
  }
};

/// Leaf: X (rows, n). mask: present (rows). Of 1 + X'X.
struct LogDetRow {
  static constexpr const char* name = "log_det";
  static std::vector<Case> cases() {
    return {{.name = "a covariance", .leaves = {{5, 3}}},
            {.name = "without one sample", .leaves = {{4, 3}}, .masks = {{{4}, {1, 0, 1, 1}}}, .absent = {{0, {1}}}},
            {.name = "one number", .leaves = {{1, 1}}},
            {.name = "nothing", .leaves = {{2, 0}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{200, 48}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    auto x = in.template leaf<2>(0);
    const auto present = in.template mask<1>(0);
    if (present.defined()) x = apply_mask(x, present);
    const index_t n = x.extent(1);
    std::vector<T> one(std::size_t(n * n), T(0));
    for (index_t i = 0; i < n; ++i) one[std::size_t(i * n + i)] = T(1);
    const Variable<T, 2, D> unit(Tensor<T, 2, D>::from({n, n}, one));
    return {flat(log_det(matmul(x, x, {.transpose_a = true}) + unit))};
  }
};

/// Twice, so that differences see what backward says: −a · −b.
struct GradientReversalRow {
  static constexpr const char* name = "gradient_reversal";
  static std::vector<Case> cases() {
    return {{.name = "several rows", .leaves = {{3, 4}}},
            {.name = "one sample absent", .leaves = {{3, 2}}, .masks = {{{3}, {1, 0, 1}}}, .absent = {{0, {1}}}},
            {.name = "one number", .leaves = {{1, 1}}},
            {.name = "empty batch", .leaves = {{0, 4}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{300, 257}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    auto x = in.template leaf<2>(0);
    const auto present = in.template mask<1>(0);
    if (present.defined()) x = apply_mask(x, present);
    return {flat(gradient_reversal(gradient_reversal(x, 0.5), 2.0))};
  }
};

/// Leaves: x (B, in), then the parameters.
struct ResidualLayersRow {
  static constexpr const char* name = "TwoLayers, ResidualLayers";
  template <class T, class D>
  struct Layer {
    ResidualLayers<T, D> first;
    TwoLayers<T, D> second;
    static void reflect(auto& self, auto&& visit) { visit("first", self.first), visit("second", self.second); }
  };
  template <class T, class D>
  static auto make(index_t width, Random& random) {
    return Layer<T, D>{{width, 3, random}, {width, 2, width, random, Activation::none}};
  }
  static std::vector<Case> cases() {
    Random random(1);
    const auto layer = make<float, Cpu>(4, random);
    return {layer_case("several rows", {{3, 4}}, layer), layer_case("batch of one", {{1, 4}}, layer),
            layer_case("empty batch", {{0, 4}}, layer)};
  }
  static std::vector<Case> large() {
    Random random(1);
    return {layer_case("large", {{200, 160}}, make<float, Cpu>(160, random))};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(1);
    const auto x = in.template leaf<2>(0);
    auto layer = make<T, D>(x.extent(1), random);
    seat(layer, in, 1);
    const auto context = Context::train(random);
    return {flat(layer.first(x, 0.3, context)), flat(layer.second(x, 0.3, context))};
  }
};

/// Leaves: x (B, T, in), then the parameters. mask: present (B, T).
template <class Layer>
struct SubnetRow {
  static std::vector<Case> cases() {
    Random random(1);
    const auto layer = Layer::template make<float, Cpu>(2, random);
    Case masked = layer_case("holes, one sample with nothing", {{4, 3, 2}}, layer);
    masked.masks = {{{4, 3}, {1, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 1}}};
    masked.absent = {{0, {1}}, {0, {0, 1}}, {0, {2, 2}}, {0, {3, 0}}};
    Case one = layer_case("batch of one, T = 1", {{1, 1, 2}}, layer);
    one.masks = {present_frames({1}, 1)};
    return {layer_case("every frame", {{3, 2, 2}}, layer), masked, one};
  }
  static std::vector<Case> large() {
    Random random(1);
    Case c = layer_case("large", {{19, 12, 20}}, Layer::template make<float, Cpu>(20, random));
    c.masks = {present_frames({12, 0, 3, 12, 12, 1, 7, 12, 12, 12, 5, 12, 12, 4, 0, 9, 12, 2, 12}, 12)};
    c.absent = {{0, {1}}, {0, {14}}};
    return {c};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(1);
    const auto x = in.template leaf<3>(0);
    auto layer = Layer::template make<T, D>(x.extent(2), random);
    seat(layer, in, 1);
    const auto present = in.template mask<2>(0);
    if constexpr (requires { layer(x, present, Context()); })
      return {flat(layer(x, present, Context::train(random)))};
    else
      return {flat(layer(x, present))};
  }
};
struct AverageSubnetRow : SubnetRow<AverageSubnetRow> {
  static constexpr const char* name = "AverageSubnet";
  template <class T, class D>
  static auto make(index_t in, Random& random) {
    return AverageSubnet<T, D>({.in = in, .hidden = 3, .dropout = 0.2}, random);
  }
};
struct LastStateSubnetRow : SubnetRow<LastStateSubnetRow> {
  static constexpr const char* name = "LastStateSubnet";
  template <class T, class D>
  static auto make(index_t in, Random& random) {
    return LastStateSubnet<T, D>({.in = in, .hidden = 3, .out = 2, .bidirectional = true}, random);
  }
};

/// Leaves: x (B, T, M, F), then the parameters. numbers: {norm first}.
struct CubeMixerRow {
  static constexpr const char* name = "AxisMixer, CubeMixer";
  template <class T, class D>
  static auto make(const Shape& x, bool first, Random& random) {
    std::array<AxisMixerOptions, 3> axes;
    for (std::size_t i = 0; i < 3; ++i)
      axes[i] = {x[int(i) + 1], 2, first ? x[int(i) + 1] : 2, !first, first, first, 0.2, 1e-6};
    return CubeMixer<T, D>(axes, random);
  }
  static std::vector<Case> cases() {
    Random random(1);
    std::vector<Case> all;
    for (const bool first : {true, false}) {
      const Shape shape{2, 3, 3, 4};
      Case c = layer_case(first ? "norm first, the identity beside it" : "norm last, projected", {shape},
                          make<float, Cpu>(shape, first, random));
      c.numbers = {double(first)};
      all.push_back(c);
    }
    const Shape shape{1, 1, 2, 3};
    all.push_back(layer_case("batch of one, T = 1", {shape}, make<float, Cpu>(shape, false, random)));
    return all;
  }
  static std::vector<Case> large() {
    Random random(1);
    const Shape shape{24, 20, 3, 32};
    Case c = layer_case("large", {shape}, make<float, Cpu>(shape, true, random));
    c.numbers = {1};
    return {c};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(1);
    const auto x = in.template leaf<4>(0);
    auto layer = make<T, D>(x.shape(), in.number(0) != 0, random);
    seat(layer, in, 1);
    return {flat(layer(x, Context::train(random)))};
  }
};

/// Leaves: x (B, 3), y (B, 4), then the parameters. mask: has (B).
struct GaussianEstimatorRow {
  static constexpr const char* name = "GaussianEstimator";
  static std::vector<Case> cases() {
    Random random(1);
    const GaussianEstimator<float> layer(3, 4, random);
    Case masked = layer_case("one sample absent", {{3, 3}, {3, 4}}, layer);
    masked.masks = {{{3}, {1, 0, 1}}};
    masked.absent = {{0, {1}}, {1, {1}}};
    return {masked, layer_case("batch of one", {{1, 3}, {1, 4}}, layer),
            layer_case("empty batch", {{0, 3}, {0, 4}}, layer)};
  }
  static std::vector<Case> large() {
    Random random(1);
    return {layer_case("large", {{300, 40}, {300, 33}}, GaussianEstimator<float>(40, 33, random))};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(1);
    const auto x = in.template leaf<2>(0), y = in.template leaf<2>(1);
    GaussianEstimator<T, D> layer(x.extent(1), y.extent(1), random);
    seat(layer, in, 2);
    const auto has = in.template mask<1>(0);
    const auto masked = [&](const auto& fit) { return has.defined() ? apply_mask(fit, has) : fit; };
    return {flat(masked(layer(masked(x), masked(y)))), flat(masked(layer(masked(x), masked(y), false, false)))};
  }
};

/// Leaf: features (n, d). numbers: the labels. mask: present (n).
struct LabelMarginRow {
  static constexpr const char* name = "label_margin_loss";
  static std::vector<Case> cases() {
    return {{.name = "three labels, one row absent",
             .leaves = {{7, 3}},
             .masks = {{{7}, {1, 1, 1, 0, 1, 1, 1}}},
             .numbers = {1, 1, -2, 1, -2, 0.5, 1},
             .absent = {{0, {3}}}},
            {.name = "no two equal labels", .leaves = {{3, 2}}, .numbers = {1, 2, 3}, .unseen = {{0, {}}}},
            {.name = "batch of one", .leaves = {{1, 2}}, .numbers = {1}},
            {.name = "empty batch", .leaves = {{0, 2}}}};
  }
  static std::vector<Case> large() {
    Case c{.name = "large", .leaves = {{40, 33}}};
    for (int i = 0; i < 40; ++i) c.numbers.push_back(i * 7 % 5);
    return {c};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const std::vector<T> labels(in.problem().numbers.begin(), in.problem().numbers.end());
    const auto present = in.template mask<1>(0);
    return {flat(label_margin_loss(in.template leaf<2>(0), Labels<D, T>(labels), 0.15,
                                   present.defined() ? Present<D>(present) : Present<D>()))};
  }
};

/// Leaves: x (B, T, F), then the parameters. mask: present (B, T), by which x and the result are masked. numbers: {mixed}.
struct NormalizingFlowRow {
  static constexpr const char* name = "NormalizingFlow";
  template <class T, class D>
  static auto make(index_t width, bool mixed, Random& random) {
    return NormalizingFlow<T, D>({.width = width, .hidden = 3, .steps = 2, .mixed = mixed}, random);
  }
  static std::vector<Case> cases() {
    Random random(1);
    const auto even = make<float, Cpu>(4, true, random), odd = make<float, Cpu>(3, false, random);
    Case mixed = layer_case("mixed, one sample absent", {{3, 2, 4}}, even);
    mixed.masks = {present_frames({2, 0, 1}, 2)};
    mixed.numbers = {1};
    mixed.absent = {{0, {1}}, {0, {2, 1}}};
    Case plain = layer_case("in their order, an odd number of features", {{2, 2, 3}}, odd);
    Case one = layer_case("batch of one, T = 1", {{1, 1, 4}}, even);
    one.numbers = {1};
    return {mixed, plain, one, layer_case("empty batch", {{0, 2, 4}}, even)};
  }
  static std::vector<Case> large() {
    Random random(1);
    Case c = layer_case("large", {{9, 20, 32}}, make<float, Cpu>(32, true, random));
    c.numbers = {1};
    return {c};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(1);
    const auto x = in.template leaf<3>(0);
    auto layer = make<T, D>(x.extent(2), in.number(0) != 0, random);
    seat(layer, in, 1);
    const auto present = in.template mask<2>(0);
    const auto kept = [&](const auto& y) { return present.defined() ? apply_mask(y, present) : y; };
    const auto r = layer(kept(x));
    return {flat(kept(r.z)), flat(kept(r.log_det)), flat(kept(layer.inverse(kept(x))))};
  }
};

struct ChannelAttentionRow : SubnetRow<ChannelAttentionRow> {
  static constexpr const char* name = "ChannelAttentionGroup";
  template <class T, class D>
  static auto make(index_t in, Random& random) {
    return ChannelAttentionGroup<T, D>({.in = in, .width = 3, .out = 2, .blocks = 1, .reduction = 2}, random);
  }
};

/// Leaves: x (B, T, 3), then the parameters. mask: present (B, T), by which x is masked. numbers: {stride}.
struct ConvTransposeRow {
  static constexpr const char* name = "ConvTranspose1d, GroupNorm";
  template <class T, class D>
  struct Layer {
    ConvTranspose1d<T, D> conv;
    GroupNorm<T, D> norm;
    static void reflect(auto& self, auto&& visit) { visit("conv", self.conv), visit("norm", self.norm); }
  };
  template <class T, class D>
  static auto make(index_t width, index_t stride, Random& random) {
    return Layer<T, D>{ConvTranspose1d<T, D>({width, 4, 3, stride}, random),
                       GroupNorm<T, D>({.num_channels = 4, .num_groups = 2})};
  }
  static std::vector<Case> cases() {
    Random random(1);
    std::vector<Case> all;
    const char* const names[] = {"one sample absent, stride 1", "one sample absent, stride 2",
                                 "one sample absent, stride 3"};
    for (const int stride : {1, 2, 3}) {
      Case c = layer_case(names[stride - 1], {{3, 4, 3}}, make<float, Cpu>(3, stride, random));
      c.masks = {present_frames({4, 0, 2}, 4)};
      c.absent = {{0, {1}}, {0, {2, 2}}};
      c.numbers = {double(stride)};
      all.push_back(c);
    }
    all.push_back(layer_case("batch of one, T = 1", {{1, 1, 3}}, make<float, Cpu>(3, 2, random)));
    all.push_back(layer_case("empty batch", {{0, 2, 3}}, make<float, Cpu>(3, 2, random)));
    return all;
  }
  static std::vector<Case> large() {
    Random random(1);
    return {layer_case("large", {{19, 40, 32}}, make<float, Cpu>(32, 2, random))};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(1);
    const auto x = in.template leaf<3>(0);
    auto layer = make<T, D>(x.extent(2), index_t(in.number(0, 2)), random);
    seat(layer, in, 1);
    const auto present = in.template mask<2>(0);
    const auto y = layer.conv(present.defined() ? apply_mask(x, present) : x);
    return {flat(y), flat(layer.norm(y))};
  }
};

using PublishedRows =
    Rows<CrossmodalRow, LogDetRow, GradientReversalRow, ResidualLayersRow, AverageSubnetRow, LastStateSubnetRow,
         CubeMixerRow, GaussianEstimatorRow, LabelMarginRow, NormalizingFlowRow, ChannelAttentionRow, ConvTransposeRow>;

}  // namespace lacuna::test
