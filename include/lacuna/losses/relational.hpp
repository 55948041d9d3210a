/// Relational distillation: the student copies how the samples of a batch lie to each other, not where they lie, so
/// that both networks may have features of other widths.
///
/// student (N, ds), teacher (N, dt). Gradient flows to both: detach the teacher. present (N) or undefined for all:
/// absent samples stand in no relation and get gradient 0; none present: 0.
///
/// ```cpp
/// const auto distances = rkd_distance_loss(prediction, first.detach());   // widths may differ
/// const auto angles = rkd_angle_loss(prediction, first.detach());
/// (25.0 * distances + 50.0 * angles).backward();
/// ```
#pragma once

#include "lacuna/kernels/cpu/relation_losses.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/batch.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/matmul.hpp"
#include "lacuna/ops/reduction.hpp"

namespace lacuna {
namespace detail {

/// f(count, student width, student, teacher width, teacher, gradients) on the present rows.
template <class T, class D, class F>
Variable<T, 0, D> relation_loss(const char* operation, const Variable<T, 2, D>& student,
                                const Variable<T, 2, D>& teacher, const Present<D>& present, F&& f) {
  expect_axis(operation, "teacher", teacher.shape(), 0, student.extent(0));
  const Kept<D> kept(operation, student.extent(0), present);
  LossInput s(student, kept), t(teacher, kept);
  const auto value = f(kept.count(), s.width(), s.data(), t.width(), t.data(), s.gradient(), t.gradient());
  return record_loss(operation, value, s, t);
}

}  // namespace detail

/// Distances within each batch (slope 0 at distance 0), divided by the mean of their positive entries (of each network
/// by its own); smooth L1 (β = 1) of the difference, mean over all N² pairs.  (RKD-D, Park et al., CVPR 2019)
template <class T, class D>
Variable<T, 0, D> rkd_distance_loss(const Variable<T, 2, D>& student, const Variable<T, 2, D>& teacher,
                                    const Given<Present<D>>& present = {}) {
  return detail::relation_loss("rkd_distance_loss", student, teacher, present, [](auto... problem) {
    return Kernels<D>::RelationLosses::template distance_relations<T>(problem...);
  });
}

/// With e_ij = (f_j − f_i)/‖f_j − f_i‖: smooth L1 of the difference of ⟨e_ij, e_ik⟩, mean over all N³ triples. Where
/// two samples coincide the vector is 0 and is divided by 1: a finite slope that lets them part. O(N³ d) time, O(N²)
/// memory.  (RKD-A, Park et al., CVPR 2019)
template <class T, class D>
Variable<T, 0, D> rkd_angle_loss(const Variable<T, 2, D>& student, const Variable<T, 2, D>& teacher,
                                 const Given<Present<D>>& present = {}) {
  return detail::relation_loss("rkd_angle_loss", student, teacher, present, [](auto... problem) {
    return Kernels<D>::RelationLosses::template angle_relations<T>(problem...);
  });
}

/// ‖Ĝᵗ − Ĝˢ‖_F² / N², Ĝ = F Fᵀ with rows of unit length.  (Similarity-preserving, Tung & Mori, ICCV 2019)
template <class T, class D>
Variable<T, 0, D> similarity_preserving_loss(const Variable<T, 2, D>& student, const Variable<T, 2, D>& teacher,
                                             const Given<Present<D>>& present = {}) {
  detail::expect_axis("similarity_preserving_loss", "teacher", teacher.shape(), 0, student.extent(0));
  const detail::Kept<D> kept("similarity_preserving_loss", student.extent(0), present);
  if (kept.count() == 0) return detail::nothing_to_compare("similarity_preserving_loss", kept, student, teacher);
  const auto similarities = [&](const Variable<T, 2, D>& features) {
    const auto rows = detail::kept_rows(features, kept);
    const auto gram = matmul(rows, rows, {.transpose_b = true});
    return gram / maximum(norm(gram, 2, 1, keepdim), 1e-12);
  };
  return mean(square(similarities(teacher) - similarities(student)));
}

}  // namespace lacuna
