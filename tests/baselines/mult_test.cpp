/// MulT against its authors' arrays.
#include "lacuna/models/baselines/mult.hpp"

#include <doctest/doctest.h>

#include "lacuna/optim/adam.hpp"
#include "support/published.hpp"

TEST_CASE("MulT: its authors' arrays" * doctest::skip(!lacuna::test::have_published())) {
  using namespace lacuna;
  test::Published file("mult");
  Random random(1);
  models::MultNetwork<double> network({.inputs = file.sizes("feature_dims_tav"),
                                       .width = file.size("d"),
                                       .num_heads = file.size("heads"),
                                       .layers = file.size("nlevels_cross"),
                                       .kernels = file.sizes("kernel_tav"),
                                       .source_dropout = {0, 0, 0},
                                       .embedding_dropout = 0,
                                       .input_dropout = 0,
                                       .head_dropout = 0,
                                       .positions = false,
                                       .published = true},
                                      random);
  file.load(network);
  const auto batch = file.batch(models::RegressionLoss::l1);
  const auto forward = [&] {
    return network.forward({file.sequence("text", "text_length"), file.sequence("audio", "audio_length"),
                            file.sequence("vision", "vision_length")},
                           Context::train(random));
  };
  const auto r = forward();
  for (std::size_t p = 0; p < 6; ++p)
    file.out(std::string("act/") + network.predictor.streams.pair_names[p], r.stacks.pairs[p]);
  for (std::size_t m = 0; m < 3; ++m)
    file.out(std::string("act/") + network.predictor.streams.memory_names[m], r.stacks.memory[m]);
  file.out("out/Feature_t", r.last[0]);
  file.out("out/Feature_a", r.last[1]);
  file.out("out/Feature_v", r.last[2]);
  file.out("out/Feature_f", r.joined);
  file.out("out/M", r.score);
  const auto total = network.losses(r, batch).total;
  file.out("loss/total", total);
  file.gradients(network, total);
  optim::Adam<double> adam(network, {.learning_rate = file.number("lr")});
  file.steps(
      network, adam, [&] { return network.losses(forward(), batch).total; }, file.number("grad_clip_value"));
  CHECK(file.finish() > 500);
}
