/// A node of the dynamic graph: a value, its gradient, and the recorded way back to its inputs.
///
/// Who holds a node may look at its value (`NodeView`: a Variable) or not (`NodeHandle`: the graph, and a backward that
/// needs only the place of an input's gradient). What an operation gave is forgotten with the last look at it, long
/// before the node is: of y = x + dropout(f) the backward needs neither x nor f.
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
    if (node_) Node<T, D>::leave(node_, Node<T, D>::reference);
  }

  Node<T, D>* operator->() const { return node_; }
  Node<T, D>& operator*() const { return *node_; }
  Node<T, D>* get() const { return node_; }
  explicit operator bool() const { return node_ != nullptr; }

 protected:
  NodeHandle(Node<T, D>* node, std::uint64_t as) : node_(node) {
    if (node_) node_->holders.fetch_add(as, std::memory_order_relaxed);
  }
  Node<T, D>* node_ = nullptr;

 private:
  void retain() {
    if (node_) node_->holders.fetch_add(Node<T, D>::reference, std::memory_order_relaxed);
  }
};

/// A reference that also keeps the value.
template <class T, class D>
class NodeView : public NodeHandle<T, D> {
  using Base = NodeHandle<T, D>;

 public:
  NodeView() = default;
  explicit NodeView(Node<T, D>* node) : Base(node, Node<T, D>::view) {}
  explicit NodeView(const Base& node) : NodeView(node.get()) {}
  NodeView(const NodeView& other) : Base(other.node_, Node<T, D>::view) {}
  NodeView(NodeView&& other) noexcept = default;
  NodeView& operator=(NodeView other) noexcept {
    std::swap(this->node_, other.node_);
    return *this;
  }
  ~NodeView() {
    Node<T, D>* const node = std::exchange(this->node_, nullptr);
    if (node) Node<T, D>::look_away(node);
  }
};

namespace detail {

/// While not 0, values are kept as long as their nodes (autograd/anomaly.hpp).
inline std::atomic<int>& keeping_values() {
  static constinit std::atomic<int> count{0};
  return count;
}

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
    virtual void operator()(Array<T, D>&& gradient) = 0;
  };
  /// How a value that was forgotten is computed again, the same bits.
  struct Remake : detail::Pooled {
    virtual ~Remake() = default;
    virtual Array<T, D> operator()() = 0;
  };
  static constexpr std::uint64_t reference = 1, view = (std::uint64_t(1) << 32) + 1;  ///< in `holders`

  Node() = default;
  Node(const Array<T, D>& v, bool wants) : value(v), requires_grad(wants) {}

  Array<T, D> value, gradient;
  detail::ShortList<NodeHandle<T, D>, 4> inputs;
  std::unique_ptr<Backward> backward;
  std::unique_ptr<Remake> remake;             ///< for a value that is cheap to compute again, see `Saved`
  std::unique_ptr<const Array<T, D>> packed;  ///< the value as products want it (nn/pack_weights.hpp), or none
  const char* operation = "leaf";
  std::uint64_t id = detail::next_node_id();
  std::atomic<std::uint64_t> holders{0};  ///< how many, and in the upper half how many of them see the value
  bool requires_grad = false;
  bool has_gradient = false;
  bool queued = false;
  bool spent = false;     ///< its backward ran and was released
  bool borrowed = false;  ///< the gradient's memory belongs to another node as well
  Node* next_released = nullptr;

  /// How many hold it.
  std::uint32_t references() const { return std::uint32_t(holders.load(std::memory_order_relaxed)); }
  /// Of the value, also when that is forgotten.
  const Shape& shape() const { return value.shape(); }
  index_t size() const { return value.shape().size(); }
  /// Makes the value again where it is forgotten.
  const Array<T, D>& restored() {
    if (remake && std::as_const(value).data() == nullptr) value = (*remake)();
    return value;
  }

  /// Uninitialised memory the first time, the running sum afterwards; false when this node wants no gradient.
  GradientSlot<T> slot() {
    if (!requires_grad || size() == 0) return {};
    if (std::exchange(borrowed, false)) gradient = has_gradient ? gradient.clone() : Array<T, D>();
    if (!gradient.defined()) gradient = Array<T, D>(value.shape());
    return {gradient.data(), !std::exchange(has_gradient, true)};
  }
  /// Takes `share` as the gradient, sharing its memory, when none came before and there is no place of its own for it;
  /// false, with nothing done, otherwise.
  bool adopt(const Array<T, D>& share) {
    if (!requires_grad || size() == 0) return true;
    if (has_gradient || (gradient.defined() && !borrowed)) return false;
    gradient = share.reshaped(value.shape());
    return borrowed = has_gradient = true;
  }

  /// A holder goes. The only one may skip the atomic decrement: no other thread can gain a reference.
  static void leave(Node* node, std::uint64_t as) {
    if (node->holders.load(std::memory_order_acquire) == as ||
        node->holders.fetch_sub(as, std::memory_order_acq_rel) == as)
      release(node);
  }
  /// The same for one that sees the value. Two that go at once may both take the other for one who stays: the value
  /// then stays as long as the node.
  static void look_away(Node* node) {
    const std::uint64_t now = node->holders.load(std::memory_order_acquire);
    if (now != view && now >> 32 == 1 && node->backward &&
        detail::keeping_values().load(std::memory_order_relaxed) == 0)
      node->value.forget();
    leave(node, view);
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
