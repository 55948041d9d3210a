/// The workloads on device D, each an object that is made once and called per step. Sizes, losses, dropout, clipping
/// and optimizer are those of the PyTorch peer; inputs are normal numbers from a fixed seed, the same on every device,
/// where they stay. A call waits for nothing that the work does not need: its result stays on the device too. `gflop`
/// counts the products that the mathematics of one call needs, two operations per multiply-add, and nothing else: no
/// softmax, no norm, no optimizer, and no gradient of an input.
#pragma once

#include <memory>
#include <string>

#include "lacuna/core/replay.hpp"
#include "lacuna/losses/ranking.hpp"
#include "lacuna/models/corrkd/objective.hpp"
#include "lacuna/models/sdumc/objective.hpp"
#include "lacuna/nn/pack.hpp"
#include "lacuna/nn/pack_weights.hpp"
#include "lacuna/optim/adam.hpp"
#include "lacuna/optim/clip.hpp"

namespace bench {

using namespace lacuna;

template <std::size_t R>
Tensor<float, int(R)> normal(const std::array<index_t, R>& extents, Random& random) {
  Tensor<float, int(R)> x(extents);
  const RandomStream stream = random.stream();
  for (index_t i = 0; i < x.size(); ++i) x.data()[i] = float(stream.normal(std::uint64_t(i)));
  return x;
}
/// On the host, where masks are drawn.
inline data::Stream<float> stream(index_t batch, index_t frames, index_t features, double keep, Random& random) {
  data::Stream<float> result{normal<3>({batch, frames, features}, random), Mask<2>({batch, frames})};
  for (index_t i = 0; i < batch * frames; ++i) result.present.data()[i] = keep >= 1 || random.uniform() < keep;
  return result;
}

struct Workload {
  double gflop = 0;
  virtual ~Workload() = default;
  virtual void operator()() = 0;
  /// One number that depends on all of the work of the last call, so that runs can be compared.
  virtual double checksum() const = 0;
};

/// Whether steps on a GPU are replayed from a graph once they are warm, as a training does it.
inline bool& replaying() {
  static bool on = true;
  return on;
}
template <class D, class F>
void again(Replay<D>& replay, Random& random, F&& body) {
  if (replaying())
    replay(random, body);
  else
    body();
}

/// Multiply-adds of one modality of CorrKD per sample of T frames.
inline double corrkd_macs(index_t frames, index_t features, index_t d, index_t depth) {
  const double t = double(frames), w = double(d);
  return t * 3 * double(features) * w + double(depth) * (t * 12 * w * w + 2 * t * t * w);
}

struct CorrkdSize {
  index_t batch = 64, frames = 50;
  std::vector<index_t> features{300, 74, 35};
};
inline models::CorrkdOptions corrkd_options(const std::vector<index_t>& features = CorrkdSize().features) {
  models::CorrkdOptions o;
  o.network = {.inputs = features, .num_heads = 10, .head_dropout = 0.1};
  o.network.outputs = o.outputs();
  return o;
}

template <class D = Cpu>
struct CorrkdStep final : Workload {
  models::CorrkdOptions options;
  Random random{7};
  models::CorrkdNetwork<float, D> teacher{options.network, random};
  Packed<float, D> seated = pack<float, D>(teacher);  ///< equal distances between equal modules
  struct Trained {
    using device = D;
    models::CorrkdNetwork<float, D> student;
    models::CorrkdCritics<float, D> critics;
    static void reflect(auto& self, auto&& visit) {
      visit("student", self.student);
      visit("critics", self.critics);
    }
  } trained{{options.network, random}, {1, 2, options.critic, random}};
  Packed<float, D> packed = pack<float, D>(trained);
  optim::Adam<float, D> adam{packed, {.learning_rate = 1e-3}};
  data::Streams<float, D> complete, seen;
  models::Targets<float, D> target;
  Tensor<float, 0, D> loss;
  GradientFactor<D> factor;
  Replay<D> replay;

