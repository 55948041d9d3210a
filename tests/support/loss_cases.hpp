/// The cases that every loss over a batch must stand: some samples, one of them absent, all absent, few, none.
#pragma once

#include "support/rows.hpp"

namespace lacuna::test {

/// What differs from loss to loss: the widths of the batches it takes, labels of five samples, options.
struct BatchProblem {
  std::vector<index_t> widths;
  std::vector<double> labels = {};  ///< five, the first constant of the case; none: no such constant
  std::vector<double> numbers = {};
  std::vector<Shape> parameters = {};  ///< leaves after the batches
};

inline Case batch_case(const BatchProblem& p, std::string name, index_t count, const std::vector<double>& mask = {}) {
  Case c{.name = std::move(name), .numbers = p.numbers};
  for (const index_t width : p.widths) c.leaves.push_back({count, width});
  for (const Shape& shape : p.parameters) c.leaves.push_back(shape);
  if (!mask.empty()) c.masks.push_back({{count}, mask});
  for (std::size_t leaf = 0; leaf < p.widths.size(); ++leaf)
    for (index_t i = 0; i < index_t(mask.size()); ++i)
      if (mask[std::size_t(i)] == 0) c.absent.push_back({leaf, {i}});
  if (p.labels.empty()) return c;
  Constant labels{{count}};
  for (index_t i = 0; i < count; ++i)
    labels.numbers.push_back(!mask.empty() && mask[std::size_t(i)] == 0 ? 77 : p.labels[std::size_t(i % 5)]);
  c.constants.push_back(labels);
  return c;
}

/// Labels of absent samples are out of range: nobody may read them.
inline std::vector<Case> batch_cases(const BatchProblem& p) {
  return {batch_case(p, "several samples", 5),
          batch_case(p, "one sample absent", 5, {1, 1, 0, 1, 1}),
          batch_case(p, "one sample left", 4, {0, 1, 0, 0}),
          batch_case(p, "all absent", 3, {0, 0, 0}),
          batch_case(p, "two samples", 2),
          batch_case(p, "batch of one", 1),
          batch_case(p, "empty batch", 0)};
}

/// Labels as a loss wants them: constant 0 of the case.
template <class T, class D>
std::vector<index_t> labels_of(const Inputs<T, D>& in) {
  std::vector<index_t> labels;
  for (const T number : in.template constant<1>(0).to_vector()) labels.push_back(index_t(number));
  return labels;
}

/// A row of the table from `struct { name, problem(), call(in) }`, call returning the loss.
template <class Loss, index_t Large = 70>
struct BatchLossRow {
  static constexpr const char* name = Loss::name;
  static std::vector<Case> cases() {
    std::vector<Case> all = batch_cases(Loss::problem());
    if constexpr (requires { Loss::more(); })
      for (const Case& c : Loss::more()) all.push_back(c);
    return all;
  }
  static std::vector<Case> large() { return {batch_case(Loss::problem(), "large", Large)}; }
  /// More samples than a team of a GPU has lanes.
  static std::vector<Case> medium() { return {batch_case(Loss::problem(), "medium", 37)}; }
  template <class T, class D>
  static Outputs<T, D> build(const Inputs<T, D>& in) {
    return {flat(Loss::call(in))};
  }
};

}  // namespace lacuna::test
