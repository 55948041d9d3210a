/// The machinery of the table in tests/ops.hpp: what a row is, how its inputs are made, and what every row must
/// satisfy. No doctest here: the same rows serve tests, benchmarks and the comparison of devices.
///
/// A row is one operation (or a layer or loss that is one):
///
///     struct MultiplyRow {
///       static constexpr const char* name = "multiply";
///       static std::vector<Case> cases() {                        // small: every gradient is checked by differences
///         return {{.name = "2d", .leaves = {{3, 4}, {3, 4}}}, {.name = "empty", .leaves = {{0, 4}, {0, 4}}}};
///       }
///       static std::vector<Case> large() {                        // work splits over threads; benchmarks time these
///         return {{.name = "large", .leaves = {{300, 257}, {300, 257}}}};
///       }
///       template <class T, class D>
///       static Outputs<T, D> build(const Inputs<T, D>& in) {
///         return {flat(multiply(in.template leaf<2>(0), in.template leaf<2>(1)))};
///       }
///     };
///
/// Write it in tests/rows/<family>.hpp, add it to that family's list there (tests/ops.hpp joins the families), and
/// every check below runs on it. A layer builds its module and calls `seat(module, in, first)`: its parameters are then
/// leaves.
#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "lacuna/autograd/gradcheck.hpp"
#include "lacuna/nn/module.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna::test {

namespace detail {
using lacuna::detail::cat;
}

/// An array that is no leaf: a mask, labels. Without numbers it is filled like the leaves.
struct Constant {
  Shape shape;
  std::vector<double> numbers = {};
};

/// Everything in leaf number `leaf` behind the leading indices `at`: {2, {1}} is sample 1 of leaf 2, {2, {1, 4}} its
/// frame 4.
struct Part {
  std::size_t leaf;
  std::vector<index_t> at;
};

struct Case {
  std::string name;
  std::vector<Shape> leaves = {};    ///< inputs and parameters whose gradients are wanted
  std::vector<Constant> masks = {};  ///< 1 = present; `in.mask<R>(i)` is undefined when there is no such entry
  std::vector<Constant> constants = {};
  std::vector<double> numbers = {};  ///< options: `in.number(i, otherwise)`
  std::vector<Part> absent = {};     ///< must not matter, even when it is NaN; its gradient is exactly zero
  std::vector<Part> unseen = {};     ///< must not matter as long as it is finite; its gradient is exactly zero
  double low = -1, high = 1;         ///< range of the leaves
};

/// The leaves and constants of one case in one type on one device. Numbers are exact in float: all types see one
/// problem.
template <class T, class D = Cpu>
class Inputs {
 public:
  using scalar = T;
  using device = D;

  explicit Inputs(const Case& c, std::uint64_t seed = 1) : case_(c) {
    Random random(seed);
    for (const Shape& shape : c.leaves) {
      Array<T, D> value(shape);
      value.assign(numbers(shape, random));
      NodeHandle<T, D> node(new Node<T, D>);
      node->value = value;
      node->requires_grad = true;
      leaves_.push_back(node);
    }
    for (const Constant& constant : c.constants) {
      Array<T, D> value(constant.shape);
      value.assign(constant.numbers.empty() ? numbers(constant.shape, random)
                                            : std::vector<T>(constant.numbers.begin(), constant.numbers.end()));
      constants_.push_back(value);
    }
    for (const Constant& mask : c.masks) {
      Array<std::uint8_t, D> value(mask.shape);
      value.assign(std::vector<std::uint8_t>(mask.numbers.begin(), mask.numbers.end()));
      masks_.push_back(value);
    }
  }

