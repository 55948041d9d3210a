/// Losses that pull the responses of a student to those of a teacher.
///
/// Logits (N, K) of both, divided by a temperature before the softmax. Gradient flows to both networks: a teacher that
/// shall not learn is detached or frozen. present (N) or undefined for all: absent samples take no part and get
/// gradient 0; none present: 0. Features are pulled by mse_loss, rmse_loss, cosine_embedding, and by relations
/// (relational.hpp).
///
/// ```cpp
/// const auto soft = hinton_kd_loss(prediction, target.detach(), {.temperature = 4});   // student, teacher
/// const auto hard = cross_entropy(prediction, labels);
/// (0.9 * soft + 0.1 * hard).backward();
/// ```
#pragma once

#include "lacuna/kernels/cpu/class_losses.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/classification.hpp"
#include "lacuna/losses/regression.hpp"

namespace lacuna {
namespace detail {

/// factor · mean KL(teacher ‖ student).
template <class T, class D>
Variable<T, 0, D> response_divergence(const char* operation, const Variable<T, 2, D>& student,
                                      const Variable<T, 2, D>& teacher, double temperature, double factor,
                                      const Present<D>& present) {
  expect_shape(operation, "teacher", teacher.shape(), student.shape());
  expect_positive(operation, "temperature", temperature);
  const Kept<D> kept(operation, student.extent(0), present);
  LossInput s(student, kept, GradientRoom::unwritten), t(teacher, kept, GradientRoom::unwritten);
  const double scale = kept.count() > 0 ? factor / double(kept.count()) : 0;
  if (student.extent(1) == 0) return record_loss(operation, 0.0, s, t);
  const auto value = Kernels<D>::ClassLosses::kl_divergence(kept.count(), student.extent(1), s.data(), t.data(),
                                                            1 / temperature, scale, s.gradient(), t.gradient());
  return record_loss(operation, value, s, t);
}

}  // namespace detail

struct KlOptions {
  double temperature = 1;
};

/// Kullback-Leibler divergence, mean_i Σ_k p log(p/q), p = softmax(teacher/τ), q = softmax(student/τ).
template <class T, class D>
Variable<T, 0, D> kl_divergence(const Variable<T, 2, D>& student, const Variable<T, 2, D>& teacher,
                                KlOptions options = {}, const Given<Present<D>>& present = {}) {
  return detail::response_divergence("kl_divergence", student, teacher, options.temperature, 1, present);
}

struct HintonKdOptions {
  double temperature = 4;
  double alpha = 0.9;  ///< weight of the teacher against the labels; not used without labels
};

/// τ² kl_divergence: soft targets, with gradients of a size that does not depend on τ.  (Hinton, Vinyals & Dean 2015)
template <class T, class D>
Variable<T, 0, D> hinton_kd_loss(const Variable<T, 2, D>& student, const Variable<T, 2, D>& teacher,
                                 HintonKdOptions options = {}, const Given<Present<D>>& present = {}) {
  return detail::response_divergence("hinton_kd_loss", student, teacher, options.temperature,
                                     options.temperature * options.temperature, present);
}
/// α τ² kl_divergence + (1−α) cross_entropy(student, labels).
template <class T, class D>
Variable<T, 0, D> hinton_kd_loss(const Variable<T, 2, D>& student, const Variable<T, 2, D>& teacher,
                                 const Given<Labels<D>>& labels, HintonKdOptions options = {},
                                 const Given<Present<D>>& present = {}) {
  if (!(options.alpha >= 0 && options.alpha <= 1))
    throw OptionError(detail::cat("hinton_kd_loss: alpha ", options.alpha, " is outside 0..1"));
  return options.alpha * hinton_kd_loss(student, teacher, options, present) +
         (1 - options.alpha) * cross_entropy(student, labels, {}, present);
}

struct DkdOptions {
  double temperature = 4;
  double alpha = 1;  ///< of the target class against all others
  double beta = 8;   ///< of the others among themselves
};

/// Decoupled distillation. With b = (p_y, 1−p_y) and p̃ the softmax over the classes k ≠ y, of logits/τ:
///   τ² mean_i [α KL(bᵗ ‖ bˢ) + β KL(p̃ᵗ ‖ p̃ˢ)].  (Zhao et al., CVPR 2022)
/// Two classes leave one class in p̃, whose probability is 1 in both networks: the second term is 0 there, and options
/// that leave nothing else (α = 0) are refused. Throws ShapeError for fewer than two classes, Error for bad labels.
template <class T, class D>
Variable<T, 0, D> dkd_loss(const Variable<T, 2, D>& student, const Variable<T, 2, D>& teacher,
                           const Given<Labels<D>>& labels, DkdOptions options = {},
                           const Given<Present<D>>& present = {}) {
  constexpr const char* name = "dkd_loss";
  const index_t batch = student.extent(0), classes = student.extent(1);
  detail::expect_shape(name, "teacher", teacher.shape(), student.shape());
  detail::expect_positive(name, "temperature", options.temperature);
  detail::expect_not_negative(name, "alpha", options.alpha);
  detail::expect_not_negative(name, "beta", options.beta);
  if (classes < 2) throw ShapeError(detail::cat(name, ": needs at least two classes, found ", classes));
  if (classes == 2 && options.alpha == 0)
    throw OptionError(detail::cat(name,
                                  ": with two classes the softmax over the other class is the constant 1, so that "
                                  "alpha = 0 leaves nothing to learn; use alpha > 0"));
  const detail::Kept<D> kept(name, batch, present);
  const auto chosen = detail::kept_labels(name, labels, batch, kept, classes);
  detail::LossInput s(student, kept, detail::GradientRoom::unwritten),
      t(teacher, kept, detail::GradientRoom::unwritten);
  const double tau = options.temperature;
  const auto value = Kernels<D>::ClassLosses::decoupled(
      kept.count(), classes, s.data(), t.data(), chosen.data(), 1 / tau, options.alpha, options.beta,
      kept.count() > 0 ? tau * tau / double(kept.count()) : 0, s.gradient(), t.gradient());
  return detail::record_loss(name, value, s, t);
}

}  // namespace lacuna
