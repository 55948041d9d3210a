/// Single numbers that do not look like the others of their set: what stands for none, what recurs, what is far off.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "lacuna/core/shape.hpp"

namespace lacuna::detail {

/// The outermost number on one side of a set, how often it comes, and the next one.
struct Outermost {
  double sign, value = 0, next = 0;
  index_t count = 0;
  bool has_next = false;

  explicit Outermost(double s) : sign(s) {}
  void visit(double number) {
    const double x = sign * number;
    if (count == 0 || x > value) {
      if (count > 0) next = value, has_next = true;
      value = x, count = 1;
    } else if (x == value) {
      ++count;
    } else if (!has_next || x > next) {
      next = x, has_next = true;
    }
  }
};

/// A whole number that comes more than once, at an end of all others and farther from them than they are from each other; NaN
/// where there is none.
class Placeholder {
 public:
  void visit(double x) {
    if (!std::isfinite(x)) return;
    high_.visit(x);
    low_.visit(x);
    ++all_;
  }
  double value() const {
    return at_an_end([this](const Outermost& end, double other) { return end.has_next && odd(end, other); });
  }
  /// A number that comes once, farther from its neighbour than five times all others span; NaN where there is none.
  double lone() const {
    return at_an_end([this](const Outermost& end, double other) { return lone(end, other); });
  }
  /// A number that comes once, and is more than a hundred times as large as every other; NaN where there is none.
  double giant() const {
    return at_an_end([this](const Outermost& end, double other) {
      return lone(end, other) && std::abs(end.value) > 100 * std::max(std::abs(end.next), std::abs(other));
    });
  }
  index_t count() const { return high_.value == value() ? high_.count : low_.count; }
  index_t all() const { return all_; }

 private:
  template <class Is>
  double at_an_end(Is&& is) const {
    if (is(high_, -low_.value)) return high_.value;
    if (is(low_, -high_.value)) return -low_.value;
    return std::numeric_limits<double>::quiet_NaN();
  }
  bool lone(const Outermost& end, double other) const {
    return end.count == 1 && all_ >= 10 && end.next > other && end.value - end.next > 5 * (end.next - other);
  }
  /// `other` is the far end, with the sign of `end`.
  bool odd(const Outermost& end, double other) const {
    return end.count > 1 && 2 * end.count < all_ && end.next > other && end.value - end.next > end.next - other &&
           std::abs(end.value) >= 1 && end.value == std::round(end.value);
  }
  Outermost high_{1}, low_{-1};
  index_t all_ = 0;
};

/// A number that recurs among labels nearly all of which differ otherwise, though it lies in the middle of them: -1 or 0 for
/// "no label", where the others were measured. Labels on a scale of a few steps have no such number.
struct RecurringLabel {
  double value = 0;
  index_t count = 0;

  explicit RecurringLabel(std::vector<float> labels) {
    std::sort(labels.begin(), labels.end());
    index_t distinct = 0;
    for (std::size_t i = 0; i < labels.size();) {
      std::size_t end = i;
      while (end < labels.size() && labels[end] == labels[i]) ++end;
      if (index_t(end - i) > count) count = index_t(end - i), value = double(labels[i]);
      ++distinct;
      i = end == i ? i + 1 : end;  // NaN equals nothing
    }
    const index_t others = index_t(labels.size()) - count;
    if (count < 5 || 20 * count < index_t(labels.size()) || others < 10 || 10 * (distinct - 1) < 9 * others) count = 0;
  }
};

}  // namespace lacuna::detail