  template <int R>
  Variable<T, R, D> leaf(std::size_t i) const {
    if (leaves_.at(i)->value.shape().rank() != R)
      throw ShapeError(detail::cat(case_.name, ": leaf ", i, " has another rank than ", R));
    return Variable<T, R, D>(leaves_[i]);
  }
  int rank(std::size_t i) const { return leaves_.at(i)->value.shape().rank(); }
  std::size_t leaf_count() const { return leaves_.size(); }
  template <int R>
  Mask<R, D> mask(std::size_t i) const {
    return i < masks_.size() ? Mask<R, D>(masks_[i]) : Mask<R, D>();
  }
  template <int R>
  Tensor<T, R, D> constant(std::size_t i) const {
    return Tensor<T, R, D>(constants_.at(i));
  }
  double number(std::size_t i, double otherwise = 0) const {
    return i < case_.numbers.size() ? case_.numbers[i] : otherwise;
  }
  const Case& problem() const { return case_; }

  /// Leaves as nodes, for the checks.
  const std::vector<NodeHandle<T, D>>& nodes() const { return leaves_; }
  void zero_grad() const {
    for (const auto& node : leaves_) node->has_gradient = false;
  }
  /// Values of one part of one leaf.
  void overwrite(const Part& part, T number) const {
    const auto [from, count] = range(part);
    Array<T, D>& value = leaves_[part.leaf]->value;
    std::vector<T> host = value.to_vector();
    std::fill(host.begin() + from, host.begin() + from + count, number);
    value.assign(host);
  }
  /// First element and number of elements of a part.
  std::pair<index_t, index_t> range(const Part& part) const {
    const Shape& shape = leaves_.at(part.leaf)->value.shape();
    index_t from = 0, count = shape.size();
    for (std::size_t axis = 0; axis < part.at.size(); ++axis) {
      count /= shape[int(axis)];
      from += part.at[axis] * count;
    }
    return {from, count};
  }

 private:
  std::vector<T> numbers(const Shape& shape, Random& random) const {
    const RandomStream stream = random.stream();
    std::vector<T> result(static_cast<std::size_t>(shape.size()));
    for (std::size_t i = 0; i < result.size(); ++i)
      result[i] = T(float(case_.low + (case_.high - case_.low) * stream.uniform(i)));
    return result;
  }

  Case case_;
  std::vector<NodeHandle<T, D>> leaves_;
  std::vector<Array<T, D>> constants_;
  std::vector<Array<std::uint8_t, D>> masks_;
};

/// What a row computed, each output as one line of numbers. Every output must pass its gradient on.
template <class T, class D = Cpu>
using Outputs = std::vector<Variable<T, 1, D>>;

/// `Row::build` of any row in one type on one device. The checks take it in place of the row: each is compiled once, not
/// once a row.
template <class T, class D = Cpu>
using Build = Outputs<T, D> (*)(const Inputs<T, D>&);

template <class Row, class T, class D = Cpu>
constexpr Build<T, D> build_of = [](const Inputs<T, D>& in) -> Outputs<T, D> { return Row::build(in); };

/// What one number of a row may do to others: see `check_not_finite`.
struct Habits {
  bool reorders = false, compares = false;
};

template <class Row>
concept Reorders = requires { Row::reorders; };
template <class Row>
concept Compares = requires { Row::compares; };
template <class Row>
constexpr Habits habits_of{.reorders = Reorders<Row>, .compares = Compares<Row>};

/// A row without its type.
struct AnyRow {
  const char* name;
  std::vector<Case> (*cases)();
  std::vector<Case> (*large)();
  Build<float> in_float;
  Build<double> in_double;
  Habits habits;
};

template <class Row>
AnyRow any_row() {
  return {Row::name, &Row::cases, &Row::large, build_of<Row, float>, build_of<Row, double>, habits_of<Row>};
}

template <class T, int R, class D>
Variable<T, 1, D> flat(const Variable<T, R, D>& x) {
  return reshape(x, std::array<index_t, 1>{x.size()});
}

/// Makes the leaves from number `first` on the parameters of `module`, in the order of reflection.
template <class M, class T, class D>
void seat(M& module, const Inputs<T, D>& in, std::size_t first) {
  for_each_parameter(module, [&](const std::string& path, auto& parameter) {
    using Plain = std::remove_cvref_t<decltype(parameter)>;
    const auto leaf = in.template leaf<Plain::rank>(first++);
    lacuna::detail::expect_shape("seat", path.c_str(), leaf.shape(), parameter.shape());
    static_cast<Variable<T, Plain::rank, D>&>(parameter) = leaf;
  });
}

