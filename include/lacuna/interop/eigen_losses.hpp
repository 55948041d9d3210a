/// The losses as plain functions of Eigen's matrices: the same names, options, formulas and bits as over Variables, in
/// one call that needs no graph.
///
///     Eigen::MatrixXf gradient;
///     const double loss = hinton_kd_loss(student, teacher, {.temperature = 2}, &gradient);
///     mse_loss(prediction, target);                                       // the value alone
///     cross_entropy(logits, labels, {}, &gradient, lengths.array() > 0);  // samples without frames are absent
///
/// Arguments are matrices of float or double, of either order, maps, blocks with strides and expressions; rows are
/// samples. Behind the options come the places for the gradients of the arguments, in their order, `&gradient` or
/// nothing, and last `present` (N): what is absent is not read and has gradient 0. Errors are those of the losses over
/// Variables: shapes with found and expected. How arguments are read, and what threads may do: eigen_function.hpp.
/// What each loss is, is said where it is defined, in losses/.
#pragma once

#include "lacuna/interop/eigen_function.hpp"
#include "lacuna/losses/alignment.hpp"
#include "lacuna/losses/contrastive.hpp"
#include "lacuna/losses/distillation.hpp"
#include "lacuna/losses/mutual_information.hpp"
#include "lacuna/losses/prototype.hpp"
#include "lacuna/losses/ranking.hpp"
#include "lacuna/losses/relational.hpp"
#include "lacuna/losses/variational.hpp"

namespace lacuna {

// Regression: prediction and target (N, d), or vectors.
template <detail::EigenReal A, detail::EigenLike<A> B>
double mse_loss(const A& prediction, const B& target, RegressionOptions options = {},
                detail::IntoLike<A> to_prediction = {}, detail::IntoLike<A> to_target = {},
                const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a, const auto& b) { return mse_loss(a, b, options, present); },
                                    detail::EigenArgument(prediction, to_prediction),
                                    detail::EigenArgument(target, to_target));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double l1_loss(const A& prediction, const B& target, RegressionOptions options = {},
               detail::IntoLike<A> to_prediction = {}, detail::IntoLike<A> to_target = {},
               const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a, const auto& b) { return l1_loss(a, b, options, present); },
                                    detail::EigenArgument(prediction, to_prediction),
                                    detail::EigenArgument(target, to_target));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double smooth_l1_loss(const A& prediction, const B& target, SmoothL1Options options = {},
                      detail::IntoLike<A> to_prediction = {}, detail::IntoLike<A> to_target = {},
                      const Mask<1>& present = {}) {
  return detail::call_with_matrices(
      [&](const auto& a, const auto& b) { return smooth_l1_loss(a, b, options, present); },
      detail::EigenArgument(prediction, to_prediction), detail::EigenArgument(target, to_target));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double huber_loss(const A& prediction, const B& target, HuberOptions options = {},
                  detail::IntoLike<A> to_prediction = {}, detail::IntoLike<A> to_target = {},
                  const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a, const auto& b) { return huber_loss(a, b, options, present); },
                                    detail::EigenArgument(prediction, to_prediction),
                                    detail::EigenArgument(target, to_target));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double rmse_loss(const A& prediction, const B& target, detail::IntoLike<A> to_prediction = {},
                 detail::IntoLike<A> to_target = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a, const auto& b) { return rmse_loss(a, b, present); },
                                    detail::EigenArgument(prediction, to_prediction),
                                    detail::EigenArgument(target, to_target));
}

// Classification: logits (N, K), labels (N): a list, or an Eigen vector of whole numbers.
template <detail::EigenReal A>
double cross_entropy(const A& logits, const Labels<Cpu>& labels, const CrossEntropyOptions& options = {},
                     detail::IntoLike<A> to_logits = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a) { return cross_entropy(a, labels, options, present); },
                                    detail::EigenArgument(logits, to_logits));
}
template <detail::EigenReal A>
double nll_loss(const A& log_probabilities, const Labels<Cpu>& labels, const NllOptions& options = {},
                detail::IntoLike<A> to_log_probabilities = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a) { return nll_loss(a, labels, options, present); },
                                    detail::EigenArgument(log_probabilities, to_log_probabilities));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double binary_cross_entropy(const A& logits, const B& targets, const BinaryCrossEntropyOptions& options = {},
                            detail::IntoLike<A> to_logits = {}, const Mask<1>& present = {}) {
  const auto shares = detail::rows_of(targets);
  return detail::call_with_matrices([&](const auto& a) { return binary_cross_entropy(a, shares, options, present); },
                                    detail::EigenArgument(logits, to_logits));
}

