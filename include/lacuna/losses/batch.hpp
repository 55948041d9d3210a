/// What every loss over a batch shares: which samples take part, their rows side by side, and the way back.
///
/// A loss computes its value and, where recording, its gradient in one pass over the rows of the present samples; the
/// backward only scales that gradient and puts it back in its rows. An absent sample is thus never read, whatever it
/// holds, and its gradient is exactly 0; with none present the value is 0. Inputs on another device are copied to the
/// host: a loss sees at most some thousand rows.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {

/// How the losses of the samples become one number: their mean or their sum, over the present ones.
enum class Reduction { mean, sum };

namespace detail {

/// The samples that take part in a loss.
class Kept {
 public:
  template <class D>
  Kept(const char* operation, index_t batch, const Mask<1, D>& present) : count_(batch) {
    if (!present.defined()) return;
    expect_shape(operation, "present", present.shape(), Shape{batch});
    const List<std::uint8_t> mask = present.to_list();
    drop([&](index_t i) { return !mask[std::size_t(i)]; });
  }

  index_t count() const { return count_; }
  bool all() const { return all_; }
  /// Where the i-th sample that takes part stands in the batch.
  index_t row(index_t i) const { return all_ ? i : rows_[std::size_t(i)]; }
  /// Leaves out more: those for which f(row) is true.
  template <class F>
  void drop(F&& f) {
    List<index_t> rest;
    for (index_t i = 0; i < count_; ++i)
      if (!f(row(i))) rest.push_back(row(i));
    all_ = all_ && index_t(rest.size()) == count_;
    count_ = index_t(rest.size());
    rows_ = std::move(rest);
  }
  /// The entries of a list over the batch that belong to the samples that take part.
  template <class E>
  List<E> of(std::span<const E> list) const {
    List<E> chosen(static_cast<std::size_t>(count_));
    for (index_t i = 0; i < count_; ++i) chosen[std::size_t(i)] = list[std::size_t(row(i))];
    return chosen;
  }

 private:
  index_t count_;
  bool all_ = true;
  List<index_t> rows_;
};

/// One input of a loss: the rows (count, width) that take part, and room for their gradient.
template <class T, int R, class D>
class LossInput {
  static_assert(R >= 1);

 public:
  LossInput(const Variable<T, R, D>& x, const Kept& kept)
      : variable_(x), kept_(kept), width_(x.extent(0) > 0 ? x.size() / x.extent(0) : 0) {
    const Shape shape{kept.count(), width_};
    if (std::is_same_v<D, Cpu> && kept.all()) {
      if constexpr (std::is_same_v<D, Cpu>) rows_ = x.value().reshaped(shape);
    } else {
      rows_ = Array<T>(shape);
      List<T> host;
      const T* from = x.data();
      if constexpr (!std::is_same_v<D, Cpu>) {
        host = x.value().to_list();
        from = host.data();
      }
      Kernels<Cpu>::gather_rows(
          kept.count(), width_, from, [&](index_t i) { return kept.row(i); }, rows_.data());
    }
    if (!recording() || !x.requires_grad()) return;
    gradient_ = Array<T>(shape);
    std::fill(gradient_.data(), gradient_.data() + gradient_.size(), T(0));
  }

  index_t width() const { return width_; }
  const T* data() const { return rows_.data(); }
  /// Zeros that the loss adds to; null when no gradient is wanted.
  T* gradient() { return gradient_.size() > 0 ? gradient_.data() : nullptr; }

  const Variable<T, R, D>& variable() const { return variable_; }
  /// What the backward needs, without the rows.
  LossInput share() const {
    LossInput copy = *this;
    copy.rows_ = {};
    return copy;
  }
  /// Adds dy times the gradient to that of the variable.
  void hand_back(T dy) const {
    const auto slot = variable_.gradient_slot();
    if (!slot) return;
    Array<T> whole = gradient_;
    if (!kept_.all()) {
      whole = Array<T>(variable_.shape());
      std::fill(whole.data(), whole.data() + whole.size(), T(0));
      Kernels<Cpu>::scatter_rows(
          kept_.count(), width_, gradient_.data(), [&](index_t i) { return kept_.row(i); }, whole.data());
    }
    if constexpr (std::is_same_v<D, Cpu>) {
      Kernels<D>::contribute_scaled(whole.size(), dy, std::as_const(whole).data(), slot);
    } else {
      Array<T, D> there(variable_.shape());
      there.assign(whole.to_list());
      Kernels<D>::contribute_scaled(there.size(), dy, std::as_const(there).data(), slot);
    }
  }

 private:
  Variable<T, R, D> variable_;
  Kept kept_;
  index_t width_;
  Array<T> rows_, gradient_;
};

/// Joins a loss to the graph whose gradients its inputs already hold.
template <class T, class D, int... R>
Variable<T, 0, D> record_loss(const char* operation, double value, const LossInput<T, R, D>&... inputs) {
  return record(
      operation, Tensor<T, 0, D>::full({}, T(value)),
      [... inputs = inputs.share()](const Tensor<T, 0, D>& dy) {
        const T factor = dy.first();
        (inputs.hand_back(factor), ...);
      },
      inputs.variable()...);
}

/// Class labels of the samples that take part. Throws ShapeError for a wrong count, Error for a label outside
/// 0..classes-1; labels of absent samples may be anything.
inline List<index_t> kept_labels(const char* operation, std::span<const index_t> labels, index_t batch,
                                        const Kept& kept, index_t classes) {
  if (index_t(labels.size()) != batch)
    throw ShapeError(cat(operation, ": ", labels.size(), " labels for ", batch, " samples"));
  List<index_t> chosen = kept.of(labels);
  for (std::size_t i = 0; i < chosen.size(); ++i)
    if (chosen[i] < 0 || chosen[i] >= classes)
      throw Error(
          cat(operation, ": label ", chosen[i], " of sample ", kept.row(index_t(i)), " is outside 0..", classes - 1));
  return chosen;
}

/// Throws OptionError unless `number` is positive and finite.
inline void expect_positive(const char* operation, const char* option, double number) {
  if (!(number > 0 && number < 1e300))
    throw OptionError(cat(operation, ": ", option, " is ", number, ", expected a positive number"));
}
/// Throws OptionError unless `number` is finite and not negative.
inline void expect_not_negative(const char* operation, const char* option, double number) {
  if (!(number >= 0 && number < 1e300))
    throw OptionError(cat(operation, ": ", option, " is ", number, ", expected a number not below 0"));
}

}  // namespace detail
}  // namespace lacuna