/// Present (B, T), row b with its first lengths[b] frames.
inline Constant present_frames(const std::vector<index_t>& lengths, index_t frames) {
  Constant mask{Shape{index_t(lengths.size()), frames}, {}};
  for (const index_t length : lengths)
    for (index_t t = 0; t < frames; ++t) mask.numbers.push_back(t < length ? 1 : 0);
  return mask;
}

// ---- what every row must satisfy. Each check returns what is wrong, or nothing.

template <class T, class D>
Variable<T, 0, D> objective(const Outputs<T, D>& outputs) {
  Random random(99);
  Variable<T, 0, D> total(Tensor<T, 0, D>::full({}, T(0)));
  for (const auto& output : outputs) {
    const RandomStream stream = random.stream();
    std::vector<T> weights(static_cast<std::size_t>(output.size()));
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = T(float(2 * stream.uniform(i) - 1));
    const Variable<T, 1, D> cotangent(Tensor<T, 1, D>::from({output.size()}, weights));
    total = total + sum(multiply(output, cotangent));
  }
  return total;
}
template <class T, class D>
Variable<T, 0, D> objective(Build<T, D> build, const Inputs<T, D>& in) {
  return objective(build(in));
}
template <class Row, class T, class D>
Variable<T, 0, D> objective(const Inputs<T, D>& in) {
  return objective(build_of<Row, T, D>, in);
}

/// Every output and the gradient of the objective to every leaf, on the host.
template <class T>
struct Numbers {
  std::vector<std::vector<T>> outputs, gradients;
};

template <class T, class D>
Numbers<T> evaluate(Build<T, D> build, const Inputs<T, D>& in) {
  Numbers<T> numbers;
  in.zero_grad();
  const Outputs<T, D> outputs = build(in);
  for (const auto& output : outputs) numbers.outputs.push_back(output.value().to_vector());
  const auto total = objective(outputs);
  if (total.requires_grad()) total.backward();
  for (const auto& node : in.nodes())
    numbers.gradients.push_back(node->has_gradient ? node->gradient.to_vector()
                                                   : std::vector<T>(std::size_t(node->value.size()), T(0)));
  return numbers;
}

namespace detail {

using lacuna::detail::cat;

template <class T>
bool same_bits(const std::vector<std::vector<T>>& a, const std::vector<std::vector<T>>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].size() != b[i].size() ||
        (!a[i].empty() && std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(T)) != 0))
      return false;
  return true;
}

template <class T>
bool same_numbers(const std::vector<std::vector<T>>& a, const std::vector<std::vector<T>>& b) {
  return a == b;  // 0 and -0 are one number, NaN is none
}

/// Largest |a - b| over max(largest |b|, floor); infinite where sizes differ or a number is not finite.
template <class A, class B>
double error(const std::vector<A>& a, const std::vector<B>& b, double floor) {
  if (a.size() != b.size()) return INFINITY;
  double largest = floor, worst = 0;
  for (const B number : b) largest = std::max(largest, std::abs(double(number)));
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(double(a[i]) - double(b[i]));
    if (!(difference <= worst)) worst = std::isnan(difference) ? INFINITY : difference;
  }
  return worst / largest;
}

/// A leaf of any rank, as `check_gradients` wants it.
template <class T, class D>
struct AnyLeaf {
  using scalar = T;
  NodeHandle<T, D> handle;
  const NodeHandle<T, D>& node() const { return handle; }
  void zero_grad() const { handle->has_gradient = false; }
  Array<T, D> grad() const {
    if (handle->has_gradient) return handle->gradient;
    Array<T, D> zeros(handle->value.shape());
    zeros.assign(std::vector<T>(std::size_t(zeros.size()), T(0)));
    return zeros;
  }
};

}  // namespace detail

