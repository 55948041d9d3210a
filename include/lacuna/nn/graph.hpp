/// Convolutions over the edges of a graph, and the graph of conversations: who was heard by whom, and when.
///
///   RelationalGraphConv  y_i = x_i R + b + Σ_r mean over the sources j of i under relation r of x_j W_r
///                        (Schlichtkrull et al., ESWC 2018)
///   GraphConv            y_i = (Σ_j x_j) Wᵀ + b + x_i Rᵀ, over all sources j of i      (Morris et al., AAAI 2019)
///
/// x (N, in) → (N, out); a node without a source gets its own part alone. Edges are lists of the host: source → target,
/// and the relation of each; the same pair may come several times. An absent node is one without edges.
///
/// ```cpp
/// const auto graph = conversation_graph(std::vector<index_t>{3, 1}, {}, {.past = 1, .future = 1});   // 4 nodes
/// const RelationalGraphConv<float> conv({.in = 8, .out = 4, .relations = 3}, random);
/// const Variable<float, 2> utterances(Tensor<float, 2>::full({4, 8}, 0.5f));
/// const auto heard = conv(utterances, graph.time);                                                    // (4, 4)
/// ```
#pragma once

#include <span>

#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/indexing.hpp"
#include "lacuna/ops/matmul.hpp"

namespace lacuna {

struct GraphEdges {
  index_t nodes = 0;
  List<index_t> source, target, relation;

  void add(index_t from, index_t to, index_t kind) {
    source.push_back(from), target.push_back(to), relation.push_back(kind);
  }
  /// Of one relation; −1: all. Throws ShapeError for a node that is not there.
  GraphEdges of(index_t kind) const {
    GraphEdges some{nodes, {}, {}, {}};
    for (std::size_t e = 0; e < source.size(); ++e) {
      if (source[e] < 0 || source[e] >= nodes || target[e] < 0 || target[e] >= nodes)
        throw ShapeError(detail::cat("graph: edge ", e, " is ", source[e], " -> ", target[e], " of ", nodes, " nodes"));
      if (kind < 0 || relation[e] == kind) some.add(source[e], target[e], relation[e]);
    }
    return some;
  }
};

/// Over time: relation 0 to a later utterance, 1 to itself, 2 to an earlier one. Over speakers: relation
/// speakers · (who hears) + (who was heard).
struct ConversationGraph {
  GraphEdges time, speaker;
};
struct ConversationGraphOptions {
  index_t past = -1, future = -1;  ///< utterances that one hears on either side of itself; -1: all
  index_t speakers = 1;            ///< who has a higher number counts as the last of them
  bool around_source = false;      ///< the window is laid around who is heard, so that past and future change places
};

/// lengths: utterances of every conversation, which are nodes one after the other; speakers of the nodes, or empty: all 0.
/// Edges by target, then source.
inline ConversationGraph conversation_graph(std::span<const index_t> lengths, std::span<const index_t> speakers,
                                            const ConversationGraphOptions& o) {
  ConversationGraph graph;
  index_t first = 0;
  const auto who = [&](index_t node) {
    return speakers.empty() ? 0 : std::min(speakers[std::size_t(node)], o.speakers - 1);
  };
  const index_t before = o.around_source ? o.future : o.past, after = o.around_source ? o.past : o.future;
  for (const index_t length : lengths) {
    for (index_t i = 0; i < length; ++i)
      for (index_t j = before < 0 ? 0 : std::max<index_t>(0, i - before);
           j < (after < 0 ? length : std::min(length, i + after + 1)); ++j) {
        graph.time.add(first + j, first + i, j < i ? 0 : j == i ? 1 : 2);
        graph.speaker.add(first + j, first + i, o.speakers * who(first + i) + who(first + j));
      }
    first += length;
  }
  graph.time.nodes = graph.speaker.nodes = first;
  return graph;
}

namespace detail {

/// (N, F): the sums over the sources of every node, or their means.
template <class T, class D>
Variable<T, 2, D> from_sources(const Variable<T, 2, D>& x, const GraphEdges& edges, bool mean) {
  const index_t nodes = x.extent(0), width = x.extent(1), count = index_t(edges.source.size());
  std::vector<T> sources(std::size_t(nodes), T(0));
  for (const index_t i : edges.target) sources[std::size_t(i)] += T(1);
  List<index_t> places;
  std::vector<T> share;
  for (const index_t i : edges.target) {
    places.insert(places.end(), std::size_t(width), i);
    share.push_back(mean ? T(1) / sources[std::size_t(i)] : T(1));
  }
  auto sent = index_select(x, 0, std::span<const index_t>(edges.source));
  if (mean) sent = sent * Variable<T, 2, D>(Tensor<T, 2, D>::from({count, 1}, share));
  return scatter_add(Variable<T, 2, D>(Tensor<T, 2, D>::zeros({nodes, width})), 0,
                     Tensor<index_t, 2, D>::from({count, width}, places), sent);
}

}  // namespace detail

template <class T = float, class D = Cpu>
struct RelationalGraphConv {
  struct Options {
    index_t in, out, relations;
  };
  Parameter<T, 3, D> weight;  ///< (relations, in, out)
  Parameter<T, 2, D> root;    ///< (in, out)
  Parameter<T, 1, D> bias;

