/// A module is a value with parameters, a `const` call operator, and one line of reflection:
///
///   static void reflect(auto& self, auto&& visit) { visit("weight", self.weight); visit("bias", self.bias); }
///
/// Everything else is a free function over it. Vectors of modules and of parameters are visited as name.0, name.1, ...
#pragma once

#include <string>
#include <vector>

#include "lacuna/autograd/parameter.hpp"

namespace lacuna {
namespace detail {

/// A visitor that accepts anything: nvcc takes no lambda inside a requires-expression.
struct Probe {
  void operator()(const char*, const auto&) const {}
};

template <class T>
inline constexpr bool is_parameter = false;
template <class T, int R, class D>
inline constexpr bool is_parameter<Parameter<T, R, D>> = true;
template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;

}  // namespace detail

template <class M>
concept Module = requires(M& module) { std::remove_cvref_t<M>::reflect(module, detail::Probe{}); };

/// Calls f(path, parameter) for every defined parameter, in the order of reflection: the order of checkpoints and `pack`.
template <class M, class F>
void for_each_parameter(M& module, F&& f, const std::string& path = {}) {
  using Plain = std::remove_cvref_t<M>;
  if constexpr (detail::is_parameter<Plain>) {
    if (module.defined()) f(path, module);
  } else if constexpr (detail::is_list<Plain>) {
    for (std::size_t i = 0; i < module.size(); ++i)
      for_each_parameter(module[i], f, path + (path.empty() ? "" : ".") + std::to_string(i));
  } else {
    static_assert(Module<M>, "reflect() must name modules, parameters, or vectors of them");
    Plain::reflect(module, [&](const char* name, auto& member) {
      for_each_parameter(member, f, path + (path.empty() ? "" : ".") + name);
    });
  }
}

/// How many numbers a module trains and stores.
template <class M>
index_t count_parameters(const M& module) {
  index_t count = 0;
  for_each_parameter(module, [&](const std::string&, const auto& parameter) { count += parameter.size(); });
  return count;
}

template <class M>
void zero_grad(const M& module) {
  for_each_parameter(module, [](const std::string&, const auto& parameter) { parameter.zero_grad(); });
}

/// A frozen module gets no gradients: the teacher of a distillation.
template <class M>
void freeze(const M& module, bool frozen = true) {
  for_each_parameter(module, [&](const std::string&, const auto& parameter) { parameter.freeze(frozen); });
}

}  // namespace lacuna
