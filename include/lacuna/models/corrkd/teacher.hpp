/// Training of CorrKD's teacher: the task alone, on complete data.
#pragma once

#include <limits>

#include "lacuna/models/corrkd/objective.hpp"
#include "lacuna/optim/adam.hpp"
#include "lacuna/optim/clip.hpp"

namespace lacuna::models {

/// What became of it: the task loss on the validation split after every epoch, and which epoch was kept (from 1).
struct CorrkdTeacherRecord {
  std::vector<double> validation;
  index_t best = 0;
};

/// Adam with a constant rate over shuffled batches. fetch(samples) gives a batch of the training split, check(samples)
/// one of the validation split, of `checks` samples; without any the last epoch is kept. Deterministic given `random`.
template <class T, class D, class Fetch, class Check>
CorrkdTeacherRecord fit_corrkd_teacher(CorrkdNetwork<T, D>& network, const CorrkdOptions& o, index_t samples,
                                       index_t checks, Random& random, Fetch&& fetch, Check&& check) {
  const auto loss = [&](const data::Batch<T, D>& batch, const Context& context) {
    const auto output = network(batch.streams, context);
    const auto target = corrkd_target(o, batch);
    const auto task = corrkd_task_loss(o, output.scores, target, target.present);
    return o.loss.own != 0 && context.training() ? task + o.loss.own * corrkd_own_loss(o, output, target) : task;
  };
  const auto part = [&](const std::vector<index_t>& order, index_t begin) {
    const index_t end = std::min(index_t(order.size()), begin + o.teacher.batch);
    return std::vector<index_t>(order.begin() + begin, order.begin() + end);
  };
  std::vector<index_t> straight(static_cast<std::size_t>(checks));
  for (index_t i = 0; i < checks; ++i) straight[std::size_t(i)] = i;
  const auto packed = pack<T, D>(network);
  Adam<T, D> adam(packed);
  Array<T, D> best;
  double least = std::numeric_limits<double>::infinity();
  CorrkdTeacherRecord record;
  for (index_t epoch = 1; epoch <= o.teacher.epochs; ++epoch) {
    const std::vector<index_t> order = random.permutation(samples);
    for (index_t begin = 0; begin < samples; begin += o.teacher.batch) {
      packed.zero_grad();
      const auto value = loss(fetch(std::span<const index_t>(part(order, begin))), Context::train(random));
      if (!std::isfinite(double(value.item())))
        throw Error(detail::cat("CorrKD: the teacher's loss is not finite in epoch ", epoch, "; try a smaller rate"));
      value.backward();
      adam.step(o.teacher.rate, o.teacher.clip > 0 ? clip_factor(gradient_norm(packed), o.teacher.clip) : 1);
    }
    if (checks == 0) continue;
    const NoGrad off;
    double sum = 0;
    for (index_t begin = 0; begin < checks; begin += o.teacher.batch) {
      const auto chosen = part(straight, begin);
      sum += double(loss(check(std::span<const index_t>(chosen)), {}).item()) * double(chosen.size()) / double(checks);
    }
    record.validation.push_back(sum);
    if (sum < least) {
      least = sum;
      best = packed.values.clone();
      record.best = epoch;
    }
  }
  if (best.defined())
    D::copy(Array<T, D>(packed.values).data(), std::as_const(best).data(), std::size_t(best.size()) * sizeof(T));
  else
    record.best = o.teacher.epochs;
  packed.zero_grad();
  return record;
}

}  // namespace lacuna::models
