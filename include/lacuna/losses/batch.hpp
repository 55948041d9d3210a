/// What every loss over a batch shares: which samples take part, their rows side by side, and the way back.
///
/// A loss computes its value and, where recording, its gradient in one pass over the rows of the present samples; the
/// backward only scales that gradient and puts it back in its rows. An absent sample is thus never read, whatever it
/// holds, and its gradient is exactly 0; with none present the value is 0. Rows, value and gradients stay on the device
/// of the inputs. Labels and masks are checked on the host, and read on the device: see labels.hpp.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/cpu/loss_rows.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/labels.hpp"

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

/// The samples that take part in a loss. Refers to `present`, which must outlive it.
template <class D>
class Kept {
 public:
  Kept(const char* operation, index_t batch, const Present<D>& present) : batch_(batch), count_(batch) {
    if (!present.defined()) return;
    expect_shape(operation, "present", present.host().shape(), Shape{batch});
    const std::uint8_t* const mask = present.host().data();
    drop([&](index_t i) { return !mask[i]; });
    known_ = &present.kept_rows();
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
    if (index_t(rest.size()) == count_) return;
    count_ = index_t(rest.size());
    rows_ = std::move(rest);
    known_ = nullptr;
  }
  /// The labels of the samples that take part, on the device; the given ones when all do.
  template <class N>
  Array<N, D> of(const Labels<D, N>& labels) const {
    if (all()) return labels.there();
    Array<N, D> chosen(Shape{count_});
    Kernels<D>::LossRows::gather_rows(count_, 1, labels.data(), rows(), chosen.data());
    return chosen;
  }

  /// Every row(i), on the device; null when all take part.
  const index_t* rows() const {
    if (all()) return nullptr;
    auto& there = uploaded().rows;
    if (!there.defined()) there = list_on<D>(rows_);
    return std::as_const(there).data();
  }
  /// For every sample of the batch its i, or −1, on the device; undefined when all take part.
  Array<index_t, D> places() const {
    if (all()) return {};
    auto& there = uploaded().places;
    if (!there.defined()) {
      List<index_t> places(static_cast<std::size_t>(batch_), -1);
      for (index_t i = 0; i < count_; ++i) places[std::size_t(row(i))] = i;
      there = list_on<D>(places);
    }
    return there;
  }

 private:
  /// Those of the `present` that was given, or our own where more is left out.
  KeptRows<D>& uploaded() const { return known_ ? *known_ : own_; }

  index_t batch_, count_;
  List<index_t> rows_;
  KeptRows<D>* known_ = nullptr;
  mutable KeptRows<D> own_;
};

/// An array of zeros.
template <class T, class D>
Array<T, D> zeros_on(const Shape& shape) {
  Array<T, D> zeros(shape);
  D::fill(zeros.data(), 0, std::size_t(zeros.size()) * sizeof(T));
  return zeros;
}

/// What a loss finds in the room for a gradient: zeros that it adds to, or nothing where kernels of devices other than
/// the host write every number.
enum class GradientRoom { zeros, unwritten };

/// One input of a loss: the rows (count, width) that take part, and room for their gradient.
template <class T, int R, class D>
class LossInput {
  static_assert(R >= 1);

 public:
  LossInput(const Variable<T, R, D>& x, const Kept<D>& kept, GradientRoom room = GradientRoom::zeros)
      : variable_(x), places_(kept.places()), width_(x.extent(0) > 0 ? x.size() / x.extent(0) : 0) {
    const Shape shape{kept.count(), width_};
    if (kept.all()) {
      rows_ = x.value().reshaped(shape);
    } else {
      rows_ = Array<T, D>(shape);
      Kernels<D>::LossRows::gather_rows(kept.count(), width_, x.data(), kept.rows(), rows_.data());
    }
    if (!recording() || !x.requires_grad()) return;
    const bool zeros = room == GradientRoom::zeros || Kernels<D>::LossRows::adds_gradients;
    gradient_ = zeros ? zeros_on<T, D>(shape) : Array<T, D>(shape);
  }

  index_t width() const { return width_; }
  const T* data() const { return rows_.data(); }
  const Array<T, D>& rows() const { return rows_; }
  /// Null when no gradient is wanted.
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
    if (slot)
      Kernels<D>::LossRows::contribute_rows(variable_.extent(0), width_, places_.data(), dy, gradient_.data(), slot);
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

/// The rows of the samples that take part, as an operation: the others are not read, and get gradient 0. Losses that
/// are composed of ops begin with it.
template <class T, int R, class D>
Variable<T, R, D> kept_rows(const Variable<T, R, D>& x, const Kept<D>& kept) {
  if (kept.all()) return x;
  auto extents = x.extents();
  extents[0] = kept.count();
  const index_t width = x.extent(0) > 0 ? x.size() / x.extent(0) : 0;
  Tensor<T, R, D> rows(extents);
  Kernels<D>::LossRows::gather_rows(kept.count(), width, x.data(), kept.rows(), rows.data());
  return record(
      "kept_rows", rows,
      [x, width, places = kept.places()](const Tensor<T, R, D>& dy) {
        if (const auto slot = x.gradient_slot())
          Kernels<D>::LossRows::contribute_rows(x.extent(0), width, places.data(), static_cast<const T*>(nullptr),
                                                dy.data(), slot);
      },
      x);
}
/// 0, whose gradients are 0.
template <class D, class... V>
auto nothing_to_compare(const char* operation, const Kept<D>& kept, const V&... x) {
  return record_loss(operation, 0.0, LossInput(x, kept)...);
}

/// Class labels of the samples that take part, on the device. Throws ShapeError for a wrong count, Error for a label
/// outside 0..classes-1; labels of absent samples may be anything.
template <class D>
Array<index_t, D> kept_labels(const char* operation, const Labels<D>& labels, index_t batch, const Kept<D>& kept,
                              index_t classes) {
  if (labels.size() != batch) throw ShapeError(cat(operation, ": ", labels.size(), " labels for ", batch, " samples"));
  const bool good = kept.all() && labels.all([classes](index_t label) { return label >= 0 && label < classes; });
  for (index_t i = 0; !good && i < kept.count(); ++i)
    if (const index_t label = labels[kept.row(i)]; label < 0 || label >= classes)
      throw Error(cat(operation, ": label ", label, " of sample ", kept.row(i), " is outside 0..", classes - 1));
  return kept.of(labels);
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
