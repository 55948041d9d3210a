/// The leaves of a module: `Parameter`, which is trained, and `Buffer`, which is not. Copying one copies its numbers: a
/// copied module is a separate model.
#pragma once

#include "lacuna/autograd/variable.hpp"

namespace lacuna {

/// A trainable leaf.
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
  T* mutable_data() const {
    Node<T, D>& node = this->there();
    node.packed.reset();
    return node.value.data();
  }
  /// A frozen parameter wants no gradient and is left alone by optimizers.
  void freeze(bool frozen = true) const {
    Node<T, D>& node = this->there();
    node.requires_grad = !frozen;
    if (!frozen) node.packed.reset();
  }

 private:
  static Variable<T, R, D> copy_of(const Parameter& other) {
    if (!other.defined()) return {};
    return Variable<T, R, D>(other.value().clone(), other.requires_grad());
  }
};

/// Numbers that a module keeps besides what it learns: the running statistics of batch norm. A buffer is stored, loaded
/// and copied with the model, but it is no parameter: it is not counted, wants no gradient, is left alone by `freeze`
/// and by optimizers, and only the module itself writes it (`array`).
template <class T, int R, class D = Cpu>
class Buffer : public Variable<T, R, D> {
 public:
  Buffer() = default;
  explicit Buffer(const Tensor<T, R, D>& value) : Variable<T, R, D>(value) {}
  Buffer(const Buffer& other) : Variable<T, R, D>(copy_of(other)) {}
  Buffer(Buffer&&) noexcept = default;
  Buffer& operator=(const Buffer& other) {
    if (this != &other) static_cast<Variable<T, R, D>&>(*this) = copy_of(other);
    return *this;
  }
  Buffer& operator=(Buffer&&) noexcept = default;
  ~Buffer() = default;

  /// The numbers themselves, to be written.
  Array<T, D>& array() const { return this->there().value; }
  T* mutable_data() const { return array().data(); }

 private:
  static Variable<T, R, D> copy_of(const Buffer& other) {
    return other.defined() ? Variable<T, R, D>(other.value().clone()) : Variable<T, R, D>();
  }
};

}  // namespace lacuna
