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
  for_each_array(module, [&](const std::string& path, const auto& parameter) {
    using Plain = std::remove_cvref_t<decltype(parameter)>;
    state.put(path, to_device<Cpu>(static_cast<const Array<typename Plain::scalar, typename Plain::device>&>(
                        parameter.node()->value)));
  });
  return state;
}

template <class M>
void load_parameters(M& module, const State& state) {
  std::size_t known = 0;
  for_each_array(module, [&](const std::string& path, const auto& parameter) {
    const auto stored = state.get<Array<typename std::remove_cvref_t<decltype(parameter)>::scalar>>(path);
    if (!(stored.shape() == parameter.shape()))
      state.fail(path, detail::cat("has shape ", stored.shape(), ", the model expects ", parameter.shape()));
    ++known;
  });
  if (known != state.values().size()) {
    State left = state;
    for_each_array(module, [&](const std::string& path, const auto&) { left.erase(path); });
    left.fail(left.values().begin()->first, "is no parameter of this model");
  }
  for_each_array(module, [&](const std::string& path, auto& parameter) {
    using T = typename std::remove_cvref_t<decltype(parameter)>::scalar;
    const auto stored = state.get<Array<T>>(path);
    parameter.node()->value.assign({std::as_const(stored).data(), std::size_t(stored.size())});
  });
}

}  // namespace lacuna::io
