/// IMDer's score network, its loss and its sampler against the authors' arrays; one sample alone and among others.
#include "lacuna/models/baselines/imder.hpp"

#include <doctest/doctest.h>

#include "lacuna/nn/score_network.hpp"
#include "support/published.hpp"

TEST_CASE("IMDer: its authors' arrays" * doctest::skip(!lacuna::test::have_published())) {
  using namespace lacuna;
  test::Published file("imder");
  Random random(1);
  const auto channels = file.sizes("channels"), groups = file.sizes("groups"), up = file.sizes("groups_up");
  ScoreNetwork<double> network({.channels = {channels[0], channels[1], channels[2], channels[3]},
                                .groups = {groups[0], groups[1], groups[2], groups[3]},
                                .groups_up = {up[0], up[1], up[2]},
                                .embedding = file.size("embed_dim"),
                                .num_heads = file.size("heads"),
                                .layers = file.size("layers"),
                                .sigma = file.number("sigma")},
                               random);
  file.load(network);
  const auto time_first = [](const Variable<double, 3>& x) { return transpose(x, 1, 2); };
  const auto input = [&](const char* name) { return time_first(Variable<double, 3>(file.tensor<3>(name))); };
  const auto x = input("in/x"), condition = input("in/condition");
  const auto t = file.numbers("in/t");
  std::vector<double> deviations, diffusion;
  for (const double at : t) deviations.push_back(network.std_of(at)), diffusion.push_back(network.diffusion(at));
  file.compare("out/std", deviations, file.forward), file.compare("out/diffusion", diffusion, file.forward);
  const auto r = network(x, condition, t);
  const char* const norms[] = {"gnorm1", "gnorm2", "gnorm3", "gnorm4", "tgnorm4", "tgnorm3", "tgnorm2"};
  for (std::size_t i = 0; i < 7; ++i) file.out(std::string("out/") + norms[i], time_first(r.norms[i]));
  file.out("out/score", time_first(r.score));
  const auto loss = network.loss(x, condition, t, input("in/noise").value());
  file.out("loss/score", loss);
  file.gradients(network, loss);
  const auto noise = file.numbers("in/sampler_noise");
  std::size_t drawn = 0;
  const auto normal = [&] {
    const std::size_t size = std::size_t(x.size());
    const std::vector<double> next(noise.begin() + std::ptrdiff_t(drawn * size),
                                   noise.begin() + std::ptrdiff_t((drawn + 1) * size));
    ++drawn;
    return time_first(Variable<double, 3>(Tensor<double, 3>::from({x.extent(0), x.extent(2), x.extent(1)}, next)))
        .value();
  };
  file.out("out/sampled",
           time_first(network.sample(condition, file.size("steps"), normal, file.number("eps_sampler"))));
  CHECK(file.finish() == 171);
}

TEST_CASE(
    "IMDer: a sample alone has the bits it has in any batch, though few rows are multiplied otherwise elsewhere") {
  using namespace lacuna;
  Random random(5);
  const models::ImderNetwork<float> network({.inputs = {4, 3, 5},
                                             .width = 8,
                                             .num_heads = 2,
                                             .layers = 1,
                                             .kernels = {1, 1, 1},
                                             .score_frames = 8,
                                             .score_channels = {8, 8, 8},
                                             .score_embedding = 4,
                                             .sampler_steps = 2,
                                             .blocks = 1,
                                             .reduction = 2},
                                            random);
  const auto given = [&](index_t first, index_t count) {
    Random numbers(9);
    models::Sequences<float> all;
    for (const index_t width : {4, 3, 5}) {
      const Variable<float, 3> frames(init::normal<float, 3>({12, 6, width}, 1.0, numbers));
      std::vector<std::uint8_t> present;
      for (index_t b = first; b < first + count; ++b)  // every fourth sample is complete, the others lack one
        present.insert(present.end(), 6, b % 4 != index_t(all.size()));
      const auto there = Mask<2>::from({count, 6}, present);
      all.push_back({apply_mask(slice(frames, 0, first, count), there), there});
    }
    return network.forward(all, {});
  };
  const auto together = given(0, 12);
  for (const index_t size : {1, 2, 3, 4}) {
    const auto few = given(4, size);
    for (index_t b = 0; b < size; ++b) {
      CHECK(few.score.value()(b, 0) == together.score.value()(4 + b, 0));
      for (std::size_t m = 0; m < 3; ++m)
        if (few.recovered[m].frames.defined())
          for (index_t t = 0; t < 8; ++t)
            CHECK(few.recovered[m].frames.value()(b, t, 1) == together.recovered[m].frames.value()(4 + b, t, 1));
    }
  }
}
