/// Rows of tests/ops.hpp: fusion of modalities, autoencoders, and the layers of the Transformer.
#pragma once

#include "lacuna/nn/cascade.hpp"
#include "lacuna/nn/experts.hpp"
#include "lacuna/nn/fusion.hpp"
#include "lacuna/nn/perceiver.hpp"
#include "lacuna/nn/transformer.hpp"
#include "support/rows.hpp"

namespace lacuna::test {

/// Shapes of the parameters of a module, in the order of reflection.
template <class M>
std::vector<Shape> shapes_of(const M& module) {
  std::vector<Shape> shapes;
  for_each_parameter(module, [&](const std::string&, const auto& parameter) { shapes.push_back(parameter.shape()); });
  return shapes;
}
/// A case whose leaves are the inputs and then the parameters of the module.
template <class M>
Case layer_case(std::string title, std::vector<Shape> inputs, const M& module) {
  for (const Shape& shape : shapes_of(module)) inputs.push_back(shape);
  return {.name = std::move(title), .leaves = std::move(inputs)};
}

/// Leaves: a (B, m), b (B, n).
struct OuterRow {
  static constexpr const char* name = "outer";
  static std::vector<Case> cases() {
    return {{.name = "several rows", .leaves = {{3, 4}, {3, 2}}},
            {.name = "batch of one", .leaves = {{1, 1}, {1, 2}}},
            {.name = "empty side", .leaves = {{2, 0}, {2, 3}}},
            {.name = "empty batch", .leaves = {{0, 4}, {0, 2}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{90, 33}, {90, 40}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(outer(in.template leaf<2>(0), in.template leaf<2>(1)))};
  }
};

struct PrependOneRow {
  static constexpr const char* name = "prepend_one";
  static std::vector<Case> cases() {
    return {{.name = "several rows", .leaves = {{3, 4}}},
            {.name = "empty rows", .leaves = {{3, 0}}},
            {.name = "empty batch", .leaves = {{0, 2}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{300, 257}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(prepend_one(in.template leaf<2>(0)))};
  }
};

/// Leaves: x (B, n), factors (R, n, out).
struct RankProductsRow {
  static constexpr const char* name = "rank_products";
  static std::vector<Case> cases() {
    return {{.name = "three ranks", .leaves = {{4, 2}, {3, 2, 5}}},
            {.name = "batch of one", .leaves = {{1, 1}, {1, 1, 1}}},
            {.name = "empty batch", .leaves = {{0, 2}, {2, 2, 3}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{120, 65}, {4, 65, 70}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(rank_products(in.template leaf<2>(0), in.template leaf<3>(1)))};
  }
};

/// Leaves: two modalities (B, 3), (B, 2), then the parameters. mask: present (B, 2). In every case sample 1 has only
/// the second modality and sample 2 none, where there is a mask.
template <class Layer>
struct ModalityRow {
  static std::vector<Case> cases() {
    Random random(1);
    const auto layer = Layer::template make<float, Cpu>(3, 2, random);
    Case masked = layer_case("one sample without the first, one without both", {{3, 3}, {3, 2}}, layer);
    masked.masks = {{{3, 2}, {1, 1, 0, 1, 0, 0}}};
    masked.absent = {{0, {1}}, {0, {2}}, {1, {2}}};
    return {layer_case("all present", {{3, 3}, {3, 2}}, layer), masked,
            layer_case("batch of one", {{1, 3}, {1, 2}}, layer), layer_case("empty batch", {{0, 3}, {0, 2}}, layer)};
  }
  static std::vector<Case> large() {
    Random random(1);
    Case c = layer_case("large", {{130, 40}, {130, 33}}, Layer::template make<float, Cpu>(40, 33, random));
    c.masks = {{{130, 2}, {}}};
    for (int b = 0; b < 130; ++b)
      c.masks[0].numbers.insert(c.masks[0].numbers.end(), {double(b % 3 != 1), double(b % 3 != 2)});
    c.absent = {{0, {1}}, {0, {4}}, {1, {2}}};
    return {c};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(1);
    const auto a = in.template leaf<2>(0), b = in.template leaf<2>(1);
    auto layer = Layer::template make<T, D>(a.extent(1), b.extent(1), random);
    seat(layer, in, 2);
    const auto result = layer({a, b}, in.template mask<2>(0));
    if constexpr (requires { result.output; })
      return {flat(result.output)};
    else
      return {flat(result)};
  }
};
struct GatedFusionRow : ModalityRow<GatedFusionRow> {
  static constexpr const char* name = "GatedFusion";
  template <class T, class D>
  static auto make(index_t a, index_t b, Random& random) {
    return GatedFusion<T, D>({.inputs = {a, b}, .width = 3}, random);
  }
};
struct TensorFusionRow : ModalityRow<TensorFusionRow> {
  static constexpr const char* name = "TensorFusion";
  template <class T, class D>
  static auto make(index_t a, index_t b, Random& random) {
    return TensorFusion<T, D>({.inputs = {a, b}, .width = 2}, random);
  }
};
struct LowRankFusionRow : ModalityRow<LowRankFusionRow> {
  static constexpr const char* name = "LowRankFusion";
  template <class T, class D>
  static auto make(index_t a, index_t b, Random& random) {
    return LowRankFusion<T, D>({.inputs = {a, b}, .width = 3, .rank = 2}, random);
  }
};
struct ModalityExpertsRow : ModalityRow<ModalityExpertsRow> {
  static constexpr const char* name = "ModalityExperts";
  template <class T, class D>
  static auto make(index_t a, index_t b, Random& random) {
    return ModalityExperts<T, D>({.inputs = {a, b}, .hidden = 4, .width = 3}, random);
  }
};

/// Leaves: mu, logvar. Output: a draw, and the divergence from N(0, 1).
struct GaussianRow {
  static constexpr const char* name = "reparameterize, standard_normal_divergence";
  static std::vector<Case> cases() {
    return {{.name = "several rows", .leaves = {{3, 4}, {3, 4}}},
            {.name = "one number", .leaves = {{1, 1}, {1, 1}}},
            {.name = "empty batch", .leaves = {{0, 4}, {0, 4}}}};
  }
  static std::vector<Case> large() { return {{.name = "large", .leaves = {{300, 257}, {300, 257}}}}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(3);
    const auto mu = in.template leaf<2>(0), logvar = in.template leaf<2>(1);
    const auto noise = init::normal<T, 2, D>(mu.value().extents(), 1.0, random);
    return {flat(reparameterize(mu, logvar, noise)), flat(standard_normal_divergence(mu, logvar))};
  }
};

/// Leaves: x, then the parameters of two blocks.
struct CascadeRow {
  static constexpr const char* name = "CascadedResidualAutoencoder";
  template <class T, class D>
  static auto make(index_t width, Random& random) {
    const double slope = width < 8 ? 0.01 : 1;  // differences of a large case would step over kinks
    return CascadedResidualAutoencoder<T, D>({.block = {.sizes = {width, 3, 2}, .slope = slope}, .blocks = 2}, random);
  }
  static std::vector<Case> cases() {
    Random random(1);
    const auto layer = make<float, Cpu>(4, random);
    return {layer_case("several rows", {{3, 4}}, layer), layer_case("empty batch", {{0, 4}}, layer)};
  }
  static std::vector<Case> large() {
    Random random(1);
    return {layer_case("large", {{260, 64}}, make<float, Cpu>(64, random))};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(1);
    const auto x = in.template leaf<2>(0);
    auto layer = make<T, D>(x.extent(1), random);
    seat(layer, in, 1);
    const auto result = layer(x);
    return {flat(result.y), flat(result.z)};
  }
};

/// Leaves: x (B, T, width), memory (B, K, 3), then the parameters. masks: present, memory_present. numbers:
/// {norm_first}.
struct TransformerDecoderLayerRow {
  static constexpr const char* name = "TransformerDecoderLayer";
  template <class T, class D>
  static auto make(bool norm_first, index_t width, index_t memory, Random& random) {
    return TransformerDecoderLayer<T, D>(
        {.embed_dim = width,
         .num_heads = 2,
         .hidden = 3,
         .memory_dim = memory,
         .activation = Activation::gelu,
         .norm_first = norm_first,
         // the gradient of a key bias is zero: differences of a large case only find noise
         .bias = width < 8,
         .dropout = 0.2,
         .attention_dropout = 0.2,
         .hidden_dropout = 0.2},
        random);
  }
  static std::vector<Case> cases() {
    Random random(1);
    const auto layer = make<float, Cpu>(true, 4, 3, random);
    Case first = layer_case("norm first, memory of one sample absent", {{2, 3, 4}, {2, 2, 3}}, layer);
    first.masks = {present_frames({3, 2}, 3), present_frames({2, 0}, 2)};
    first.numbers = {1};
    first.unseen = {{1, {1}}};
    Case last = layer_case("norm last", {{1, 2, 4}, {1, 2, 3}}, layer);
    last.numbers = {0};
    Case empty = layer_case("empty batch", {{0, 2, 4}, {0, 2, 3}}, layer);
    Case none = layer_case("empty sequences", {{2, 0, 4}, {2, 0, 3}}, layer);
    return {first, last, empty, none};
  }
  static std::vector<Case> large() {
    Random random(1);
    Case c = layer_case("large", {{9, 20, 32}, {9, 33, 40}}, make<float, Cpu>(true, 32, 40, random));
    c.masks = {present_frames({20, 3, 4, 20, 20, 1, 7, 8, 9}, 20),
               present_frames({33, 0, 33, 12, 1, 20, 33, 33, 8}, 33)};
    c.numbers = {1};
    c.unseen = {{1, {1}}};
    return {c};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(1);
    const auto x = in.template leaf<3>(0), memory = in.template leaf<3>(1);
    auto layer = make<T, D>(in.number(0) != 0, x.extent(2), memory.extent(2), random);
    seat(layer, in, 2);
    return {flat(layer(x, memory, in.template mask<2>(0), in.template mask<2>(1), Context::train(random)))};
  }
};

/// Leaves: two streams (B, T, 3), (B, K, 2), then the parameters. masks: one per stream. Sample 1 has nothing.
struct PerceiverRow {
  static constexpr const char* name = "Perceiver";
  template <class T, class D>
  static auto make(index_t a, index_t b, index_t width, Random& random) {
    return Perceiver<T, D>(
        {.inputs = {a, b}, .latents = 2, .transformer = {.embed_dim = width, .num_heads = 2, .hidden = 3}}, random);
  }
  static std::vector<Case> cases() {
    Random random(1);
    const auto layer = make<float, Cpu>(3, 2, 4, random);
    Case c = layer_case("one sample with nothing", {{2, 3, 3}, {2, 2, 2}}, layer);
    c.masks = {present_frames({2, 0}, 3), present_frames({2, 0}, 2)};
    c.absent = {{0, {1}}, {1, {1}}, {0, {0, 2}}};
    Case empty = layer_case("empty sequence", {{1, 0, 3}, {1, 1, 2}}, layer);
    empty.masks = {present_frames({0}, 0), present_frames({1}, 1)};
    return {c, empty};
  }
  static std::vector<Case> large() {
    Random random(1);
    Case c = layer_case("large", {{9, 20, 12}, {9, 33, 10}}, make<float, Cpu>(12, 10, 32, random));
    c.masks = {present_frames({20, 0, 4, 20, 20, 1, 7, 8, 9}, 20),
               present_frames({33, 0, 33, 12, 1, 20, 33, 33, 8}, 33)};
    c.absent = {{0, {1}}, {1, {1}}};
    return {c};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(1);
    const auto a = in.template leaf<3>(0), b = in.template leaf<3>(1);
    auto layer = make<T, D>(a.extent(2), b.extent(2), in.template leaf<2>(6).extent(1), random);
    seat(layer, in, 2);
    return {flat(layer({a, b}, {in.template mask<2>(0), in.template mask<2>(1)}))};
  }
};

using FusionRows = Rows<OuterRow, PrependOneRow, RankProductsRow, GatedFusionRow, TensorFusionRow, LowRankFusionRow,
                        ModalityExpertsRow, GaussianRow, CascadeRow, TransformerDecoderLayerRow, PerceiverRow>;

}  // namespace lacuna::test
