#include "lacuna/losses/ranking.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <limits>

#include "lacuna/nn/init.hpp"
#include "support/oracle.hpp"

using namespace lacuna;

namespace {

std::string file_name() { return test::oracle_dir() + "/sdumc/rnc.npz"; }
bool have_file() { return test::have_oracle() && test::is_directory(test::oracle_dir() + "/sdumc"); }

/// The formula term by term in long double: value and gradient, every log-sum-exp shifted by its largest term. O(n³).
struct Direct {
  double value = 0;
  std::vector<double> gradient;
};
Direct direct(const std::vector<double>& x, const std::vector<double>& y, index_t d, double slack, double temperature) {
  using Real = long double;
  const index_t n = index_t(y.size());
  const auto at = [&](index_t i, index_t f) { return Real(x[std::size_t(i * d + f)]); };
  std::vector<Real> distance(std::size_t(n * n)), pull(std::size_t(n * n), 0);  // pull: dL/d(-S tau) of a pair
  for (index_t i = 0; i < n; ++i)
    for (index_t k = 0; k < n; ++k) {
      Real squares = 0;
      for (index_t f = 0; f < d; ++f) squares += (at(i, f) - at(k, f)) * (at(i, f) - at(k, f));
      distance[std::size_t(i * n + k)] = std::sqrt(squares);
    }
  Real total = 0;
  const Real each = n > 1 ? Real(1) / (Real(n) * Real(n - 1)) : 0;
  for (index_t i = 0; i < n; ++i)
    for (index_t j = 0; j < n; ++j) {
      if (j == i) continue;
      // label distances in double, as everybody has them: ties are decided there
      const auto apart = [&](index_t k) { return std::abs(y[std::size_t(i)] - y[std::size_t(k)]); };
      const auto s = [&](index_t k) { return -distance[std::size_t(i * n + k)] / Real(temperature); };
      Real largest = -std::numeric_limits<Real>::infinity(), sum = 0;
      for (index_t k = 0; k < n; ++k)
        if (k != i && apart(k) >= apart(j) - slack) largest = std::max(largest, s(k));
      for (index_t k = 0; k < n; ++k)
        if (k != i && apart(k) >= apart(j) - slack) sum += std::exp(s(k) - largest);
      total += s(j) - largest - std::log(sum);
      pull[std::size_t(i * n + j)] += each / Real(temperature);
      for (index_t k = 0; k < n; ++k)
        if (k != i && apart(k) >= apart(j) - slack)
          pull[std::size_t(i * n + k)] -= each / Real(temperature) * std::exp(s(k) - largest) / sum;
    }
  Direct result{double(-each * total), std::vector<double>(x.size(), 0.0)};
  for (index_t i = 0; i < n; ++i)
    for (index_t k = 0; k < n; ++k) {
      const Real apart = distance[std::size_t(i * n + k)];
      if (apart == 0) continue;
      const Real both = (pull[std::size_t(i * n + k)] + pull[std::size_t(k * n + i)]) / apart;
      for (index_t f = 0; f < d; ++f) result.gradient[std::size_t(i * d + f)] += double(both * (at(i, f) - at(k, f)));
    }
  return result;
}

/// Two views (B, d) out of (B, 2, d), as the authors store them.
template <class T>
std::vector<Variable<T, 2>> views(const io::Npz& file, const std::string& name, std::vector<double>& stacked) {
  const auto both = file.tensor<double, 3>(name + "/features");
  const index_t batch = both.extent(0), d = both.extent(2);
  std::vector<Variable<T, 2>> result;
  for (index_t v = 0; v < 2; ++v) {
    Tensor<T, 2> view({batch, d});
    for (index_t b = 0; b < batch; ++b)
      for (index_t f = 0; f < d; ++f) {
        view(b, f) = T(both(b, v, f));
        stacked.push_back(both(b, v, f));
      }
    result.emplace_back(view, true);
  }
  return result;
}
/// The gradients of both views in the layout (B, 2, d).
template <class T>
std::vector<T> joined(const std::vector<Variable<T, 2>>& view) {
  std::vector<T> all;
  const index_t d = view[0].extent(1);
  for (index_t b = 0; b < view[0].extent(0); ++b)
    for (const auto& v : view) {
      const std::vector<T> g = v.grad().to_vector();
      all.insert(all.end(), g.begin() + b * d, g.begin() + (b + 1) * d);
    }
  return all;
}

}  // namespace

