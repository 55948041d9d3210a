// The error of the vectorised functions, against the ones of the standard library in a wider type.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "lacuna/core/random.hpp"
#include "lacuna/kernels/cpu/activation.hpp"

using namespace lacuna;

namespace {

/// Largest error of run(y, n) against f, in units of the last place of the true number (of 1 where that is smaller in
/// size than `floor`), over numbers from [low, high].
template <class T, class Run, class F>
double worst_ulp(double low, double high, double floor, Run run, F f) {
  constexpr index_t n = 200003;
  std::vector<T> x(n), y(n);
  const RandomStream random{7, 1};
  for (index_t i = 0; i < n; ++i)
    x[std::size_t(i)] = y[std::size_t(i)] = T(low + (high - low) * random.uniform(std::uint64_t(i)));
  run(y.data(), n);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double truth = f((long double)(x[i]));
    const long double size = std::max<long double>(std::abs(truth), floor);
    const long double unit = std::ldexp((long double)(std::numeric_limits<T>::epsilon()), std::ilogb(size));
    worst = std::max(worst, double(std::abs((long double)(y[i]) - truth) / unit));
  }
  return worst;
}

template <class T>
void check_error() {
  const auto exp_of = [](T* y, index_t n) { cpu::exp_run(y, n); };
  const auto tanh_of = [](T* y, index_t n) { cpu::tanh_run(y, n); };
  const double low = sizeof(T) == 4 ? -87.3 : -708.0, high = sizeof(T) == 4 ? 88.3 : 709.0;
  const auto e = [](long double x) { return std::exp(x); };
  const auto t = [](long double x) { return std::tanh(x); };
  const double near = worst_ulp<T>(-1, 1, 0, exp_of, e), far = worst_ulp<T>(low, high, 0, exp_of, e);
  const double tanh_near = worst_ulp<T>(-1, 1, 0, tanh_of, t), tanh_far = worst_ulp<T>(-12, 12, 0, tanh_of, t);
  MESSAGE((sizeof(T) == 4 ? "float" : "double"), ", worst error in units of the last place: exp ", near, " in ±1, ",
          far, " anywhere; tanh ", tanh_near, " in ±1, ", tanh_far, " in ±12");
  CHECK(near <= 2);
  CHECK(far <= 5);
  CHECK(tanh_near <= 5);
  CHECK(tanh_far <= 7);
}

}  // namespace

TEST_CASE("exp and tanh of whole runs: the error that their header states, float") { check_error<float>(); }
TEST_CASE("exp and tanh of whole runs: the error that their header states, double") { check_error<double>(); }

TEST_CASE_TEMPLATE("exp of a run: nothing below the smallest normal number, infinity and NaN as they are", T, float,
                   double) {
  const T inf = std::numeric_limits<T>::infinity();
  for (index_t n = 1; n < 40; ++n) {
    std::vector<T> y(std::size_t(n), T(0));
    y[0] = -inf;
    y[std::size_t(n) - 1] = -inf;
    cpu::exp_run(y.data(), n);
    CHECK(y[0] == 0);
    CHECK(y[std::size_t(n) - 1] == 0);
    if (n > 2) CHECK(y[1] == 1);
    y[0] = std::numeric_limits<T>::quiet_NaN();
    cpu::exp_run(y.data(), n);
    CHECK(std::isnan(y[0]));
  }
  std::vector<T> large{T(-1e30), T(sizeof(T) == 4 ? -90 : -720), T(0)};
  cpu::exp_run(large.data(), 3);
  CHECK(large == std::vector<T>{0, 0, 1});
}

TEST_CASE_TEMPLATE("exp of numbers that are not large: as exact, the same limits", T, float, double) {
  const auto exp_of = [](T* y, index_t n) {
    cpu::packet_run(y, n, [](const auto& packet) { return cpu::exp_packet_of_small<T>(packet); });
  };
  const auto e = [](long double x) { return std::exp(x); };
  CHECK(worst_ulp<T>(-1, 1, 0, exp_of, e) <= 2);
  CHECK(worst_ulp<T>(sizeof(T) == 4 ? -87.3 : -708.0, 88, 0, exp_of, e) <= 5);
  const T inf = std::numeric_limits<T>::infinity();
  std::vector<T> y{T(0), T(-inf), T(-1e30), T(sizeof(T) == 4 ? -90 : -720), std::numeric_limits<T>::quiet_NaN()};
  exp_of(y.data(), index_t(y.size()));
  CHECK(std::vector<T>(y.begin(), y.end() - 1) == std::vector<T>{1, 0, 0, 0});
  CHECK(std::isnan(y.back()));
}
