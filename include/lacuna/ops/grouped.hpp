/// Operations of G equal modules at once, on devices whose time is launches. x (G · B, T, F) holds the inputs one
/// behind the other, module g works on part g with parameters of its own: the numbers are those of G calls, dropout
/// included.
#pragma once

#include "lacuna/kernels/cpu/activation.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/cpu/linear.hpp"
#include "lacuna/kernels/cpu/norm.hpp"
#include "lacuna/kernels/cpu/reduce.hpp"
#include "lacuna/kernels/groups.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/attention.hpp"
#include "lacuna/ops/dropout.hpp"
#include "lacuna/ops/shape.hpp"
#include "lacuna/ops/slice.hpp"

namespace lacuna::detail {

/// Whether the device has the kernels.
template <class T, class D>
concept Grouping = requires(index_t n, const T* x, Groups<GradientSlot<T>> slots) {
  Kernels<D>::Reduce::column_sums_grouped(n, n, x, slots);
};

/// A parameter of every module.
template <class T, int R, class D>
using GroupOf = List<Variable<T, R, D>>;

template <class T, int R, class D>
Groups<const T*> group_data(const GroupOf<T, R, D>& parameters) {
  Groups<const T*> data;
  data.one_block = !parameters.empty();
  for (const auto& one : parameters) {
    data.add(one.data_or_null());
    data.one_block = data.one_block && (!one.defined() || one.node()->value.beside(parameters[0].node()->value));
  }
  return data;
}
template <class T, int R, class D>
Groups<GradientSlot<T>> group_slots(const GroupOf<T, R, D>& parameters) {
  Groups<GradientSlot<T>> slots;
  for (const auto& one : parameters) slots.add(one.gradient_slot());
  return slots;
}

/// All are defined, or none, and of one shape.
template <class T, int R, class D>
void expect_group(const char* name, const char* what, const GroupOf<T, R, D>& parameters, const Shape& shape) {
  for (const auto& one : parameters) {
    if (one.defined() != parameters[0].defined()) throw ShapeError(cat(name, ": only some modules have a ", what));
    if (one.defined()) expect_shape(name, what, one.shape(), shape);
  }
}

/// The dropout of G modules which, one after the other, would draw `each` streams: handed out for all at once.
class GroupStreams {
 public:
  GroupStreams(const Context& context, index_t groups, std::uint64_t each) : groups_(groups), each_(each) {
    if (!context.training() || each == 0) return;
    first_ = context.random->stream();
    context.random->skip(std::uint64_t(groups) * each - 1);
    on_ = true;
  }
  bool drops(double p) const { return on_ && p > 0; }
  GroupedKeep next(double p) {
    RandomStream stream = first_;
    stream.id += drawn_++;
    return {functors::Keep::with(stream, p), groups_, each_};
  }

 private:
  RandomStream first_;
  index_t groups_;
  std::uint64_t each_, drawn_ = 0;
  bool on_ = false;
};

/// As record(), for x and the parameters of all modules.
template <class T, class D, class F, int A, int B>
Variable<T, 3, D> record_group(const char* operation, const Tensor<T, 3, D>& value, F&& backward,
                               const Variable<T, 3, D>& x, const GroupOf<T, A, D>& a, const GroupOf<T, B, D>& b) {
  Variable<T, 3, D> result(value);
  if (!recording()) return result;
  bool wanted = x.requires_grad();
  const auto join = [&](const auto& parameters, auto&& f) {
    for (const auto& one : parameters)
      if (one.defined()) f(one);
  };
  const auto look = [&](const auto& one) { wanted = wanted || one.requires_grad(); };
  join(a, look), join(b, look);
  if (!wanted) return result;
  const auto enter = [&](const auto& one) { result.node()->inputs.push_back(one.node()); };
  enter(x), join(a, enter), join(b, enter);
  attach<T, 3, D>(*result.node(), operation, std::forward<F>(backward));
  return result;
}

/// One linear layer of G modules: weights (out, in), biases (out) or undefined.
template <class T, class D>
struct GroupLinear {
  GroupOf<T, 2, D> weight;
  GroupOf<T, 1, D> bias;

  index_t in() const { return weight[0].extent(1); }
  index_t out() const { return weight[0].extent(0); }
  void expect(const Variable<T, 3, D>& x) const {
    expect_axis("linear", "x", x.shape(), 2, in());
    expect_group("linear", "weight", weight, weight[0].shape());
    expect_group("linear", "bias", bias, Shape{out()});
  }
  index_t rows(const Shape& all) const { return all.rows() / index_t(weight.size()); }