TEST_CASE("rank_n_contrast: every case of rnc.npz" * doctest::skip(!have_file())) {
  const io::Npz file(file_name());
  int cases = 0, compared = 0, originals = 0, left_out = 0;
  for (const std::string& name : file.get("names").strings()) {
    CAPTURE(name);
    const auto labels = file.tensor<double, 1>(name + "/labels");
    const double temperature = file.get(name + "/T").scalar<double>();
    const auto run = [&](double slack, const std::string& who) {
      std::vector<double> stacked, twice = labels.to_vector();
      const auto view = views<double>(file, name, stacked);
      twice.insert(twice.end(), twice.begin(), twice.begin() + labels.size());
      const auto loss = rank_n_contrast(view[0], view[1], labels, {.temperature = temperature, .slack = slack});
      loss.backward();
      CHECK(std::isfinite(loss.item()));
      const Direct expected = direct(stacked, twice, view[0].extent(1), slack, temperature);
      CHECK(test::relative_error<double>({loss.item()}, {expected.value}, 0.01) <= 1e-12);
      std::vector<double> own;
      for (const auto& v : view) {
        const auto g = v.grad().to_vector();
        own.insert(own.end(), g.begin(), g.end());
      }
      double largest = 0;
      for (const double g : expected.gradient) largest = std::max(largest, std::abs(g));
      if (largest > 0) CHECK(test::relative_error(own, expected.gradient, largest) <= 1e-11);
      if (who.empty()) return;
      const auto reference = file.get(name + "/" + who + "_grad").as<double>();
      largest = 1e-12;
      for (const double g : reference) largest = std::max(largest, std::abs(g));
      CHECK(test::relative_error<double>({loss.item()}, file.get(name + "/" + who + "_loss").as<double>(), 0.01) <= 1e-10);
      CHECK(test::relative_error(joined(view), reference, largest) <= 1e-9);
      compared += 2;
    };
    const bool finite = std::isfinite(file.get(name + "/authors_loss").scalar<double>());
    run(1e-4, finite ? "authors" : "");  // where theirs underflows, only the direct formula is right
    if (!finite) ++left_out;
    // the original, without slack: labels in thirds are tied or not by their last bit
    if (finite && name.find("thirds") == std::string::npos) {
      run(0, "zha");
      ++originals;
    }
    // in float; labels that only the slack can tell apart in double are another problem there
    std::vector<double> unused;
    const auto view = views<float>(file, name, unused);
    Tensor<float, 1> rounded({labels.size()});
    for (index_t b = 0; b < labels.size(); ++b) rounded(b) = float(labels(b));
    const auto loss = rank_n_contrast(view[0], view[1], rounded, {.temperature = temperature});
    loss.backward();
    CHECK(std::isfinite(loss.item()));
    if (finite) {
      CHECK(test::relative_error<float>({loss.item()}, file.get(name + "/authors_loss").as<double>(), 0.1) <= 1e-4);
      CHECK(test::relative_error(joined(view), file.get(name + "/authors_grad").as<double>(), 0.1) <= 1e-3);
    }
    ++cases;
  }
  CHECK(cases == int(file.get("names").size()));
  CHECK(compared == 2 * (cases - left_out + originals));
  CHECK(left_out < cases);
  std::printf("rnc.npz: %d cases (%d by the direct formula alone), %d of them also without slack\n", cases, left_out, originals);
}

TEST_CASE("rank_n_contrast: agrees with the direct formula on random problems, ties and absence included") {
  Random random(9);
  for (int trial = 0; trial < 30; ++trial) {
    const index_t n = 2 + random.below(20), d = 1 + random.below(5);
    const auto x = init::uniform<double, 2>({n, d}, 2.0, random);
    Tensor<double, 1> y({n});
    for (index_t i = 0; i < n; ++i) y(i) = trial % 2 ? random.uniform(-3, 3) : double(random.below(4));
    const double slack = trial % 3 == 0 ? 0 : trial % 3 == 1 ? 1e-4 : 0.5, temperature = random.uniform(0.3, 3);
    const Variable<double, 2> features(x, true);
    const auto loss = rank_n_contrast(features, y, {.temperature = temperature, .slack = slack});
    loss.backward();
    const Direct expected = direct(x.to_vector(), y.to_vector(), d, slack, temperature);
    CHECK(loss.item() == doctest::Approx(expected.value).epsilon(1e-12));
    CHECK(test::relative_error(features.grad().to_vector(), expected.gradient, 0.01) < 1e-12);
  }
}

TEST_CASE("rank_n_contrast: huge distances and huge similarities stay finite") {
  for (const double size : {1e-12, 1e3, 1e6}) {
    const Variable<double, 2> x(Tensor<double, 2>::from({3, 1}, {0, size, -2 * size}), true);
    const auto loss = rank_n_contrast(x, Tensor<double, 1>::from({3}, {1, 2, 4}));
    loss.backward();
    const Direct expected = direct(x.value().to_vector(), {1, 2, 4}, 1, 1e-4, 2);
    CHECK(loss.item() == doctest::Approx(expected.value).epsilon(1e-12));
    // a similarity of 10^6 is known to 10^-10 only
    CHECK(test::relative_error(x.grad().to_vector(), expected.gradient, 1e-3) < 1e-9);
  }
}

TEST_CASE("rank_n_contrast: refuses options and labels without meaning") {
  const Variable<double, 2> x(Tensor<double, 2>::zeros({2, 3}));
  const auto y = Tensor<double, 1>::from({2}, {1, 2});
  CHECK_THROWS_AS(rank_n_contrast(x, y, {.temperature = 0}), OptionError);
  CHECK_THROWS_AS(rank_n_contrast(x, y, {.temperature = NAN}), OptionError);
  CHECK_THROWS_AS(rank_n_contrast(x, y, {.slack = -1}), OptionError);
  CHECK_THROWS_AS(rank_n_contrast(x, Tensor<double, 1>::from({2}, {1, NAN})), Error);
  CHECK_THROWS_AS(rank_n_contrast(x, Tensor<double, 1>::from({3}, {1, 2, 3})), ShapeError);
  // an absent sample needs no label
  CHECK(rank_n_contrast(x, Tensor<double, 1>::from({2}, {1, NAN}), {}, Mask<1>::from({2}, {1, 0})).item() == 0);
}
