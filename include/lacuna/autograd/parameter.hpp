/// A trainable leaf of a module. Copying a parameter copies its numbers: a copied module is a separate model.
#pragma once

#include "lacuna/autograd/variable.hpp"

namespace lacuna {

template <class T, int R, class D = Cpu>
class Parameter : public Variable<T, R, D> {
 public:
  Parameter() = default;
  explicit Parameter(const Tensor<T, R, D>& value) : Variable<T, R, D>(value, true) {}
  Parameter(const Parameter& other) : Variable<T, R, D>(copy_of(other)) {}
  Parameter(Parameter&&) noexcept = default;
  Parameter& operator=(const Parameter& other) {
    if (this != &other) static_cast<Variable<T, R, D>&>(*this) = copy_of(other);
    return *this;
  }
  Parameter& operator=(Parameter&&) noexcept = default;
  ~Parameter() = default;

  /// The numbers themselves, for optimizers and loaders.
  T* mutable_data() const { return this->node()->value.data(); }
  /// A frozen parameter wants no gradient and is left alone by optimizers.
  void freeze(bool frozen = true) const { this->node()->requires_grad = !frozen; }

 private:
  static Variable<T, R, D> copy_of(const Parameter& other) {
    if (!other.defined()) return {};
    return Variable<T, R, D>(other.value().clone(), other.requires_grad());
  }
};

}  // namespace lacuna
