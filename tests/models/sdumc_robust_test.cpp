/// SDUMC made robust: what is absent says nothing, gates are shares of what is present, and the parts can be left out.
#include <doctest/doctest.h>

#include <cmath>

#include "lacuna/core/threads.hpp"
#include "lacuna/models/sdumc/robust.hpp"
#include "models/small_sets.hpp"

namespace sdumc_robust_tests {

using namespace lacuna;
using Robust = models::RobustSdumc<double>;

models::RobustSdumcOptions tiny(const data::Dataset& data) {
  models::RobustSdumcOptions o{.inputs = data.dimensions(), .width = 6, .fused = 4, .frame_dropout = 0, .dropout = 0};
  o.classes = data.class_count;
  return o;
}
Robust prepared(const models::RobustSdumcOptions& o, const data::Dataset& data) {
  Robust model(o, Random(5));
  Random random(1);
  train::prepare(model, data, random);
  return model;
}

TEST_CASE("sdumc robust: gradients of the whole objective, with and without each part") {
  const auto data = test::class_set(12);
  auto batch = test::first<double>(data.train, 4);
  test::lose(batch, 1, 1);
  for (int without = 0; without < 3; ++without) {
    auto o = tiny(data);
    o.detach = false;  // differences see through a stop
    if (without == 1) o.presence = o.normalize_gates = false, o.joint = models::Joint::averaged;
    if (without == 2) o.evidence = o.imagine = false;
    const Robust model = prepared(o, data);
    Random random(3);
    const auto taught = model.taught(batch, Context::train(random));
    const auto objective = [&] { return model.network.objective(taught, {}).total; };
    CHECK(test::worst_gradient(model, objective, [](const std::string&) { return true; }) < 1e-5);
  }
}

TEST_CASE("sdumc robust: a stop changes gradients alone, and a term of weight 0 is none") {
  const auto data = test::class_set(12);
  auto o = tiny(data);
  const auto loss = [&] {
    const Robust model = prepared(o, data);
    Random random(3);
    auto found = model.network.objective(model.taught(test::first<double>(data.train, 6), Context::train(random)), {});
    found.total.backward();
    return std::pair(double(found.total.item()), test::numbers(model, true));
  };
  const auto stopped = loss();
  o.detach = false;
  const auto free = loss();
  CHECK(stopped.first == free.first);
  CHECK(stopped.second != free.second);
  o.weights.imagined = o.weights.feature = 0;
  CHECK(loss().first < free.first);
}

TEST_CASE("sdumc robust: what is absent says nothing, alone or among others, in one thread or three") {
  const auto data = test::class_set(12);
  const Robust model = prepared(tiny(data), data);
  auto batch = test::first<double>(data.test, 6);
  for (const std::size_t m : {0, 2}) test::lose(batch, 1, m);  // not-a-number stands there
  for (std::size_t m = 0; m < 3; ++m) test::lose(batch, 3, m);
  const auto scores = model.scores(batch);
  const auto flow = model.network.flow(model.streams(batch), {});
  for (index_t b = 0; b < 6; ++b) {
    double sum = 0;
    for (index_t m = 0; m < 3; ++m) {
      const bool here = flow.present[std::size_t(m)](b);
      CHECK(here == !((b == 1 && m != 1) || b == 3));
      sum += flow.gates.value()(b, m);
      if (!here) CHECK(flow.gates.value()(b, m) == 0);
      for (index_t k = 0; !here && k < 3; ++k) CHECK(flow.own[std::size_t(m)].value()(b, k) == 0);
      for (index_t f = 0; !here && f < 6; ++f) CHECK(flow.hidden[std::size_t(m)].value()(b, f) == 0);
    }
    CHECK(sum == doctest::Approx(b == 3 ? 0 : 1));
    const auto alone = model.scores(data::gather<double>(data.test, std::vector<index_t>{b}));
    for (index_t k = 0; k < 3; ++k) {
      CHECK(std::isfinite(scores(b, k)));
      if (b != 1 && b != 3) CHECK(scores(b, k) == doctest::Approx(alone(0, k)).epsilon(1e-12));
    }
  }
  for (const int threads : {2, 3}) {
    set_threads(threads);
    CHECK(model.scores(batch).to_vector() == scores.to_vector());
  }
  set_threads(0);
}

TEST_CASE("sdumc robust: the joint head is added to the own ones, or averaged with them") {
  const auto data = test::class_set(12);
  auto o = tiny(data);
  auto batch = test::first<double>(data.test, 3);
  test::lose(batch, 0, 0), test::lose(batch, 0, 2), test::lose(batch, 1, 1);
  const auto flow = [&](models::Joint joint) {
    o.joint = joint;
    const Robust model = prepared(o, data);
    return model.network.flow(model.streams(batch), {});
  };
  const auto added = flow(models::Joint::added), averaged = flow(models::Joint::averaged);
  CHECK(flow(models::Joint::automatic).scores.value().to_vector() == added.scores.value().to_vector());
  CHECK(!o.averaged());
  o.classes = 0;
  CHECK(o.averaged());
  o.labels = models::LabelKind::seven;
  CHECK(!o.averaged());
  const double present[] = {1, 2, 3};
  for (index_t b = 0; b < 3; ++b)
    for (index_t k = 0; k < 3; ++k) {
      double own = 0;
      for (const auto& one : added.own) own += one.value()(b, k) / present[b];
      const double joint = added.scores.value()(b, k) - own, share = 1 - 1 / present[b];
      CHECK(std::abs(joint) > 1e-6);
      CHECK(averaged.scores.value()(b, k) == doctest::Approx(own + share * joint).epsilon(1e-12));
    }
}

TEST_CASE("sdumc robust: learns classes, and knows them from any modality alone") {
  const auto data = test::class_set(48);
  auto o = tiny(data);
  o.width = 16, o.fused = 8;
  Robust model(o, Random(2));
  CHECK(model.network.conditions(o, data.modality_names()).size() == 7);
  test::learn(model, data, 15, 5e-3);
  for (std::size_t kept = 0; kept < 3; ++kept) {
    auto rest = test::first<double>(data.test, 24);
    for (index_t b = 0; b < 24; ++b)
      for (std::size_t m = 0; m < 3; ++m)
        if (m != kept) test::lose(rest, b, m);
    const auto answers = model.predict(rest);
    int right = 0;
    for (index_t b = 0; b < 24; ++b) right += index_t(answers[std::size_t(b)]) == rest.classes[std::size_t(b)];
    CHECK(right >= 20);
  }
}

TEST_CASE("sdumc robust: options that make no network are refused") {
  CHECK_THROWS_AS(Robust({.inputs = {3}}, Random(1)), OptionError);
  CHECK_THROWS_AS(Robust({.inputs = {3, 2}, .width = 1}, Random(1)), OptionError);
  models::RobustSdumcOptions o{.inputs = {3, 2}};
  o.drop.pattern_weights = {1, 2};
  CHECK_THROWS_AS(Robust(o, Random(1)), OptionError);
}

}  // namespace sdumc_robust_tests