// Distillation: student and teacher logits (N, K).
template <detail::EigenReal A, detail::EigenLike<A> B>
double kl_divergence(const A& student, const B& teacher, KlOptions options = {}, detail::IntoLike<A> to_student = {},
                     detail::IntoLike<A> to_teacher = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a, const auto& b) { return kl_divergence(a, b, options, present); },
                                    detail::EigenArgument(student, to_student),
                                    detail::EigenArgument(teacher, to_teacher));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double hinton_kd_loss(const A& student, const B& teacher, HintonKdOptions options = {},
                      detail::IntoLike<A> to_student = {}, detail::IntoLike<A> to_teacher = {},
                      const Mask<1>& present = {}) {
  return detail::call_with_matrices(
      [&](const auto& a, const auto& b) { return hinton_kd_loss(a, b, options, present); },
      detail::EigenArgument(student, to_student), detail::EigenArgument(teacher, to_teacher));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double hinton_kd_loss(const A& student, const B& teacher, const Labels<Cpu>& labels, HintonKdOptions options = {},
                      detail::IntoLike<A> to_student = {}, detail::IntoLike<A> to_teacher = {},
                      const Mask<1>& present = {}) {
  return detail::call_with_matrices(
      [&](const auto& a, const auto& b) { return hinton_kd_loss(a, b, labels, options, present); },
      detail::EigenArgument(student, to_student), detail::EigenArgument(teacher, to_teacher));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double dkd_loss(const A& student, const B& teacher, const Labels<Cpu>& labels, DkdOptions options = {},
                detail::IntoLike<A> to_student = {}, detail::IntoLike<A> to_teacher = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices(
      [&](const auto& a, const auto& b) { return dkd_loss(a, b, labels, options, present); },
      detail::EigenArgument(student, to_student), detail::EigenArgument(teacher, to_teacher));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double iic_loss(const A& student, const B& teacher, IicOptions options = {}, detail::IntoLike<A> to_student = {},
                detail::IntoLike<A> to_teacher = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a, const auto& b) { return iic_loss(a, b, options, present); },
                                    detail::EigenArgument(student, to_student),
                                    detail::EigenArgument(teacher, to_teacher));
}

// Distillation of features: (N, ds) and (N, dt).
template <detail::EigenReal A, detail::EigenLike<A> B>
double rkd_distance_loss(const A& student, const B& teacher, detail::IntoLike<A> to_student = {},
                         detail::IntoLike<A> to_teacher = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a, const auto& b) { return rkd_distance_loss(a, b, present); },
                                    detail::EigenArgument(student, to_student),
                                    detail::EigenArgument(teacher, to_teacher));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double rkd_angle_loss(const A& student, const B& teacher, detail::IntoLike<A> to_student = {},
                      detail::IntoLike<A> to_teacher = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a, const auto& b) { return rkd_angle_loss(a, b, present); },
                                    detail::EigenArgument(student, to_student),
                                    detail::EigenArgument(teacher, to_teacher));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double similarity_preserving_loss(const A& student, const B& teacher, detail::IntoLike<A> to_student = {},
                                  detail::IntoLike<A> to_teacher = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices(
      [&](const auto& a, const auto& b) { return similarity_preserving_loss(a, b, present); },
      detail::EigenArgument(student, to_student), detail::EigenArgument(teacher, to_teacher));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double scd_loss(const A& student, const B& teacher, ScdOptions options = {}, detail::IntoLike<A> to_student = {},
                detail::IntoLike<A> to_teacher = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a, const auto& b) { return scd_loss(a, b, options, present); },
                                    detail::EigenArgument(student, to_student),
                                    detail::EigenArgument(teacher, to_teacher));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double cpd_loss(const A& student, const B& teacher, const Labels<Cpu>& labels, index_t classes, CpdOptions options = {},
                detail::IntoLike<A> to_student = {}, detail::IntoLike<A> to_teacher = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices(
      [&](const auto& a, const auto& b) { return cpd_loss(a, b, labels, classes, options, present); },
      detail::EigenArgument(student, to_student), detail::EigenArgument(teacher, to_teacher));
}