  explicit CorrkdStep(const CorrkdSize& size = {}) : options(corrkd_options(size.features)) {
    const index_t batch = size.batch, frames = size.frames;
    freeze(teacher);
    for (const index_t features : options.network.inputs) {
      complete.push_back(data::to_device<D>(stream(batch, frames, features, 1, random)));
      Mask<2> present({batch, frames});
      for (index_t i = 0; i < batch * frames; ++i) present.data()[i] = random.uniform() < 0.5;
      seen.push_back(models::masked_stream(complete.back().frames, to_device<D>(present)));
      const double forward = corrkd_macs(frames, features, 40, 4), first = double(frames * 3 * features * 40);
      gflop += 2e-9 * double(batch) * (2 * forward + 2 * forward - first);  // teacher, student, its way back
    }
    for (index_t i = 0; i < batch; ++i) target.classes.push_back(random.below(2));
    target.settle();
    const double pairs = double(batch * batch);
    gflop += 2e-9 * 2 * pairs * 3 * (2 * 64 + 64 * 64 + 64);  // two critics, forward and back
  }
  void operator()() override {
    again<D>(replay, random, [&] {
      packed.zero_grad();
      models::CorrkdOutput<float, D> from_teacher;
      {
        const NoGrad off;
        from_teacher = teacher(complete);
      }
      const Context context = Context::train(random);
      const auto losses = models::corrkd_objective(options, trained.student(seen, context), from_teacher, target,
                                                   trained.critics, context);
      losses.total.backward();
      factor = clip_factor(packed, 0.8);
      loss = losses.total.value();
    });
    adam.step_scaled(factor);
  }
  double checksum() const override { return double(loss.first()); }
};

template <class D = Cpu>
struct CorrkdInfer final : Workload {
  models::CorrkdOptions options = corrkd_options();
  Random random{7};
  models::CorrkdNetwork<float, D> network{options.network, random};
  data::Streams<float, D> streams;
  Tensor<float, 2, D> scores;
  Replay<D> replay;

  CorrkdInfer() {
    pack_weights(network);
    for (const index_t features : options.network.inputs) {
      streams.push_back(data::to_device<D>(stream(1, 50, features, 1, random)));
      gflop += 2e-9 * corrkd_macs(50, features, 40, 4);
    }
  }
  void operator()() override {
    const NoGrad off;
    again<D>(replay, random, [&] { scores = network(streams).scores.value(); });
  }
  double checksum() const override { return double(scores.first()); }
};

/// Batches whose samples have 5 to 50 frames, as they come from a data set: CorrKD under a mask, a training step
/// without distillation, or SDUMC's two flows, each with padded frames computed (`all`) or left out.
inline data::Stream<float> mixed_stream(index_t batch, index_t frames, index_t features, Random& random) {
  data::Stream<float> result = stream(batch, frames, features, 1, random);
  for (index_t b = 0; b < batch; ++b) {
    const index_t length = b == 0 ? frames : frames / 10 + random.below(frames * 9 / 10);
    for (index_t t = length; t < frames; ++t) result.present.data()[b * frames + t] = 0;
  }
  return models::masked_stream(result.frames, result.present);
}

template <class D = Cpu>
struct CorrkdMixed final : Workload {
  static constexpr index_t batch = 64;
  models::CorrkdOptions options = corrkd_options();
  Random random{7};
  models::CorrkdNetwork<float, D> network;
  Packed<float, D> packed;
  optim::Adam<float, D> adam;
  data::Streams<float, D> streams;
  models::Targets<float, D> target;
  Array<float, D> result;
  bool training;

