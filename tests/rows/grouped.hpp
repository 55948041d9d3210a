/// Rows of tests/ops.hpp: equal encoders as one. On a device that takes groups the numbers are those of the host, which
/// runs one encoder after the other.
#pragma once

#include "lacuna/nn/grouped.hpp"
#include "lacuna/nn/pack.hpp"
#include "support/rows.hpp"

namespace lacuna::test {

template <class T, class D>
struct SeveralEncoders {
  std::vector<TransformerEncoder<T, D>> encoder;
  static void reflect(auto& self, auto&& visit) { visit("encoder", self.encoder); }
};

/// Leaves: x (B, T, width) of every group, then the parameters of all. masks: (B, T) of every group, or none.
/// numbers: {groups, heads, hidden, layers, norm first, biases, activation, dropout, seated at equal distances}.
struct GroupedEncodersRow {
  static constexpr const char* name = "grouped encoders";

  static Case of(const char* title, index_t batch, index_t frames, index_t width, const std::vector<double>& numbers,
                 const std::vector<Constant>& masks = {}) {
    Case c{.name = title, .masks = masks, .numbers = numbers};
    for (int g = 0; g < int(numbers[0]); ++g) c.leaves.push_back({batch, frames, width});
    Random random(0);
    TransformerEncoder<double> one(options(width, numbers), random);
    for (int g = 0; g < int(numbers[0]); ++g)
      for_each_parameter(one,
                         [&](const std::string&, const auto& parameter) { c.leaves.push_back(parameter.shape()); });
    return c;
  }
  static TransformerOptions options(index_t width, const std::vector<double>& n) {
    return {.embed_dim = width,
            .num_heads = index_t(n[1]),
            .hidden = index_t(n[2]),
            .layers = index_t(n[3]),
            .activation = Activation(int(n[6])),
            .norm_first = n[4] != 0,
            .bias = n[5] != 0,
            .dropout = n[7],
            .attention_dropout = n[7] / 2,
            .hidden_dropout = n[7]};
  }
  static std::vector<Case> cases() {
    const double relu = double(Activation::relu), gelu = double(Activation::gelu), tanh = double(Activation::tanh);
    const std::vector<Constant> masks{present_frames({3, 0}, 3), present_frames({1, 2}, 3)};
    return {of("two of one layer, dropout", 2, 3, 4, {2, 2, 6, 1, 1, 1, relu, 0.4, 1}),
            of("apart in memory", 2, 3, 4, {2, 2, 6, 1, 1, 1, relu, 0.4, 0}),
            of("two layers, frames absent in ways of their own", 2, 3, 2, {2, 1, 3, 2, 1, 1, gelu, 0.3, 1}, masks),
            of("norm last, no biases", 1, 2, 4, {3, 2, 5, 1, 0, 0, relu, 0, 1}),
            of("tanh, no dropout", 2, 1, 2, {2, 1, 3, 1, 1, 1, tanh, 0, 1}),
            of("max(x, 0), no dropout", 2, 2, 4, {2, 2, 5, 1, 1, 1, relu, 0, 1}),
            of("no layer", 2, 2, 3, {2, 1, 3, 0, 1, 1, relu, 0.5, 1}),
            of("no sample", 0, 2, 4, {2, 2, 6, 1, 1, 1, relu, 0.4, 1})};
  }
  static std::vector<Case> medium() {
    const double relu = double(Activation::relu);
    return {of("heads of 20 features, rows that fill no tile", 3, 9, 40, {3, 2, 70, 1, 1, 1, relu, 0.3, 1})};
  }
  /// Without the bends of max(x, 0), which differences over so many numbers would meet.
  static std::vector<Case> large() {
    const double gelu = double(Activation::gelu), tanh = double(Activation::tanh);
    return {of("peer", 4, 50, 40, {3, 10, 160, 2, 1, 1, gelu, 0.1, 1}),
            of("many queries of one wide head", 2, 70, 24, {2, 1, 30, 1, 1, 1, tanh, 0.1, 1})};
  }

  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    const std::size_t count = std::size_t(in.number(0));
    List<Variable<T, 3, D>> parts;
    List<Mask<2, D>> masks;
    for (std::size_t g = 0; g < count; ++g) parts.push_back(in.template leaf<3>(g));
    for (std::size_t g = 0; g < count; ++g) masks.push_back(in.template mask<2>(g));
    Random random(17);
    SeveralEncoders<T, D> all;
    for (std::size_t g = 0; g < count; ++g)
      all.encoder.emplace_back(options(parts[0].extent(2), in.problem().numbers), random);
    seat(all, in, count);
    const auto& first = in.nodes()[count];
    if (in.number(8) != 0 && !first->gradient.defined()) pack<T, D>(all);
    const Context context = Context::train(random);
    const std::uint64_t before = random.next();
    Outputs<T, D> outputs;
    if constexpr (lacuna::detail::Grouping<T, D>) {
      if (!lacuna::detail::can_group(all.encoder, context)) throw Error("these encoders can be grouped");
      lacuna::detail::GroupStreams streams(context, index_t(count), lacuna::detail::streams_of(all.encoder[0]));
      const Mask<2, D> mask = masks[0].defined() ? lacuna::detail::join_masks(masks) : Mask<2, D>();
      const auto y = lacuna::detail::encode_grouped(all.encoder, lacuna::detail::join_groups(parts), mask, streams);
      const auto rows = reshape(y, std::array<index_t, 2>{y.extent(0), y.extent(1) * y.extent(2)});
      for (std::size_t g = 0; g < count; ++g)
        outputs.push_back(flat(lacuna::detail::group_part(rows, index_t(g), index_t(count))));
    } else {
      for (std::size_t g = 0; g < count; ++g) outputs.push_back(flat(all.encoder[g](parts[g], masks[g], context)));
    }
    if (random.next() != before + count * lacuna::detail::streams_of(all.encoder[0]))
      throw Error("the encoders did not draw as many streams as they should");
    return outputs;
  }
};

using GroupedRows = Rows<GroupedEncodersRow>;

}  // namespace lacuna::test