// Contrast: features (N, d), or two views of each sample.
template <detail::EigenReal A, detail::EigenLike<A> B>
double info_nce_loss(const A& first, const B& second, InfoNceOptions options = {}, detail::IntoLike<A> to_first = {},
                     detail::IntoLike<A> to_second = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a, const auto& b) { return info_nce_loss(a, b, options, present); },
                                    detail::EigenArgument(first, to_first), detail::EigenArgument(second, to_second));
}
template <detail::EigenReal A>
double supcon_loss(const A& features, const Labels<Cpu>& labels, SupConOptions options = {},
                   detail::IntoLike<A> to_features = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a) { return supcon_loss(a, labels, options, present); },
                                    detail::EigenArgument(features, to_features));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double supcon_loss(const A& first, const B& second, const Labels<Cpu>& labels, SupConOptions options = {},
                   detail::IntoLike<A> to_first = {}, detail::IntoLike<A> to_second = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices(
      [&](const auto& a, const auto& b) { return supcon_loss(a, b, labels, options, present); },
      detail::EigenArgument(first, to_first), detail::EigenArgument(second, to_second));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double nt_xent_loss(const A& first, const B& second, SupConOptions options = {}, detail::IntoLike<A> to_first = {},
                    detail::IntoLike<A> to_second = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a, const auto& b) { return nt_xent_loss(a, b, options, present); },
                                    detail::EigenArgument(first, to_first), detail::EigenArgument(second, to_second));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double cosine_embedding_loss(const A& first, const B& second, const Labels<Cpu>& targets,
                             CosineEmbeddingOptions options = {}, detail::IntoLike<A> to_first = {},
                             detail::IntoLike<A> to_second = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices(
      [&](const auto& a, const auto& b) { return cosine_embedding_loss(a, b, targets, options, present); },
      detail::EigenArgument(first, to_first), detail::EigenArgument(second, to_second));
}
template <detail::EigenReal A, detail::EigenLike<A> B, detail::EigenLike<A> C>
double triplet_loss(const A& anchor, const B& positive, const C& negative, TripletOptions options = {},
                    detail::IntoLike<A> to_anchor = {}, detail::IntoLike<A> to_positive = {},
                    detail::IntoLike<A> to_negative = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices(
      [&](const auto& a, const auto& b, const auto& c) { return triplet_loss(a, b, c, options, present); },
      detail::EigenArgument(anchor, to_anchor), detail::EigenArgument(positive, to_positive),
      detail::EigenArgument(negative, to_negative));
}
template <detail::EigenReal A>
double rank_n_contrast(const A& features, const Labels<Cpu, typename A::Scalar>& labels,
                       RankNContrastOptions options = {}, detail::IntoLike<A> to_features = {},
                       const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a) { return rank_n_contrast(a, labels, options, present); },
                                    detail::EigenArgument(features, to_features));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double rank_n_contrast(const A& first, const B& second, const Labels<Cpu, typename A::Scalar>& labels,
                       RankNContrastOptions options = {}, detail::IntoLike<A> to_first = {},
                       detail::IntoLike<A> to_second = {}, const Mask<1>& first_present = {},
                       const Mask<1>& second_present = {}) {
  return detail::call_with_matrices(
      [&](const auto& a, const auto& b) {
        return rank_n_contrast(a, b, labels, options, first_present, second_present);
      },
      detail::EigenArgument(first, to_first), detail::EigenArgument(second, to_second));
}

// Two sets of features, x (N, d) and y (M, d).
template <detail::EigenReal A, detail::EigenLike<A> B>
double cmd_loss(const A& x, const B& y, CmdOptions options = {}, detail::IntoLike<A> to_x = {},
                detail::IntoLike<A> to_y = {}, const Mask<1>& x_present = {}, const Mask<1>& y_present = {}) {
  return detail::call_with_matrices(
      [&](const auto& a, const auto& b) { return cmd_loss(a, b, options, x_present, y_present); },
      detail::EigenArgument(x, to_x), detail::EigenArgument(y, to_y));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double coral_loss(const A& x, const B& y, detail::IntoLike<A> to_x = {}, detail::IntoLike<A> to_y = {},
                  const Mask<1>& x_present = {}, const Mask<1>& y_present = {}) {
  return detail::call_with_matrices(
      [&](const auto& a, const auto& b) { return coral_loss(a, b, x_present, y_present); },
      detail::EigenArgument(x, to_x), detail::EigenArgument(y, to_y));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double mmd_loss(const A& x, const B& y, const MmdOptions& options = {}, detail::IntoLike<A> to_x = {},
                detail::IntoLike<A> to_y = {}, const Mask<1>& x_present = {}, const Mask<1>& y_present = {}) {
  return detail::call_with_matrices(
      [&](const auto& a, const auto& b) { return mmd_loss(a, b, options, x_present, y_present); },
      detail::EigenArgument(x, to_x), detail::EigenArgument(y, to_y));
}
template <detail::EigenReal A, detail::EigenLike<A> B>
double orthogonality_loss(const A& a, const B& b, OrthogonalityOptions options = {}, detail::IntoLike<A> to_a = {},
                          detail::IntoLike<A> to_b = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices(
      [&](const auto& first, const auto& second) { return orthogonality_loss(first, second, options, present); },
      detail::EigenArgument(a, to_a), detail::EigenArgument(b, to_b));
}

// Autoencoders: mean and log variance of the code (N, d).
template <detail::EigenReal A, detail::EigenLike<A> B>
double vae_kl_loss(const A& mu, const B& log_variance, VaeKlOptions options = {}, detail::IntoLike<A> to_mu = {},
                   detail::IntoLike<A> to_log_variance = {}, const Mask<1>& present = {}) {
  return detail::call_with_matrices([&](const auto& a, const auto& b) { return vae_kl_loss(a, b, options, present); },
                                    detail::EigenArgument(mu, to_mu),
                                    detail::EigenArgument(log_variance, to_log_variance));
}

}  // namespace lacuna
