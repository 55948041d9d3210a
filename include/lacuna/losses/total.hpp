/// The terms of an objective as one number to minimise, and as numbers for the record.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/recorded.hpp"
#include "lacuna/kernels/cpu/loss_rows.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/batch.hpp"
#include "lacuna/ops/arithmetic.hpp"

namespace lacuna {
namespace detail {

/// Σ_k weight_k · term_k from `first` on, for as many terms as one launch takes.
template <class T, class D>
Variable<T, 0, D> weighted_sum_of_terms(std::span<const Variable<T, 0, D>> terms, std::span<const double> weights) {
  functors::WeightedTerms<T> sum;
  for (std::size_t k = 0; k < terms.size(); ++k) sum.add(terms[k].data(), T(weights[k]));
  Tensor<T, 0, D> y(typename Tensor<T, 0, D>::Extents{});
  Kernels<D>::LossRows::weighted_terms(sum, y.data());
  List<Variable<T, 0, D>> inputs(terms.begin(), terms.end());
  const auto backward = [sum, inputs](const Tensor<T, 0, D>& dy) {
    functors::TermGradients<T> gradients;
    for (const auto& term : inputs) gradients.add(term.gradient_slot());
    Kernels<D>::LossRows::weighted_terms_gradient(sum, dy.data(), gradients);
  };
  return record_list<T, 0, D>("weighted_total", y, backward, terms);
}

}  // namespace detail

/// Σ_k weight_k · term_k; a term of weight 0 takes no part, whatever it is, NaN included. No term may stand there
/// twice. At least one has a weight; else the first one times 0. On a device with many threads one launch forwards and
/// one backwards for up to eight terms; nothing is read by the host.
template <class T, class D>
Variable<T, 0, D> weighted_total(std::span<const Variable<T, 0, D>> terms, std::span<const double> weights) {
  if (terms.empty() || terms.size() != weights.size())
    throw ShapeError(detail::cat("weighted_total: ", weights.size(), " weights for ", terms.size(), " terms"));
  List<Variable<T, 0, D>> taken;
  List<double> factors;
  for (std::size_t k = 0; k < terms.size(); ++k)
    if (weights[k] != 0) taken.push_back(terms[k]), factors.push_back(weights[k]);
  if (taken.empty()) return scale(terms[0], 0.0);
  Variable<T, 0, D> total;
  // a call: nvcc makes no kernel of a function whose address alone is asked for
  if constexpr (requires(functors::WeightedTerms<T> some, T * y) { Kernels<D>::LossRows::weighted_terms(some, y); }) {
    constexpr std::size_t most = functors::WeightedTerms<T>::most;
    for (std::size_t k = 0; k < taken.size(); k += most) {
      const std::size_t count = std::min(most, taken.size() - k);
      const auto part = detail::weighted_sum_of_terms<T, D>({taken.data() + k, count}, {factors.data() + k, count});
      total = k == 0 ? part : add(total, part);
    }
  } else {
    for (std::size_t k = 0; k < taken.size(); ++k) {
      const auto part = factors[k] == 1 ? taken[k] : scale(taken[k], factors[k]);
      total = k == 0 ? part : add(total, part);
    }
  }
  return total;
}
template <class T, class D>
Variable<T, 0, D> weighted_total(const List<Variable<T, 0, D>>& terms, const List<double>& weights) {
  return weighted_total(std::span<const Variable<T, 0, D>>(terms), std::span<const double>(weights));
}

namespace detail {
template <class T, class D>
class TermNumbers;
}  // namespace detail

/// A number of the record. Of the host it is known; of another device it is read when somebody asks for it, together
/// with those that were noted with it: one wait, which should come after the step.
class LossNumber {
 public:
  LossNumber(double known = 0) : known_(known) {}
  operator double() const { return all_ ? all_->read(index_) : known_; }
  friend bool operator==(const LossNumber& a, const LossNumber& b) { return double(a) == double(b); }

