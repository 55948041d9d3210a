/// What the trainer asks of a model.
///
///     using scalar = T;
///     loss(batch, context) const      the training objective: a Variable<T, 0>, or a value with members `total`, such a
///                                     variable, and `terms`, pairs of a name and a double for the record (see
///                                     LossTerms)
///     predict(batch) const            std::vector<double>, one real prediction per sample; what is absent is read from
///                                     the presence masks of the batch
///     reflect(self, visit)            names the parameters (nn/module.hpp)
///     save_state(State&) const        everything that is needed and is no parameter: sizes, options, standardisation, ...
///     load_state(const State&)        the inverse, also on a default-constructed model: afterwards every parameter
///                                     exists in its shape, whatever its numbers; those are loaded by name
/// and, where a model has them,
///     using device = D                where its parameters are; batches always come from the host
///     prepare(dataset, random)        fits what is fitted before training, on the training split only; deterministic
///                                     given the `Random`; everything it makes is part of the state above or a parameter.
///                                     With a third parameter, a models::Watch: long ones can be ended
///     conditions(names) const         the missing::Conditions it is meant for, given the names of the modalities;
///                                     without this: complete data alone
#pragma once

#include <concepts>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/autograd/variable.hpp"
#include "lacuna/core/context.hpp"
#include "lacuna/core/state.hpp"
#include "lacuna/core/transfer.hpp"
#include "lacuna/data/dataset.hpp"
#include "lacuna/io/parameters.hpp"
#include "lacuna/losses/total.hpp"
#include "lacuna/missing/condition.hpp"
#include "lacuna/models/preparation.hpp"
#include "lacuna/version.hpp"

namespace lacuna::train {

/// Values by name, in an order.
using Scores = std::vector<std::pair<std::string, double>>;

/// A training objective and the terms it is made of. Any type with these members will do. On a GPU terms are read
/// when somebody asks for them.
template <class T, class D = Cpu>
struct LossTerms {
  Variable<T, 0, D> total;
  LossNumbers terms;
};

template <class M>
concept Learner = Module<M> && std::default_initializable<M> && requires {
  typename M::scalar;
} && requires(M& changing, const M& model, const data::Batch<typename M::scalar>& batch, const Context& context,
              State& state, const State& stored) {
  model.loss(batch, context);
  { model.predict(batch) } -> std::convertible_to<std::vector<double>>;
  model.save_state(state);
  changing.load_state(stored);
};

/// Both forms of a loss as one.
template <Learner M>
LossTerms<typename M::scalar, device_of<M>> loss_terms(const M& model, const data::Batch<typename M::scalar>& batch,
                                                       const Context& context) {
  auto loss = model.loss(batch, context);
  if constexpr (requires { loss.terms; })
    return {loss.total, {loss.terms.begin(), loss.terms.end()}};
  else
    return {loss, {}};
}

template <Learner M>
std::vector<missing::Condition> conditions_of(const M& model, const std::vector<std::string>& modalities) {
  if constexpr (requires { model.conditions(modalities); })
    return model.conditions(modalities);
  else
    return {missing::without({}, modalities)};
}

/// Passes on models::Stopped, which `watch` may throw.
template <Learner M>
void prepare(M& model, const data::Dataset& data, Random& random, const models::Watch& watch = {}) {
  if constexpr (requires { model.prepare(data, random, watch); })
    model.prepare(data, random, watch);
  else if constexpr (requires { model.prepare(data, random); })
    model.prepare(data, random);
}

/// A whole model: what `load_model` needs, and nothing else. Shares the storage of the parameters.
template <Learner M>
State model_state(const M& model) {
  State own, all;
  model.save_state(own);
  all.put("lacuna", detail::cat(LACUNA_VERSION_MAJOR, ".", LACUNA_VERSION_MINOR, ".", LACUNA_VERSION_PATCH));
  all.put("model", own);
  all.put("parameters", io::parameters_of(model));
  return all;
}

template <Learner M>
void load_model(M& model, const State& state) {
  model.load_state(state.under("model"));
  io::load_parameters(model, state.under("parameters"));
}

}  // namespace lacuna::train
