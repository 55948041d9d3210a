/// Rows of tests/ops.hpp: convolutions over the edges of a graph.
#pragma once

#include "lacuna/nn/graph.hpp"
#include "rows/fusion.hpp"

namespace lacuna::test {

/// Two conversations of so many utterances together, two speakers.
inline ConversationGraph small_talk(index_t nodes) {
  std::vector<index_t> speakers;
  for (index_t n = 0; n < nodes; ++n) speakers.push_back(n % 3 == 0);
  return conversation_graph(std::vector<index_t>{nodes / 2, nodes - nodes / 2}, speakers,
                            {.past = 2, .future = 1, .speakers = 2});
}

/// Leaves: x (N, in), then the parameters. `Time`: relations over time, else over speakers.
template <bool Time>
struct RelationalGraphConvRow {
  static constexpr const char* name = Time ? "RelationalGraphConv, time" : "RelationalGraphConv, speakers";
  template <class T, class D>
  static auto make(index_t in, Random& random) {
    return RelationalGraphConv<T, D>({in, 3, Time ? 3 : 4}, random);
  }
  static std::vector<Case> cases() {
    Random random(1);
    const auto layer = make<float, Cpu>(2, random);
    return {layer_case("several utterances", {{7, 2}}, layer), layer_case("one", {{1, 2}}, layer),
            layer_case("none", {{0, 2}}, layer)};
  }
  static std::vector<Case> large() {
    Random random(1);
    return {layer_case("large", {{300, 33}}, make<float, Cpu>(33, random))};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(1);
    const auto x = in.template leaf<2>(0);
    auto layer = make<T, D>(x.extent(1), random);
    seat(layer, in, 1);
    const auto graph = small_talk(x.extent(0));
    return {flat(layer(x, Time ? graph.time : graph.speaker))};
  }
};

/// Leaves: x (N, in), then the parameters.
struct GraphConvRow {
  static constexpr const char* name = "GraphConv";
  static std::vector<Case> cases() {
    Random random(1);
    const GraphConv<float> layer({2, 3}, random);
    return {layer_case("several utterances", {{5, 2}}, layer), layer_case("one", {{1, 2}}, layer),
            layer_case("none", {{0, 2}}, layer)};
  }
  static std::vector<Case> large() {
    Random random(1);
    return {layer_case("large", {{300, 33}}, GraphConv<float>({33, 3}, random))};
  }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    Random random(1);
    const auto x = in.template leaf<2>(0);
    GraphConv<T, D> layer({x.extent(1), 3}, random);
    seat(layer, in, 1);
    return {flat(layer(x, small_talk(x.extent(0)).time))};
  }
};

using GraphRows = Rows<RelationalGraphConvRow<true>, RelationalGraphConvRow<false>, GraphConvRow>;

}  // namespace lacuna::test
