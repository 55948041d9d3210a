/// IMDer's score network, its loss and its sampler against the authors' arrays.
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
