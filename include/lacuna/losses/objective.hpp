/// A training objective: terms with names and weights, as one number to minimise and as numbers for the record.
///
///     Objective<T, D> objective;
///     objective.add("task", 1, cross_entropy(scores, labels)).add("distance", 0.1, mse_loss(student, teacher));
///     return objective.result();
///
/// total = Σ weight · term over the terms whose weight is not 0. All terms are recorded, those of weight 0 too; an
/// undefined term is no term. Throws ShapeError when there is none.
#pragma once

#include "lacuna/losses/total.hpp"

namespace lacuna {

/// What a model's `loss` gives. On a GPU terms are read when somebody asks for them.
template <class T, class D = Cpu>
struct LossTerms {
  Variable<T, 0, D> total;
  LossNumbers terms;
};

template <class T, class D = Cpu>
class Objective {
 public:
  Objective& add(const char* name, double weight, const Variable<T, 0, D>& term) {
    if (!term.defined()) return *this;
    record_.note(name, term);
    terms_.push_back(term);
    weights_.push_back(weight);
    return *this;
  }
  LossTerms<T, D> result() const { return {weighted_total(terms_, weights_), record_.numbers()}; }

 private:
  List<Variable<T, 0, D>> terms_;
  List<double> weights_;
  LossRecord<T, D> record_;
};

}  // namespace lacuna