/// Central differences, in double: 1e-6 of the largest entry of each gradient.
inline std::string check_gradient(Build<double> build, const Case& c, double tolerance = 1e-6) {
  const Inputs<double> in(c);
  for (std::size_t i = 0; i < in.nodes().size(); ++i) {
    in.zero_grad();
    const auto f = [&] { return objective(build, in); };
    const GradientCheck check = check_gradients(f, 1e-5, 0.01, detail::AnyLeaf<double, Cpu>{in.nodes()[i]});
    if (check.compared != in.nodes()[i]->value.size())
      return detail::cat("gradient: leaf ", i, " was not compared in full");
    if (!(check.worst <= tolerance))
      return detail::cat("gradient: leaf ", i, ", element ", check.element, ": backward says ", check.analytic,
                         ", differences say ", check.numeric);
  }
  return {};
}

/// One directional derivative per leaf, in double: for cases too large for every entry.
inline std::string check_direction(Build<double> build, const Case& c, double tolerance = 1e-6) {
  const Inputs<double> in(c);
  const Numbers<double> numbers = evaluate(build, in);
  const double h = 1e-6;
  for (std::size_t i = 0; i < in.nodes().size(); ++i) {
    const RandomStream stream{31, i};
    Array<double>& value = in.nodes()[i]->value;
    const std::vector<double> kept = value.to_vector();
    double expected = 0, size = 0, ends[2];
    for (const int side : {0, 1}) {
      std::vector<double> moved = kept;
      for (std::size_t k = 0; k < moved.size(); ++k) moved[k] += (side ? h : -h) * (2 * stream.uniform(k) - 1);
      value.assign(moved);
      const NoGrad off;
      ends[side] = objective(build, in).item();
    }
    value.assign(kept);
    for (std::size_t k = 0; k < kept.size(); ++k) {
      const double direction = 2 * stream.uniform(k) - 1;
      expected += numbers.gradients[i][k] * direction;
      size += numbers.gradients[i][k] * numbers.gradients[i][k] * direction * direction;
    }
    const double found = (ends[1] - ends[0]) / (2 * h);
    if (!(std::abs(found - expected) <= tolerance * std::max(0.01, std::sqrt(size))))
      return detail::cat("direction: leaf ", i, ": backward says ", expected, ", differences say ", found);
  }
  return {};
}

/// The same problem in float: outputs to 1e-4, gradients to 1e-3.
inline std::string check_float(const AnyRow& row, const Case& c, double forward = 1e-4, double gradient = 1e-3) {
  const Numbers<double> exact = evaluate(row.in_double, Inputs<double>(c));
  const Numbers<float> found = evaluate(row.in_float, Inputs<float>(c));
  for (std::size_t i = 0; i < exact.outputs.size(); ++i)
    if (const double e = detail::error(found.outputs[i], exact.outputs[i], 0.1); !(e <= forward))
      return detail::cat("float: output ", i, " is off by ", e);
  for (std::size_t i = 0; i < exact.gradients.size(); ++i)
    if (const double e = detail::error(found.gradients[i], exact.gradients[i], 0.1); !(e <= gradient))
      return detail::cat("float: gradient of leaf ", i, " is off by ", e);
  return {};
}

/// The same bits with 1, 2, 3 and 8 threads.
template <class T>
std::string check_threads(Build<T> build, const Case& c) {
  const Inputs<T> in(c);
  set_threads(1);
  const Numbers<T> one = evaluate(build, in);
  std::string wrong;
  for (const int count : {2, 3, 8}) {
    set_threads(count);
    const Numbers<T> many = evaluate(build, in);
    if (!detail::same_bits(one.outputs, many.outputs)) wrong = detail::cat("threads: other outputs with ", count);
    if (!detail::same_bits(one.gradients, many.gradients)) wrong = detail::cat("threads: other gradients with ", count);
  }
  set_threads(0);
  return wrong;
}

