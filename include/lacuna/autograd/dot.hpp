/// A graph as a picture: text for Graphviz (`dot -Tsvg`).
#pragma once

#include "lacuna/autograd/graph.hpp"

namespace lacuna {

/// The graph that led to `result`, before its backward: operations as ellipses with the shape of their result,
/// parameters as boxes with their path, other leaves and constants dashed. Pass `parameter_names<T>(model)` for the
/// paths.
template <class T, int R, class D>
std::string to_dot(const Variable<T, R, D>& result, const NodeNames<T, D>& names = {}) {
  const auto nodes = graph_nodes(result);
  std::unordered_map<const Node<T, D>*, std::size_t> number;
  std::string text = "digraph lacuna {\n  rankdir=BT;\n  node [fontname=\"sans-serif\"];\n";
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node<T, D>& node = *nodes[i];
    number[&node] = i;
    const auto name = names.find(&node);
    const bool operation = bool(node.backward);
    const std::string title = name != names.end() ? name->second
                              : operation         ? std::string(node.operation)
                                                  : std::string(node.requires_grad ? "leaf" : "constant");
    text += detail::cat("  n", i, " [label=\"", title, "\\n", node.value.shape(), "\"");
    if (name != names.end()) text += ", shape=box, style=filled, fillcolor=lightgrey";
    if (name == names.end() && !operation) text += ", style=dashed";
    text += "];\n";
  }
  for (const auto& node : nodes)
    for (const auto& input : node->inputs)
      text += detail::cat("  n", number[input.get()], " -> n", number[node.get()], ";\n");
  return text + "}\n";
}

}  // namespace lacuna
