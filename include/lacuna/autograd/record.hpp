/// How an operation joins the graph.
///
/// An operation computes its value, then calls `record(name, value, backward, inputs...)`. `backward` is called once
/// with the gradient of the value and adds to `input.gradient_slot()` of every input that wants a gradient. It may
/// capture inputs, whose values then live until it ran, or `input.node()`, when it needs nothing but `node->slot()`, and
/// tensors. Nothing is stored when no input wants a gradient or recording is off. An undefined input
/// is none: a bias that a layer does not have.
#pragma once

#include <span>
#include <type_traits>

#include "lacuna/autograd/variable.hpp"

namespace lacuna {
namespace detail {

/// Memory for as many numbers as dy has: that of dy itself when nobody else sees it. For a backward that reads every
/// number of dy before it writes there, and dy no more.
template <class T, int R, class D>
Tensor<T, R, D> in_place_of(const Tensor<T, R, D>& dy) {
  return dy.sole() ? dy : Tensor<T, R, D>(dy.extents());
}

/// An input as a backward keeps it that reads its numbers: those themselves, or where they can be made again, the way
/// to them.
template <class T, int R, class D>
class Saved {
 public:
  explicit Saved(const Variable<T, R, D>& x) : node_(x.node()) {
    if (!node_->remake) kept_ = x;
  }
  const T* data() const { return node_->restored().data(); }
  const Shape& shape() const { return node_->shape(); }
  GradientSlot<T> gradient_slot() const { return node_->slot(); }

 private:
  NodeHandle<T, D> node_;
  Variable<T, R, D> kept_;
};

/// Lets the value of an operation's result be made again, by f() -> Array, once nobody looks at it any more.
template <class T, int R, class D, class F>
void remake_by(const Variable<T, R, D>& result, F f) {
  struct Made final : Node<T, D>::Remake {
    explicit Made(F f) : function(std::move(f)) {}
    Array<T, D> operator()() override { return function(); }
    F function;
  };
  if (result.node()->backward) result.node()->remake.reset(new Made(std::move(f)));
}

template <class T, int R, class D, class F>
struct Closure final : Node<T, D>::Backward {
  explicit Closure(F f) : function(std::move(f)) {}
  void operator()(Array<T, D>&& gradient) override { function(Tensor<T, R, D>(std::move(gradient))); }
  F function;
};

template <class T, int R, class D, class F>
void attach(Node<T, D>& node, const char* operation, F&& backward) {
  node.operation = operation;
  node.requires_grad = true;
  // No std::make_unique: a std::unique_ptr of each closure's own type is half of what an operation takes to compile.
  node.backward.reset(new Closure<T, R, D, std::decay_t<F>>(std::forward<F>(backward)));
}

template <class T, int R, class D>
void keep_input(Node<T, D>& node, const Variable<T, R, D>& input) {
  if (input.defined()) node.inputs.push_back(input.node());
}

/// Whether an operation on these inputs is recorded. An operation that asks before it makes its closure lets threads
/// that share a model leave its counters alone.
template <class... Inputs>
bool recorded(const Inputs&... inputs) {
  return recording() && (inputs.requires_grad() || ...);
}

}  // namespace detail

template <class T, int R, class D, class F, class... Inputs>
requires(std::is_class_v<Inputs>&&...) Variable<T, R, D> record(const char* operation, const Tensor<T, R, D>& value,
                                                                F&& backward, const Inputs&... inputs) {
  Variable<T, R, D> result(value);
  if (!detail::recorded(inputs...)) return result;
  (detail::keep_input(*result.node(), inputs), ...);
  detail::attach<T, R, D>(*result.node(), operation, std::forward<F>(backward));
  return result;
}

/// The same for a run-time number of inputs.
template <class T, int R, class D, class F, int S>
Variable<T, R, D> record_list(const char* operation, const Tensor<T, R, D>& value, F&& backward,
                              std::span<const Variable<T, S, D>> inputs) {
  Variable<T, R, D> result(value);
  bool wanted = false;
  for (const auto& input : inputs) wanted = wanted || input.requires_grad();
  if (!detail::recording() || !wanted) return result;
  for (const auto& input : inputs) detail::keep_input(*result.node(), input);
  detail::attach<T, R, D>(*result.node(), operation, std::forward<F>(backward));
  return result;
}

}  // namespace lacuna
