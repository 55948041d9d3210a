/// Learning rates as plain functions of the step, which multiply:
///     const optim::Schedule rate = 1e-3 * optim::warmup(5) * optim::cosine(100);
///     rate(0), rate(1), ...                        the rate of the first step, the second, ...
/// A step t = 0, 1, ... is whatever the caller counts, optimizer steps or epochs. `constant` is the rate itself,
/// everything else a factor, so `min` is a fraction of the rate. All keep their last value for ever unless stated.
///     constant(r)             r
///     warmup(n)               (t+1)/n for t < n, then 1
///     step_decay(size, g)     g^floor(t/size)
///     multistep({m...}, g)    g^(number of milestones <= t)
///     exponential(g)          g^t
///     cosine(n, min)          min + (1-min) (1 + cos(pi t/n))/2 for t < n, then min
///     cosine_periodic(n, min) the same formula for ever: up again after n steps
///     cosine_restarts(n, k, min)
///                             cosine(n), then from the start over k n steps, k^2 n, ...
///                             (SGDR, Loshchilov & Hutter 2017)
///     one_cycle({...})        from 1/div_factor up to 1 and down again    (Smith & Topin 2018; PyTorch's OneCycleLR)
///     warmup_staircase(w, p, g)
///                             (t+1)/w for t < w, then g^floor((t-w+1)/p); with (5, 10, 0.9) over epochs that of SDUMC
///     delayed(n, s)           s(0) for t < n, then s(t-n): warmup(5) * delayed(5, cosine(95)) starts to fall after the
///                             rise
///     custom(f)               f(t), a function or a lambda without captures
/// A Schedule is a small value to copy and store; sharing one between threads is safe. What depends on
/// results is no function of the step: see reduce_on_plateau.hpp.
///
/// Throws OptionError for a negative step and for options out of range.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "lacuna/core/shape.hpp"

namespace lacuna::optim {

/// One cycle over `total` steps. `linear` instead of cosine ramps. Two phases: up, then down to the end; three: up,
/// down to the start, down to the end.
struct OneCycle {
  index_t total;
  double pct_start = 0.3;         ///< share of the steps that go up
  double div_factor = 25;         ///< the first rate is 1/div_factor
  double final_div_factor = 1e4;  ///< the last one is the first divided by this
  bool linear = false;
  bool three_phase = false;
};

class Schedule {
 public:
  /// A constant rate; implicit, so that a number may stand where a schedule is expected.
  Schedule(double rate) : Schedule(Factor{.kind = Kind::constant, .numbers = {rate}}) {
    expect(std::isfinite(rate), "constant", "the rate", rate, "a finite number");
  }

  double operator()(index_t step) const {
    if (step < 0) throw OptionError(detail::cat("schedule: step ", step, " is negative; the first one is 0"));
    double rate = 1;
    for (const Factor& factor : factors_) rate *= factor(step > factor.delay ? step - factor.delay : 0);
    return rate;
  }

  friend Schedule operator*(Schedule left, const Schedule& right) {
    left.factors_.insert(left.factors_.end(), right.factors_.begin(), right.factors_.end());
    return left;
  }

  /// The same factors in the same order: what a resumed training compares.
  friend bool operator==(const Schedule&, const Schedule&) = default;

 private:
  enum class Kind { constant, warmup, step, multistep, cosine, periodic, restarts, cycle, staircase, custom };

  struct Factor {
    Kind kind = Kind::constant;
    index_t delay = 0;
    index_t first = 1, second = 1;       // steps; multiplier of restarts
    std::array<double, 4> numbers = {};  // gamma or min; the four corners of a cycle
    double rise = 0;                     // of a cycle: share of the first phase
    bool linear = false, three_phase = false;
    std::vector<index_t> milestones = {};
    double (*function)(index_t) = nullptr;

    friend bool operator==(const Factor&, const Factor&) = default;

