/// `Variable<T, R, D>`: a tensor that takes part in the graph. A handle: copies refer to the same node.
#pragma once

#include <algorithm>

#include "lacuna/autograd/node.hpp"

namespace lacuna {

namespace detail {
[[noreturn]] inline void refuse_undefined() {
  throw ShapeError(
      "undefined variable: it holds no numbers; was a module, parameter or input never given its size, or moved from?");
}
}  // namespace detail

/// An undefined one, as a default-constructed module has, says "none" where an operation allows it; asked for its shape or
/// numbers it throws ShapeError.
template <class T, int R, class D = Cpu>
class Variable {
 public:
  using scalar = T;
  using device = D;
  static constexpr int rank = R;

  Variable() = default;
  /// A constant, or with `requires_grad` a leaf. Shares the storage of the tensor; undefined when that has no numbers.
  explicit Variable(const Tensor<T, R, D>& value, bool requires_grad = false)
      : node_(value.defined() ? new Node<T, D>(value, requires_grad) : nullptr) {}
  /// A node whose value is still there.
  explicit Variable(const NodeHandle<T, D>& node) : node_(node) {}

  bool defined() const { return bool(node_); }
  const Shape& shape() const { return there().value.shape(); }
  index_t extent(int axis) const { return shape()[axis]; }
  index_t size() const { return there().value.size(); }
  Tensor<T, R, D> value() const { return Tensor<T, R, D>(there().value); }
  typename Tensor<T, R, D>::Extents extents() const {
    typename Tensor<T, R, D>::Extents lengths{};
    for (int i = 0; i < R; ++i) lengths[std::size_t(i)] = shape()[i];
    return lengths;
  }
  const T* data() const { return std::as_const(there().value).data(); }
  /// The numbers, or null for an undefined one: for an operation that takes it for "none", as it does a bias.
  const T* data_or_null() const { return node_ ? std::as_const(node_->value).data() : nullptr; }
  /// The numbers as products want them, or null: lacuna/nn/pack_weights.hpp.
  const T* packed() const { return node_ && node_->packed ? node_->packed->data() : nullptr; }
  /// The single number of a scalar, copied to the host.
  T item() const {
    if (size() != 1) throw ShapeError(detail::cat("item: needs one element, the variable has shape ", shape()));
    return node_->value.first();
  }

  bool requires_grad() const { return node_ && node_->requires_grad; }
  bool has_grad() const { return node_ && node_->has_gradient; }
  /// The accumulated gradient; zeros when none arrived. Of inner nodes it is gone after `backward()`.
  Tensor<T, R, D> grad() const {
    if (there().has_gradient) return Tensor<T, R, D>(node_->gradient);
    return Tensor<T, R, D>::zeros(extents());
  }
  void zero_grad() const { there().has_gradient = false; }
  /// Inside an operation's backward: where to add this input's share (see GradientSlot); none for one that wants no gradient
  /// or is undefined.
  GradientSlot<T> gradient_slot() const { return node_ ? node_->slot() : GradientSlot<T>(); }

  /// The same numbers, cut off from the graph: the stop-gradient of the papers.
  Variable detach() const { return Variable(value()); }

  /// Gradients of this scalar to all leaves that want one; releases the graph as it goes.
  void backward() const requires(R == 0) {
    static const auto* const one = new Tensor<T, 0, D>(Tensor<T, 0, D>::full({}, T(1)));  // outlives every device
    backward(*one);
  }
  /// Gradients of sum(seed * this). Throws Error when the graph was released by an earlier call.
  void backward(const Tensor<T, R, D>& seed) const {
    detail::expect_shape("backward", "seed", seed.shape(), shape());
    if (node_->spent) throw Error("backward: this graph was already used and released; run the forward pass again");
    if (!node_->requires_grad) throw Error("backward: nothing that led here wants a gradient");
    if (node_->backward && node_->adopt(seed)) {
      propagate();
      return;
    }
    GradientSlot<T> slot = node_->slot();
    if (!slot) return;
    if (slot.fresh) {
      D::copy(slot.data, seed.data(), std::size_t(seed.size()) * sizeof(T));
    } else {
      std::vector<T> sum = node_->gradient.to_vector();  // a leaf that already holds a gradient
      const std::vector<T> more = seed.to_vector();
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += more[i];
      node_->gradient.assign(sum);
    }
    propagate();
  }

  /// A copy of it does not keep the value.
  const NodeHandle<T, D>& node() const { return node_; }

 protected:
  /// The one door: who wants a number of nothing is told so here.
  Node<T, D>& there() const {
    if (!node_) detail::refuse_undefined();
    return *node_;
  }

 private:
  /// Newest node first: every consumer of a node was created after it, so its gradient is complete when its turn comes.
  void propagate() const {
    const auto older = [](const NodeHandle<T, D>& a, const NodeHandle<T, D>& b) { return a->id < b->id; };
    List<NodeHandle<T, D>> heap{node_};
    while (!heap.empty()) {
      std::pop_heap(heap.begin(), heap.end(), older);
      const NodeHandle<T, D> node = std::move(heap.back());
      heap.pop_back();
      node->queued = false;
      if (!node->backward) continue;
      if (node->has_gradient) (*node->backward)(std::move(node->gradient));
      for (const auto& input : node->inputs) {
        if (!input->requires_grad || input->queued || (!input->backward && !input->spent)) continue;
        if (input->spent) throw Error("backward: part of this graph was already used and released");
        input->queued = true;
        heap.push_back(input);
        std::push_heap(heap.begin(), heap.end(), older);
      }
      node->backward.reset();
      node->remake.reset();
      node->inputs.clear();
      node->gradient = {};
      node->has_gradient = node->borrowed = false;
      node->spent = true;
    }
  }

  NodeView<T, D> node_;
};

}  // namespace lacuna
