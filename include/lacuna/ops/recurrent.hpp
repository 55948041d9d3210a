/// One direction of one layer of a GRU or an LSTM over a whole sequence, as one operation.
///   GRU   r, z = σ(x_rz + W h + b),  n = tanh(x_n + r ∘ (W_n h + b_n)),  h ← (1−z) ∘ n + z ∘ h     (Cho et al. 2014)
///   LSTM  i, f, o = σ(x + W h + b),  g = tanh(…),  c ← f ∘ c + i ∘ g,  h ← o ∘ tanh c   (Hochreiter & Schmidhuber
///   1997)
/// x_… are columns of `gates_x` = x W_xᵀ + b_x, a linear layer over all frames at once.
#pragma once

#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/recurrent.hpp"
#include "lacuna/kernels/cpu/reduce.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/ops/slice.hpp"

namespace lacuna {

template <class T, class D = Cpu>
struct RecurrentOutput {
  Variable<T, 3, D> y;  ///< (B, T, H): the state after every frame, 0 at absent ones
  Variable<T, 2, D> h;  ///< (B, H): the last state
  Variable<T, 2, D> c;  ///< (B, H): the last cell of an LSTM, undefined for a GRU
};

/// gates_x (B, T, G·H), gates in the order r, z, n (G = 3) or i, f, g, o (G = 4); weight (G·H, H); bias (G·H), h0 and
/// c0 (B, H), or undefined for zeros; present (B, T), 1 = present, or undefined for all; `reverse` goes from the last
/// frame. An absent frame is not read: the state stays, the output there is 0, the gradient 0. So lengths are masks
/// (`mask_from_lengths`), and a sample with nothing present keeps its initial state. Gradients flow to gates_x, weight,
/// bias, h0 and c0, from y, h and c. Throws ShapeError when the sizes do not fit.
template <class T, class D>
RecurrentOutput<T, D> recurrent(Recurrence kind, const Variable<T, 3, D>& gates_x, const Variable<T, 2, D>& weight,
                                Variable<T, 1, D> bias, Variable<T, 2, D> h0, Variable<T, 2, D> c0,
                                const Mask<2, D>& present, bool reverse) {
  const index_t batch = gates_x.extent(0), frames = gates_x.extent(1), n = weight.extent(1);
  RecurrentSizes sizes{kind, batch, frames, n, reverse, nullptr};
  const index_t width = sizes.gates() * n;
  const char* name = kind == Recurrence::gru ? "gru" : "lstm";
  detail::expect_axis(name, "gates_x", gates_x.shape(), 2, width);
  detail::expect_axis(name, "weight", weight.shape(), 0, width);
  if (!bias.defined()) bias = Variable<T, 1, D>(Tensor<T, 1, D>::zeros({width}));
  if (!h0.defined()) h0 = Variable<T, 2, D>(Tensor<T, 2, D>::zeros({batch, n}));
  if (!c0.defined()) c0 = Variable<T, 2, D>(Tensor<T, 2, D>::zeros({batch, n}));
  detail::expect_shape(name, "bias", bias.shape(), Shape{width});
  detail::expect_shape(name, "h0", h0.shape(), Shape{batch, n});
  detail::expect_shape(name, "c0", c0.shape(), Shape{batch, n});
  if (present.defined()) detail::expect_shape(name, "present", present.shape(), Shape{batch, frames});

  const bool lstm = kind == Recurrence::lstm;
  const index_t all = batch * frames * n, one = batch * n;
  Tensor<T, 1, D> y({all + (lstm ? 2 : 1) * one});  // outputs, last state, last cell
  Tensor<T, 1, D> saved({batch * frames * sizes.saved()});
  sizes.present = present.data();
  Kernels<D>::Recurrent::recurrent(sizes, gates_x.data(), weight.data(), bias.data(), h0.data(), c0.data(), y.data(),
                                   y.data() + all, lstm ? y.data() + all + one : nullptr, saved.data());
  const auto result = record(
      name, y,
      [=](const Tensor<T, 1, D>& dy) {
        RecurrentSizes s = sizes;
        s.present = present.data();
        Tensor<T, 1, D> to_x({batch * frames * width}), to_h({batch * frames * width}), before({all});
        Kernels<D>::Recurrent::recurrent_gradient(
            s, weight.data(), saved.data(), dy.data(), dy.data() + all, lstm ? dy.data() + all + one : nullptr,
            to_x.data(), to_h.data(), before.data(), h0.gradient_slot(), lstm ? c0.gradient_slot() : GradientSlot<T>());
        if (const auto slot = gates_x.gradient_slot())
          Kernels<D>::Elementwise::contribute_scaled(to_x.size(), T(1), std::as_const(to_x).data(), slot);
        if (const auto slot = weight.gradient_slot())
          Kernels<D>::Gemm::template gemm<T>(width, n, batch * frames, {to_h.data(), width, true}, {before.data(), n},
                                             slot.beta(), slot.data, n);
        if (const auto slot = bias.gradient_slot())
          Kernels<D>::Reduce::column_sums(batch * frames, width, std::as_const(to_h).data(), slot);
      },
      gates_x, weight, bias, h0, c0);
  RecurrentOutput<T, D> output{
      detail::output_part<3>(result, 0, {batch, frames, n}), detail::output_part<2>(result, all, {batch, n}), {}};
  if (lstm) output.c = detail::output_part<2>(result, all + one, {batch, n});
  return output;
}

}  // namespace lacuna