    double operator()(index_t t) const {
      switch (kind) {
        case Kind::constant:
          return numbers[0];
        case Kind::warmup:
          return t < first ? double(t + 1) / double(first) : 1;
        case Kind::step:
          return std::pow(numbers[0], double(t / first));
        case Kind::multistep: {
          index_t passed = 0;
          for (const index_t milestone : milestones) passed += milestone <= t;
          return std::pow(numbers[0], double(passed));
        }
        case Kind::cosine:
          return t < first ? fall(t, first) : numbers[0];
        case Kind::periodic:
          return fall(t % (2 * first), first);
        case Kind::restarts: {
          index_t length = first, since = t;
          if (second == 1) since %= length;
          while (since >= length) {
            since -= length;
            length = length > std::numeric_limits<index_t>::max() / second ? since + 1 : length * second;
          }
          return fall(since, length);
        }
        case Kind::cycle:
          return cycle(t < first - 1 ? t : first - 1);
        case Kind::staircase:
          return t < first ? double(t + 1) / double(first) : std::pow(numbers[0], double((t - first + 1) / second));
        case Kind::custom:
          return function(t);
      }
      return 1;
    }

   private:
    static constexpr double pi = 3.14159265358979323846;

    double fall(index_t t, index_t length) const {
      return numbers[0] + (1 - numbers[0]) * 0.5 * (1 + std::cos(pi * double(t) / double(length)));
    }
    double cycle(index_t t) const {
      const int phases = three_phase ? 3 : 2;
      const double step = double(t), total = double(first);
      double start = 0;
      for (int phase = 0;; ++phase) {
        const double end = phase + 1 == phases ? total - 1 : double(phase + 1) * (rise * total - 1);
        if (step <= end || phase + 1 == phases) {
          const double done = end > start ? (step - start) / (end - start) : 1;
          const double from = numbers[std::size_t(phase)], to = numbers[std::size_t(phase + 1)];
          return linear ? from + (to - from) * done : to + (from - to) * 0.5 * (1 + std::cos(pi * done));
        }
        start = end;
      }
    }
  };

  explicit Schedule(Factor factor) : factors_{std::move(factor)} {}

  static void expect(bool holds, const char* schedule, const char* what, double found, const char* expected) {
    if (!holds) throw OptionError(detail::cat(schedule, ": ", what, " is ", found, ", expected ", expected));
  }
  static void expect_steps(const char* schedule, const char* what, index_t steps) {
    if (steps < 1) throw OptionError(detail::cat(schedule, ": ", what, " is ", steps, ", expected at least 1"));
  }
  static void expect_gamma(const char* schedule, double gamma) {
    expect(gamma > 0 && std::isfinite(gamma), schedule, "gamma", gamma, "a finite number above 0");
  }
  static void expect_min(const char* schedule, double min) {
    expect(min >= 0 && min <= 1, schedule, "min", min, "a fraction of the rate in 0..1");
  }
  static Schedule make_cycle(const OneCycle& o, const std::array<double, 4>& corners) {
    expect_steps("one_cycle", "total", o.total);
    expect(o.pct_start > 0 && o.pct_start < (o.three_phase ? 0.5 : 1), "one_cycle", "pct_start", o.pct_start,
           o.three_phase ? "a share between 0 and 0.5" : "a share between 0 and 1");
    return Schedule(Factor{.kind = Kind::cycle,
                           .first = o.total,
                           .numbers = corners,
                           .rise = o.pct_start,
                           .linear = o.linear,
                           .three_phase = o.three_phase});
  }

  std::vector<Factor> factors_;

