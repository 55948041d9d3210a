/// Batches of mixed lengths without their padding: the present frames stand side by side as rows (N, F), so that what
/// works on rows alone (linear layers, norms, dropout) computes nothing for absent ones. On the host.
///
/// Numbers are those of the padded batch: a row's product does not depend on its neighbours, and dropout draws for a
/// row what it draws for its frame. Gradients of weights leave out terms that were 0; where more than 256 rows are
/// summed they round differently.
#pragma once

#include "lacuna/autograd/record.hpp"
#include "lacuna/core/context.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/linear.hpp"
#include "lacuna/kernels/cpu/loss_rows.hpp"
#include "lacuna/kernels/cpu/reduce.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/ops/linear.hpp"

namespace lacuna {

/// Which frames are computed: automatic takes the present ones alone where that is worth the copies, a choice made by
/// the mask only.
enum class Rows { automatic, all, present };

/// The present frames of a mask (B, T) by their number b·T + t, ascending.
struct PresentRows {
  Array<index_t> numbers;
  index_t batch = 0, frames = 0;

  PresentRows() = default;
  explicit PresentRows(const Mask<2>& present) : batch(present.extent(0)), frames(present.extent(1)) {
    const std::uint8_t* const mask = present.data();
    index_t count = 0;
    for (index_t i = 0; i < present.size(); ++i) count += mask[i] != 0;
    numbers = Array<index_t>(Shape{count});
    for (index_t i = 0, n = 0; i < present.size(); ++i)
      if (mask[i]) numbers.data()[n++] = i;
  }
  index_t count() const { return numbers.size(); }
  index_t operator[](index_t i) const { return numbers.data()[i]; }
  /// Whether the frames that are left out outweigh the copies: a quarter of all.
  bool pays() const { return 4 * count() <= 3 * batch * frames; }
  bool taken(Rows rows) const { return rows == Rows::present || (rows == Rows::automatic && pays()); }
};

namespace detail {

template <class T>
void gather(const PresentRows& rows, index_t width, const T* from, GradientSlot<T> to) {
  if (to.fresh) return Kernels<Cpu>::LossRows::gather_rows(rows.count(), width, from, rows.numbers.data(), to.data);
  parallel_for(rows.count(), row_grain(width), [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i)
      for (index_t j = 0; j < width; ++j) to.data[i * width + j] += from[rows[i] * width + j];
  });
}
/// Absent rows: 0.
template <class T>
void scatter(const PresentRows& rows, index_t width, const T* from, GradientSlot<T> to) {
  if (to.fresh)
    parallel_for(rows.batch * rows.frames, row_grain(width),
                 [&](index_t begin, index_t end) { std::fill(to.data + begin * width, to.data + end * width, T(0)); });
  parallel_for(rows.count(), row_grain(width), [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i)
      for (index_t j = 0; j < width; ++j) {
        T& place = to.data[rows[i] * width + j];
        place = (to.fresh ? T(0) : place) + from[i * width + j];
      }
  });
}
/// y = x or 0, times the scale: for every row what the padded batch draws for its frame.
template <class T>
void drop_rows(const functors::Keep& keep, const PresentRows& rows, index_t width, const T* x, T* y) {
  parallel_for(rows.count(), row_grain(width), [&](index_t begin, index_t end) {
    for (index_t i = begin, next; i < end; i = next) {
      for (next = i + 1; next < end && rows[next] == rows[next - 1] + 1;) ++next;  // frames in a row are one run
      cpu::drop_run(keep, rows[i] * width, (next - i) * width, x + i * width, y + i * width);
    }
  });
}
inline bool drops(double p, const Context& context) {
  const Dropout what = context.dropout(p);
  if (what == Dropout::recorded)
    throw OptionError("dropout: a tape holds factors of all frames, not of the present ones");
  return what == Dropout::drawn;
}

}  // namespace detail

/// x (B, T, F) → (N, F): the present frames. Absent ones get gradient 0.
template <class T>
Variable<T, 2> gather_present(const Variable<T, 3>& x, const PresentRows& rows) {
  detail::expect_shape("gather_present", "x", x.shape(), Shape{rows.batch, rows.frames, x.extent(2)});
  const index_t width = x.extent(2);
  Tensor<T, 2> y({rows.count(), width});
  detail::gather(rows, width, x.data(), {y.data(), true});
  return record(
      "gather_present", y,
      [x = x.node(), rows, width](const Tensor<T, 2>& dy) {
        if (const auto slot = x->slot()) detail::scatter(rows, width, dy.data(), slot);
      },
      x);
}

