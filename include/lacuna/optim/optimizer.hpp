/// What all optimizers share: they are built from a model, step over its parameters, have groups and a state.
///
///     optim::AdamW optimizer(model, {.learning_rate = 1e-3, .weight_decay = 1e-2},
///                            {{.pattern = "*.bias", .weight_decay_factor = 0}});
///     for (...) {
///       optimizer.zero_grad();
///       loss.backward();                           // several times: gradients add up
///       clip_gradient_norm(model, 1.0);
///       optimizer.step();
///     }
///
/// The learning rate is an option that may change between steps: `optimizer.set_learning_rate(schedule(epoch))`.
/// `step_scaled` multiplies all gradients on the way, which costs nothing: `step_scaled(1.0 / n)` averages n batches,
/// `step_scaled(clip_factor(optimizer.packed(), 1.0))` clips without a pass of its own and, on a GPU, without waiting.
///
/// The numbers of the model and its device are deduced, for structs of the user's own from members `scalar` and `device`
/// (without them: float, on the host); or write them: `optim::AdamW<double> optimizer(model)`. The
/// optimizer keeps the parameters alive. It trains those the model had when it was built: a copy of the model is
/// another model, and one that is assigned to (`model = other`) has new parameters and needs a new optimizer.
///
/// Parameters are seated in one buffer (nn/pack.hpp), so that a step is a pass or two; a second optimizer, an average or
/// a trainer of the same model shares it. An optimizer of a part whose whole is packed later goes on, parameter by
/// parameter. A parameter without a gradient (frozen, or not reached) is left untouched, decay included; steps are
/// counted per parameter. Neighbours of the same group and age go in one pass. Gradients stay. Buffers of modules are no
/// parameters. State is stored by the names of the parameters, so that a checkpoint fits a model whose parameters come
/// in another order; options, the learning rate among them, are no state.
#pragma once

#include <array>
#include <cmath>
#include <utility>

#include "lacuna/core/state.hpp"
#include "lacuna/kernels/optimizer_rules.hpp"
#include "lacuna/optim/clip.hpp"
#include "lacuna/optim/groups.hpp"

namespace lacuna::detail {

using SlotNames = std::array<const char*, 3>;

inline void expect_option(bool holds, const char* method, const char* what) {
  if (!holds) throw OptionError(cat(method, ": ", what));
}
/// The decay rate of an average: in [0, 1).
inline void expect_beta(const char* method, const char* option, double beta) {
  if (!(beta >= 0 && beta < 1))
    throw OptionError(cat(method, ": ", option, " is ", beta, ", expected a number in [0, 1)"));
}
inline void expect_at_least_0(const char* method, const char* option, double number) {
  if (!(number >= 0 && number < 1e300))
    throw OptionError(cat(method, ": ", option, " is ", number, ", expected a number not below 0"));
}

}  // namespace lacuna::detail

namespace lacuna::optim {

/// The moment of a step, for the formula of an optimizer.
struct StepContext {
  double learning_rate;  ///< of the group
  double decay;          ///< factor of the group
  rules::Factor gradient_factor;
  std::uint64_t t;   ///< 1, 2, ...: steps of these parameters, this one included
  double* progress;  ///< one number that the method keeps per parameter, 1 at the start
};

/// Method: a struct with
///   Options with a member learning_rate, name, slots(options): the names of its state arrays (empty: unused), check(options): throws OptionError,
///   step<T, D>(options, context, n, value, gradient, slots): the pass itself,
///   and where they differ from these, start(options, slot) = 0, per_tensor = false, keeps_progress = false.
template <class Method, class T, class D>
class Optimizer {
 public:
  using Options = typename Method::Options;

  /// Packs the model. Throws OptionError for options out of range and for a group that matches no parameter, Error for
  /// a parameter that the model has twice.
  template <class M>
  requires(
      !detail::is_packed<std::remove_const_t<M>> &&
      !std::is_base_of_v<Optimizer, std::remove_const_t<M>>) explicit Optimizer(M& model, Options options = {},
                                                                                std::vector<ParameterGroup> groups = {})
      : Optimizer(pack<T, D>(model), std::move(options), std::move(groups)) {}
  /// Of a model that is packed already: shares its buffers.
  explicit Optimizer(const Packed<T, D>& packed, Options options = {}, std::vector<ParameterGroup> groups = {})
      : packed_(packed), options_(std::move(options)), groups_(std::move(groups)) {
    std::erase_if(packed_.segments, [](const auto& segment) { return !segment.trained; });
    group_of_ = detail::assign_groups(Method::name, packed_, groups_);
    steps_.assign(packed_.segments.size(), 0);
    progress_.assign(packed_.segments.size(), 1.0);
    detail::expect_at_least_0(Method::name, "learning_rate", options_.learning_rate);
    Method::check(options_);
    const auto names = Method::slots(options_);
    for (std::size_t s = 0; s < names.size(); ++s) {
      if (names[s] == nullptr) continue;
      double start = 0;
      if constexpr (requires { Method::start(options_); }) start = Method::start(options_);
      arrays_[s] = Array<T, D>(Shape{packed.size()});
      arrays_[s].assign(std::vector<T>(static_cast<std::size_t>(packed.size()), T(start)));
    }
  }

  Optimizer(Optimizer&&) noexcept = default;
  Optimizer& operator=(Optimizer&&) noexcept = default;
  Optimizer(const Optimizer&) = delete;  // two would share one state

