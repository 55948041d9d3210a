/// MMIM against its authors' arrays: the first stage, then the second with the entropy term.
#include "lacuna/models/baselines/mmim.hpp"

#include <doctest/doctest.h>

#include "lacuna/optim/adam.hpp"
#include "support/published.hpp"

TEST_CASE("MMIM: its authors' arrays" * doctest::skip(!lacuna::test::have_published())) {
  using namespace lacuna;
  test::Published file("mmim");
  Random random(1);
  models::MmimNetwork<double> network({.inputs = file.sizes("feature_dims_tav"),
                                       .first_hidden = file.size("d_ah"),
                                       .second_hidden = file.size("d_vh"),
                                       .first_out = file.size("d_aout"),
                                       .second_out = file.size("d_vout"),
                                       .hidden = file.size("d_prjh"),
                                       .alpha = file.number("alpha"),
                                       .beta = file.number("beta"),
                                       .dropout = 0,
                                       .published = true},
                                      random);
  REQUIRE(file.truth("add_va"));
  const char* const names[] = {"tv", "ta", "va"};
  const char* const letter[] = {"t", "a", "v"};
  for (int i = 0; i < 3; ++i) {
    file.rename("pairs." + std::to_string(i), std::string("mi_") + names[i]);
    file.rename("predict." + std::to_string(i), std::string("cpc_z") + letter[i] + ".net");
  }
  file.load(network);
  const Context context;
  std::array<Variable<double, 3>, 3> leaves;
  const auto inputs = [&](const std::string& at) {
    const auto mask = [&](const std::string& length, const Variable<double, 3>& x) {
      return mask_from_lengths(file.integers("in/" + length), x.extent(1));
    };
    const auto leaf = [&](const char* stream) {
      return Variable<double, 3>(file.tensor<3>("in/" + at + "/" + stream), true);
    };
    leaves = {leaf("text"), leaf("audio"), leaf("vision")};
    return models::Sequences<double>{{leaves[0], Mask<2>::full({leaves[0].extent(0), leaves[0].extent(1)}, 1)},
                                     {leaves[1], mask("audio_length", leaves[1])},
                                     {leaves[2], mask("vision_length", leaves[2])}};
  };
  const auto zero = network.forward(inputs("batch0"), context);
  const auto stage1 = [&] {
    return -1.0 * (network.lld(zero, 0, false, false) + network.lld(zero, 1, false, false) +
                   network.lld(zero, 2, false, false));
  }();
  file.out("loss/stage1", stage1);
  file.gradients(network, stage1, "grad_stage1/", "");
  auto before = network.signs(network.forward(inputs("batch0"), context), file.numbers("in/batch0/label"));
  for (std::size_t p = 0; p < 3; ++p) {
    file.out(std::string("out/memory_batch0/") + names[p] + "_pos", before[p][1]);
    file.out(std::string("out/memory_batch0/") + names[p] + "_neg", before[p][0]);
  }
  const auto batch = file.batch(models::RegressionLoss::l1, "in/batch1/label");
  const auto total = [&](auto& of) {
    const auto r = of.forward(inputs("batch1"), context);
    const auto now = of.signs(r, file.numbers("in/batch1/label"));
    return of.losses(r, batch, &now, &before, false);
  };
  const auto r = network.forward(inputs("batch1"), context);
  for (std::size_t m = 0; m < 3; ++m) file.out(std::string("out/Feature_") + letter[m], r.x[m]);
  file.out("out/Feature_f", r.hidden);
  file.out("out/M", r.score);
  const auto loss = total(network);
  double lld = 0, nce = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string pair = std::string("lld_") + names[i], one = std::string("nce_") + letter[i];
    lld += test::term(loss, pair), nce += test::term(loss, one);
    file.out("loss/" + pair, test::term(loss, pair)), file.out("loss/" + one, test::term(loss, one));
  }
  file.out("loss/lld", lld), file.out("loss/nce", nce);
  for (const char* term : {"H", "task"}) file.out(std::string("loss/") + term, test::term(loss, term));
  file.out("loss/total", loss.total);
  file.out("loss/total_without_H", network.losses(r, batch, nullptr, nullptr, false).total);
  file.gradients(network, loss.total, "grad/", "");
  const char* const streams[] = {"text", "audio", "vision"};
  for (std::size_t m = 0; m < 3; ++m)
    file.compare(std::string("gin/") + streams[m], leaves[m].grad().to_vector(), file.gradient);
  optim::Adam<double> adam(network, {.learning_rate = file.number("lr"), .weight_decay = file.number("weight_decay")},
                           {{.pattern = "pairs.*", .learning_rate_factor = 0}});
  file.steps(
      network, adam, [&] { return total(network).total; }, 0, file.number("clip_norm"));
  CHECK(file.finish() > 190);
}
