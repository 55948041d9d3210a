/// Dropout: in training every element is kept with probability 1 - p and scaled by 1 / (1 - p).
/// (Srivastava et al., JMLR 2014)
#pragma once

#include "lacuna/autograd/accumulate.hpp"
#include "lacuna/autograd/record.hpp"
#include "lacuna/core/context.hpp"
#include "lacuna/core/precompile.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/ops/arithmetic.hpp"

namespace lacuna {

/// y = x in inference and for p = 0. In training the elements come from the context's random source (counter-based, not
/// stored), or from its tape. Throws OptionError for p outside [0, 1) and when training has neither.
template <class T, int R, class D>
Variable<T, R, D> dropout(const Variable<T, R, D>& x, double p, const Context& context) {
  const Dropout what = context.dropout(p);
  if (what == Dropout::none) return x;
  Tensor<T, R, D> y(x.value().extents());
  if (what == Dropout::recorded) {
    const Array<double>& given = context.tape->next(x.shape());
    Tensor<T, R, D> factors(x.value().extents());
    const std::vector<double> numbers = given.to_vector();
    factors.assign(std::vector<T>(numbers.begin(), numbers.end()));
    Kernels<D>::Elementwise::multiply(y.size(), x.data(), factors.data(), y.data());
    return record(
        "dropout", y,
        [x = x.node(), factors](const Tensor<T, R, D>& dy) {
          if (const auto slot = x->slot())
            Kernels<D>::Elementwise::contribute_product(dy.size(), dy.data(), factors.data(), slot);
        },
        x);
  }
  const auto keep = functors::Keep::with(context.random->stream(), p);
  Kernels<D>::Elementwise::template dropout<T>(keep, y.size(), x.data(), {y.data(), true});
  const Variable<T, R, D> result = record(
      "dropout", y,
      [x = x.node(), keep](const Tensor<T, R, D>& dy) {
        if (const auto slot = x->slot()) Kernels<D>::Elementwise::template dropout<T>(keep, dy.size(), dy.data(), slot);
      },
      x);
  if constexpr (requires { Kernels<D>::Elementwise::redraws_from; })
    if (result.size() >= Kernels<D>::Elementwise::redraws_from)
      detail::remake_by(result, [x, keep] {
        Tensor<T, R, D> again(x.extents());
        Kernels<D>::Elementwise::template dropout<T>(keep, again.size(), x.data(), {again.data(), true});
        return again;
      });
  return result;
}

/// y = x + dropout(f): a branch joins what it left, in one pass.
template <class T, int R, class D>
Variable<T, R, D> add_dropout(const Variable<T, R, D>& x, const Variable<T, R, D>& f, double p,
                              const Context& context) {
  if (context.dropout(p) != Dropout::drawn) return x + dropout(f, p, context);
  detail::expect_shape("add", "b", f.shape(), x.shape());
  Tensor<T, R, D> y(x.value().extents());
  const auto keep = functors::Keep::with(context.random->stream(), p);
  Kernels<D>::Elementwise::add_dropped(keep, y.size(), x.data(), f.data(), y.data());
  return record(
      "add_dropout", y,
      [x = x.node(), f = f.node(), keep](const Tensor<T, R, D>& dy) {
        accumulate(x, dy);
        if (const auto slot = f->slot()) Kernels<D>::Elementwise::template dropout<T>(keep, dy.size(), dy.data(), slot);
      },
      x, f);
}

#define LACUNA_DETAIL_DROPOUT(T, R) \
  LACUNA_PRECOMPILE(template Variable<T, R, Cpu> dropout(const Variable<T, R, Cpu>&, double, const Context&))
LACUNA_DETAIL_DROPOUT(float, 2)
LACUNA_DETAIL_DROPOUT(float, 3)
LACUNA_DETAIL_DROPOUT(double, 2)
LACUNA_DETAIL_DROPOUT(double, 3)
#undef LACUNA_DETAIL_DROPOUT

}  // namespace lacuna