  static models::CorrkdNetworkOptions masked(models::CorrkdNetworkOptions o) {
    o.gap_mask = models::GapMask::present;
    return o;
  }
  CorrkdMixed(Rows rows, bool train)
      : network(masked(options.network), random),
        packed(pack<float, D>(network)),
        adam(packed, {.learning_rate = 1e-3}),
        training(train) {
    network.rows = rows;
    for (const index_t features : options.network.inputs) {
      const data::Stream<float> host = mixed_stream(batch, 50, features, random);
      streams.push_back(data::to_device<D>(host));
      double macs = 0;
      for (index_t b = 0; b < batch; ++b) {
        index_t length = 0;
        for (index_t t = 0; t < 50; ++t) length += host.present(b, t);
        macs += corrkd_macs(length, features, 40, 4);
      }
      gflop += 2e-9 * macs * (training ? 3 : 1);
    }
    for (index_t i = 0; i < batch; ++i) target.classes.push_back(random.below(2));
    target.settle();
  }
  void operator()() override {
    if (!training) {
      const NoGrad off;
      result = network(streams).scores.value();
      return;
    }
    packed.zero_grad();
    const Context context = Context::train(random);
    const auto loss = options.task().loss(network(streams, context).scores, target);
    loss.backward();
    adam.step();
    result = loss.value();
  }
  double checksum() const override { return double(result.first()); }
};

struct SdumcSize {
  index_t batch = 32;
  std::array<index_t, 3> frames{200, 40, 100};
  std::vector<index_t> features{1024, 4096, 1024};
  index_t width = 256, fused = 128, contrast = 64;
};
inline models::SdumcOptions sdumc_options(const SdumcSize& size = {}) {
  return {.inputs = size.features,
          .width = size.width,
          .fused = size.fused,
          .contrast = size.contrast,
          .imagination = models::Imagination::transition};
}

/// Multiply-adds of SDUMC's two flows over a batch: (projections, everything else that has two flows).
struct SdumcMacs {
  double projection = 0, keys = 0, rest = 0;
  explicit SdumcMacs(index_t batch) {
    const double g = 256, h = 128, b = double(batch), frames[] = {200, 40, 100}, features[] = {1024, 4096, 1024};
    projection = b * 40 * 4096 * g;  // of the stand-in
    for (int m = 0; m < 3; ++m) {
      projection += b * frames[m] * features[m] * g;
      keys += 2 * b * frames[m] * 2 * g * g;
      rest += 2 * b * frames[m] * 2 * g * (1 + 7);                    // scores and weighted sums of both stages
      rest += 2 * b * (2 * g * g + 7 * g * g + 7 * (g * g + g * h));  // hidden, query of the views, content
    }
    rest += 2 * b * (3 * g * g + g * g + 7 * g * g + 7 * h * g + g * h);            // gates, views
    rest += b * (3 * g * g + g * g + g * g) + 7 * b * (3 * h * h + h * h + h * h);  // imagination
    rest += 2 * b * (h * 64 + 64 * 64);                                             // contrastive head
  }
};

template <class D = Cpu>
struct SdumcStep final : Workload {
  models::SdumcOptions options;
  Random random{7};
  models::SdumcNetwork<float, D> network{options, random};
  Packed<float, D> packed = pack<float, D>(network);
  optim::Adam<float, D> adam{packed, {.learning_rate = 1e-4, .weight_decay = 1e-5}};
  Labels<D, float> labels;
  data::Streams<float, D> streams;
  data::Stream<float, D> simulated;
  Tensor<float, 0, D> loss;
  Replay<D> replay;
  bool fixed;  ///< nothing but the numbers changes from step to step

