/// Training of CorrKD's teacher: the task alone, on complete data.
#pragma once

#include "lacuna/models/corrkd/objective.hpp"
#include "lacuna/models/pretrain.hpp"

namespace lacuna::models {

/// As models::pretrain does it. fetch(samples) gives a batch of the training split, check(samples) one of the
/// validation split, of `checks` samples: batches of the host, which knows labels and masks.
template <class T, class D, class Fetch, class Check>
PretrainRecord fit_corrkd_teacher(CorrkdNetwork<T, D>& network, const CorrkdOptions& o, index_t samples, index_t checks,
                                  Random& random, Fetch&& fetch, Check&& check) {
  const auto loss = [&](const data::Batch<T>& batch, const Context& context) {
    CorrkdOutput<T, D> output = network(data::to_device<D>(batch.streams), context);
    for (std::size_t m = 0; m < output.present.size(); ++m)
      output.known.push_back(Present<D>::of(any_present(batch.streams[m].present)));
    const auto target = corrkd_target<D>(o, batch);
    const auto task = corrkd_task_loss(o, output.scores, target, target.present);
    return o.loss.unimodal != 0 && context.training() ? task + o.loss.unimodal * corrkd_unimodal_loss(o, output, target)
                                                      : task;
  };
  return pretrain<T, D>(
      network, {o.teacher.epochs, o.teacher.batch, o.teacher.learning_rate, o.teacher.gradient_clip}, samples, checks,
      random, [&](std::span<const index_t> some, const Context& context) { return loss(fetch(some), context); },
      [&](std::span<const index_t> some) { return loss(check(some), Context{}); }, "CorrKD's teacher");
}

}  // namespace lacuna::models