  friend Schedule warmup(index_t steps);
  friend Schedule step_decay(index_t size, double gamma);
  friend Schedule multistep(std::vector<index_t> milestones, double gamma);
  friend Schedule exponential(double gamma);
  friend Schedule cosine(index_t total, double min);
  friend Schedule cosine_periodic(index_t half_period, double min);
  friend Schedule cosine_restarts(index_t first, index_t multiplier, double min);
  friend Schedule one_cycle(const OneCycle& options);
  friend Schedule one_cycle_momentum(const OneCycle& options, double low, double high);
  friend Schedule warmup_staircase(index_t warm, index_t period, double gamma);
  friend Schedule delayed(index_t steps, Schedule schedule);
  friend Schedule custom(double (*function)(index_t));
};

inline Schedule constant(double rate) { return Schedule(rate); }
/// steps = 0: no warm-up.
inline Schedule warmup(index_t steps) {
  if (steps < 0) throw OptionError(detail::cat("warmup: ", steps, " steps, expected at least 0"));
  return Schedule(Schedule::Factor{.kind = Schedule::Kind::warmup, .first = steps});
}
inline Schedule step_decay(index_t size, double gamma) {
  Schedule::expect_steps("step_decay", "size", size);
  Schedule::expect_gamma("step_decay", gamma);
  return Schedule(Schedule::Factor{.kind = Schedule::Kind::step, .first = size, .numbers = {gamma}});
}
/// A milestone named twice counts twice.
inline Schedule multistep(std::vector<index_t> milestones, double gamma) {
  Schedule::expect_gamma("multistep", gamma);
  return Schedule(
      Schedule::Factor{.kind = Schedule::Kind::multistep, .numbers = {gamma}, .milestones = std::move(milestones)});
}
inline Schedule exponential(double gamma) {
  Schedule::expect_gamma("exponential", gamma);
  return Schedule(Schedule::Factor{.kind = Schedule::Kind::step, .first = 1, .numbers = {gamma}});
}
inline Schedule cosine(index_t total, double min = 0) {
  Schedule::expect_steps("cosine", "total", total);
  Schedule::expect_min("cosine", min);
  return Schedule(Schedule::Factor{.kind = Schedule::Kind::cosine, .first = total, .numbers = {min}});
}
inline Schedule cosine_periodic(index_t half_period, double min = 0) {
  Schedule::expect_steps("cosine_periodic", "half_period", half_period);
  Schedule::expect_min("cosine_periodic", min);
  return Schedule(Schedule::Factor{.kind = Schedule::Kind::periodic, .first = half_period, .numbers = {min}});
}
inline Schedule cosine_restarts(index_t first, index_t multiplier = 1, double min = 0) {
  Schedule::expect_steps("cosine_restarts", "first", first);
  Schedule::expect_steps("cosine_restarts", "multiplier", multiplier);
  Schedule::expect_min("cosine_restarts", min);
  return Schedule(
      Schedule::Factor{.kind = Schedule::Kind::restarts, .first = first, .second = multiplier, .numbers = {min}});
}
inline Schedule one_cycle(const OneCycle& options) {
  const double start = 1 / options.div_factor, end = start / options.final_div_factor;
  Schedule::expect(start > 0 && std::isfinite(start), "one_cycle", "div_factor", options.div_factor,
                   "a finite number above 0");
  Schedule::expect(end > 0 && std::isfinite(end), "one_cycle", "final_div_factor", options.final_div_factor,
                   "a finite number above 0");
  return Schedule::make_cycle(options, {start, 1, options.three_phase ? start : end, end});
}
/// The momentum that goes with it: `high` where the rate is low. Not a factor but the momentum itself.
inline Schedule one_cycle_momentum(const OneCycle& options, double low = 0.85, double high = 0.95) {
  return Schedule::make_cycle(options, {high, low, high, high});
}
inline Schedule warmup_staircase(index_t warm = 5, index_t period = 10, double gamma = 0.9) {
  Schedule::expect_steps("warmup_staircase", "warm", warm);
  Schedule::expect_steps("warmup_staircase", "period", period);
  Schedule::expect_gamma("warmup_staircase", gamma);
  return Schedule(
      Schedule::Factor{.kind = Schedule::Kind::staircase, .first = warm, .second = period, .numbers = {gamma}});
}
inline Schedule delayed(index_t steps, Schedule schedule) {
  if (steps < 0) throw OptionError(detail::cat("delayed: ", steps, " steps, expected at least 0"));
  for (Schedule::Factor& factor : schedule.factors_) factor.delay += steps;
  return schedule;
}
inline Schedule custom(double (*function)(index_t)) {
  if (function == nullptr) throw OptionError("custom: no function was given");
  return Schedule(Schedule::Factor{.kind = Schedule::Kind::custom, .function = function});
}

}  // namespace lacuna::optim
