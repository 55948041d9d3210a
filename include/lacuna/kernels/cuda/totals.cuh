/// What the losses share on a device: their value as a scalar that stays there, sums over rows in a fixed order, the
/// softmax of a row by a team.
///
/// Policy: formulas in double; one team per row writes the row's own value, and one block adds the values of all rows,
/// in an order that depends on their count alone (`fold_into` of run.cuh). The value becomes a number of the host only
/// when somebody asks for it.
#pragma once

#include "lacuna/core/tensor.hpp"
#include "lacuna/kernels/cuda/run.cuh"
#include "lacuna/kernels/loss_formulas.hpp"

namespace lacuna::cuda {

/// The value of a loss: one number on the device.
template <class T, class Run>
using Total = Array<T, typename Run::device>;

/// scale · Σ parts, n of them.
template <class T, class Run>
Total<T, Run> total(const char* name, index_t n, const double* parts, double scale) {
  Total<T, Run> value{Shape{}};
  T* const to = value.data();
  fold_into<Run>(
      name, n, 1, [=] LACUNA_DEVICE(index_t i, index_t) { return parts[i]; },
      [=] LACUNA_DEVICE(index_t, double sum) { to[0] = T(scale * sum); });
  return value;
}

/// scale · Σ_i row(i, team) over i < n; every lane calls, the number of lane 0 counts.
template <class T, class Run, class F>
Total<T, Run> sum_rows(const char* name, index_t n, double scale, F row) {
  const Buffer<double, Run> parts(n);
  double* const to = parts.data();
  Run::rows(name, n, [=] LACUNA_DEVICE(index_t i, typename Run::Team team) {
    const double part = row(i, team);
    if (team.lane() == 0) to[i] = part;
  });
  return total<T, Run>(name, n, to, scale);
}

/// scale · Σ term(i) over i < n: for arrays that are no matrix of rows.
template <class T, class Run, class F>
Total<T, Run> sum_terms(const char* name, index_t n, double scale, F term) {
  const Pieces cut = pieces_of(n, 2048, 1024);
  return sum_rows<T, Run>(name, cut.pieces, scale, [=] LACUNA_DEVICE(index_t p, typename Run::Team team) {
    double part = 0;
    for (index_t i = cut.begin(p) + team.lane(); i < cut.end(p); i += team.lanes()) part += term(i);
    return team.sum(part);
  });
}

/// The logarithm of Σ_k exp(z_k s) over k < n without k = skip: log-softmax is z_k s less this. z_k stands at k · step.
template <class T, class Team>
LACUNA_DEVICE double log_sum(const Team& team, index_t n, const T* z, double s, index_t skip = -1, index_t step = 1) {
  double largest = -INFINITY, sum = 0;
  for (index_t k = team.lane(); k < n; k += team.lanes()) {
    const double x = double(z[k * step]) * s;
    largest = k != skip && x > largest ? x : largest;
  }
  largest = team.largest(largest);
  for (index_t k = team.lane(); k < n; k += team.lanes())
    if (k != skip) sum += std::exp(double(z[k * step]) * s - largest);
  return largest + std::log(team.sum(sum));
}

/// Σ a_f b_f in double.
template <class A, class B, class Team>
LACUNA_DEVICE double inner(const Team& team, index_t n, const A* a, const B* b) {
  double sum = 0;
  for (index_t f = team.lane(); f < n; f += team.lanes()) sum += double(a[f]) * double(b[f]);
  return team.sum(sum);
}

}  // namespace lacuna::cuda
