/// The objectives of CorrKD's teacher and student.
#pragma once

#include "lacuna/core/precompile.hpp"
#include "lacuna/losses/regression.hpp"
#include "lacuna/models/corrkd/critic.hpp"
#include "lacuna/models/corrkd/network.hpp"
#include "lacuna/ops/slice.hpp"

namespace lacuna::models {

/// The mean over modalities of term(m, those samples that take part and have the modality). On a device one wait for
/// every modality, unless the host knows who has it (`output.known`).
template <class T, class D, class Term>
Variable<T, 0, D> corrkd_over_modalities(const CorrkdOutput<T, D>& output, const Present<D>& counted, Term&& term) {
  Variable<T, 0, D> total;
  for (std::size_t m = 0; m < output.unimodal.size(); ++m) {
    const Present<D> has = output.known.empty() ? Present<D>(output.present[m]) : output.known[m];
    const auto one = term(m, has.and_in(counted));
    total = m == 0 ? one : total + one;
  }
  return (1.0 / double(output.unimodal.size())) * total;
}
/// The task loss of every modality's own head.
template <class T, class D>
Variable<T, 0, D> corrkd_unimodal_loss(const Task& task, const CorrkdOutput<T, D>& output,
                                       const Targets<T, D>& target) {
  return corrkd_over_modalities(output, target.present, [&](std::size_t m, const Present<D>& present) {
    return task.loss<T, D>(output.unimodal[m], target, present);
  });
}
/// KL from the teacher to the student, the mean over one-vs-rest heads; of a regression the mean square difference.
template <class T, class D>
Variable<T, 0, D> corrkd_divergence(const CorrkdOptions& o, const Variable<T, 2, D>& student,
                                    const Variable<T, 2, D>& teacher, const Present<D>& present) {
  if (o.labels == CorrkdLabels::regression) return mse_loss(student, teacher, present.mask());
  if (!o.one_vs_rest) return kl_divergence(student, teacher, o.loss.divergence, present);
  Variable<T, 0, D> total;
  for (index_t h = 0; h < o.head_count(); ++h) {
    const auto term =
        kl_divergence(slice(student, 1, 2 * h, 2), slice(teacher, 1, 2 * h, 2), o.loss.divergence, present);
    total = h == 0 ? term : total + term;
  }
  return (1.0 / double(o.head_count())) * total;
}

/// A term of weight 0 is undefined, and so are the two informations unless RCD is on.
template <class T, class D = Cpu>
struct CorrkdLosses {
  Variable<T, 0, D> task, unimodal, unimodal_response, sample, prototype, response, target_information,
      rest_information, total;