  /// Forgets the gradients of all its parameters.
  void zero_grad() const { packed_.zero_grad(); }
  /// One step with the accumulated gradients.
  void step() { step_scaled({}); }
  /// The same with every gradient multiplied by `gradient_factor`, on the way: costs nothing.
  void step_scaled(const GradientFactor<D>& gradient_factor) {
    const auto& segments = packed_.segments;
    for (std::size_t i = 0; i < segments.size();) {
      std::size_t next = i + 1;
      if (segments[i].node->has_gradient && segments[i].node->requires_grad) {
        while (next < segments.size() && joins(i, next)) ++next;
        // from the first number of the first to the last of the last: the zeros in between stay zeros
        const index_t count = segments[next - 1].offset + segments[next - 1].size - segments[i].offset;
        for (std::size_t k = i; k < next; ++k) ++steps_[k];
        run(i, count, gradient_factor.rule());
        for (std::size_t k = i; k < next; ++k) progress_[k] = progress_[i];
      }
      i = next;
    }
  }

  double learning_rate() const { return options_.learning_rate; }
  /// From the next step on. Throws OptionError for one that is negative or not finite.
  void set_learning_rate(double rate) {
    detail::expect_at_least_0(Method::name, "learning_rate", rate);
    options_.learning_rate = rate;
  }
  /// The parameters it trains, for clip_factor, Ema and the like.
  const Packed<T, D>& packed() const { return packed_; }

  const Options& options() const { return options_; }
  /// Steps that every segment has made.
  std::vector<std::uint64_t>& steps() { return steps_; }
  /// State array number `slot`, flat.
  Array<T, D>& state_array(std::size_t slot) { return arrays_[slot]; }

  /// "steps" and "<array>/<path of the parameter>".
  void save_state(State& state) const {
    State steps, progress;
    const auto names = Method::slots(options_);
    for (std::size_t i = 0; i < packed_.segments.size(); ++i) {
      steps.put(packed_.segments[i].path, steps_[i]);
      progress.put(packed_.segments[i].path, progress_[i]);
    }
    state.put("method", Method::name);
    state.put("steps", steps);
    if constexpr (requires { Method::keeps_progress; }) state.put("progress", progress);
    for (std::size_t s = 0; s < names.size(); ++s) {
      if (names[s] == nullptr) continue;
      State list;
      for (const auto& segment : packed_.segments) {
        Array<T> host(segment.node->value.shape());
        host.assign(arrays_[s].window(segment.offset, host.shape()).to_vector());
        list.put_value(segment.path, host);
      }
      state.put(names[s], list);
    }
  }
  /// Throws IoError for a state of another optimizer, of other parameters, or of other shapes.
  void load_state(const State& state) {
    if (const auto method = state.get<std::string>("method"); method != Method::name)
      state.fail("method", detail::cat("is '", method, "', expected '", Method::name, "'"));
    const State steps = state.under("steps"), progress = state.under("progress");
    const auto names = Method::slots(options_);
    for (std::size_t i = 0; i < packed_.segments.size(); ++i) {
      steps.get(packed_.segments[i].path, steps_[i]);
      if constexpr (requires { Method::keeps_progress; }) progress.get(packed_.segments[i].path, progress_[i]);
    }
    for (std::size_t s = 0; s < names.size(); ++s) {
      if (names[s] == nullptr) continue;
      const State list = state.under(names[s]);
      for (const auto& segment : packed_.segments) {
        const auto stored = list.template get<Array<T>>(segment.path);
        if (!(stored.shape() == segment.node->value.shape()))
          list.fail(segment.path,
                    detail::cat("has shape ", stored.shape(), ", expected ", segment.node->value.shape()));
        arrays_[s].window(segment.offset, stored.shape()).assign(stored.to_vector());
      }
    }
  }

 private:
  /// Whether `next` goes in the pass of `first`: all in between do.
  bool joins(std::size_t first, std::size_t next) const {
    if constexpr (requires { Method::per_tensor; }) return false;
    const auto& node = *packed_.segments[next].node;
    return node.has_gradient && node.requires_grad && steps_[next] == steps_[first] &&
           group_of_[next] == group_of_[first] && detail::follows(packed_.segments[next - 1], packed_.segments[next]);
  }
  void run(std::size_t i, index_t count, const rules::Factor& gradient_factor) {
    const auto& segment = packed_.segments[i];
    StepContext context{options_.learning_rate, 1, gradient_factor, steps_[i], &progress_[i]};
    if (group_of_[i] >= 0) {
      context.learning_rate *= groups_[std::size_t(group_of_[i])].learning_rate_factor;
      context.decay = groups_[std::size_t(group_of_[i])].weight_decay_factor;
    }
    rules::Slots<T> slots;
    for (std::size_t s = 0; s < 3; ++s)
      if (arrays_[s].defined()) slots.array[s] = arrays_[s].data() + segment.offset;
    Method::template step<T, D>(options_, context, count, segment.node->value.data(),
                                std::as_const(segment.node->gradient).data(), slots);
  }

  Packed<T, D> packed_;
  Options options_;
  std::vector<ParameterGroup> groups_;
  std::vector<int> group_of_;
  std::vector<std::uint64_t> steps_;
  std::vector<double> progress_;
  std::array<Array<T, D>, 3> arrays_;
};

}  // namespace lacuna::optim