/// What is absent does not matter and gets no gradient.
template <class T, class D>
std::string check_absent(Build<T, D> build, const Case& c) {
  const Inputs<T, D> in(c);
  const Numbers<T> before = evaluate(build, in);
  for (const auto* list : {&before.outputs, &before.gradients})
    for (const auto& numbers : *list)
      for (const T number : numbers)
        if (!std::isfinite(number)) return "absent: a number is not finite to begin with";
  const auto check = [&](const std::vector<Part>& parts, T number) -> std::string {
    for (const Part& part : parts) {
      const auto [from, count] = in.range(part);
      for (index_t i = from; i < from + count; ++i)
        if (before.gradients[part.leaf][std::size_t(i)] != T(0))
          return detail::cat("absent: element ", i, " of leaf ", part.leaf, " has a gradient");
    }
    for (const Part& part : parts) in.overwrite(part, number);
    const Numbers<T> after = evaluate(build, in);
    if (!detail::same_numbers(before.outputs, after.outputs))
      return detail::cat("absent: set to ", number, ", outputs change");
    if (!detail::same_numbers(before.gradients, after.gradients))
      return detail::cat("absent: set to ", number, ", gradients change");
    return {};
  };
  if (std::string wrong = check(c.unseen, T(1000)); !wrong.empty()) return wrong;
  if (std::string wrong = check(c.absent, T(-1000)); !wrong.empty()) return wrong;
  return check(c.absent, T(NAN));
}

/// Which numbers of every output differ in bits between two runs.
template <class T>
std::vector<std::vector<bool>> changed(const std::vector<std::vector<T>>& a, const std::vector<std::vector<T>>& b) {
  std::vector<std::vector<bool>> result;
  for (std::size_t o = 0; o < a.size(); ++o) {
    result.emplace_back(a[o].size());
    for (std::size_t i = 0; i < a[o].size(); ++i)
      result[o][i] = i >= b[o].size() || std::memcmp(&a[o][i], &b[o][i], sizeof(T)) != 0;
  }
  return result;
}

/// NaN and infinity go through: whatever output a number of an input can change, it makes NaN when it is NaN, or the
/// row refuses it by an error; when it is infinite, an output that stays finite must be the limit of large numbers.
/// A row that moves numbers about by their size (a sort) says `static constexpr bool reorders = true`: it must still
/// have the NaN somewhere. One that chooses by a comparison, which NaN answers with no, says `compares`. About `budget`
/// numbers are tried, spread over the leaves.
template <class T, class D>
std::string check_not_finite(Build<T, D> build, Habits habits, const Case& c, index_t budget) {
  const Inputs<T, D> in(c);
  const NoGrad off;
  using All = std::vector<std::vector<T>>;
  const auto run = [&] {
    All outputs;
    for (const auto& output : build(in)) outputs.push_back(output.value().to_vector());
    return outputs;
  };
  const All before = run();
  const index_t leaves = index_t(in.leaf_count()), most = std::max<index_t>(1, leaves > 0 ? budget / leaves : 1);
  for (index_t l = 0; l < leaves; l += std::max<index_t>(1, leaves / budget)) {
    const std::size_t leaf = std::size_t(l);
    Array<T, D>& value = in.nodes()[leaf]->value;
    const std::vector<T> kept = value.to_vector();
    const index_t size = index_t(kept.size()), step = std::max<index_t>(1, (size + most - 1) / most);
    for (index_t at = 0; at < size; at += step) {
      /// The outputs with another number at `at`; nothing when the row refuses it.
      const auto with = [&](T number) -> All {
        std::vector<T> numbers = kept;
        numbers[std::size_t(at)] = number;
        value.assign(numbers);
        All outputs;
        try {
          outputs = run();
        } catch (const Error&) {
        }
        value.assign(kept);
        return outputs;
      };
      const T own = kept[std::size_t(at)];
      std::vector<std::vector<bool>> reached;
      for (const T number : {own + T(1.5), own - T(1.5), T(50), T(-50)}) {
        const All other = with(number);
        if (other.empty()) continue;
        const auto some = changed(before, other);
        if (reached.empty()) reached = some;
        for (std::size_t o = 0; o < some.size(); ++o)
          for (std::size_t i = 0; i < some[o].size(); ++i)
            if (some[o][i]) reached[o][i] = true;
      }
      const All with_nan = with(std::numeric_limits<T>::quiet_NaN());
      index_t wanted = 0, found = 0;
      for (std::size_t o = 0; o < (habits.compares ? 0 : with_nan.size()) && o < reached.size(); ++o)
        for (std::size_t i = 0; i < reached[o].size(); ++i) {
          wanted += reached[o][i];
          found += std::isnan(with_nan[o][i]);
          if (reached[o][i] && !habits.reorders && !std::isnan(with_nan[o][i]))
            return detail::cat("NaN: element ", at, " of leaf ", leaf, " is NaN, element ", i, " of output ", o, " is ",
                               with_nan[o][i]);
        }
      if (wanted > 0 && found == 0)
        return detail::cat("NaN: element ", at, " of leaf ", leaf, " is NaN, nothing that comes out is");
      for (const T sign : {T(1), T(-1)}) {
        const All infinite = with(sign * std::numeric_limits<T>::infinity());
        if (infinite.empty()) continue;
        const All large = with(sign * T(1e12));
        for (std::size_t o = 0; o < reached.size(); ++o)
          for (std::size_t i = 0; i < reached[o].size(); ++i) {
            const double end = double(infinite[o][i]), limit = large.empty() ? NAN : double(large[o][i]);
            if (reached[o][i] && std::isfinite(end) &&
                !(std::abs(end - limit) <= 1e-3 * std::max(1.0, std::abs(limit))))
              return detail::cat("infinity: element ", at, " of leaf ", leaf, " is ", sign, " times infinite, element ",
                                 i, " of output ", o, " is ", end, "; with a large number it is ", limit);
          }
      }
    }
  }
  return {};
}