  RelationalGraphConv() = default;
  /// Start: matrices uniform in ±√(6/(in + out)), bias 0.
  RelationalGraphConv(const Options& o, Random& random) {
    if (o.in < 1 || o.out < 1 || o.relations < 1)
      throw OptionError(detail::cat("RelationalGraphConv: ", o.in, " -> ", o.out, ", ", o.relations,
                                    " relations: sizes must be positive"));
    const double bound = std::sqrt(6.0 / double(o.in + o.out));
    weight = Parameter<T, 3, D>(init::uniform<T, 3, D>({o.relations, o.in, o.out}, bound, random));
    root = Parameter<T, 2, D>(init::uniform<T, 2, D>({o.in, o.out}, bound, random));
    bias = Parameter<T, 1, D>(Tensor<T, 1, D>::zeros({o.out}));
  }
  Variable<T, 2, D> operator()(const Variable<T, 2, D>& x, const GraphEdges& edges) const {
    detail::expect_axis("RelationalGraphConv", "x", x.shape(), 0, edges.nodes);
    const Variable<T, 3, D>& w = weight;
    const Variable<T, 2, D>& own = root;
    const Variable<T, 1, D>& b = bias;
    const index_t in = w.extent(1), out = w.extent(2);
    for (const index_t r : edges.relation)
      if (r < 0 || r >= w.extent(0))
        throw ShapeError(detail::cat("RelationalGraphConv: relation ", r, " of ", w.extent(0)));
    auto y = matmul(x, own) + b;
    for (index_t r = 0; r < w.extent(0); ++r) {
      const GraphEdges some = edges.of(r);
      if (some.source.empty()) continue;
      const auto w_r = reshape(slice(w, 0, r, 1), std::array<index_t, 2>{in, out});
      y = y + matmul(detail::from_sources(x, some, true), w_r);
    }
    return y;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("weight", self.weight);
    visit("root", self.root);
    visit("bias", self.bias);
  }
};

template <class T = float, class D = Cpu>
struct GraphConv {
  struct Options {
    index_t in, out;
  };
  Linear<T, D> sources, root;

  GraphConv() = default;
  GraphConv(const Options& o, Random& random)
      : sources({.in_features = o.in, .out_features = o.out}, random),
        root({.in_features = o.in, .out_features = o.out, .bias = false}, random) {}
  Variable<T, 2, D> operator()(const Variable<T, 2, D>& x, const GraphEdges& edges) const {
    detail::expect_axis("GraphConv", "x", x.shape(), 0, edges.nodes);
    return sources(detail::from_sources(x, edges.of(-1), false)) + root(x);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("lin_rel", self.sources);
    visit("lin_root", self.root);
  }
};

}  // namespace lacuna
