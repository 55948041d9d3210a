/// All parameters of a module in one flat buffer, and their gradients in another: an optimizer step, a norm, a copy or
/// an all-reduce is then one pass. Every parameter starts at a multiple of 64 numbers, as products of matrices and
/// vector registers like it; what stands in between is never read, but for gradients, where it is 0.
///
/// Optimizers, averages and the trainer pack a model by themselves; several of them share one packing.
#pragma once

#include "lacuna/nn/module.hpp"

namespace lacuna {

/// Where one parameter or buffer sits in the flat buffers. `node` keeps it reachable.
template <class T, class D>
struct Segment {
  std::string path;
  index_t offset, size;
  NodeHandle<T, D> node;
  bool trained = true;  ///< false: a `Buffer` of the module
};

namespace detail {

/// What an array of `size` numbers takes of the flat buffers.
constexpr index_t seat_size(index_t size) { return (size + 63) / 64 * 64; }

}  // namespace detail

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
  /// Whether all arrays still stand where `pack` put them: not so after a larger module, of which this one is a part,
  /// was packed.
  bool seated() const {
    for (const auto& segment : segments) {
      const auto& node = *segment.node;
      if (std::as_const(node.value).data() != std::as_const(values).data() + segment.offset ||
          std::as_const(node.gradient).data() != std::as_const(gradients).data() + segment.offset)
        return false;
    }
    return true;
  }
  /// Throws Error, in the name of who asks, when they do not.
  void expect_seated(const char* who) const {
    if (!seated())
      throw Error(detail::cat(who, ": the parameters were packed anew, with a larger module; make ", who,
                              " after the optimizer of the whole model"));
  }
};

namespace detail {

/// Takes an array into the list of what is packed.
template <class T, class D>
struct IntoPacked {
  Packed<T, D>& packed;
  index_t& total;
  template <class Leaf>
  void operator()(const std::string& path, const Leaf& array) const {
    static_assert(std::is_same_v<typename Leaf::scalar, T> && std::is_same_v<typename Leaf::device, D>,
                  "pack: the module has parameters of another scalar type or device; name them, as in "
                  "pack<double>(model) or optim::AdamW<double> optimizer(model)");
    packed.segments.push_back({path, total, array.size(), array.node(), is_parameter<Leaf>});
    total += seat_size(array.size());
  }
};

template <class M>
inline constexpr bool is_packed = false;
template <class T, class D>
inline constexpr bool is_packed<Packed<T, D>> = true;

/// Whether b stands right behind a, values and gradients, so that a pass may run from one into the other.
template <class T, class D>
bool follows(const Segment<T, D>& a, const Segment<T, D>& b) {
  const index_t step = seat_size(a.size);
  const Node<T, D>&x = *a.node, &y = *b.node;
  return b.offset == a.offset + step && y.value.data() == x.value.data() + step &&
         y.gradient.data() == x.gradient.data() + step && y.value.beside(x.value) && y.gradient.beside(x.gradient);
}

/// Nodes that stand one behind the other in two blocks already, as `pack` seats them: the buffers they stand in.
template <class T, class D>
bool find_seats(Packed<T, D>& packed, index_t total) {
  if (packed.segments.empty()) return false;
  const auto& first = *packed.segments[0].node;
  for (const auto& segment : packed.segments) {
    const auto& node = *segment.node;
    if (node.borrowed || !node.gradient.defined() || !node.value.beside(first.value) ||
        !node.gradient.beside(first.gradient) ||
        std::as_const(node.value).data() != std::as_const(first.value).data() + segment.offset ||
        std::as_const(node.gradient).data() != std::as_const(first.gradient).data() + segment.offset)
      return false;
  }
  packed.values = first.value.stretched(total);
  packed.gradients = first.gradient.stretched(total);
  return packed.values.defined() && packed.gradients.defined();
}

}  // namespace detail

/// Seats every parameter and buffer of `module` in flat buffers. The module keeps its numbers and its shapes; gradients
/// are forgotten. A module that is packed already, alone or as a part of one, stays as it is, and the result shares its
/// buffers. A parameter reached twice is an error: tied weights must be one member.
template <class T = float, class D = Cpu, class M>
Packed<T, D> pack(M& module) {
  Packed<T, D> packed;
  index_t total = 0;
  const detail::IntoPacked<T, D> take{packed, total};
  for_each_array(std::as_const(module), take);
  for (std::size_t i = 0; i < packed.segments.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (packed.segments[i].node.get() == packed.segments[j].node.get())
        throw Error(
            detail::cat("pack: ", packed.segments[i].path, " and ", packed.segments[j].path, " are one parameter"));
  if (detail::find_seats(packed, total)) return packed;
  packed.values = Tensor<T, 1, D>::zeros({total});
  packed.gradients = Tensor<T, 1, D>::zeros({total});
  for (auto& segment : packed.segments) {
    Node<T, D>& node = *segment.node;
    const Shape shape = node.value.shape();
    Array<T, D> seat = packed.values.window(segment.offset, shape);
    D::copy(seat.data(), std::as_const(node.value).data(), std::size_t(shape.size()) * sizeof(T));
    node.value = seat;
    node.gradient = packed.gradients.window(segment.offset, shape);
    node.has_gradient = node.borrowed = false;
  }
  D::after_packing();
  return packed;
}

}  // namespace lacuna
