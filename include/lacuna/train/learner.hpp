/// What the trainer asks of a model. `models::Model` has all of it; a model may also be written from scratch.
///
///     using scalar = T;
///     loss(batch, context) const      the training objective: a Variable<T, 0>, or a value with members `total`, such
///                                     a variable, and `terms`, pairs of a name and a double for the record (LossTerms)
///     predict(batch) const            std::vector<double>, one real prediction per sample; what is absent is read from
///                                     the presence masks of the batch
///     reflect(self, visit)            names the parameters (nn/module.hpp)
///     save_state(State&) const        everything that is needed and is no parameter: sizes, options, scales
///     load_state(const State&)        the inverse: afterwards every parameter exists in its shape, whatever its
///                                     numbers; those are loaded by name
/// and, where a model has them,
///     using device = D                where its parameters are; batches always come from the host
///     static from(const State&)       a model from what save_state gave, for those without a default constructor
///     prepare(dataset, random)        fits what is fitted without training, on the training split only; deterministic
///                                     given the `Random`; what it makes is part of the state above or a parameter
///     next_phase(dataset, random)     what is trained before the rest, as an optional models::Phase; asked until there
///                                     is none; what has been done is part of the state above
///     conditions(names) const         the missing::Conditions it is meant for, given the names of the modalities;
///                                     without this: complete data alone
///     expect_trainable(dataset) const   throws where a training cannot go on with these data; asked when it is resumed
///     expect_streams(names) const     throws where the streams of a split are not those it knows; asked by `predict` and
///                                     `evaluate`
///     static whole_conversations()    true: batches never cut a conversation of the data in two
///     predicts_classes() const        K, or 0 for real labels (targets.hpp)
///     selects_on() const              the name of the metric by which epochs are chosen
///     embedding(batch) const          Tensor<T, 2>: the joint representation (B, E), on the host
///     attention(batch) const          one tensor of weights per modality, on the host
#pragma once

#include <concepts>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/autograd/variable.hpp"
#include "lacuna/core/context.hpp"
#include "lacuna/core/memory_budget.hpp"
#include "lacuna/core/state.hpp"
#include "lacuna/core/transfer.hpp"
#include "lacuna/data/dataset.hpp"
#include "lacuna/io/parameters.hpp"
#include "lacuna/losses/objective.hpp"
#include "lacuna/missing/spec.hpp"
#include "lacuna/version.hpp"

namespace lacuna::train {

using lacuna::LossTerms;

template <class M>
concept Learner = Module<M> && std::move_constructible<M> && requires {
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
LossTerms<typename M::scalar, device_of<M>> loss_terms(const M& model, data::Batch<typename M::scalar> batch,
                                                       const Context& context) {
  auto loss = model.loss(std::move(batch), context);
  if constexpr (requires { loss.terms; })
    return {loss.total, {loss.terms.begin(), loss.terms.end()}};
  else
    return {loss, {}};
}

template <Learner M>
std::vector<missing::MissingSpec> conditions_of(const M& model, const std::vector<std::string>& modalities) {
  if constexpr (requires { model.conditions(modalities); })
    return model.conditions(modalities);
  else
    return {missing::without({}, modalities)};
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

}  // namespace lacuna::train

namespace lacuna::detail {

/// make(), which builds a model of the sizes that the state names. They are believed up to 16 times of what it stores, and
/// 256 MiB: a teacher that is stored elsewhere, and what drawing weights takes. Throws IoError.
template <class Make>
auto built_by_state(const State& state, Make&& make) {
  std::size_t stored = 0;
  for (const auto& [name, value] : state.values())
    std::visit(
        [&](const auto& held) {
          if constexpr (requires { held.shape(); }) stored += std::size_t(held.size()) * sizeof(*held.data());
        },
        value);
  const MemoryBudget budget(16 * stored + (std::size_t(256) << 20));
  try {
    return make();
  } catch (const std::bad_alloc&) {
    throw IoError(cat("model: its options ask for more memory than there is, or than 16 times the ", stored,
                      " bytes of numbers that are stored beside them; is the file damaged, or not what it says?"));
  }
}

}  // namespace lacuna::detail

namespace lacuna::train {

template <Learner M>
void load_model(M& model, const State& state) {
  detail::built_by_state(state, [&] { model.load_state(state.under("model")); });
  io::load_parameters(model, state.under("parameters"));
}
/// The model that a state holds.
template <Learner M>
M model_from(const State& state) {
  const auto made = [&] {
    const State own = state.under("model");
    if constexpr (requires { M::from(own); }) {
      return M::from(own);
    } else {
      M model;
      model.load_state(own);
      return model;
    }
  };
  M model = detail::built_by_state(state, made);
  io::load_parameters(model, state.under("parameters"));
  return model;
}

}  // namespace lacuna::train
