#include "lacuna/lab/bootstrap.hpp"

#include <doctest/doctest.h>

#include "lacuna/lab/statistic.hpp"

namespace lacuna {
namespace {

using lab::BootstrapOptions, lab::Statistic;

std::vector<double> numbers(index_t count, std::uint64_t seed) {
  std::vector<double> all;
  const RandomStream stream = Random(seed).stream();
  for (index_t i = 0; i < count; ++i) all.push_back(stream.normal(std::uint64_t(i)));
  return all;
}
Statistic mean_of(const std::vector<double>& values) {
  return [values](std::span<const double> counts) {
    double sum = 0, weight = 0;
    for (std::size_t n = 0; n < counts.size(); ++n) sum += counts[n] * values[n], weight += counts[n];
    return sum / weight;
  };
}

TEST_CASE("bootstrap: a resample has as many samples as there are, the same for the same seed and draw") {
  for (const index_t samples : {1, 2, 7, 500}) {
    const auto counts = lab::resample(samples, 3, 11);
    double sum = 0;
    for (const double count : counts) sum += count;
    CHECK(counts.size() == std::size_t(samples));
    CHECK(sum == double(samples));
    CHECK(counts == lab::resample(samples, 3, 11));
  }
  CHECK(lab::resample(500, 3, 11) != lab::resample(500, 4, 11));
  CHECK(lab::resample(500, 3, 11) != lab::resample(500, 3, 12));
}

TEST_CASE("bootstrap: counts are multinomial: mean 1, variance 1 - 1/N, no place preferred") {
  const index_t samples = 40, draws = 4000;
  std::vector<double> sums(40, 0.0);
  double squares = 0;
  for (index_t d = 0; d < draws; ++d) {
    const auto counts = lab::resample(samples, d, 5);
    for (std::size_t n = 0; n < 40; ++n) sums[n] += counts[n], squares += (counts[n] - 1) * (counts[n] - 1);
  }
  CHECK(squares / double(samples * draws) == doctest::Approx(1 - 1.0 / 40).epsilon(0.02));
  // each sum has deviation sqrt(draws (1 - 1/N)) = 62; five of them
  for (const double sum : sums) CHECK(std::abs(sum - double(draws)) < 5 * 62.5);
}

TEST_CASE("bootstrap: the mean of N numbers has the deviation s / sqrt(N), and the interval is that of a normal") {
  const auto values = numbers(400, 1);
  double mean = 0, variance = 0;
  for (const double value : values) mean += value / 400;
  for (const double value : values) variance += (value - mean) * (value - mean) / 400;
  const BootstrapOptions options{.draws = 4000, .level = 0.95, .seed = 2};
  const auto replicates = lab::replicates(400, {mean_of(values)}, options)[0];
  double centre = 0, spread = 0;
  for (const double one : replicates) centre += one / 4000;
  for (const double one : replicates) spread += (one - centre) * (one - centre) / 4000;
  const double deviation = std::sqrt(variance / 400);
  CHECK(std::abs(centre - mean) < 4 * deviation / std::sqrt(4000.0));
  CHECK(std::sqrt(spread) == doctest::Approx(deviation).epsilon(0.04));
  const auto interval = lab::bootstrap(400, mean_of(values), options);
  CHECK(std::abs(interval.low - (mean - 1.959964 * deviation)) < 0.12 * deviation);
  CHECK(std::abs(interval.high - (mean + 1.959964 * deviation)) < 0.12 * deviation);
}

TEST_CASE("bootstrap: a share of right answers follows the binomial law") {
  // p = 0.3, N = 50: P(count <= k) of the binomial gives 9 and 21 as the 2.5 % and 97.5 % points
  std::vector<double> values(50, 0.0);
  std::fill(values.begin(), values.begin() + 15, 1.0);
  const auto interval = lab::bootstrap(50, mean_of(values), {.draws = 6000});
  CHECK(std::abs(50 * interval.low - 9) <= 1);
  CHECK(std::abs(50 * interval.high - 21) <= 1);
}

TEST_CASE("bootstrap: a difference of paired statistics is narrower than its parts, and exact where it is constant") {
  const auto a = numbers(200, 3);
  std::vector<double> b = a;
  for (double& value : b) value += 0.25;
  const auto both = lab::replicates(200, {mean_of(a), mean_of(b)});
  std::vector<double> difference(both[0].size());
  for (std::size_t d = 0; d < difference.size(); ++d) difference[d] = both[1][d] - both[0][d];
  const auto interval = lab::percentile_interval(difference, 0.95);
  CHECK(interval.low == doctest::Approx(0.25).epsilon(1e-12));
  CHECK(interval.high == doctest::Approx(0.25).epsilon(1e-12));
  const auto alone = lab::percentile_interval(both[0], 0.95);
  CHECK(alone.high - alone.low > 0.2);
}

TEST_CASE("bootstrap: any number of threads gives the same bits") {
  const auto values = numbers(120, 4);
  set_threads(1);
  const auto one = lab::replicates(120, {mean_of(values)}, {.draws = 301});
  for (const int count : {2, 3}) {
    set_threads(count);
    CHECK(lab::replicates(120, {mean_of(values)}, {.draws = 301}) == one);
  }
  set_threads(0);
}

TEST_CASE("bootstrap: quantiles are linear between the sorted numbers") {
  const std::vector<double> sorted{0, 10, 20, 40};
  CHECK(lab::quantile(sorted, 0) == 0);
  CHECK(lab::quantile(sorted, 1) == 40);
  CHECK(lab::quantile(sorted, 0.5) == doctest::Approx(15));
  CHECK(lab::quantile(sorted, 0.9) == doctest::Approx(34));
  CHECK(lab::quantile(std::vector<double>{3}, 0.3) == 3);
  const auto interval = lab::percentile_interval({40, 0, 20, 10}, 0.5);
  CHECK(interval.low == doctest::Approx(7.5));
  CHECK(interval.high == doctest::Approx(25));
  CHECK(std::isnan(lab::percentile_interval({1, std::nan(""), 2}, 0.9).low));
}

TEST_CASE("bootstrap: one sample gives its own value; impossible options are refused") {
  const auto interval = lab::bootstrap(1, mean_of({7}));
  CHECK(interval.low == 7);
  CHECK(interval.high == 7);
  CHECK_THROWS_AS(lab::bootstrap(0, mean_of({})), OptionError);
  CHECK_THROWS_AS(lab::bootstrap(1, mean_of({7}), {.draws = 0}), OptionError);
  CHECK_THROWS_AS(lab::bootstrap(1, mean_of({7}), {.draws = 9, .level = 1}), OptionError);
}

TEST_CASE("statistic: on the samples as they are, every metric is what train::scores says, averaged over seeds") {
  const RandomStream stream = Random(8).stream();
  train::Targets real{{}, 0}, classes{{}, 4};
  std::vector<std::vector<double>> a(2), b(2);
  for (std::uint64_t n = 0; n < 60; ++n) {
    real.values.push_back(n % 9 == 0 ? 0.0 : std::round(20 * stream.uniform(10 * n) - 10) / 4);
    classes.values.push_back(std::floor(4 * stream.uniform(10 * n + 1)));
    for (std::size_t s = 0; s < 2; ++s) {
      a[s].push_back(real.values.back() + stream.normal(10 * n + 2 + s));
      b[s].push_back(stream.uniform(10 * n + 6 + s) < 0.5 ? classes.values.back() : double(n % 4));
    }
  }
  const std::vector<double> once(60, 1.0);
  for (const auto& [targets, predictions] : {std::pair(&real, &a), std::pair(&classes, &b)}) {
    const auto first = train::scores(*targets, (*predictions)[0]), second = train::scores(*targets, (*predictions)[1]);
    for (std::size_t m = 0; m < first.size(); ++m) {
      const std::string& name = first[m].first;
      CAPTURE(name);
      const auto statistic = lab::metric_statistic(name, *targets, {(*predictions)[0], (*predictions)[1]});
      CHECK(statistic(once) == doctest::Approx((first[m].second + second[m].second) / 2).epsilon(1e-12));
    }
    CHECK(lab::metric_names(targets->classes).size() == first.size());
  }
}

TEST_CASE("statistic: under counts it is the metric of the samples repeated that often") {
  const RandomStream stream = Random(9).stream();
  train::Targets real{{}, 0}, classes{{}, 3};
  std::vector<double> a, b;
  for (std::uint64_t n = 0; n < 40; ++n) {
    real.values.push_back(n % 7 == 0 ? 0.0 : std::round(8 * stream.normal(8 * n)) / 4);
    classes.values.push_back(double(n % 3));
    a.push_back(real.values.back() + stream.normal(8 * n + 1));
    b.push_back(stream.uniform(8 * n + 5) < 0.6 ? double(n % 3) : 1.0);
  }
  const auto counts = lab::resample(40, 0, 1);
  for (const auto& [targets, predictions] : {std::pair(&real, &a), std::pair(&classes, &b)}) {
    train::Targets repeated{{}, targets->classes};
    std::vector<double> expanded;
    for (std::size_t n = 0; n < 40; ++n)
      for (int i = 0; i < int(counts[n]); ++i)
        repeated.values.push_back(targets->values[n]), expanded.push_back((*predictions)[n]);
    for (const auto& score : train::scores(repeated, expanded)) {
      CAPTURE(score.first);
      CHECK(lab::metric_statistic(score.first, *targets, {*predictions})(counts) ==
            doctest::Approx(score.second).epsilon(1e-12));
    }
  }
}

TEST_CASE("statistic: metrics that these labels do not have are refused by name") {
  CHECK_THROWS_WITH_AS(lab::check_metric("accuracy", 0),
                       doctest::Contains("there is no metric 'accuracy' of real labels"), OptionError);
  CHECK_THROWS_WITH_AS(lab::check_metric("mae", 3), doctest::Contains("there are accuracy, uar"), OptionError);
}

}  // namespace
}  // namespace lacuna
