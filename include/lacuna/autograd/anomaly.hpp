/// Anomaly mode: finds where the first number that is not finite comes from, forward and backward.
///
///     const Anomaly<float> anomaly(model);       // before the forward pass: values are kept while there is one
///     const auto loss = objective(model(batch));
///     anomaly.backward(loss);                    // instead of loss.backward(): throws AnomalyError instead of training on NaN
///
/// The message names the operation, the element, and the paths of the parameters behind it, e.g.
///   anomaly: 'log' (4, 3) gave nan at element 5, from 'linear' (4, 3); behind it: head.weight, head.bias
/// Slow: every value and gradient is read. A recomputed part (`recompute`) counts as one operation.
#pragma once

#include <cmath>
#include <memory>

#include "lacuna/autograd/graph.hpp"

namespace lacuna {

/// A value or a gradient is not finite.
class AnomalyError : public Error {
 public:
  using Error::Error;
};

template <class T = float, class D = Cpu>
class Anomaly {
 public:
  /// Without a model: parameters stay without names.
  Anomaly() = default;
  template <class M>
  explicit Anomaly(const M& model) : names_(parameter_names<T, D>(model)) {}

  /// Throws AnomalyError for the oldest value in the graph of `result` that is not finite. Call it before the backward.
  template <int R>
  void check(const Variable<T, R, D>& result) const {
    for (const auto& node : graph_nodes(result)) {
      const index_t at = broken(node->value);
      if (at < 0) continue;
      if (!node->backward)
        throw AnomalyError(detail::cat("anomaly: ", detail::describe(*node, names_), " holds ", number(node->value, at),
                                       " at element ", at));
      throw AnomalyError(detail::cat("anomaly: ", detail::describe(*node, names_), " gave ", number(node->value, at),
                                     " at element ", at, origin(*node)));
    }
  }

  /// `check`, then loss.backward() with a look at every gradient that an operation hands on. After an error the graph
  /// is spent and gradients of parameters are partial.
  void backward(const Variable<T, 0, D>& loss) const {
    check(loss);
    for (const auto& node : graph_nodes(loss))
      if (node->backward) node->backward = std::make_unique<Watched>(std::move(node->backward), *node, *this);
    loss.backward();
  }

 private:
  struct Watched final : Node<T, D>::Backward {
    Watched(std::unique_ptr<typename Node<T, D>::Backward> b, const Node<T, D>& n, const Anomaly& a)
        : inner(std::move(b)), node(n), anomaly(a) {}
    void operator()(Array<T, D>&& gradient) override {
      (*inner)(std::move(gradient));
      for (const auto& input : node.inputs) {
        if (!input->has_gradient) continue;
        const index_t at = broken(input->gradient);
        if (at < 0) continue;
        throw AnomalyError(detail::cat("anomaly: the backward of ", describe_operation(), " gave ",
                                       number(input->gradient, at), " at element ", at, " of the gradient of ",
                                       detail::describe(*input, anomaly.names_), anomaly.origin(node)));
      }
    }
    std::string describe_operation() const { return detail::cat("'", node.operation, "' ", node.value.shape()); }

    std::unique_ptr<typename Node<T, D>::Backward> inner;
    const Node<T, D>& node;
    const Anomaly& anomaly;
  };

  /// Index of the first number that is not finite, -1 when all are.
  static index_t broken(const Array<T, D>& array) {
    const std::vector<T> host = array.to_vector();
    for (std::size_t i = 0; i < host.size(); ++i)
      if (!std::isfinite(host[i])) return index_t(i);
    return -1;
  }
  static std::string number(const Array<T, D>& array, index_t at) {
    const T value = array.to_vector()[std::size_t(at)];
    return std::isnan(value) ? "nan" : value > T(0) ? "inf" : "-inf";
  }
  /// ", from 'linear' (4, 3), …; behind it: the nearest parameters"
  std::string origin(const Node<T, D>& node) const {
    std::string text;
    for (const auto& input : node.inputs) text += (text.empty() ? ", from " : ", ") + detail::describe(*input, names_);
    constexpr std::size_t most = 4;
    std::vector<const Node<T, D>*> queue{&node};
    std::unordered_set<const Node<T, D>*> seen{&node};
    std::size_t found = 0;
    for (std::size_t i = 0; i < queue.size() && found < most; ++i) {
      for (const auto& input : queue[i]->inputs) {
        if (!seen.insert(input.get()).second) continue;
        queue.push_back(input.get());
        const auto name = names_.find(input.get());
        if (name != names_.end() && found++ < most) text += (found == 1 ? "; behind it: " : ", ") + name->second;
      }
    }
    return text;
  }

  /// Values that a backward does not read are there to be looked at.
  struct KeepsValues {
    KeepsValues() { ++detail::keeping_values(); }
    KeepsValues(const KeepsValues&) { ++detail::keeping_values(); }
    KeepsValues& operator=(const KeepsValues&) = default;
    ~KeepsValues() { --detail::keeping_values(); }
  };

  NodeNames<T, D> names_;
  KeepsValues keeps_;
};

}  // namespace lacuna
