/// Weights laid out once for the products of a model that only answers.
///
///     models::Sdumc<> model = ...;
///     pack_weights(model);                     // same answers in less time; twice the memory of its layers
///
/// Every `Linear` (..., in) → (..., out) and every `Conv1d` of one group below `module` keeps a second copy of its weight in
/// the order in which the matrix product reads it (kernels/cpu/gemm_packed.hpp). Answers are the same to the bit where a
/// product has up to 3 or more than 16 rows, and to rounding between. The module is frozen by that: an optimizer would write numbers that the
/// copy does not follow. `freeze(module, false)` drops the copies, and so does whoever writes a parameter. Copies of the
/// module have none. On other devices, and with the machine's BLAS, nothing is laid out.
#pragma once

#include "lacuna/kernels/cpu/conv1d.hpp"
#include "lacuna/kernels/cpu/gemm_packed.hpp"
#include "lacuna/nn/conv1d.hpp"
#include "lacuna/nn/linear.hpp"

namespace lacuna {
namespace detail {

template <class M>
inline constexpr bool is_linear = false;
template <class T, class D>
inline constexpr bool is_linear<Linear<T, D>> = true;
template <class M>
inline constexpr bool is_conv1d = false;
template <class T, class D>
inline constexpr bool is_conv1d<Conv1d<T, D>> = true;

/// Gives a weight its layout: `size` numbers that `lay_out` writes.
template <class T, int R, class F>
void keep_packed(const Parameter<T, R>& weight, index_t size, F&& lay_out) {
  Array<T> packed(Shape{size});
  lay_out(packed.data());
  weight.node()->packed = std::make_unique<const Array<T>>(packed);
}

template <class M>
void pack_layers(const M& module) {
  if constexpr (is_linear<M>) {
    using T = typename decltype(module.weight)::scalar;
    if (!module.weight.defined()) return;
    const index_t out = module.weight.extent(0), in = module.weight.extent(1);
    keep_packed(module.weight, cpu::PackedGemm::size<T>(out, in),
                [&](T* to) { cpu::PackedGemm::pack(out, in, module.weight.data(), to); });
  } else if constexpr (is_conv1d<M>) {
    using T = typename decltype(module.weight)::scalar;
    if (!module.weight.defined() || module.options.groups != 1) return;
    const index_t out = module.weight.extent(0), in = module.weight.extent(1), kernel = module.weight.extent(2);
    keep_packed(module.weight, cpu::Conv1d::packed_size<T>(out, in, kernel),
                [&](T* to) { cpu::Conv1d::pack(out, in, kernel, module.weight.data(), to); });
  } else if constexpr (is_list<M>) {
    for (const auto& part : module) pack_layers(part);
  } else if constexpr (is_optional<M>) {
    if (module) pack_layers(*module);
  } else if constexpr (!is_parameter<M> && !is_buffer<M>) {
    M::reflect(module, [](const char*, const auto& part) { pack_layers(part); });
  }
}

}  // namespace detail

/// See above; again for a module that is laid out already.
template <class M>
void pack_weights(const M& module) {
  freeze(module);
#ifndef LACUNA_USE_BLAS
  if constexpr (std::is_same_v<detail::place_of<M>, Cpu>) detail::pack_layers(module);
#endif
}

}  // namespace lacuna
