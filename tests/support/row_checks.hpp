/// What every row must satisfy, whatever its device. Each check returns what is wrong, or nothing.
#pragma once

#include <limits>

#include "lacuna/autograd/gradcheck.hpp"
#include "support/row_numbers.hpp"

namespace lacuna::test {

/// What one number of a row may do to others: see `check_not_finite`.
struct Habits {
  bool reorders = false, compares = false;
};

template <class Row>
concept Reorders = requires {
  Row::reorders;
};
template <class Row>
concept Compares = requires {
  Row::compares;
};
template <class Row>
constexpr Habits habits_of{Reorders<Row>, Compares<Row>};  // nvcc 12.4 takes no names here

/// A row without its type.
struct AnyRow {
  const char* name;
  std::vector<Case> (*cases)();
  std::vector<Case> (*large)();
  Build<float> in_float;
  Build<double> in_double;
  Habits habits;
};

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

}  // namespace lacuna::test
