/// Sums over a few rows in one launch: the rows of a batch, of which there are seldom more than 64.
#pragma once

#include "lacuna/kernels/cuda/totals.cuh"

namespace lacuna::cuda {

/// As sum_rows of totals.cuh: scale · Σ_i row(i, team) over i < n; every lane calls, the number of lane 0 counts. Up to
/// 64 rows are those of one block, whose teams take two each; its first team adds them in an order that depends on n
/// alone.
template <class T, class Run, class F>
Total<T, Run> sum_few_rows(const char* name, index_t n, double scale, F row) {
  constexpr index_t most = 64;
  if (n > most) return sum_rows<T, Run>(name, n, scale, row);
  Total<T, Run> value{Shape{}};
  T* const to = value.data();
  Run::template blocks<1024>(name, 1, most * sizeof(double), [=] LACUNA_DEVICE(index_t, typename Run::Block block) {
    double* const parts = block.template memory<double>();
    const typename Run::Team team = block.team();
    for (index_t i = block.team_number(); i < n; i += block.teams()) {
      const double part = row(i, team);
      if (team.lane() == 0) parts[i] = part;
    }
    block.sync();
    if (block.team_number() != 0) return;
    double sum = 0;
    for (index_t i = team.lane(); i < n; i += team.lanes()) sum += parts[i];
    sum = team.sum(sum);
    if (team.lane() == 0) to[0] = T(scale * sum);
  });
  return value;
}

}  // namespace lacuna::cuda
