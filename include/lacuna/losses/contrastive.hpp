/// Contrastive losses: pull what belongs together, push what does not.
///
/// present (N) or undefined for all: an absent sample is neither anchor, nor positive, nor negative, and gets gradient
/// 0; none present: 0. Gradient flows to every set of features; stop one with `detach()`. Rows of unit length are x /
/// max(‖x‖, 1e-12).
///
/// ```cpp
/// const auto loss = info_nce_loss(first, second, {.temperature = 0.07}, kept);   // row i belongs to row i
/// const auto by_class = supcon_loss(first, labels);
/// loss.backward();
/// ```
#pragma once

#include "lacuna/kernels/cpu/contrast_losses.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/batch.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna {

struct InfoNceOptions {
  double temperature = 0.1;
  bool symmetric =
      true;  ///< the mean of both directions, as in CLIP; false: the first set looks for its partner in the second
};

/// With unit rows x̂, ŷ and s = x̂ ŷᵀ/τ: −mean_i log softmax(row i of s)_i; symmetric: averaged with the same over
/// columns. first and second (N, d): row i of one belongs to row i of the other. One sample: 0. (InfoNCE, van den Oord
/// et al. 2018; symmetric, Radford et al., ICML 2021)
template <class T, class D>
Variable<T, 0, D> info_nce_loss(const Variable<T, 2, D>& first, const Variable<T, 2, D>& second,
                                InfoNceOptions options = {}, const Given<Present<D>>& present = {}) {
  detail::expect_shape("info_nce_loss", "second", second.shape(), first.shape());
  detail::expect_positive("info_nce_loss", "temperature", options.temperature);
  const detail::Kept<D> kept("info_nce_loss", first.extent(0), present);
  const index_t n = kept.count(), width = first.extent(1);
  detail::LossInput x(first, kept), y(second, kept);
  if (n == 0) return detail::record_loss("info_nce_loss", 0.0, x, y);
  const typename Kernels<D>::LossRows::template Unit<T> a(n, width, x.data(), 1e-12), b(n, width, y.data(), 1e-12);
  Array<T, D> to_a(Shape{x.gradient() ? n : 0, width}), to_b(Shape{y.gradient() ? n : 0, width});
  const double each = 1 / double(n), half = options.symmetric ? each / 2 : each;
  const auto value = Kernels<D>::ContrastLosses::info_nce(n, width, a.data(), b.data(), options.temperature, half,
                                                          each - half, to_a.data(), to_b.data());
  if (x.gradient()) a.back(to_a.data(), x.gradient());
  if (y.gradient()) b.back(to_b.data(), y.gradient());
  return detail::record_loss("info_nce_loss", value, x, y);
}

struct SupConOptions {
  double temperature = 0.1;
  bool normalize = true;  ///< unit rows
};

/// Supervised contrast. With P_i the other samples of the class of i and s = z zᵀ/τ:
///   mean over anchors i with P_i not empty of −1/|P_i| Σ_{p∈P_i} log(exp s_ip / Σ_{a≠i} exp s_ia).
/// features (N, d); labels (N), any integers. A sample alone in its class is a negative of others but no anchor; no
/// anchor at all: 0. (Khosla et al., NeurIPS 2020, L_out)
template <class T, class D>
Variable<T, 0, D> supcon_loss(const Variable<T, 2, D>& features, const Given<Labels<D>>& labels,
                              SupConOptions options = {}, const Given<Present<D>>& present = {}) {
  detail::expect_positive("supcon_loss", "temperature", options.temperature);
  const index_t batch = features.extent(0), width = features.extent(1);
  if (labels.size() != batch)
    throw ShapeError(detail::cat("supcon_loss: ", labels.size(), " labels for ", batch, " samples"));
  const detail::Kept<D> kept("supcon_loss", batch, present);
  const auto chosen = kept.of(labels);
  const index_t n = kept.count();
  detail::LossInput x(features, kept);
  Array<T, D> slope(Shape{x.gradient() ? n : 0, width});
  if (!options.normalize) {
    const auto value =
        Kernels<D>::ContrastLosses::supcon(n, width, x.data(), chosen.data(), options.temperature, x.gradient());
    return detail::record_loss("supcon_loss", value, x);
  }
  const typename Kernels<D>::LossRows::template Unit<T> unit(n, width, x.data(), 1e-12);
  const auto value =
      Kernels<D>::ContrastLosses::supcon(n, width, unit.data(), chosen.data(), options.temperature, slope.data());
  if (x.gradient()) unit.back(slope.data(), x.gradient());
  return detail::record_loss("supcon_loss", value, x);
}

