/// Handing on a gradient that is at hand as a whole array.
#pragma once

#include "lacuna/autograd/variable.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/kernels.hpp"

namespace lacuna {

/// Adds `dy`, of as many numbers as x, to the gradient of x, inside an operation's backward. The first share that an
/// inner node gets is shared, not copied: an addition, a reshape, a sum of branches then cost nothing on the way back.
/// It is copied when another share is added to it, so `dy` itself never changes.
template <class T, class D>
void accumulate(const NodeHandle<T, D>& x, const Array<T, D>& dy) {
  if (x->adopt(dy)) return;
  if (const auto slot = x->slot()) Kernels<D>::Elementwise::contribute_scaled(dy.size(), T(1), dy.data(), slot);
}
template <class T, int R, class D>
void accumulate(const Variable<T, R, D>& x, const Array<T, D>& dy) {
  accumulate(x.node(), dy);
}

}  // namespace lacuna