  LossTerms<T, D> terms() const {
    LossRecord<T, D> record;
    const auto note = [&](const char* name, const Variable<T, 0, D>& term) {
      if (term.defined()) record.note(name, term);
    };
    note("task", task);
    note("unimodal", unimodal);
    note("unimodal_response", unimodal_response);
    note("scd", sample);
    note("cpd", prototype);
    note("response", response);
    note("mi_target", target_information);
    note("mi_rest", rest_information);
    return {total, record.numbers()};
  }
};

/// L = L_task + λ_own L_own + λ_own_response L_own_response + λ_scd L_SCD + λ_cpd L_CPD + λ_rcd L_RCD; the teacher's
/// output is a constant, critics learn with the student. Samples that take no part (`target.present`) enter no term.
/// With one-vs-rest heads the response term is the mean over heads; in a regression it is the mean square difference of
/// the predictions, and prototypes are of the seven rounded labels (those standardised, where labels are). teacher
/// undefined: L_task and L_own alone.
template <class T, class D>
CorrkdLosses<T, D> corrkd_objective(const CorrkdOptions& o, const CorrkdOutput<T, D>& student,
                                    const CorrkdOutput<T, D>& teacher, const Targets<T, D>& target,
                                    const CorrkdCritics<T, D>& critics, const Context& context, const Task& task) {
  CorrkdLosses<T, D> losses;
  List<Variable<T, 0, D>> terms;
  List<double> weights;
  const auto include = [&](double weight, const Variable<T, 0, D>& term) {
    terms.push_back(term);
    weights.push_back(weight);
  };
  const auto totalled = [&] {
    losses.total = weighted_total(terms, weights);
    return losses;
  };
  include(1, losses.task = task.loss(student.scores, target));
  if (o.loss.unimodal != 0) include(o.loss.unimodal, losses.unimodal = corrkd_unimodal_loss(task, student, target));
  if (!teacher.joint.defined()) return totalled();
  const auto joint = teacher.joint.detach(), scores = teacher.scores.detach();
  const CorrkdLossOptions& l = o.loss;
  if (l.scd != 0) include(l.scd, losses.sample = scd_loss(student.joint, joint, l.sample, target.present));
  if (l.cpd != 0)
    include(l.cpd, losses.prototype = cpd_loss(student.joint, joint, target.labels_there(), o.class_count(),
                                               l.prototype, target.present));
  if (l.unimodal_response != 0)
    include(l.unimodal_response,
            losses.unimodal_response =
                corrkd_over_modalities(student, target.present, [&](std::size_t m, const Present<D>& present) {
                  return corrkd_divergence(o, student.unimodal[m], teacher.unimodal.at(m).detach(), present);
                }));
  if (l.rcd == 0 || l.response == ResponseLoss::none) return totalled();
  if (o.labels == CorrkdLabels::regression) {
    include(l.rcd, losses.response = mse_loss(student.scores, scores, target.present.mask()));
    return totalled();
  }
  const index_t heads = o.head_count();
  const auto add = [](Variable<T, 0, D>& sum, const Variable<T, 0, D>& term) {
    sum = sum.defined() ? sum + term : term;
  };
  for (index_t h = 0; h < heads; ++h) {
    const auto s = o.one_vs_rest ? slice(student.scores, 1, 2 * h, 2) : student.scores;
    const auto t = o.one_vs_rest ? slice(scores, 1, 2 * h, 2) : scores;
    const Labels<D> own = o.one_vs_rest ? target.labels_of_head(h) : target.labels_there();
    switch (l.response) {
      case ResponseLoss::rcd: {
        const auto &ours = critics.target.at(std::size_t(h)), &others = critics.rest.at(std::size_t(h));
        using Shuffled = ShuffledPairs<ResponseCritic<T, D>>;
        const auto result = l.negatives == Negatives::all
                                ? rcd_loss(s, t, own, ours, others, l.information, target.present)
                                : rcd_loss(s, t, own, Shuffled{ours, context.random}, Shuffled{others, context.random},
                                           l.information, target.present);
        add(losses.response, result.loss);
        add(losses.target_information, result.target_information);
        add(losses.rest_information, result.rest_information);
        break;
      }
      case ResponseLoss::kl:
        add(losses.response, kl_divergence(s, t, l.divergence, target.present));
        break;
      case ResponseLoss::dkd:
        add(losses.response, dkd_loss(s, t, own, l.decoupled, target.present));
        break;
      default:
        add(losses.response, iic_loss(s, t, l.clustering, target.present));
    }
  }
  if (heads > 1) losses.response = (1.0 / double(heads)) * losses.response;
  include(l.rcd, losses.response);
  return totalled();
}
template <class T, class D>
CorrkdLosses<T, D> corrkd_objective(const CorrkdOptions& o, const CorrkdOutput<T, D>& student,
                                    const CorrkdOutput<T, D>& teacher, const Targets<T, D>& target,
                                    const CorrkdCritics<T, D>& critics, const Context& context = {}) {
  return corrkd_objective(o, student, teacher, target, critics, context, o.task());
}

#define LACUNA_DETAIL_CORRKD(T)                                                                               \
  LACUNA_PRECOMPILE(template CorrkdLosses<T, Cpu> corrkd_objective(                                           \
      const CorrkdOptions&, const CorrkdOutput<T, Cpu>&, const CorrkdOutput<T, Cpu>&, const Targets<T, Cpu>&, \
      const CorrkdCritics<T, Cpu>&, const Context&, const Task&))
LACUNA_DETAIL_CORRKD(float)
LACUNA_DETAIL_CORRKD(double)
#undef LACUNA_DETAIL_CORRKD

}  // namespace lacuna::models