 private:
  template <class T, class D>
  friend class detail::TermNumbers;
  struct Numbers {
    virtual ~Numbers() = default;
    virtual double read(std::size_t index) = 0;
  };
  LossNumber(std::shared_ptr<Numbers> all, std::size_t index) : all_(std::move(all)), index_(index) {}

  double known_ = 0;
  std::shared_ptr<Numbers> all_;
  std::size_t index_ = 0;
};

/// Terms by name, for the record of a training.
using LossNumbers = std::vector<std::pair<std::string, LossNumber>>;

namespace detail {

/// The numbers of terms that lie on a device: read later, together.
template <class T, class D>
class TermNumbers {
 public:
  TermNumbers() = default;
  /// Goes on where those of a record are still to be read.
  explicit TermNumbers(const LossNumbers& numbers) {
    if (numbers.empty()) return;
    const auto all = std::dynamic_pointer_cast<Later>(numbers[0].second.all_);
    if (all && all->host.empty()) all_ = all;
  }
  LossNumber note(const Tensor<T, 0, D>& term) {
    if (!all_) all_ = std::make_shared<Later>();
    all_->terms.push_back(term);
    return LossNumber(all_, all_->terms.size() - 1);
  }
  /// Where a number lies that is still to be read; undefined for one that the host knows.
  static Tensor<T, 0, D> there(const LossNumber& number) {
    const auto all = std::dynamic_pointer_cast<Later>(number.all_);
    return all && number.index_ < all->terms.size() ? all->terms[number.index_] : Tensor<T, 0, D>();
  }
  /// One array of them, on the device.
  static Array<T, D> together(const List<Tensor<T, 0, D>>& terms) {
    Array<T, D> all(Shape{index_t(terms.size())});
    for (std::size_t k = 0; k < terms.size(); k += functors::WeightedTerms<T>::most) {
      functors::WeightedTerms<T> some;
      for (std::size_t i = k; i < terms.size() && some.count < some.most; ++i)
        some.add(std::as_const(terms[i]).data(), T(1));
      Kernels<D>::LossRows::collect(some, all.data() + k);
    }
    return all;
  }

 private:
  struct Later final : LossNumber::Numbers {
    List<Tensor<T, 0, D>> terms;
    List<T> host;

    double read(std::size_t index) override {
      if (host.empty()) {
        host = together(terms).to_list();
        terms.clear();
      }
      return double(host[index]);
    }
  };
  std::shared_ptr<Later> all_;
};
/// Those of the host are known.
template <class T>
class TermNumbers<T, Cpu> {
 public:
  TermNumbers() = default;
  explicit TermNumbers(const LossNumbers&) {}
  LossNumber note(const Tensor<T, 0>& term) { return double(*term.data()); }
};

}  // namespace detail

/// Notes terms; `numbers()` in their order.
template <class T, class D>
class LossRecord {
 public:
  void note(const char* name, const Variable<T, 0, D>& term) { numbers_.emplace_back(name, terms_.note(term.value())); }
  const LossNumbers& numbers() const { return numbers_; }
  /// One more number, read together with `numbers` where these are still to be read.
  static LossNumber beside(const LossNumbers& numbers, const Variable<T, 0, D>& term) {
    return detail::TermNumbers<T, D>(numbers).note(term.value());
  }
  /// That number and `numbers`, as an array on a device, in a step that is being recorded. Throws NotReplayable for one
  /// that the host knows: it would stay as it is.
  static Array<T, D> gathered(const Variable<T, 0, D>& term, const LossNumbers& numbers) {
    List<Tensor<T, 0, D>> all{term.value()};
    for (const auto& [name, number] : numbers) {
      all.push_back(detail::TermNumbers<T, D>::there(number));
      if (!all.back().defined())
        throw NotReplayable("loss term '" + name + "' of a recorded step is a number of the host");
    }
    return detail::TermNumbers<T, D>::together(all);
  }

 private:
  LossNumbers numbers_;
  detail::TermNumbers<T, D> terms_;
};

}  // namespace lacuna
