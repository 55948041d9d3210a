#include "lacuna/optim/schedule.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "lacuna/io/npz.hpp"
#include "lacuna/optim/reduce_on_plateau.hpp"
#include "support/paths.hpp"

namespace {

using lacuna::index_t;
using lacuna::io::Npz;
using lacuna::optim::ReduceOnPlateau;
using lacuna::optim::Schedule;
namespace optim = lacuna::optim;

/// Arguments of one case of the oracle.
struct Expected {
  const Npz& file;
  std::string name;

  double real(const char* argument) const { return file.get(name + "/arg/" + argument).scalar<double>(); }
  index_t whole(const char* argument) const { return file.get(name + "/arg/" + argument).scalar<index_t>(); }
  std::string text(const char* argument) const { return file.get(name + "/arg/" + argument).strings().at(0); }
  std::vector<double> numbers(const char* array) const { return file.get(name + "/" + array).as<double>(); }

  optim::OneCycle cycle() const {
    return {.total = whole("total_steps"),
            .pct_start = real("pct_start"),
            .div_factor = real("div_factor"),
            .final_div_factor = real("final_div_factor"),
            .linear = text("anneal") == "linear",
            .three_phase = whole("three_phase") != 0};
  }
  Schedule schedule() const {
    const double rate = real("base_lr");
    const std::string kind = name.substr(std::string("schedule/").size());
    const auto min = [&] { return real("eta_min") / rate; };
    if (kind == "step") return rate * optim::step_decay(whole("step_size"), real("gamma"));
    if (kind == "multistep")
      return rate * optim::multistep(file.get(name + "/arg/milestones").as<index_t>(), real("gamma"));
    if (kind == "exponential") return rate * optim::exponential(real("gamma"));
    if (kind == "cosine") return rate * optim::cosine(whole("t_max"), min());
    if (kind == "cosine_periodic") return rate * optim::cosine_periodic(whole("t_max"), min());
    if (kind.starts_with("cosine_restarts")) return rate * optim::cosine_restarts(whole("t_0"), whole("t_mult"), min());
    if (kind == "warmup_cosine") {
      const index_t rise = whole("warmup");
      return rate * optim::warmup(rise) * optim::delayed(rise, optim::cosine(whole("total") - rise, min()));
    }
    if (kind.starts_with("one_cycle")) return real("max_lr") * optim::one_cycle(cycle());
    if (kind == "warmup5_staircase") return rate * optim::warmup_staircase();
    FAIL("no schedule for " << name);
    return 0;
  }
};

void compare(const std::string& what, double found, double expected) {
  CHECK_MESSAGE(std::abs(found - expected) <= 1e-11 * std::abs(expected),
                what << ": found " << found << ", expected " << expected);
}

}  // namespace

TEST_CASE("schedule: all cases of the oracle" * doctest::skip(!lacuna::test::have_oracle())) {
  const Npz file(lacuna::test::oracle_dir() + "/optim.npz");
  int cases = 0, in_index = 0, rates = 0;
  for (const std::string& name : file.get("index").strings()) {
    if (!name.starts_with("schedule/")) continue;
    ++in_index;
    const Expected c{file, name};
    const auto expected = c.numbers("lr");
    if (name.starts_with("schedule/plateau")) {
      const auto metric = c.numbers("metric");
      ReduceOnPlateau plateau(c.real("base_lr"), {.maximize = c.text("mode") == "max",
                                                  .factor = c.real("factor"),
                                                  .patience = c.whole("patience"),
                                                  .threshold = c.real("threshold"),
                                                  .relative = c.text("threshold_mode") == "rel",
                                                  .cooldown = c.whole("cooldown"),
                                                  .min_learning_rate = c.real("min_lr"),
                                                  .eps = c.real("eps")});
      for (std::size_t t = 0; t < expected.size(); ++t, ++rates) {
        compare(name + " " + std::to_string(t), plateau.learning_rate(), expected[t]);
        plateau.observe(metric[t]);
      }
    } else {
      const Schedule rate = c.schedule();
      for (std::size_t t = 0; t < expected.size(); ++t, ++rates)
        compare(name + " " + std::to_string(t), rate(index_t(t)), expected[t]);
    }
    if (file.contains(name + "/momentum")) {
      const auto momentum = c.numbers("momentum");
      const Schedule found = optim::one_cycle_momentum(c.cycle(), c.real("base_momentum"), c.real("max_momentum"));
      for (std::size_t t = 0; t < momentum.size(); ++t) compare(name + " momentum", found(index_t(t)), momentum[t]);
    }
    ++cases;
  }
  std::printf("optim.npz: %d of %d schedules compared, %d rates\n", cases, in_index, rates);
  CHECK(cases == in_index);
  CHECK(cases >= 14);
  CHECK(rates == 40 * cases);
}

