/// Training of a part of a model before the rest: Adam with a constant learning rate over shuffled batches, the epoch with the
/// least loss on the validation split is kept; without such a split the last one. Deterministic given `random`.
#pragma once

#include <limits>
#include <numeric>
#include <span>

#include "lacuna/core/context.hpp"
#include "lacuna/nn/pack.hpp"
#include "lacuna/optim/adam.hpp"
#include "lacuna/optim/clip.hpp"

namespace lacuna::models {

struct PretrainOptions {
  index_t epochs = 30, batch = 64;
  double learning_rate = 1e-3;
  double gradient_clip = 1;  ///< largest norm of the gradient; 0 = no limit

  /// Throws OptionError.
  void check(const char* model) const {
    if (epochs < 1 || batch < 1 || !(learning_rate > 0) || !(gradient_clip >= 0))
      throw OptionError(
          detail::cat(model, ": pretraining needs epochs, batch and learning_rate above 0, gradient_clip not below 0"));
  }
  /// f(name, member)
  static void visit(auto& self, auto&& f) {
    f("pretrain_epochs", self.epochs);
    f("pretrain_batch", self.batch);
    f("pretrain_learning_rate", self.learning_rate);
    f("pretrain_gradient_clip", self.gradient_clip);
  }
};

/// The loss on the validation split after every epoch, and which epoch was kept (from 1).
struct PretrainRecord {
  std::vector<double> validation;
  index_t best = 0;
};

/// loss(samples, context) of the training split, check(samples) of the validation split: variables (), means over those
/// samples. Throws Error, which names `what`, when a loss is not finite.
template <class T, class D, class M, class Loss, class Check>
PretrainRecord pretrain(M& module, const PretrainOptions& o, index_t samples, index_t checks, Random& random,
                        Loss&& loss, Check&& check, const char* what = "pretraining") {
  const auto packed = pack<T, D>(module);
  Adam<T, D> adam(packed);
  Array<T, D> best;
  double least = std::numeric_limits<double>::infinity();
  PretrainRecord record;
  std::vector<index_t> straight(static_cast<std::size_t>(checks));
  std::iota(straight.begin(), straight.end(), index_t(0));
  const auto part = [&](const std::vector<index_t>& order, index_t begin) {
    const index_t count = std::min(index_t(order.size()) - begin, o.batch);
    return std::span<const index_t>(order.data() + begin, std::size_t(count));
  };
  for (index_t epoch = 1; epoch <= o.epochs; ++epoch) {
    const std::vector<index_t> order = random.permutation(samples);
    for (index_t begin = 0; begin < samples; begin += o.batch) {
      packed.zero_grad();
      const Variable<T, 0, D> value = loss(part(order, begin), Context::train(random));
      if (!std::isfinite(double(value.item())))
        throw Error(detail::cat(what, ": the loss is not finite in epoch ", epoch, "; try a smaller learning rate"));
      value.backward();
      adam.step(o.learning_rate, o.gradient_clip > 0 ? clip_factor(packed, o.gradient_clip) : 1.0);
    }
    if (checks == 0) continue;
    const NoGrad off;
    double mean = 0;
    for (index_t begin = 0; begin < checks; begin += o.batch) {
      const auto some = part(straight, begin);
      mean += double(check(some).item()) * double(some.size()) / double(checks);
    }
    record.validation.push_back(mean);
    if (mean < least) {
      least = mean;
      best = packed.values.clone();
      record.best = epoch;
    }
  }
  if (best.defined())
    D::copy(Array<T, D>(packed.values).data(), std::as_const(best).data(), std::size_t(best.size()) * sizeof(T));
  else
    record.best = o.epochs;
  packed.zero_grad();
  return record;
}

}  // namespace lacuna::models
