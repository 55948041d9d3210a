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

#include "lacuna/core/huge_pages.hpp"
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

/// place(weight, size, lay_out) for every weight below: `size` numbers that lay_out(to) writes.
template <class M, class Place>
void for_each_layout(const M& module, Place&& place) {
  if constexpr (is_linear<M>) {
    using T = typename decltype(module.weight)::scalar;
    if (!module.weight.defined()) return;
    const index_t out = module.weight.extent(0), in = module.weight.extent(1);
    place(module.weight, cpu::PackedGemm::size<T>(out, in),
          [&](T* to) { cpu::PackedGemm::pack(out, in, module.weight.data(), to); });
  } else if constexpr (is_conv1d<M>) {
    using T = typename decltype(module.weight)::scalar;
    if (!module.weight.defined() || module.options.groups != 1) return;
    const index_t out = module.weight.extent(0), in = module.weight.extent(1), kernel = module.weight.extent(2);
    place(module.weight, cpu::Conv1d::packed_size<T>(out, in, kernel),
          [&](T* to) { cpu::Conv1d::pack(out, in, kernel, module.weight.data(), to); });
  } else if constexpr (is_list<M>) {
    for (const auto& part : module) for_each_layout(part, place);
  } else if constexpr (is_optional<M>) {
    if (module) for_each_layout(*module, place);
  } else if constexpr (!is_parameter<M> && !is_buffer<M>) {
    M::reflect(module, [&](const char*, const auto& part) { for_each_layout(part, place); });
  }
}

/// All layouts in one block of memory, which goes with the last of them.
template <class T, class M>
void pack_layers(const M& module) {
  index_t total = 0;
  const auto seat = [](index_t size) { return (size + 15) / 16 * 16; };  // whole lines of the cache
  for_each_layout(module, [&](const auto&, index_t size, auto&&) { total += seat(size); });
  const std::shared_ptr<void> block = in_huge_pages(std::size_t(total) * sizeof(T));
  T* to = static_cast<T*>(block.get());
  for_each_layout(module, [&](const auto& weight, index_t size, auto&& lay_out) {
    lay_out(to);
    weight.node()->packed = std::make_unique<const Array<T>>(Shape{size}, to, block);
    to += seat(size);
  });
}

}  // namespace detail

/// See above; again for a module that is laid out already.
template <class M>
void pack_weights(const M& module) {
  freeze(module);
#ifndef LACUNA_USE_BLAS
  if constexpr (std::is_same_v<detail::place_of<M>, Cpu>) detail::pack_layers<detail::scalar_of<M>>(module);
#endif
}

}  // namespace lacuna
