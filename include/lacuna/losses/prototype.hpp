/// Category-guided prototype distillation: how close every sample is to every class mean, copied from the teacher.
///
/// ```cpp
/// const auto loss = cpd_loss(prediction, target.detach(), labels, 3);   // student, teacher, class ids, how many classes
/// loss.backward();
/// ```
#pragma once

#include "lacuna/kernels/cpu/prototype_losses.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/batch.hpp"

namespace lacuna {

/// What Σ_i Σ_k is divided by: N times the classes that occur among the present samples, or N times all classes.
enum class PrototypeMean { present_classes, all_classes };

struct CpdOptions {
  int power = 2;  ///< 1: absolute, 2: squared difference
  PrototypeMean mean = PrototypeMean::present_classes;
  bool detach_prototypes = false;  ///< the class means of the student are constants
  double epsilon = 1e-8;           ///< norms are at least this
};

/// With c_k the mean of a network's own rows of class k and M_k(i) = cos(h_i, c_k) (Wu et al., CorrKD, arXiv
/// 2404.16456):
///   Σ_i Σ_k |M^s_k(i) − M^t_k(i)|^power / (N · classes).
/// student (N, ds), teacher (N, dt), labels (N) in 0..classes−1. A class without a present sample has no prototype and
/// contributes 0; the only sample of a class has cosine 1 to it in both networks and contributes 0 there. Gradient
/// flows to the rows and through the means, of both networks: detach the teacher. present (N) or undefined for all:
/// absent samples count in no mean and get gradient 0; none present: 0. Throws Error for bad labels, OptionError for
/// other powers.
template <class T, class D>
Variable<T, 0, D> cpd_loss(const Variable<T, 2, D>& student, const Variable<T, 2, D>& teacher,
                           const Given<Labels<D>>& labels, index_t classes, CpdOptions options = {},
                           const Given<Present<D>>& present = {}) {
  const index_t batch = student.extent(0);
  detail::expect_axis("cpd_loss", "teacher", teacher.shape(), 0, batch);
  detail::expect_positive("cpd_loss", "epsilon", options.epsilon);
  if (options.power != 1 && options.power != 2)
    throw OptionError(detail::cat("cpd_loss: power is ", options.power, ", expected 1 or 2"));
  const detail::Kept<D> kept("cpd_loss", batch, present);
  const auto chosen = detail::kept_labels("cpd_loss", labels, batch, kept, classes);
  const bool all = options.mean == PrototypeMean::all_classes;
  detail::LossInput s(student, kept, detail::GradientRoom::unwritten),
      t(teacher, kept, detail::GradientRoom::unwritten);
  const auto value = Kernels<D>::PrototypeLosses::class_variation(
      kept.count(), classes, s.width(), s.data(), t.width(), t.data(), chosen.data(), options.power,
      options.detach_prototypes, options.epsilon, all, s.gradient(), t.gradient());
  return detail::record_loss("cpd_loss", value, s, t);
}

}  // namespace lacuna