/// Gradients add up over two graphs; a leaf alone gets the gradient it gets among others; without recording, same
/// outputs.
inline std::string check_slots(Build<double> build, const Case& c) {
  using T = double;
  const Inputs<T> in(c);
  const Numbers<T> all = evaluate(build, in);
  if (const auto again = objective(build, in); again.requires_grad()) again.backward();
  for (std::size_t i = 0; i < in.nodes().size(); ++i) {
    if (!in.nodes()[i]->has_gradient) continue;
    std::vector<T> half = in.nodes()[i]->gradient.to_vector();
    for (T& number : half) number /= 2;
    if (!(detail::error(half, all.gradients[i], 0.01) <= 1e-12))
      return detail::cat("slots: leaf ", i, " does not add a second gradient to the first");
  }
  {
    const NoGrad off;
    const auto outputs = build(in);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].requires_grad()) return detail::cat("slots: output ", i, " is recorded under NoGrad");
      if (!detail::same_bits<T>({outputs[i].value().to_vector()}, {all.outputs[i]}))
        return detail::cat("slots: output ", i, " is another one under NoGrad");
    }
  }
  for (std::size_t i = 0; i < in.nodes().size(); ++i) {
    for (std::size_t j = 0; j < in.nodes().size(); ++j) in.nodes()[j]->requires_grad = i == j;
    const Numbers<T> alone = evaluate(build, in);
    if (!detail::same_bits<T>({alone.gradients[i]}, {all.gradients[i]}))
      return detail::cat("slots: leaf ", i, " alone gets another gradient than among others");
    for (std::size_t j = 0; j < in.nodes().size(); ++j)
      if (i != j && in.nodes()[j]->has_gradient)
        return detail::cat("slots: leaf ", j, " wants no gradient and got one");
  }
  return {};
}

