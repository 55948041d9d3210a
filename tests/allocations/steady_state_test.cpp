// Once warm, a step asks the system for no memory at all: counted by replacing malloc and its relatives, which is why
// these tests are a program of their own.
#include <doctest/doctest.h>

#include <cstdlib>  // says which C library this is

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LACUNA_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LACUNA_TEST_SANITIZED 1
#endif
#endif

#if defined(LACUNA_TEST_SANITIZED) || !defined(__GLIBC__)

TEST_CASE("steady state: allocations are counted without a sanitizer, with glibc" * doctest::skip()) {}

#else

#include <thread>

#include "../../benchmarks/support/count_allocations.hpp"
#include "lacuna/losses/ranking.hpp"
#include "lacuna/models/corrkd/objective.hpp"
#include "lacuna/models/sdumc/objective.hpp"
#include "lacuna/nn/init.hpp"
#include "lacuna/nn/pack.hpp"
#include "lacuna/optim/adam.hpp"
#include "lacuna/optim/clip.hpp"
#include "zoo/small_models.hpp"

using namespace lacuna;

namespace {

/// Allocations of ten calls, after `warm` calls.
template <class F>
long long allocations_of(F&& f, int warm = 5) {
  for (int i = 0; i < warm; ++i) f();
  const long long before = bench::allocations();
  for (int i = 0; i < 10; ++i) f();
  return bench::allocations() - before;
}
template <class F>
void check_none(F&& f) {
#ifdef __clang__
  const std::vector<int> counts{1};  // LLVM's OpenMP itself asks the system in every parallel region
#else
  const std::vector<int> counts{1, 2, 3};
#endif
  for (const int count : counts) {
    set_threads(count);
    CAPTURE(count);
    CHECK(allocations_of(f) == 0);
  }
  set_threads(0);
}

data::Stream<float> stream(index_t batch, index_t frames, index_t features, double keep, Random& random) {
  data::Stream<float> made{init::normal<float, 3>({batch, frames, features}, 1, random), Mask<2>({batch, frames})};
  for (index_t i = 0; i < batch * frames; ++i) made.present.data()[i] = random.uniform() < keep;
  return models::masked_stream(made.frames, made.present);
}

struct Student {
  models::CorrkdNetwork<float> network;
  models::CorrkdCritics<float> critics;
  static void reflect(auto& self, auto&& visit) {
    visit("network", self.network);
    visit("critics", self.critics);
  }
};

/// Teacher, student, every loss, clipping, Adam.
void train_corrkd(models::CorrkdOptions o) {
  Random random(3);
  o.network.inputs = {9, 5, 4};
  o.network.width = 12, o.network.num_heads = 3, o.network.depth = 2;
  o.network.outputs = o.outputs();
  const models::CorrkdNetwork<float> teacher(o.network, random);
  freeze(teacher);
  Student student{{o.network, random}, {o.head_count(), o.one_vs_rest ? 2 : o.class_count(), o.critic, random}};
  const Packed<float> packed = pack<float>(student);
  optim::Adam<float> adam(packed, {.learning_rate = 1e-3});
  data::Streams<float> whole, seen;
  for (const index_t features : o.network.inputs) {
    whole.push_back(stream(8, 40, features, 1, random));
    seen.push_back(models::masked_stream(whole.back().frames, stream(8, 40, 1, 0.5, random).present));
  }
  models::Targets<float> target;
  for (index_t i = 0; i < 8; ++i) target.classes.push_back(random.below(o.class_count()));
  check_none([&] {
    packed.zero_grad();
    models::CorrkdOutput<float> from_teacher;
    {
      const NoGrad off;
      from_teacher = teacher(whole);
    }
    const Context context = Context::train(random);
    models::corrkd_objective(o, student.network(seen, context), from_teacher, target, student.critics, context)
        .total.backward();
    adam.step_scaled(clip_factor(packed, 0.8));
  });
  check_none([&] {
    const NoGrad off;
    student.network(seen);
  });
}

struct SmallSdumc {
  Random random{4};
  models::SdumcOptions options;
  models::SdumcNetwork<float> network;
  data::Streams<float> streams;
  data::Stream<float> simulated;