/// The same over two views of each sample, both of its class: 2N anchors. first, second (N, d); labels (N). `present`
/// says which samples have both views.
template <class T, class D>
Variable<T, 0, D> supcon_loss(const Variable<T, 2, D>& first, const Variable<T, 2, D>& second,
                              const Given<Labels<D>>& labels, SupConOptions options = {},
                              const Given<Present<D>>& present = {}) {
  detail::expect_shape("supcon_loss", "second", second.shape(), first.shape());
  const index_t batch = first.extent(0), width = first.extent(1);
  const auto flat = [&](const Variable<T, 2, D>& view) {
    return reshape(view, std::array<index_t, 2>{1, batch * width});
  };
  if (present.defined()) detail::expect_shape("supcon_loss", "present", present.host().shape(), Shape{batch});
  return supcon_loss(
      reshape(concat(List<Variable<T, 2, D>>{flat(first), flat(second)}, -1), std::array<index_t, 2>{2 * batch, width}),
      labels.twice(), options, Present<D>::joined(present, present, batch));
}

/// Two views of each sample, each a class of its own: row i of `first` and row i of `second` are positives of each
/// other, all 2N − 2 other rows negatives. `present` says which samples have both views.  (NT-Xent, Chen et al., ICML
/// 2020)
template <class T, class D>
Variable<T, 0, D> nt_xent_loss(const Variable<T, 2, D>& first, const Variable<T, 2, D>& second,
                               SupConOptions options = {}, const Given<Present<D>>& present = {}) {
  detail::expect_shape("nt_xent_loss", "second", second.shape(), first.shape());
  List<index_t> own(static_cast<std::size_t>(first.extent(0)));
  for (std::size_t i = 0; i < own.size(); ++i) own[i] = index_t(i);
  return supcon_loss(first, second, own, options, present);
}

struct TripletOptions {
  double margin = 1;
  bool swap = false;      ///< the negative's distance is the smaller of those to anchor and positive
  double epsilon = 1e-6;  ///< added to every difference
};

/// mean_i max(0, margin + ‖a−p+ε‖ − ‖a−n+ε‖); all (N, d).  (Schroff et al., CVPR 2015; swap: Balntas et al., BMVC 2016)
template <class T, class D>
Variable<T, 0, D> triplet_loss(const Variable<T, 2, D>& anchor, const Variable<T, 2, D>& positive,
                               const Variable<T, 2, D>& negative, TripletOptions options = {},
                               const Given<Present<D>>& present = {}) {
  detail::expect_shape("triplet_loss", "positive", positive.shape(), anchor.shape());
  detail::expect_shape("triplet_loss", "negative", negative.shape(), anchor.shape());
  detail::expect_not_negative("triplet_loss", "margin", options.margin);
  const detail::Kept<D> kept("triplet_loss", anchor.extent(0), present);
  detail::LossInput a(anchor, kept), p(positive, kept), q(negative, kept);
  const auto value = Kernels<D>::ContrastLosses::triplet(
      kept.count(), anchor.extent(1), a.data(), p.data(), q.data(), options.margin, options.swap, options.epsilon,
      kept.count() > 0 ? 1 / double(kept.count()) : 0, a.gradient(), p.gradient(), q.gradient());
  return detail::record_loss("triplet_loss", value, a, p, q);
}

struct CosineEmbeddingOptions {
  double margin = 0;
};