TEST_CASE("schedule: that of SDUMC" * doctest::skip(!lacuna::test::have_oracle())) {
  const auto expected = Npz(lacuna::test::oracle_dir() + "/sdumc/misc.npz").get("lr_by_epoch").as<double>();
  const Schedule rate = 1e-4 * optim::warmup_staircase(5, 10, 0.9);
  REQUIRE(expected.size() == 40);
  for (std::size_t e = 0; e < expected.size(); ++e)
    compare("epoch " + std::to_string(e), rate(index_t(e)), expected[e]);
}

TEST_CASE("schedule: factors multiply, in any order, and nothing else is needed for a composition") {
  const Schedule rate = 0.1 * optim::warmup(5) * optim::cosine(100);
  const Schedule other = optim::cosine(100) * optim::constant(0.1) * optim::warmup(5);
  for (index_t t = 0; t < 150; ++t) {
    const double pi = 3.14159265358979323846, ramp = t < 5 ? double(t + 1) / 5 : 1;
    const double expected = t < 100 ? 0.1 * ramp * 0.5 * (1 + std::cos(pi * double(t) / 100)) : 0;
    CHECK(rate(t) == doctest::Approx(expected));
    CHECK(other(t) == doctest::Approx(expected));
  }
  Schedule copy = rate;
  copy = copy * 2;
  CHECK(copy(7) == doctest::Approx(2 * rate(7)));
  const Schedule number = 3e-4;
  CHECK(number(1000000) == 3e-4);
  const Schedule own = 2 * optim::custom([](index_t t) { return 1 / std::sqrt(double(t + 1)); });
  CHECK(own(3) == doctest::Approx(1));
}

TEST_CASE("schedule: equal when made of equal factors") {
  CHECK(0.1 * optim::warmup(5) == 0.1 * optim::warmup(5));
  CHECK(!(0.1 * optim::warmup(5) == 0.1 * optim::warmup(6)));
  CHECK(!(optim::cosine(5) == optim::cosine_periodic(5)));
  CHECK(!(optim::delayed(1, optim::cosine(5)) == optim::cosine(5)));
}

TEST_CASE("schedule: delayed waits at its first value, and delays add up") {
  const Schedule late = optim::delayed(3, optim::step_decay(2, 0.5) * optim::exponential(0.9));
  const Schedule later = optim::delayed(2, optim::delayed(1, optim::step_decay(2, 0.5) * optim::exponential(0.9)));
  const std::vector<double> expected = {1, 1, 1, 1, 0.9, 0.405};
  for (std::size_t t = 0; t < expected.size(); ++t) {
    CHECK(late(index_t(t)) == doctest::Approx(expected[t]));
    CHECK(later(index_t(t)) == doctest::Approx(expected[t]));
  }
}

