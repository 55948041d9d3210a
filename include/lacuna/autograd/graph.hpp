/// Looking at a recorded graph: its nodes, and the names of the parameters in it.
#pragma once

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "lacuna/autograd/variable.hpp"

namespace lacuna {

template <class T, class D = Cpu>
using NodeNames = std::unordered_map<const Node<T, D>*, std::string>;

/// The path of every parameter of a module by its node: for `Anomaly` and `to_dot`.
template <class T = float, class D = Cpu, class M>
NodeNames<T, D> parameter_names(const M& module) {
  NodeNames<T, D> names;
  for_each_parameter(module,
                     [&](const std::string& path, const auto& parameter) { names[parameter.node().get()] = path; });
  return names;
}

/// Every node that led to `result`, oldest first. A graph is gone after its backward.
template <class T, int R, class D>
std::vector<NodeHandle<T, D>> graph_nodes(const Variable<T, R, D>& result) {
  std::vector<NodeHandle<T, D>> nodes{result.node()};
  std::unordered_set<const Node<T, D>*> seen{result.node().get()};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const NodeHandle<T, D> node = nodes[i];
    for (const auto& input : node->inputs)
      if (seen.insert(input.get()).second) nodes.push_back(input);
  }
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
  return nodes;
}

namespace detail {

/// "parameter encoder.weight (8, 3)", "'relu' (4, 8)", "constant (4, 3)"
template <class T, class D>
std::string describe(const Node<T, D>& node, const NodeNames<T, D>& names) {
  const auto name = names.find(&node);
  if (name != names.end()) return cat("parameter ", name->second, " ", node.value.shape());
  if (node.backward) return cat("'", node.operation, "' ", node.value.shape());
  return cat(node.requires_grad ? "leaf " : "constant ", node.value.shape());
}

}  // namespace detail
}  // namespace lacuna
