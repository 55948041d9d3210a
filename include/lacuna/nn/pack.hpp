/// All parameters of a module in one flat buffer, and their gradients in another: an optimizer step, a norm, a copy or
/// an all-reduce is then one pass. Every parameter starts at a multiple of 64 numbers, as products of matrices and
/// vector registers like it; what stands in between is never read, but for gradients, where it is 0.
#pragma once

#include "lacuna/nn/module.hpp"

namespace lacuna {

/// Where one parameter sits in the flat buffers. `node` keeps it reachable.
template <class T, class D>
struct Segment {
  std::string path;
  index_t offset, size;
  NodeHandle<T, D> node;
};

template <class T, class D = Cpu>
struct Packed {
  Array<T, D> values, gradients;
  std::vector<Segment<T, D>> segments;  ///< in the order of reflection

  /// Of the buffers: the parameters and the gaps between them.
  index_t size() const { return values.size(); }
  /// Forgets all gradients.
  void zero_grad() const {
    for (const auto& segment : segments) segment.node->has_gradient = false;
  }
};

/// Seats every parameter of `module` in flat buffers. The module keeps its numbers and its shapes. A parameter reached
/// twice is an error: tied weights must be one member.
template <class T = float, class D = Cpu, class M>
Packed<T, D> pack(M& module) {
  constexpr index_t seat_step = 64;
  const auto seats = [](index_t size) { return (size + seat_step - 1) / seat_step * seat_step; };
  Packed<T, D> packed;
  index_t total = 0;
  for_each_parameter(module, [&](const std::string&, auto& parameter) { total += seats(parameter.size()); });
  packed.values = Tensor<T, 1, D>::zeros({total});
  packed.gradients = Tensor<T, 1, D>::zeros({total});
  index_t offset = 0;
  for_each_parameter(module, [&](const std::string& path, auto& parameter) {
    Node<T, D>& node = *parameter.node();
    const Shape shape = node.value.shape();
    Array<T, D> seat = packed.values.window(offset, shape);
    D::copy(seat.data(), node.value.data(), std::size_t(shape.size()) * sizeof(T));
    node.value = seat;
    node.gradient = packed.gradients.window(offset, shape);
    node.has_gradient = node.borrowed = false;
    packed.segments.push_back({path, offset, shape.size(), parameter.node()});
    offset += seats(shape.size());
  });
  for (std::size_t i = 0; i < packed.segments.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (packed.segments[i].node.get() == packed.segments[j].node.get())
        throw Error(
            detail::cat("pack: ", packed.segments[i].path, " and ", packed.segments[j].path, " are one parameter"));
  D::after_packing();
  return packed;
}

}  // namespace lacuna
