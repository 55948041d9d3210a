/// The identity whose gradient is turned round: y = x, dx = −factor · dy. What stands behind it learns, what stands before
/// it unlearns.  (Ganin & Lempitsky, ICML 2015)
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {

template <class T, int R, class D>
Variable<T, R, D> gradient_reversal(const Variable<T, R, D>& x, double factor = 1) {
  return record(
      "gradient_reversal", x.value(),
      [x, factor](const Tensor<T, R, D>& dy) {
        if (const auto slot = x.gradient_slot())
          Kernels<D>::Elementwise::contribute_scaled(dy.size(), T(-factor), dy.data(), slot);
      },
      x);
}

}  // namespace lacuna
