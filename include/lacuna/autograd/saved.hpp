/// Values that a backward reads and that may be made again rather than kept.
#pragma once

#include "lacuna/autograd/variable.hpp"

namespace lacuna::detail {

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

}  // namespace lacuna::detail
