/// A node of the dynamic graph: a value, its gradient, and the recorded way back to its inputs.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/core/list.hpp"
#include "lacuna/core/tensor.hpp"

namespace lacuna {

template <class T, class D>
struct Node;

/// Counted reference to a node. The last one to go destroys the node without recursion, however long the chain behind
/// it.
template <class T, class D>
class NodeHandle {
 public:
  NodeHandle() = default;
  explicit NodeHandle(Node<T, D>* node) : node_(node) { retain(); }
  NodeHandle(const NodeHandle& other) : node_(other.node_) { retain(); }
  NodeHandle(NodeHandle&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  NodeHandle& operator=(NodeHandle other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~NodeHandle() {
    // the only owner may skip the atomic decrement: no other thread can gain a reference
    if (node_ && (node_->references.load(std::memory_order_acquire) == 1 ||
                  node_->references.fetch_sub(1, std::memory_order_acq_rel) == 1))
      Node<T, D>::release(node_);
  }

  Node<T, D>* operator->() const { return node_; }
  Node<T, D>& operator*() const { return *node_; }
  Node<T, D>* get() const { return node_; }
  explicit operator bool() const { return node_ != nullptr; }

 private:
  void retain() {
    if (node_) node_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Node<T, D>* node_ = nullptr;
};

namespace detail {

inline bool& recording() {
  static constinit thread_local bool on = true;
  return on;
}

/// Creation order over all threads; it is a topological order of every graph. Without recording there is none, and
/// threads that serve share no counter.
inline std::uint64_t next_node_id() {
  static constinit std::atomic<std::uint64_t> counter{1};
  return recording() ? counter.fetch_add(1, std::memory_order_relaxed) : 0;
}

}  // namespace detail

/// While alive, operations on this thread record nothing: inference costs no graph.
class NoGrad {
 public:
  NoGrad() : previous_(std::exchange(detail::recording(), false)) {}
  ~NoGrad() { detail::recording() = previous_; }
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool previous_;
};

template <class T, class D>
struct Node : detail::Pooled {
  struct Backward : detail::Pooled {
    virtual ~Backward() = default;
    virtual void operator()(const Array<T, D>& gradient) = 0;
  };

  Node() = default;
  Node(const Array<T, D>& v, bool wants) : value(v), requires_grad(wants) {}

  Array<T, D> value, gradient;
  detail::ShortList<NodeHandle<T, D>, 4> inputs;
  std::unique_ptr<Backward> backward;
  std::unique_ptr<const Array<T, D>> packed;  ///< the value as products want it (nn/pack_weights.hpp), or none
  const char* operation = "leaf";
  std::uint64_t id = detail::next_node_id();
  std::atomic<std::uint32_t> references{0};
  bool requires_grad = false;
  bool has_gradient = false;
  bool queued = false;
  bool spent = false;     ///< its backward ran and was released
  bool borrowed = false;  ///< the gradient's memory belongs to another node as well
  Node* next_released = nullptr;

  /// Uninitialised memory the first time, the running sum afterwards; false when this node wants no gradient.
  GradientSlot<T> slot() {
    if (!requires_grad || value.size() == 0) return {};
    if (std::exchange(borrowed, false)) gradient = has_gradient ? gradient.clone() : Array<T, D>();
    if (!gradient.defined()) gradient = Array<T, D>(value.shape());
    return {gradient.data(), !std::exchange(has_gradient, true)};
  }
  /// Takes `share` as the gradient, sharing its memory, when none came before and there is no place of its own for it;
  /// false, with nothing done, otherwise.
  bool adopt(const Array<T, D>& share) {
    if (!requires_grad || value.size() == 0) return true;
    if (has_gradient || (gradient.defined() && !borrowed)) return false;
    gradient = share.reshaped(value.shape());
    return borrowed = has_gradient = true;
  }

  /// Destroys a node and, in a loop, every node that only it kept alive.
  static void release(Node* node) {
    static constinit thread_local Node* pending = nullptr;
    static constinit thread_local bool releasing = false;
    node->next_released = pending;
    pending = node;
    if (releasing) return;
    releasing = true;
    while (pending != nullptr) delete std::exchange(pending, pending->next_released);
    releasing = false;
  }
};

}  // namespace lacuna