/// x (N, F) → (B, T, F): absent frames are 0.
template <class T>
Variable<T, 3> scatter_present(const Variable<T, 2>& x, const PresentRows& rows) {
  const index_t width = x.extent(1);
  detail::expect_axis("scatter_present", "x", x.shape(), 0, rows.count());
  Tensor<T, 3> y({rows.batch, rows.frames, width});
  detail::scatter(rows, width, x.data(), {y.data(), true});
  return record(
      "scatter_present", y,
      [x = x.node(), rows, width](const Tensor<T, 3>& dy) {
        if (const auto slot = x->slot()) detail::gather(rows, width, dy.data(), slot);
      },
      x);
}

/// y = gather(dropout(scatter(x))), x (N, F).
template <class T>
Variable<T, 2> dropout_present(const Variable<T, 2>& x, const PresentRows& rows, double p, const Context& context) {
  if (!detail::drops(p, context)) return x;
  const index_t width = x.extent(1);
  const auto keep = functors::Keep::with(context.random->stream(), p);
  Tensor<T, 2> y(x.extents());
  detail::drop_rows(keep, rows, width, x.data(), y.data());
  return record(
      "dropout_present", y,
      [x = x.node(), rows, width, keep](const Tensor<T, 2>& dy) {
        const auto slot = x->slot();
        if (!slot) return;
        if (slot.fresh) return detail::drop_rows(keep, rows, width, dy.data(), slot.data);
        Tensor<T, 2> share(dy.extents());
        detail::drop_rows(keep, rows, width, dy.data(), share.data());
        Kernels<Cpu>::Elementwise::contribute_scaled(share.size(), T(1), std::as_const(share).data(), slot);
      },
      x);
}

/// y = activation-free linear layer over all frames of a constant: frames (B, T, in), of which absent ones are not read
/// and count as 0, so that y holds the bias there. weight (out, in), bias (out) or undefined → (B, T, out).
template <class T>
Variable<T, 3> linear_present(const Tensor<T, 3>& frames, const PresentRows& rows, const Variable<T, 2>& weight,
                              const Variable<T, 1>& bias) {
  const index_t in = weight.extent(1), out = weight.extent(0), all = rows.batch * rows.frames;
  detail::expect_shape("linear_present", "frames", frames.shape(), Shape{rows.batch, rows.frames, in});
  if (bias.defined()) detail::expect_shape("linear_present", "bias", bias.shape(), Shape{out});
  Tensor<T, 2> x({rows.count(), in}), product({rows.count(), out});
  detail::gather(rows, in, frames.data(), {x.data(), true});
  const T* const shift = bias.data_or_null();
  Kernels<Cpu>::Linear::linear(rows.count(), in, out, std::as_const(x).data(), weight.data(), shift, Activation::none,
                               product.data(), weight.packed());
  Tensor<T, 3> y({rows.batch, rows.frames, out});
  detail::scatter(rows, out, std::as_const(product).data(), {y.data(), true});
  if (shift)
    for (index_t i = 0, n = 0; i < all; ++i) {
      if (n < rows.count() && rows[n] == i) {
        ++n;
      } else {
        std::copy_n(shift, out, y.data() + i * out);
      }
    }
  const auto backward = [=](const Tensor<T, 3>& dy) {
    if (const auto slot = weight.gradient_slot()) {
      Tensor<T, 2> g({rows.count(), out});
      detail::gather(rows, out, dy.data(), {g.data(), true});
      Kernels<Cpu>::Gemm::template gemm<T>(out, in, rows.count(), {std::as_const(g).data(), out, true}, {x.data(), in},
                                           slot.beta(), slot.data, in);
    }
    if (const auto slot = bias.gradient_slot()) Kernels<Cpu>::Reduce::column_sums(all, out, dy.data(), slot);
  };
  return record("linear_present", y, backward, weight, bias);
}

}  // namespace lacuna