/// The numbers of another device against those of the host.
template <class T>
std::string compare_devices(const Numbers<T>& found, const Numbers<T>& exact, double tolerance) {
  for (std::size_t i = 0; i < exact.outputs.size(); ++i)
    if (const double e = detail::error(found.outputs[i], exact.outputs[i], 0.1); !(e <= tolerance))
      return detail::cat("device: output ", i, " is off by ", e);
  for (std::size_t i = 0; i < exact.gradients.size(); ++i)
    if (const double e = detail::error(found.gradients[i], exact.gradients[i], 0.1); !(e <= tolerance))
      return detail::cat("device: gradient of leaf ", i, " is off by ", e);
  return {};
}
template <class T, class D>
std::string check_device(Build<T> host, Build<T, D> device, const Case& c, double tolerance) {
  const Numbers<T> found = evaluate(device, Inputs<T, D>(c));
  if (std::string wrong = compare_devices(found, evaluate(host, Inputs<T>(c)), tolerance); !wrong.empty()) return wrong;
  const Numbers<T> again = evaluate(device, Inputs<T, D>(c));
  if (!detail::same_bits(found.outputs, again.outputs) || !detail::same_bits(found.gradients, again.gradients))
    return "device: two runs give other bits";
  return {};
}
/// The same with one run, absent parts being NaN: where a run is slow.
template <class T, class D>
std::string check_device_once(Build<T> host, Build<T, D> device, const Case& c, double tolerance) {
  const Inputs<T, D> in(c);
  for (const Part& part : c.absent) in.overwrite(part, std::numeric_limits<T>::quiet_NaN());
  return compare_devices(evaluate(device, in), evaluate(host, Inputs<T>(c)), tolerance);
}

/// All of the above; the first thing that is wrong, with the names of the row and the case.
inline std::string check_row(const AnyRow& row) {
  using Check = std::string (*)(const AnyRow&, const Case&);
  const Check small[] = {[](const AnyRow& r, const Case& c) { return check_gradient(r.in_double, c); },
                         [](const AnyRow& r, const Case& c) { return check_float(r, c); },
                         [](const AnyRow& r, const Case& c) { return check_slots(r.in_double, c); },
                         [](const AnyRow& r, const Case& c) { return check_absent(r.in_float, c); },
                         [](const AnyRow& r, const Case& c) { return check_absent(r.in_double, c); },
                         [](const AnyRow& r, const Case& c) { return check_not_finite(r.in_float, r.habits, c, 60); },
                         [](const AnyRow& r, const Case& c) { return check_not_finite(r.in_double, r.habits, c, 30); }};
  const Check large[] = {[](const AnyRow& r, const Case& c) { return check_direction(r.in_double, c); },
                         [](const AnyRow& r, const Case& c) { return check_float(r, c); },
                         [](const AnyRow& r, const Case& c) { return check_threads(r.in_float, c); },
                         [](const AnyRow& r, const Case& c) { return check_threads(r.in_double, c); },
                         [](const AnyRow& r, const Case& c) { return check_absent(r.in_float, c); },
                         [](const AnyRow& r, const Case& c) { return check_not_finite(r.in_float, r.habits, c, 4); }};
  const auto all = [&](const std::vector<Case>& cases, const auto& checks) -> std::string {
    for (const Case& c : cases)
      for (const Check check : checks)
        if (std::string wrong = check(row, c); !wrong.empty()) return detail::cat(row.name, " (", c.name, "): ", wrong);
    return {};
  };
  std::string wrong = all(row.cases(), small);
  return wrong.empty() ? all(row.large(), large) : wrong;
}
template <class Row>
std::string check_row() {
  return check_row(any_row<Row>());
}

/// A list of rows. Lists join with `Join`.
template <class... Row>
struct Rows {
  static constexpr std::size_t count = sizeof...(Row);
  /// Calls f.template operator()<Row>() for each.
  template <class F>
  static void for_each(F&& f) {
    (f.template operator()<Row>(), ...);
  }
};

template <class...>
struct Joined;
template <class... A>
struct Joined<Rows<A...>> {
  using type = Rows<A...>;
};
template <class... A, class... B, class... Rest>
struct Joined<Rows<A...>, Rows<B...>, Rest...> : Joined<Rows<A..., B...>, Rest...> {};
template <class... Lists>
using Join = typename Joined<Lists...>::type;

}  // namespace lacuna::test