  static models::SdumcOptions small(models::SdumcOptions o) {
    o.inputs = {9, 5, 7};
    o.width = 16, o.fused = 8, o.contrast = 4;
    return o;
  }
  explicit SmallSdumc(models::SdumcOptions o) : options(small(o)), network(options, random) {
    const index_t frames[] = {30, 8, 20};
    for (std::size_t m = 0; m < 3; ++m)
      streams.push_back(stream(6, frames[m], options.inputs[m], m == 1 ? 1 : 0.6, random));
    simulated = stream(6, 8, options.inputs[1], 1, random);
  }
  models::SdumcFlows<float> flows(const Context& context) {
    return models::both_flows(network, streams, simulated, context, context);
  }
};

}  // namespace

TEST_CASE("steady state: what is counted is counted") {
  const auto ask = [] {
    const std::vector<int> one(100);
    const int* volatile used = one.data();  // clang leaves out a vector that nobody looks at
    (void)used;
  };
  CHECK(allocations_of(ask) == 10);
  CHECK(allocations_of([] { const List<int> one(100); }) == 0);
  // what the pool gave away it asks for again
  CHECK(allocations_of([] { Cpu::trim(), Tensor<float, 1>({1000}); }) >= 10);
}

TEST_CASE("steady state: training and answering of CorrKD") {
  models::CorrkdOptions o;
  o.network.head_dropout = 0.1;
  train_corrkd(o);
}

TEST_CASE("steady state: CorrKD with masks of gaps, flags of presence and heads of modalities") {
  for (const models::GapMask mask : {models::GapMask::present, models::GapMask::none}) {
    models::CorrkdOptions o;
    o.network.gap_mask = mask;
    o.network.presence = true;
    o.network.evidence = models::Evidence::mean;
    o.network.embedding_dropout = 0.1;
    o.loss.unimodal = 1;
    o.loss.unimodal_response = 1;
    train_corrkd(o);
  }
}

TEST_CASE("steady state: training and answering of SDUMC") {
  for (const models::Padding padding : {models::Padding::masked, models::Padding::published}) {
    models::SdumcOptions o;
    o.imagination = models::Imagination::transition;
    o.padding = padding;
    SmallSdumc p(o);
    const Packed<float> packed = pack<float>(p.network);
    optim::Adam<float> adam(packed, {.learning_rate = 1e-4, .weight_decay = 1e-5});
    const auto labels = init::normal<float, 1>({6}, 1, p.random);
    check_none([&] {
      packed.zero_grad();
      models::sdumc_objective(p.flows(Context::train(p.random)), labels, p.options.weights, p.options.ranking)
          .total.backward();
      adam.step();
    });
    check_none([&] {
      const NoGrad off;
      p.flows({});
    });
  }
}

TEST_CASE("steady state: SDUMC for classes") {
  models::SdumcOptions o;
  o.classes = 4;
  SmallSdumc p(o);
  const Packed<float> packed = pack<float>(p.network);
  const std::vector<index_t> classes{0, 1, 2, 3, 0, 1};
  check_none([&] {
    packed.zero_grad();
    models::sdumc_class_objective(p.flows(Context::train(p.random)), classes, p.options.weights, {}).total.backward();
  });
}

TEST_CASE("steady state: Rank-N-Contrast") {
  Random random(5);
  const Variable<float, 2> features(init::normal<float, 2>({100, 8}, 1, random), true);
  const auto labels = init::normal<float, 1>({100}, 1, random);
  check_none([&] {
    features.zero_grad();
    rank_n_contrast(features, labels, {.temperature = 2.0}).backward();
  });
}

TEST_CASE("steady state: a Predictor answers a sample out of memory that it has, whatever is absent") {
  const data::Dataset real = data::synthetic({.samples = 40, .seed = 7, .max_frames = 5});
  for (const char* name : {"sdumc", "corrkd", "corrkd-robust"})
    for (const char* dtype : {"f32", "f64"}) {
      INFO(name << " " << dtype);
      const Predictor predictor(test::train_small(name, real, dtype).state);
      std::vector<std::vector<float> > frames;
      std::vector<Predictor::View> views;
      for (const auto& input : predictor.inputs()) frames.emplace_back(std::size_t(12 * input.features), 0.5f);
      for (const auto& one : frames) views.push_back({one.data(), 12});
      Answer answer;
      check_none([&] { predictor.predict(views, answer); });
      for (auto& view : views) {
        const auto whole = std::exchange(view, {});
        check_none([&] { predictor.predict(views, answer); });
        view = whole;
      }
    }
}

TEST_CASE("steady state: another thread that answers needs nothing either, once warm") {
  SmallSdumc p(models::SdumcOptions{});
  long long found = -1;
  std::thread([&] {
    const NoGrad off;
    found = allocations_of([&] { p.flows({}); });
  }).join();
  CHECK(found == 0);
}

#endif