/// mean_i of 1 − cos(x_i, y_i) for target 1 and max(0, cos(x_i, y_i) − margin) for target −1, with 1e-12 added to each
/// squared norm. x and y (N, d), targets (N). Throws Error for a target that is neither.
template <class T, class D>
Variable<T, 0, D> cosine_embedding_loss(const Variable<T, 2, D>& first, const Variable<T, 2, D>& second,
                                        const Given<Labels<D>>& targets, CosineEmbeddingOptions options = {},
                                        const Given<Present<D>>& present = {}) {
  detail::expect_shape("cosine_embedding_loss", "second", second.shape(), first.shape());
  const index_t batch = first.extent(0);
  if (targets.size() != batch)
    throw ShapeError(detail::cat("cosine_embedding_loss: ", targets.size(), " targets for ", batch, " samples"));
  const detail::Kept<D> kept("cosine_embedding_loss", batch, present);
  for (index_t i = 0; i < kept.count(); ++i)
    if (const index_t target = targets[kept.row(i)]; target != 1 && target != -1)
      throw Error(
          detail::cat("cosine_embedding_loss: target ", target, " of sample ", kept.row(i), " is neither 1 nor -1"));
  const auto chosen = kept.of(targets);
  detail::LossInput x(first, kept), y(second, kept);
  const auto value = Kernels<D>::ContrastLosses::cosine_embedding(
      kept.count(), first.extent(1), x.data(), y.data(), chosen.data(), options.margin,
      kept.count() > 0 ? 1 / double(kept.count()) : 0, x.gradient(), y.gradient());
  return detail::record_loss("cosine_embedding_loss", value, x, y);
}

struct ScdOptions {
  double margin = 1;       ///< η: the distance that other samples are pushed apart to
  bool normalize = false;  ///< unit rows first: distances in 0..2
  Reduction reduction = Reduction::mean;
};

/// Sample-level contrastive distillation. With D_ij = ‖h^s_i − h^t_j‖ (Li et al., CorrKD, arXiv 2404.16456):
///   sum  = Σ_i Σ_{j≠i} [D_ii² + max(0, η − √(D_ij² + 1e-12))²],   mean = sum / (N(N−1)).
/// student and teacher (N, d). One sample has no others: sum 0, mean D_11². Coinciding pairs i ≠ j push nothing.
template <class T, class D>
Variable<T, 0, D> scd_loss(const Variable<T, 2, D>& student, const Variable<T, 2, D>& teacher, ScdOptions options = {},
                           const Given<Present<D>>& present = {}) {
  detail::expect_shape("scd_loss", "teacher", teacher.shape(), student.shape());
  detail::expect_not_negative("scd_loss", "margin", options.margin);
  const detail::Kept<D> kept("scd_loss", student.extent(0), present);
  const index_t n = kept.count(), width = student.extent(1);
  const bool mean = options.reduction == Reduction::mean;
  const double pull = n == 0 ? 0 : mean ? 1 / double(n) : double(n - 1);
  const double push = mean && n > 1 ? 1 / (double(n) * double(n - 1)) : 1;
  detail::LossInput s(student, kept), t(teacher, kept);
  if (!options.normalize) {
    const auto value = Kernels<D>::ContrastLosses::sample_contrast(n, width, s.data(), t.data(), options.margin, pull,
                                                                   push, s.gradient(), t.gradient());
    return detail::record_loss("scd_loss", value, s, t);
  }
  const typename Kernels<D>::LossRows::template Unit<T> a(n, width, s.data(), 1e-12), b(n, width, t.data(), 1e-12);
  auto to_a = detail::zeros_on<T, D>({s.gradient() ? n : 0, width});
  auto to_b = detail::zeros_on<T, D>({t.gradient() ? n : 0, width});
  const auto value = Kernels<D>::ContrastLosses::sample_contrast(n, width, a.data(), b.data(), options.margin, pull,
                                                                 push, to_a.data(), to_b.data());
  if (s.gradient()) a.back(to_a.data(), s.gradient());
  if (t.gradient()) b.back(to_b.data(), t.gradient());
  return detail::record_loss("scd_loss", value, s, t);
}

}  // namespace lacuna
