/// Losses of mutual information between two networks: the Jensen-Shannon bound with a learned critic, CorrKD's response
/// distillation made of it, and invariant information clustering.
///
/// present (N) or undefined for all: absent samples enter no pair, joint or marginal, and get gradient 0; none present:
/// 0.
#pragma once

#include <limits>

#include "lacuna/kernels/cpu/information_losses.hpp"
#include "lacuna/kernels/cpu/loss_rows.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/batch.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/manipulation.hpp"
#include "lacuna/ops/matmul.hpp"
#include "lacuna/ops/reduction.hpp"
#include "lacuna/ops/shape.hpp"
#include "lacuna/ops/softmax.hpp"

namespace lacuna {
namespace detail {

/// All pairs (q_i, u_j) side by side: (N·N, a + b), j fastest.
template <class T, class D>
Variable<T, 2, D> all_pairs(const Variable<T, 2, D>& q, const Variable<T, 2, D>& u) {
  const index_t n = q.extent(0), a = q.extent(1), b = u.extent(1);
  Tensor<T, 2, D> y({n * n, a + b});
  Kernels<D>::LossRows::all_pairs(n, a, b, q.data(), u.data(), y.data());
  return record(
      "all_pairs", y,
      [=](const Tensor<T, 2, D>& dy) {
        Kernels<D>::LossRows::all_pairs_gradient(n, a, b, dy.data(), q.gradient_slot(), u.gradient_slot());
      },
      q, u);
}

/// One part of the responses softmax(logits/τ), see functors::ResponsePart: (N, 1) or (N, K − 1). Labels on the device.
template <class T, class D>
Variable<T, 2, D> response_part(const Variable<T, 2, D>& logits, const Array<index_t, D>& labels,
                                functors::ResponsePart part) {
  const index_t n = logits.extent(0), classes = logits.extent(1);
  Tensor<T, 2, D> y({n, part.width(classes)});
  Kernels<D>::InformationLosses::response_part(part, n, classes, logits.data(), labels.data(), y.data());
  return record(
      "response_part", y,
      [=](const Tensor<T, 2, D>& dy) {
        if (const auto slot = logits.gradient_slot())
          Kernels<D>::InformationLosses::response_part_gradient(part, n, classes, logits.data(), labels.data(),
                                                                dy.data(), slot);
      },
      logits);
}

}  // namespace detail

/// Î = −mean_i sp(−F_ii) − mean_{i≠j} sp(F_ij), sp(x) = log(1 + eˣ): the Jensen-Shannon estimate of mutual information
/// from the scores F (N, N) of all pairs, pairs (i, i) drawn jointly. Î ≤ 0; it is −2 log 2 for F = 0; larger is more
/// information, so networks and critic minimise −Î. One sample has no pairs i ≠ j: that mean is then 0. Gradient to the
/// scores. Absent samples: `present` leaves out their rows and columns.  (Nowozin et al., NeurIPS 2016; Hjelm et al.,
/// ICLR 2019)
template <class T, class D>
Variable<T, 0, D> jsd_mutual_information(const Variable<T, 2, D>& scores, const Given<Present<D>>& present = {}) {
  const index_t n = scores.extent(0);
  detail::expect_shape("jsd_mutual_information", "scores", scores.shape(), Shape{n, n});
  const detail::Kept<D> all("jsd_mutual_information", n, {}), kept("jsd_mutual_information", n, present);
  const auto room = kept.all() ? detail::GradientRoom::unwritten : detail::GradientRoom::zeros;
  detail::LossInput f(scores, all, room);
  if (kept.count() == 0) return detail::record_loss("jsd_mutual_information", 0.0, f);
  const auto value =
      Kernels<D>::InformationLosses::jensen_shannon(kept.count(), n, kept.rows(), f.data(), f.gradient());
  return detail::record_loss("jsd_mutual_information", value, f);
}

/// The same from two batches q (N, a) and u (N, b) and a critic: critic(q, u) gives the scores F (N, N) of all pairs of rows
/// (models::ResponseCritic); gradient to both and to the critic. The critic sees
/// the present samples only.
template <class T, class D, class Critic>
Variable<T, 0, D> jsd_mutual_information(const Critic& critic, const Variable<T, 2, D>& q, const Variable<T, 2, D>& u,
                                         const Given<Present<D>>& present = {}) {
  detail::expect_axis("jsd_mutual_information", "u", u.shape(), 0, q.extent(0));
  const detail::Kept<D> kept("jsd_mutual_information", q.extent(0), present);
  if (kept.count() == 0)
    return detail::record_loss("jsd_mutual_information", 0.0, detail::LossInput(q, kept), detail::LossInput(u, kept));
  return jsd_mutual_information(critic(detail::kept_rows(q, kept), detail::kept_rows(u, kept)));
}

/// What critics see of a response: probabilities or their logarithms.
enum class ResponseSpace { probability, log_probability };

struct RcdOptions {
  double temperature = 1;
  ResponseSpace space = ResponseSpace::probability;
  bool renormalize = false;  ///< the non-target part divided by its sum, as DKD does; refused for two classes
};

template <class T, class D>
struct RcdResult {
  Variable<T, 0, D> loss, target_information, rest_information;
};

/// Response-disentangled consistency distillation. With r = softmax(logits/τ), split into r_y (N, 1) and the other
/// probabilities in class order (N, K−1), not renormalised:
///   −Î(r_yᵗ; r_yˢ) − Î(r_restᵗ; r_restˢ), each by a critic of its own, teacher first.  (Wu et al., CorrKD, arXiv
///   2404.16456)
/// student and teacher (N, K), labels (N); critics for parts of widths 1 and K−1. Gradient to both networks and both
/// critics, which minimise it together: detach the teacher. Zero critics give 4 log 2. With two classes both terms say
/// the same (r_rest = 1 − r_y); renormalised, the rest would be the constant 1, hold no information and is refused by
/// OptionError.
template <class T, class D, class TargetCritic, class RestCritic>
RcdResult<T, D> rcd_loss(const Variable<T, 2, D>& student, const Variable<T, 2, D>& teacher,
                         const Given<Labels<D>>& labels, const TargetCritic& target_critic,
                         const RestCritic& rest_critic, RcdOptions options = {},
                         const Given<Present<D>>& present = {}) {
  const index_t batch = student.extent(0), classes = student.extent(1);
  detail::expect_shape("rcd_loss", "teacher", teacher.shape(), student.shape());
  detail::expect_positive("rcd_loss", "temperature", options.temperature);
  if (classes < 2) throw ShapeError(detail::cat("rcd_loss: needs at least two classes, found ", classes));
  if (classes == 2 && options.renormalize)
    throw OptionError(
        "rcd_loss: with two classes the renormalised non-target part is the constant 1 and holds no information; set "
        "renormalize = false");
  const detail::Kept<D> kept("rcd_loss", batch, present);
  const auto chosen = detail::kept_labels("rcd_loss", labels, batch, kept, classes);
  if (kept.count() == 0) {
    const auto zero =
        detail::record_loss("rcd_loss", 0.0, detail::LossInput(student, kept), detail::LossInput(teacher, kept));
    return {zero, zero, zero};
  }
  const auto s = detail::kept_rows(student, kept), t = detail::kept_rows(teacher, kept);
  const auto information = [&](const auto& critic, bool target) {
    const functors::ResponsePart part{target, options.space == ResponseSpace::log_probability, options.renormalize,
                                      1 / options.temperature};
    return jsd_mutual_information(critic, detail::response_part(t, chosen, part),
                                  detail::response_part(s, chosen, part));
  };
  RcdResult<T, D> result;
  result.target_information = information(target_critic, true);
  result.rest_information = information(rest_critic, false);
  result.loss = -1.0 * (result.target_information + result.rest_information);
  return result;
}

struct IicOptions {
  bool symmetric = true;  ///< P ← (P + Pᵀ)/2: both networks sort into the same clusters
};

/// With P = 1/N Σ_i softmax(t_i) softmax(s_i)ᵀ: −Σ P log(P/(P_row P_col)), minus the mutual information of two soft
/// classifications. student and teacher logits (N, K); gradient to both.  (Ji, Henriques & Vedaldi, ICCV 2019)
template <class T, class D>
Variable<T, 0, D> iic_loss(const Variable<T, 2, D>& student, const Variable<T, 2, D>& teacher, IicOptions options = {},
                           const Given<Present<D>>& present = {}) {
  detail::expect_shape("iic_loss", "teacher", teacher.shape(), student.shape());
  const detail::Kept<D> kept("iic_loss", student.extent(0), present);
  const index_t n = kept.count(), classes = student.extent(1);
  if (n == 0 || classes == 0) return detail::nothing_to_compare("iic_loss", kept, student, teacher);
  const auto p = softmax(detail::kept_rows(teacher, kept)), q = softmax(detail::kept_rows(student, kept));
  auto joint = matmul(p, q, {.transpose_a = true}) * (1 / double(n));
  if (options.symmetric) joint = 0.5 * (joint + transpose(joint));
  // of a cell that is 0 nothing is left, whatever its logarithm: the smallest normal number stands in for it
  const auto logarithm = [](const auto& x) { return log(clamp(x, double(std::numeric_limits<T>::min()))); };
  const auto rows = logarithm(sum(joint, 1, keepdim)), columns = logarithm(sum(joint, 0, keepdim));
  return -sum(joint * (logarithm(joint) - rows - columns));
}

}  // namespace lacuna