  /// mixed: samples of different lengths; gflop counts the padded frames too, and is that of the default widths.
  explicit SdumcStep(bool mixed = false, Rows rows = Rows::automatic, const SdumcSize& size = {})
      : options(sdumc_options(size)), labels(Labels<D, float>::of(normal<1>({size.batch}, random))), fixed(!mixed) {
    const index_t batch = size.batch;
    for (std::size_t m = 0; m < 3; ++m)
      streams.push_back(data::to_device<D>(mixed ? mixed_stream(batch, size.frames[m], options.inputs[m], random)
                                                 : stream(batch, size.frames[m], options.inputs[m], 1, random)));
    simulated = data::to_device<D>(stream(batch, size.frames[1], options.inputs[1], 1, random));
    network.rows = rows;
    const SdumcMacs macs(batch);
    gflop = 2e-9 * (2 * macs.projection + 3 * (macs.keys + macs.rest));
  }
  void operator()() override {
    const auto body = [&] {
      packed.zero_grad();
      const Context context = Context::train(random);
      const auto flows = models::both_flows(network, streams, simulated, context, context);
      const auto losses = models::sdumc_objective(flows, labels, options.weights, options.ranking);
      losses.total.backward();
      loss = losses.total.value();
    };
    if (fixed)
      again<D>(replay, random, body);
    else
      body();
    adam.step();
  }
  double checksum() const override { return double(loss.first()); }
};

template <class D = Cpu>
struct SdumcInfer final : Workload {
  models::SdumcOptions options = sdumc_options();
  Random random{7};
  models::SdumcNetwork<float, D> network{options, random};
  data::Streams<float, D> streams;
  data::Stream<float, D> simulated;
  Array<float, D> complete, missing;
  Replay<D> replay;

  SdumcInfer() {
    pack_weights(network);
    const index_t frames[] = {200, 40, 100};
    for (std::size_t m = 0; m < 3; ++m)
      streams.push_back(data::to_device<D>(stream(1, frames[m], options.inputs[m], 1, random)));
    simulated = data::to_device<D>(stream(1, 40, options.inputs[1], 1, random));
    const SdumcMacs macs(1);
    gflop = 2e-9 * (macs.projection + macs.keys + macs.rest);
  }
  void operator()() override {
    const NoGrad off;
    again<D>(replay, random, [&] {
      const auto flows = models::both_flows(network, streams, simulated, {}, {});
      complete = flows.complete.prediction.value();
      missing = flows.missing.prediction.value();
    });
  }
  double checksum() const override { return double(complete.first()) + double(missing.first()); }
};

template <class D = Cpu>
struct Rnc final : Workload {
  static constexpr index_t n = 512;
  Random random{7};
  Variable<float, 2, D> features{to_device<D>(normal<2>({n, 64}, random)), true};
  Labels<D, float> labels = Labels<D, float>::of(normal<1>({n}, random));
  Tensor<float, 0, D> result;
  Replay<D> replay;

  Rnc() { gflop = 2e-9 * double(n * n) * 64 * 2; }
  void operator()() override {
    again<D>(replay, random, [&] {
      features.zero_grad();
      const auto loss = rank_n_contrast(features, labels, {.temperature = 2.0});
      loss.backward();
      result = loss.value();
    });
  }
  double checksum() const override { return double(result.first()); }
};

/// Null for a name that is none of the five, nor one of those over mixed lengths.
template <class D = Cpu>
std::unique_ptr<Workload> make_workload(const std::string& name) {
  for (const Rows rows : {Rows::automatic, Rows::all}) {
    const std::string ending = rows == Rows::all ? "-padded" : "";
    if (name == "corrkd-mixed" + ending) return std::make_unique<CorrkdMixed<D>>(rows, true);
    if (name == "corrkd-mixed-infer" + ending) return std::make_unique<CorrkdMixed<D>>(rows, false);
    if (name == "sdumc-mixed" + ending) return std::make_unique<SdumcStep<D>>(true, rows);
  }
  if (name == "corrkd-step") return std::make_unique<CorrkdStep<D>>();
  if (name == "corrkd-infer") return std::make_unique<CorrkdInfer<D>>();
  if (name == "sdumc-step") return std::make_unique<SdumcStep<D>>();
  if (name == "sdumc-infer") return std::make_unique<SdumcInfer<D>>();
  if (name == "rnc") return std::make_unique<Rnc<D>>();
  return nullptr;
}

}  // namespace bench
