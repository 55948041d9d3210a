/// What every loss over a batch shares: which samples take part, their rows side by side, and the way back.
///
/// A loss computes its value and, where recording, its gradient in one pass over the rows of the present samples; the
/// backward only scales that gradient and puts it back in its rows. An absent sample is thus never read, whatever it
/// holds, and its gradient is exactly 0; with none present the value is 0. Rows, value and gradients stay on the device
/// of the inputs. Masks and labels are read on the host, where they are checked: some numbers per sample.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {

/// How the losses of the samples become one number: their mean or their sum, over the present ones.
enum class Reduction { mean, sum };

namespace detail {

/// A list of the host on a device; without entries its `data()` is null.
template <class D, class Numbers>
auto list_on(const Numbers& list) {
  Array<typename Numbers::value_type, D> there(Shape{index_t(list.size())});
  there.assign(list);
  return there;
}

/// The value of a loss as a tensor: kernels of the host return a number, those of other devices leave it there.
template <class T, class D>
Tensor<T, 0, D> loss_value(double value) {
  return Tensor<T, 0, D>::full({}, T(value));
}
template <class T, class D>
Tensor<T, 0, D> loss_value(const Array<T, D>& value) {
  return Tensor<T, 0, D>(value);
}

/// The samples that take part in a loss.
template <class D>
class Kept {
 public:
  Kept(const char* operation, index_t batch, const Mask<1, D>& present) : batch_(batch), count_(batch) {
    if (!present.defined()) return;
    expect_shape(operation, "present", present.shape(), Shape{batch});
    const List<std::uint8_t> mask = present.to_list();
    drop([&](index_t i) { return !mask[std::size_t(i)]; });
  }

  index_t batch() const { return batch_; }
  index_t count() const { return count_; }
  bool all() const { return count_ == batch_; }
  /// Where the i-th sample that takes part stands in the batch.
  index_t row(index_t i) const { return all() ? i : rows_[std::size_t(i)]; }
  /// Leaves out more: those for which f(row) is true.
  template <class F>
  void drop(F&& f) {
    List<index_t> rest;
    for (index_t i = 0; i < count_; ++i)
      if (!f(row(i))) rest.push_back(row(i));
    count_ = index_t(rest.size());
    rows_ = std::move(rest);
    rows_there_ = places_there_ = {};
  }
  /// The entries of a list over the batch that belong to the samples that take part.
  template <class E>
  List<E> of(std::span<const E> list) const {
    List<E> chosen(static_cast<std::size_t>(count_));
    for (index_t i = 0; i < count_; ++i) chosen[std::size_t(i)] = list[std::size_t(row(i))];
    return chosen;
  }

  /// Every row(i), on the device; null when all take part.
  const index_t* rows() const {
    if (all()) return nullptr;
    if (!rows_there_.defined()) rows_there_ = list_on<D>(rows_);
    return std::as_const(rows_there_).data();
  }
  /// For every sample of the batch its i, or −1, on the device; undefined when all take part.
  Array<index_t, D> places() const {
    if (!all() && !places_there_.defined()) {
      List<index_t> places(static_cast<std::size_t>(batch_), -1);
      for (index_t i = 0; i < count_; ++i) places[std::size_t(row(i))] = i;
      places_there_ = list_on<D>(places);
    }
    return places_there_;
  }

 private:
  index_t batch_, count_;
  List<index_t> rows_;
  mutable Array<index_t, D> rows_there_, places_there_;
};

/// An array of zeros.
template <class T, class D>
Array<T, D> zeros_on(const Shape& shape) {
  Array<T, D> zeros(shape);
  Kernels<D>::generate(zeros.size(), zeros.data(), functors::Constant<T>{T(0)});
  return zeros;
}

/// One input of a loss: the rows (count, width) that take part, and room for their gradient.
template <class T, int R, class D>
class LossInput {
  static_assert(R >= 1);

 public:
  LossInput(const Variable<T, R, D>& x, const Kept<D>& kept)
      : variable_(x), places_(kept.places()), width_(x.extent(0) > 0 ? x.size() / x.extent(0) : 0) {
    const Shape shape{kept.count(), width_};
    if (kept.all()) {
      rows_ = x.value().reshaped(shape);
    } else {
      rows_ = Array<T, D>(shape);
      Kernels<D>::gather_rows(kept.count(), width_, x.data(), kept.rows(), rows_.data());
    }
    if (recording() && x.requires_grad()) gradient_ = zeros_on<T, D>(shape);
  }

  index_t width() const { return width_; }
  const T* data() const { return rows_.data(); }
  const Array<T, D>& rows() const { return rows_; }
  /// Zeros that the loss adds to; null when no gradient is wanted.
  T* gradient() { return gradient_.data(); }

  const Variable<T, R, D>& variable() const { return variable_; }
  /// What the backward needs, without the rows.
  LossInput share() const {
    LossInput copy = *this;
    copy.rows_ = {};
    return copy;
  }
  /// Adds dy, one number on the device, times the gradient to that of the variable.
  void hand_back(const T* dy) const {
    const auto slot = variable_.gradient_slot();
    if (slot) Kernels<D>::contribute_rows(variable_.extent(0), width_, places_.data(), dy, gradient_.data(), slot);
  }

 private:
  Variable<T, R, D> variable_;
  Array<index_t, D> places_;
  index_t width_;
  Array<T, D> rows_, gradient_;
};

/// Joins a loss to the graph whose gradients its inputs already hold.
template <class Value, class T, class D, int... R>
Variable<T, 0, D> record_loss(const char* operation, const Value& value, const LossInput<T, R, D>&... inputs) {
  return record(
      operation, loss_value<T, D>(value),
      [... inputs = inputs.share()](const Tensor<T, 0, D>& dy) { (inputs.hand_back(dy.data()), ...); },
      inputs.variable()...);
}

/// Class labels of the samples that take part. Throws ShapeError for a wrong count, Error for a label outside
/// 0..classes-1; labels of absent samples may be anything.
template <class D>
List<index_t> kept_labels(const char* operation, std::span<const index_t> labels, index_t batch, const Kept<D>& kept,
                          index_t classes) {
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