TEST_CASE("schedule: after the end") {
  CHECK(optim::cosine(10, 0.25)(10) == 0.25);
  CHECK(optim::cosine(10, 0.25)(12345678) == 0.25);
  CHECK(optim::cosine_periodic(10)(20) == doctest::Approx(1));
  const Schedule cycle = optim::one_cycle({.total = 10});
  CHECK(cycle(9) == doctest::Approx(1.0 / 25 / 1e4));
  CHECK(cycle(1000) == cycle(9));
  CHECK(optim::one_cycle({.total = 1})(0) == doctest::Approx(1.0 / 25 / 1e4));
  const index_t last = std::numeric_limits<index_t>::max();
  CHECK(std::isfinite(optim::cosine_restarts(3, 2)(last)));
  CHECK(std::isfinite(optim::cosine_restarts(3)(last)));
  CHECK(optim::warmup(0)(0) == 1);
  CHECK(optim::multistep({4, 4}, 0.5)(4) == 0.25);
  CHECK(optim::multistep({}, 0.5)(4) == 1);
}

TEST_CASE("reduce_on_plateau: a metric that is not a number is no improvement; the state can be stored") {
  ReduceOnPlateau plateau(1, {.factor = 0.5, .patience = 1});
  plateau.observe(3);
  plateau.observe(std::nan(""));
  const ReduceOnPlateau::State stored = plateau.state;
  CHECK(plateau.observe(std::nan("")) == 0.5);
  ReduceOnPlateau resumed(1, plateau.options);
  resumed.state = stored;
  CHECK(resumed.observe(4) == 0.5);
  CHECK(ReduceOnPlateau(0.1).learning_rate() == 0.1);
  ReduceOnPlateau tiny(1e-8, {.factor = 0.5, .patience = 0, .eps = 1e-8});
  tiny.observe(1);
  CHECK(tiny.observe(1) == 1e-8);  // halving it would change it by less than eps
}

TEST_CASE("schedule: bad options are refused") {
  using lacuna::OptionError;
  const double nan = std::nan("");
  CHECK_THROWS_AS(optim::constant(nan), OptionError);
  CHECK_THROWS_AS(optim::warmup(-1), OptionError);
  CHECK_THROWS_AS(optim::step_decay(0, 0.5), OptionError);
  CHECK_THROWS_AS(optim::step_decay(3, 0), OptionError);
  CHECK_THROWS_AS(optim::multistep({1}, nan), OptionError);
  CHECK_THROWS_AS(optim::exponential(-1), OptionError);
  CHECK_THROWS_AS(optim::cosine(0), OptionError);
  CHECK_THROWS_AS(optim::cosine(5, 1.5), OptionError);
  CHECK_THROWS_AS(optim::cosine_periodic(-5), OptionError);
  CHECK_THROWS_AS(optim::cosine_restarts(5, 0), OptionError);
  CHECK_THROWS_AS(optim::one_cycle({.total = 0}), OptionError);
  CHECK_THROWS_AS(optim::one_cycle({.total = 10, .pct_start = 1}), OptionError);
  CHECK_THROWS_AS(optim::one_cycle({.total = 10, .pct_start = 0.6, .three_phase = true}), OptionError);
  CHECK_THROWS_AS(optim::one_cycle({.total = 10, .div_factor = 0}), OptionError);
  CHECK_THROWS_AS(optim::one_cycle({.total = 10, .final_div_factor = -1}), OptionError);
  CHECK_THROWS_AS(optim::warmup_staircase(0), OptionError);
  CHECK_THROWS_AS(optim::warmup_staircase(5, 0), OptionError);
  CHECK_THROWS_AS(optim::delayed(-1, optim::warmup(5)), OptionError);
  CHECK_THROWS_AS(optim::custom(nullptr), OptionError);
  CHECK_THROWS_AS(optim::warmup(5)(-1), OptionError);
  CHECK_THROWS_AS(ReduceOnPlateau(1, {.factor = 1}), OptionError);
  CHECK_THROWS_AS(ReduceOnPlateau(1, {.patience = -1}), OptionError);
  CHECK_THROWS_AS(ReduceOnPlateau(1, {.threshold = 1}), OptionError);
  CHECK_THROWS_AS(ReduceOnPlateau{nan}, OptionError);
}
