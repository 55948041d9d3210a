/// A module is a value with parameters, a `const` call operator, and one line of reflection:
///
///   static void reflect(auto& self, auto&& visit) { visit("weight", self.weight); visit("bias", self.bias); }
///
/// Everything else is a free function over it. Members are modules, parameters, buffers, and vectors or optionals of
/// these: a vector is visited as name.0, name.1, ..., an optional as name, when it has a value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lacuna/autograd/parameter.hpp"
#include "lacuna/core/fields.hpp"
#include "lacuna/core/transfer.hpp"

namespace lacuna {
namespace detail {

template <class T>
inline constexpr bool is_parameter = false;
template <class T, int R, class D>
inline constexpr bool is_parameter<Parameter<T, R, D>> = true;
template <class T>
inline constexpr bool is_buffer = false;
template <class T, int R, class D>
inline constexpr bool is_buffer<Buffer<T, R, D>> = true;
template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// The numbers of a module and where they are: its members `scalar` and `device`; else, of a template M<T, D>, its
/// arguments; else float on the host.
template <class M>
struct NumbersOf {
  using scalar = float;
  using device = device_of<M>;
};
template <class M>
requires requires { typename M::scalar; }
struct NumbersOf<M> {
  using scalar = typename M::scalar;
  using device = device_of<M>;
};
template <template <class, class> class M, class T, class D>
requires(std::is_floating_point_v<T>&& requires { D::after_packing(); }) &&
    (!requires { typename M<T, D>::scalar; }) struct NumbersOf<M<T, D>> {
  using scalar = T;
  using device = D;
};
template <class M>
struct NumbersOf<std::vector<M>> : NumbersOf<M> {};
template <class M>
struct NumbersOf<std::optional<M>> : NumbersOf<M> {};
template <class M>
using scalar_of = typename NumbersOf<std::remove_const_t<M>>::scalar;
template <class M>
using place_of = typename NumbersOf<std::remove_const_t<M>>::device;

/// Throws ShapeError for a module without the layers that its constructor makes: one that was default-constructed, and
/// neither given its options nor loaded since.
template <class Layers>
void expect_made(const char* module, const Layers& layers) {
  if (layers.empty()) throw ShapeError(cat(module, ": it has no layers; was it never given its sizes?"));
}

inline std::string member_path(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

}  // namespace detail

/// What names its members (core/fields.hpp); that they are arrays and modules is checked where they are visited.
template <class M>
concept Module = Reflected<M>;

/// Calls f(path, array) for every defined parameter and buffer, in the order of reflection: the order of checkpoints
/// and `pack`.
template <class M, class F>
void for_each_array(M& module, F&& f, const std::string& path = {}) {
  using Plain = std::remove_cvref_t<M>;
  if constexpr (detail::is_parameter<Plain> || detail::is_buffer<Plain>) {
    if (module.defined()) f(path, module);
  } else if constexpr (detail::is_list<Plain>) {
    for (std::size_t i = 0; i < module.size(); ++i)
      for_each_array(module[i], f, detail::member_path(path, std::to_string(i)));
  } else if constexpr (detail::is_optional<Plain>) {
    if (module) for_each_array(*module, f, path);
  } else {
    static_assert(Module<M>, "reflect() must name modules, parameters, buffers, or vectors or optionals of them");
    for_each_field(module,
                   [&](const char* name, auto& member) { for_each_array(member, f, detail::member_path(path, name)); });
  }
}
/// Calls f(path, parameter) for every defined parameter.
template <class M, class F>
void for_each_parameter(M& module, F&& f, const std::string& path = {}) {
  const auto visit = [&](const std::string& name, auto& array) {
    if constexpr (detail::is_parameter<std::remove_cvref_t<decltype(array)>>) f(name, array);
  };
  for_each_array(module, visit, path);
}
/// Calls f(path, buffer) for every defined buffer.
template <class M, class F>
void for_each_buffer(M& module, F&& f, const std::string& path = {}) {
  const auto visit = [&](const std::string& name, auto& array) {
    if constexpr (detail::is_buffer<std::remove_cvref_t<decltype(array)>>) f(name, array);
  };
  for_each_array(module, visit, path);
}

namespace detail {

/// Who is told of arrays whatever their rank.
template <class D>
struct NodeVisitor {
  virtual void visit(const std::string& path, const NodeHandle<float, D>& node, bool trained) = 0;
  virtual void visit(const std::string& path, const NodeHandle<double, D>& node, bool trained) = 0;

 protected:
  ~NodeVisitor() = default;
};

/// Not a lambda of `for_each_node`: that one would be another type, and another walk through every layer, for each model.
template <class D>
struct ToVisitor {
  NodeVisitor<D>& visitor;
  template <class Leaf>
  void operator()(const std::string& path, const Leaf& array) const {
    static_assert(std::is_same_v<typename Leaf::device, D>,
                  "the module has parameters on another device: name it in the module, `using device = D`");
    visitor.visit(path, array.node(), is_parameter<Leaf>);
  }
};

}  // namespace detail

/// Calls f(path, node, trained) for every defined parameter (trained) and buffer (not), in the order of reflection. `node`:
/// the NodeHandle<T, D> of the array, so that it needs no rank; T is float or double, D the device that the module names
/// (`using device = D`, or as an argument of its template), else the host. What is written here compiles once, not once for
/// every kind of member that a module has.
template <class M, class F>
void for_each_node(const M& module, F&& f, const std::string& path = {}) {
  using D = detail::place_of<M>;
  struct Told final : detail::NodeVisitor<D> {
    F& f;
    explicit Told(F& g) : f(g) {}
    void visit(const std::string& at, const NodeHandle<float, D>& node, bool trained) override { f(at, node, trained); }
    void visit(const std::string& at, const NodeHandle<double, D>& node, bool trained) override {
      f(at, node, trained);
    }
  } told(f);
  const detail::ToVisitor<D> to{told};
  for_each_array(module, to, path);
}

/// How many numbers a module can train: those of its parameters, frozen ones too. Buffers are not counted.
template <class M>
index_t count_parameters(const M& module) {
  index_t count = 0;
  for_each_node(module, [&](const std::string&, const auto& node, bool trained) {
    if (trained) count += node->value.size();
  });
  return count;
}

template <class M>
void zero_grad(const M& module) {
  for_each_node(module, [](const std::string&, const auto& node, bool trained) {
    if (trained) node->has_gradient = false;
  });
}

/// A frozen module gets no gradients: the teacher of a distillation. With `frozen` false all its parameters get them.
template <class M>
void freeze(const M& module, bool frozen = true) {
  for_each_node(module, [&](const std::string&, const auto& node, bool trained) {
    if (!trained) return;
    node->requires_grad = !frozen;
    if (!frozen) node->packed.reset();
  });
}

}  // namespace lacuna
