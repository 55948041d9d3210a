/// Parameters and buffers of a module by name, to and from a `State`.
///
/// Loading demands the same names, shapes and scalar type, and changes nothing unless everything fits: a missing,
/// superfluous or mis-shaped parameter is an IoError with its full path.
#pragma once

#include "lacuna/core/state.hpp"
#include "lacuna/core/transfer.hpp"
#include "lacuna/nn/module.hpp"

namespace lacuna::io {

/// Shares the storage of host parameters: write the state before training goes on.
template <class M>
State parameters_of(const M& module) {
  State state;
  for_each_node(module, [&](const std::string& path, const auto& node, bool) {
    state.put(path, to_device<Cpu>(std::as_const(node->value)));
  });
  return state;
}

template <class M>
void load_parameters(M& module, const State& state) {
  std::size_t known = 0;
  for_each_node(module, [&](const std::string& path, const auto& node, bool) {
    const auto stored = state.get<Array<typename std::remove_cvref_t<decltype(node->value)>::scalar>>(path);
    const Shape& expected = node->value.shape();
    if (!(stored.shape() == expected))
      state.fail(path, detail::cat("has shape ", stored.shape(), ", the model expects ", expected));
    ++known;
  });
  if (known != state.values().size()) {
    State left = state;
    for_each_node(module, [&](const std::string& path, const auto&, bool) { left.erase(path); });
    left.fail(left.values().begin()->first, "is no parameter of this model");
  }
  for_each_node(module, [&](const std::string& path, const auto& node, bool) {
    const auto stored = state.get<Array<typename std::remove_cvref_t<decltype(node->value)>::scalar>>(path);
    node->value.assign({std::as_const(stored).data(), std::size_t(stored.size())});
  });
}

}  // namespace lacuna::io
