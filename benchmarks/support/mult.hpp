/// A training step of MulT at its authors' size on MOSI, as MMSA runs it: 16 samples, unaligned streams of 50, 375 and 500
/// frames, all of them seen, causal attention, no positions; mean absolute error, gradients cut at 0.6, Adam. The PyTorch
/// peer is benchmarks/mult_peer.py:
///
///     benchmarks/compare mult-step --peer benchmarks/mult_peer.py
#pragma once

#include "lacuna/models/baselines/mult.hpp"
#include "problems.hpp"

namespace bench {

struct MultStep final : Workload {
  static constexpr index_t batch = 16, frames[3] = {50, 375, 500}, features[3] = {768, 5, 20};
  Random random{7};
  models::MultOptions options{.inputs = {features[0], features[1], features[2]}, .positions = false, .published = true};
  models::MultNetwork<float> network{options, random};
  Packed<float> packed = pack<float>(network);
  optim::Adam<float> adam{packed, {.learning_rate = 2e-3}};
  models::Sequences<float> x;
  models::Task task{.kind = models::LabelKind::regression, .regression_loss = models::RegressionLoss::l1};
  models::TrainingBatch<float> taught;
  Tensor<float, 0> loss;

  MultStep() {
    double macs = 0;
    const double d = double(options.width), layers = double(options.layers);
    for (int m = 0; m < 3; ++m) {
      x.push_back({Variable<float, 3>(normal<3>({batch, frames[m], features[m]}, random)),
                   Mask<2>::full({batch, frames[m]}, 1)});
      const double t = double(frames[m] - 4), w = 2 * d;
      macs += t * 5 * double(features[m]) * d * 2.0 / 3;  // no gradient of the input
      macs += layers * (12 * t * w * w + 2 * t * t * w);  // all pairs, also those that the order hides
      for (int n = 0; n < 3; ++n) {
        const double keys = double(frames[n] - 4);
        if (n != m) macs += layers * (10 * t * d * d + 2 * keys * d * d + 2 * t * keys * d);
      }
    }
    gflop = 2e-9 * 3 * double(batch) * (macs + 2 * 36 * d * d);
    taught.task = &task;
    taught.targets.values = normal<2>({batch, 1}, random);
    taught.targets.classes.assign(std::size_t(batch), 0);
    taught.targets.settle();
  }
  void operator()() override {
    adam.zero_grad();
    const auto r = network.forward(x, Context::train(random));
    const auto total = network.losses(r, taught).total;
    total.backward();
    clip_gradient_value(network, 0.6);
    adam.step();
    loss = total.value();
  }
  double checksum() const override { return double(loss.data()[0]); }
};

}  // namespace bench
