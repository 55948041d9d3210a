/// Weights laid out once for the products of a model that only answers.
///
///     models::Sdumc<> model = ...;
///     pack_weights(model);                     // same answers, to the bit, in less time; twice the memory of its layers
///
/// Every `Linear` (..., in) → (..., out) below `module` keeps a second copy of its weight in the order in which the matrix
/// product reads it (kernels/cpu/gemm_packed.hpp). The module is frozen by that: an optimizer would write numbers that the
/// copy does not follow. `freeze(module, false)` drops the copies, and so does whoever writes a parameter. Copies of the
/// module have none. On other devices, and with the machine's BLAS, nothing is laid out.
#pragma once

#include "lacuna/kernels/cpu/gemm_packed.hpp"
#include "lacuna/nn/linear.hpp"

namespace lacuna {
namespace detail {

template <class M>
inline constexpr bool is_linear = false;
template <class T, class D>
inline constexpr bool is_linear<Linear<T, D>> = true;

template <class M>
void pack_linears(const M& module) {
  if constexpr (is_linear<M>) {
    using T = typename decltype(module.weight)::scalar;
    if (!module.weight.defined()) return;
    const index_t out = module.weight.extent(0), in = module.weight.extent(1);
    Array<T> packed(Shape{cpu::PackedGemm::size<T>(out, in)});
    cpu::PackedGemm::pack(out, in, module.weight.data(), packed.data());
    module.weight.node()->packed = std::make_unique<const Array<T>>(packed);
  } else if constexpr (is_list<M>) {
    for (const auto& part : module) pack_linears(part);
  } else if constexpr (is_optional<M>) {
    if (module) pack_linears(*module);
  } else if constexpr (!is_parameter<M> && !is_buffer<M>) {
    M::reflect(module, [](const char*, const auto& part) { pack_linears(part); });
  }
}

}  // namespace detail

/// See above; again for a module that is laid out already.
template <class M>
void pack_weights(const M& module) {
  freeze(module);
#ifndef LACUNA_USE_BLAS
  if constexpr (std::is_same_v<detail::place_of<M>, Cpu>) detail::pack_linears(module);
#endif
}

}  // namespace lacuna
