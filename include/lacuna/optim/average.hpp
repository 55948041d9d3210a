/// Averages of the weights over the steps of training, to evaluate or keep instead of the last ones.
///
///     optim::Ema average(model, {.decay = 0.999});
///     ... optimizer.step(); average.update();
///     average.swap();  evaluate(model);  average.swap();      // the model holds the average in between
///
/// Buffers are averaged like parameters. Throws Error when the parameters have moved, see Packed::expect_seated.
#pragma once

#include <algorithm>
#include <utility>

#include "lacuna/core/state.hpp"
#include "lacuna/kernels/cpu/optimizer.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/nn/pack.hpp"

namespace lacuna::detail {

/// A second set of the values of a packed model.
template <class T, class D>
class WeightAverage {
 public:
  explicit WeightAverage(const Packed<T, D>& packed) : packed_(packed), average_(packed.values.clone()) {}

  /// Exchanges model and average.
  void swap() {
    packed_.expect_seated("the average of the weights");
    const Array<T, D> kept = packed_.values.clone();
    copy(packed_.values, average_);
    copy(average_, kept);
  }
  /// The model takes the average; the average stays.
  void copy_to_model() {
    packed_.expect_seated("the average of the weights");
    copy(packed_.values, average_);
  }
  const Array<T, D>& values() const { return average_; }
  std::uint64_t updates() const { return updates_; }

  /// "updates" and "average/<path of the parameter>".
  void save_state(State& state) const {
    State list;
    for (const auto& segment : packed_.segments) {
      Array<T> host(segment.node->value.shape());
      host.assign(average_.window(segment.offset, host.shape()).to_vector());
      list.put_value(segment.path, host);
    }
    state.put("updates", updates_);
    state.put("average", list);
  }
  void load_state(const State& state) {
    state.get("updates", updates_);
    const State list = state.under("average");
    for (const auto& segment : packed_.segments) {
      const auto stored = list.template get<Array<T>>(segment.path);
      if (!(stored.shape() == segment.node->value.shape()))
        list.fail(segment.path, cat("has shape ", stored.shape(), ", expected ", segment.node->value.shape()));
      average_.window(segment.offset, stored.shape()).assign(stored.to_vector());
    }
  }

 protected:
  /// average ← keep · average + (1 − keep) · model
  void blend(double keep) {
    packed_.expect_seated("the average of the weights");
    Kernels<D>::Optimizer::blend(average_.size(), keep, 1 - keep, std::as_const(packed_.values).data(),
                                 average_.data());
  }

  std::uint64_t updates_ = 0;

 private:
  static void copy(Array<T, D>& to, const Array<T, D>& from) {
    D::copy(to.data(), from.data(), std::size_t(from.size()) * sizeof(T));
  }
  Packed<T, D> packed_;
  Array<T, D> average_;
};

}  // namespace lacuna::detail

namespace lacuna::optim {

struct EmaOptions {
  double decay = 0.999;
  bool warmup = false;  ///< decay of update t = 1, 2, ... is min(decay, (1+t)/(10+t)): the start is forgotten soon
};

/// Exponential moving average, s₀ = the weights at construction, s ← decay · s + (1 − decay) · weights.
template <class T = float, class D = Cpu>
class Ema : public detail::WeightAverage<T, D> {
 public:
  template <class M>
  requires(!detail::is_packed<std::remove_const_t<M>> &&
           !std::is_same_v<std::remove_const_t<M>, Ema>) explicit Ema(M& model, EmaOptions options = {})
      : Ema(pack<T, D>(model), options) {}
  explicit Ema(const Packed<T, D>& packed, EmaOptions options = {})
      : detail::WeightAverage<T, D>(packed), options_(options) {
    if (!(options.decay >= 0 && options.decay <= 1))
      throw OptionError(detail::cat("Ema: decay ", options.decay, " is outside 0..1"));
  }
  /// Call after each step.
  void update() {
    const double t = double(++this->updates_);
    this->blend(options_.warmup ? std::min(options_.decay, (1 + t) / (10 + t)) : options_.decay);
  }

 private:
  EmaOptions options_;
};
template <class M>
Ema(M&, EmaOptions = {}) -> Ema<detail::scalar_of<M>, detail::place_of<M>>;

/// Stochastic weight averaging: the plain mean of the weights at every `update`, usually once an epoch towards the end.
/// Before the first it is the weights at construction.  (Izmailov et al., UAI 2018)
template <class T = float, class D = Cpu>
class Swa : public detail::WeightAverage<T, D> {
 public:
  template <class M>
  requires(!detail::is_packed<std::remove_const_t<M>> &&
           !std::is_same_v<std::remove_const_t<M>, Swa>) explicit Swa(M& model)
      : Swa(pack<T, D>(model)) {}
  explicit Swa(const Packed<T, D>& packed) : detail::WeightAverage<T, D>(packed) {}
  void update() {
    const double before = double(this->updates_++);
    this->blend(before / (before + 1));
  }
};
template <class M>
Swa(M&) -> Swa<detail::scalar_of<M>, detail::place_of<M>>;

}  // namespace lacuna::optim
