/// Long preparations hear whoever watches them: before every step, in the models and through the trainer.
#include "lacuna/models/preparation.hpp"

#include <doctest/doctest.h>

#include "lacuna/data/synthetic.hpp"
#include "lacuna/lab/system.hpp"
#include "lacuna/models/baselines/mmin.hpp"
#include "lacuna/models/corrkd/corrkd.hpp"
#include "lacuna/models/sdumc/sdumc.hpp"

namespace lacuna {
namespace {

template <class M>
M small(const data::Dataset& data) {
  typename M::Options o;
  if constexpr (requires { o.network; }) {
    o.network.inputs = data.dimensions();
    o.network.width = 8, o.network.depth = 1;
    o.labels = models::CorrkdLabels::regression;
    o.teacher.epochs = 2, o.teacher.batch = 16;
  } else {
    o.inputs = data.dimensions();
  }
  if constexpr (requires { o.simulator; }) {
    o.width = o.fused = o.contrast = 8;
    o.simulator.width = 8, o.simulator.epochs = 2, o.simulator.batch = 16;
  }
  if constexpr (requires { o.pretraining; })
    o.width = 8, o.layers = {8}, o.pretraining.epochs = 2, o.pretraining.batch = 16;
  return M(o, Random(3));
}

template <class M>
std::vector<float> all_numbers(const M& model) {
  std::vector<float> numbers;
  for_each_parameter(model, [&](const std::string&, const auto& parameter) {
    const auto some = parameter.value().to_vector();
    numbers.insert(numbers.end(), some.begin(), some.end());
  });
  return numbers;
}

/// Stops a preparation before one of its steps.
struct StopBefore : train::Observer {
  int step, asked = 0;
  explicit StopBefore(int at) : step(at) {}
  bool stop_preparing() override { return ++asked > step; }
};

}  // namespace

TEST_CASE_TEMPLATE("preparation: is asked before every step, ends there, and begins anew", M, models::Corrkd<float>,
                   models::Mmin<float>, models::Sdumc<float>) {
  const auto corpus = data::synthetic({.samples = 40, .seed = 3, .validation = 10, .test = 4, .max_frames = 3});
  M watched = small<M>(corpus), alone = small<M>(corpus);
  int steps = 0;
  {
    Random random(5);
    watched.prepare(corpus, random, [&] { ++steps; });
  }
  Random random(5);
  alone.prepare(corpus, random);
  CHECK(steps >= 4);  // two epochs of at least two batches
  CHECK(all_numbers(watched) == all_numbers(alone));
  for (const int end : {0, 1, steps - 1}) {
    M model = small<M>(corpus);
    int asked = 0;
    Random again(5);
    CHECK_THROWS_AS(model.prepare(corpus, again,
                                  [&] {
                                    if (asked++ == end) throw models::Stopped();
                                  }),
                    models::Stopped);
    CHECK(asked == end + 1);

    StopBefore observer(end);
    CHECK_THROWS_AS(train::fit(model, corpus, {.epochs = 1}, observer), models::Stopped);
    CHECK(observer.asked == end + 1);
    const auto system =
        lab::make_system<M>("small", "", {.epochs = 1}, [&](std::uint64_t) { return small<M>(corpus); });
    StopBefore other(end);
    bool saved = false;
    lab::TrainJob job{corpus, 1, &other, nullptr, [&](const std::function<State()>&, bool) { saved = true; }};
    CHECK_FALSE(system.train(job).has_value());
    CHECK_FALSE(saved);  // there is nothing to go on from
    StopBefore never(1 << 30);
    job.observer = &never;
    CHECK(system.train(job).has_value());
  }
}

}  // namespace lacuna
