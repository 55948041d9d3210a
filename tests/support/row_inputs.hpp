/// One case of a row of the table of operations, and its numbers in any type on any device: see support/rows.hpp.
#pragma once

#include <string>
#include <vector>

#include "lacuna/autograd/variable.hpp"
#include "lacuna/core/random.hpp"

namespace lacuna::test {

namespace detail {
using lacuna::detail::cat;
}

/// An array that is no leaf: a mask, labels. Without numbers it is filled like the leaves.
struct Constant {
  Shape shape;
  std::vector<double> numbers = {};
};

/// Everything in leaf number `leaf` behind the leading indices `at`: {2, {1}} is sample 1 of leaf 2, {2, {1, 4}} its
/// frame 4.
struct Part {
  std::size_t leaf;
  std::vector<index_t> at;
};

struct Case {
  std::string name;
  std::vector<Shape> leaves = {};    ///< inputs and parameters whose gradients are wanted
  std::vector<Constant> masks = {};  ///< 1 = present; `in.mask<R>(i)` is undefined when there is no such entry
  std::vector<Constant> constants = {};
  std::vector<double> numbers = {};  ///< options: `in.number(i, otherwise)`
  std::vector<Part> absent = {};     ///< must not matter, even when it is NaN; its gradient is exactly zero
  std::vector<Part> unseen = {};     ///< must not matter as long as it is finite; its gradient is exactly zero
  double low = -1, high = 1;         ///< range of the leaves
};

/// The leaves and constants of one case in one type on one device. Numbers are exact in float: all types see one
/// problem.
template <class T, class D = Cpu>
class Inputs {
 public:
  using scalar = T;
  using device = D;

  explicit Inputs(const Case& c, std::uint64_t seed = 1) : case_(c) {
    Random random(seed);
    for (const Shape& shape : c.leaves) {
      Array<T, D> value(shape);
      value.assign(numbers(shape, random));
      NodeHandle<T, D> node(new Node<T, D>);
      node->value = value;
      node->requires_grad = true;
      leaves_.push_back(node);
    }
    for (const Constant& constant : c.constants) {
      Array<T, D> value(constant.shape);
      value.assign(constant.numbers.empty() ? numbers(constant.shape, random)
                                            : std::vector<T>(constant.numbers.begin(), constant.numbers.end()));
      constants_.push_back(value);
    }
    for (const Constant& mask : c.masks) {
      Array<std::uint8_t, D> value(mask.shape);
      value.assign(std::vector<std::uint8_t>(mask.numbers.begin(), mask.numbers.end()));
      masks_.push_back(value);
    }
  }

  template <int R>
  Variable<T, R, D> leaf(std::size_t i) const {
    if (leaves_.at(i)->value.shape().rank() != R)
      throw ShapeError(detail::cat(case_.name, ": leaf ", i, " has another rank than ", R));
    return Variable<T, R, D>(leaves_[i]);
  }
  int rank(std::size_t i) const { return leaves_.at(i)->value.shape().rank(); }
  std::size_t leaf_count() const { return leaves_.size(); }
  template <int R>
  Mask<R, D> mask(std::size_t i) const {
    return i < masks_.size() ? Mask<R, D>(masks_[i]) : Mask<R, D>();
  }
  template <int R>
  Tensor<T, R, D> constant(std::size_t i) const {
    return Tensor<T, R, D>(constants_.at(i));
  }
  double number(std::size_t i, double otherwise = 0) const {
    return i < case_.numbers.size() ? case_.numbers[i] : otherwise;
  }
  const Case& problem() const { return case_; }

  /// Leaves as nodes, for the checks.
  const std::vector<NodeHandle<T, D>>& nodes() const { return leaves_; }
  void zero_grad() const {
    for (const auto& node : leaves_) node->has_gradient = false;
  }
  /// Values of one part of one leaf.
  void overwrite(const Part& part, T number) const {
    const auto [from, count] = range(part);
    Array<T, D>& value = leaves_[part.leaf]->value;
    std::vector<T> host = value.to_vector();
    std::fill(host.begin() + from, host.begin() + from + count, number);
    value.assign(host);
  }
  /// First element and number of elements of a part.
  std::pair<index_t, index_t> range(const Part& part) const {
    const Shape& shape = leaves_.at(part.leaf)->value.shape();
    index_t from = 0, count = shape.size();
    for (std::size_t axis = 0; axis < part.at.size(); ++axis) {
      count /= shape[int(axis)];
      from += part.at[axis] * count;
    }
    return {from, count};
  }

 private:
  std::vector<T> numbers(const Shape& shape, Random& random) const {
    const RandomStream stream = random.stream();
    std::vector<T> result(static_cast<std::size_t>(shape.size()));
    for (std::size_t i = 0; i < result.size(); ++i)
      result[i] = T(float(case_.low + (case_.high - case_.low) * stream.uniform(i)));
    return result;
  }

  Case case_;
  std::vector<NodeHandle<T, D>> leaves_;
  std::vector<Array<T, D>> constants_;
  std::vector<Array<std::uint8_t, D>> masks_;
};

}  // namespace lacuna::test