  /// What the gradient g (G · rows, out) of the products means for x, the weights and, if it has them, the biases.
  void gradient(const Saved<T, 3, D>& x, const T* g, bool biases) const {
    const index_t each = rows(x.shape());
    const auto part = [&](auto* first, index_t step) {
      Groups<decltype(first)> parts;
      parts.one_block = true;
      for (std::size_t k = 0; k < weight.size(); ++k) parts.add(first + index_t(k) * step);
      return parts;
    };
    if (const auto slot = x.gradient_slot())
      Kernels<D>::GroupedLinear::template gemm_grouped<T>(each, in(), out(), {g, out()}, part(g, each * out()),
                                                          {nullptr, in()}, group_data(weight), slot.beta(),
                                                          part(slot.data, each * in()), in());
    if (const auto slots = group_slots(weight); slots.any())
      Kernels<D>::GroupedLinear::template gemm_grouped<T>(out(), in(), each, {g, out(), true}, part(g, each * out()),
                                                          {nullptr, in()}, part(x.data(), each * in()), slots, in());
    if (!biases) return;
    if (const auto slots = group_slots(bias); slots.any())
      Kernels<D>::Reduce::column_sums_grouped(each, out(), g, slots);
  }
  /// Back through max(x, 0), and dropout where factor is not 1, whose value is y.
  void relu_gradient(const Saved<T, 3, D>& x, T factor, const Tensor<T, 3, D>& y, const Tensor<T, 3, D>& dy) const {
    Tensor<T, 3, D> through = in_place_of(dy);
    const auto slots = group_slots(bias);
    if (slots.any())
      Kernels<D>::Linear::relu_gradient_sums_grouped(rows(dy.shape()), out(), factor, y.data(), dy.data(),
                                                     through.data(), slots);
    else
      Kernels<D>::Elementwise::dropped_relu_gradient(dy.size(), factor, y.data(), dy.data(),
                                                     GradientSlot<T>{through.data(), true});
    gradient(x, std::as_const(through).data(), false);
  }
};

/// As linear().
template <class T, class D>
Variable<T, 3, D> linear_grouped(const Variable<T, 3, D>& x, const GroupLinear<T, D>& layer,
                                 Activation activation = Activation::none) {
  if (!slope_from_value(activation)) return activate(linear_grouped(x, layer), activation);
  layer.expect(x);
  Tensor<T, 3, D> y({x.extent(0), x.extent(1), layer.out()});
  Kernels<D>::GroupedLinear::linear_grouped(layer.rows(x.shape()), layer.in(), layer.out(), x.data(),
                                            group_data(layer.weight), group_data(layer.bias), activation, y.data());
  const Tensor<T, 3, D> slope = activation == Activation::none ? Tensor<T, 3, D>() : y;  // what the way back reads
  const auto backward = [layer, activation, slope, x = Saved(x)](const Tensor<T, 3, D>& dy) {
    if (activation == Activation::none) return layer.gradient(x, dy.data(), true);
    if (activation == Activation::relu) return layer.relu_gradient(x, T(1), slope, dy);
    Tensor<T, 3, D> through = in_place_of(dy);
    Kernels<D>::Activations::activation_gradient(activation, dy.size(), slope.data(), dy.data(),
                                                 {through.data(), true});
    layer.gradient(x, std::as_const(through).data(), true);
  };
  return record_group("linear", y, backward, x, layer.weight, layer.bias);
}

/// As linear_relu_dropout(), in training.
template <class T, class D>
Variable<T, 3, D> linear_relu_dropout_grouped(const Variable<T, 3, D>& x, const GroupLinear<T, D>& layer,
                                              const GroupedKeep& own) {
  layer.expect(x);
  Tensor<T, 3, D> y({x.extent(0), x.extent(1), layer.out()});
  Kernels<D>::GroupedLinear::linear_relu_dropped_grouped(layer.rows(x.shape()), layer.in(), layer.out(), x.data(),
                                                         group_data(layer.weight), group_data(layer.bias), own,
                                                         y.data());
  const auto backward = [layer, y, factor = T(own.keep.scale), x = Saved(x)](const Tensor<T, 3, D>& dy) {
    layer.relu_gradient(x, factor, y, dy);
  };
  return record_group("linear_relu_dropout", y, backward, x, layer.weight, layer.bias);
}

/// As layer_norm().
template <class T, class D>
Variable<T, 3, D> layer_norm_grouped(const Variable<T, 3, D>& x, const GroupOf<T, 1, D>& weight,
                                     const GroupOf<T, 1, D>& bias, double epsilon) {
  const index_t rows = x.shape().rows(), n = x.extent(2);
  expect_group("layer_norm", "weight", weight, Shape{n});
  expect_group("layer_norm", "bias", bias, Shape{n});
  Tensor<T, 3, D> y(x.extents());
  Tensor<T, 2, D> statistics({rows, 2});
  Kernels<D>::Norm::norm_rows_grouped(rows, n, true, epsilon, x.data(), group_data(weight), group_data(bias),
                                      statistics.data(), y.data());
  const auto backward = [=](const Tensor<T, 3, D>& dy) {
    Kernels<D>::Norm::norm_rows_gradient_grouped(rows, n, true, x.data(), group_data(weight), statistics.data(),
                                                 dy.data(), x.gradient_slot(), group_slots(weight), group_slots(bias));
  };
  const auto result = record_group("layer_norm", y, backward, x, weight, bias);
  if (result.size() >= Kernels<D>::Norm::renorms_from)
    remake_by(result, [=] {
      Tensor<T, 3, D> again(x.extents());
      Kernels<D>::Norm::norm_rows_grouped(rows, n, true, epsilon, x.data(), group_data(weight), group_data(bias),
                                          Tensor<T, 2, D>(statistics).data(), again.data());
      return again;
    });
  return result;
}

/// As dropout(), in training.
template <class T, class D>
Variable<T, 3, D> dropout_grouped(const Variable<T, 3, D>& x, const GroupedKeep& own) {
  Tensor<T, 3, D> y(x.extents());
  Kernels<D>::Elementwise::template dropout<T>(own, y.size(), x.data(), {y.data(), true});
  return record(
      "dropout", y,
      [x = x.node(), own](const Tensor<T, 3, D>& dy) {
        if (const auto slot = x->slot()) Kernels<D>::Elementwise::template dropout<T>(own, dy.size(), dy.data(), slot);
      },
      x);
}

/// As add_dropout(), in training.
template <class T, class D>
Variable<T, 3, D> add_dropout_grouped(const Variable<T, 3, D>& x, const Variable<T, 3, D>& f, const GroupedKeep& own) {
  expect_shape("add", "b", f.shape(), x.shape());
  Tensor<T, 3, D> y(x.extents());
  Kernels<D>::Elementwise::add_dropped(own, y.size(), x.data(), f.data(), y.data());
  return record(
      "add_dropout", y,
      [x = x.node(), f = f.node(), own](const Tensor<T, 3, D>& dy) {
        accumulate(x, dy);
        if (const auto slot = f->slot()) Kernels<D>::Elementwise::template dropout<T>(own, dy.size(), dy.data(), slot);
      },
      x, f);
}

/// As attention_packed(); present (G · B, T) or undefined.
template <class T, class D>
Variable<T, 3, D> attention_packed_grouped(const Variable<T, 3, D>& qkv, const Mask<2, D>& present,
                                           const AttentionOptions& options, GroupStreams& streams) {
  AttentionCall<T, D> call(packed_sizes(qkv, options), present, options, Variable<T, 4, D>(), Context());
  if (streams.drops(options.dropout)) {
    const GroupedKeep own = streams.next(options.dropout);
    call.extras.drop = true;
    call.extras.keep = own.keep;
    call.extras.group = call.sizes.batch / own.groups * call.sizes.heads * call.sizes.queries * call.sizes.keys;
    call.extras.group_step = own.step;
  }
  return attend_packed(call, qkv);
}

/// One behind the other along the batch: G times (B, T, F) → (G · B, T, F).
template <class T, class D>
Variable<T, 3, D> join_groups(const List<Variable<T, 3, D>>& parts) {
  const index_t count = index_t(parts.size()), size = parts[0].size();
  for (const auto& part : parts) expect_shape("group", "a part", part.shape(), parts[0].shape());
  Tensor<T, 3, D> y({count * parts[0].extent(0), parts[0].extent(1), parts[0].extent(2)});
  join_rows(1, std::span<const Variable<T, 3, D>>(parts), y.data(), count * size);
  return record_list(
      "group", y,
      [parts = nodes_of(parts), count, size](const Tensor<T, 3, D>& dy) {
        split_rows(1, dy.data(), count * size, parts);
      },
      std::span<const Variable<T, 3, D>>(parts));
}
template <class D>
Mask<2, D> join_masks(const List<Mask<2, D>>& masks) {
  Mask<2, D> all({index_t(masks.size()) * masks[0].extent(0), masks[0].extent(1)});
  for (std::size_t g = 0; g < masks.size(); ++g)
    D::copy(all.data() + index_t(g) * masks[g].size(), masks[g].data(), std::size_t(masks[g].size()));
  return all;
}
/// Part g of what G modules made, (G · B, F) → (B, F); it shares the storage.
template <class T, class D>
Variable<T, 2, D> group_part(const Variable<T, 2, D>& all, index_t g, index_t count) {
  const index_t rows = all.extent(0) / count, width = all.extent(1);
  const Variable<T, 1, D> line = reshape(all, std::array<index_t, 1>{all.size()});
  return output_part<2>(line, g * rows * width, {rows, width});
}

}  // namespace lacuna::detail
