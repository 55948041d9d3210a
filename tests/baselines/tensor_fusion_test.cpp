/// TFN and LMF against their authors' arrays.
#include <doctest/doctest.h>

#include "lacuna/models/baselines/lmf.hpp"
#include "lacuna/models/baselines/tfn.hpp"
#include "lacuna/optim/adam.hpp"
#include "support/published.hpp"

namespace tensor_fusion_test {

using namespace lacuna;
using test::Published;

models::Sequences<double> inputs(Published& file) {
  return {file.sequence("text"), file.sequence("audio"), file.sequence("vision")};
}

/// What both files hold, up to the steps.
template <class Network>
void compare(Published& file, Network& network) {
  const auto batch = file.batch(models::RegressionLoss::l1);
  Random random(1);
  const auto all = [&](const std::string& group, const Context& context) {
    const auto r = network.forward(inputs(file), context);
    file.out(group + "Feature_t", r.text);
    file.out(group + "Feature_a", r.first);
    file.out(group + "Feature_v", r.second);
    if constexpr (requires(typename Network::Options o) { o.rank; })
      file.out(group + "Feature_f", permute(r.fused, {1, 0, 2}));
    else
      file.out(group + "Feature_f", r.fused);
    file.out(group + "M", r.score);
    return network.losses(r, batch).total;
  };
  file.out("loss/eval_total", all("out/", {}));
  freeze(network, false);  // what the authors leave out of their optimizer has gradients all the same
  const auto total = all("out_train/", Context::train(random));
  file.buffers(network, "out_train/");
  file.out("loss/total", total);
  file.gradients(network, total);
}

}  // namespace tensor_fusion_test

TEST_CASE("TFN: its authors' arrays" * doctest::skip(!lacuna::test::have_published())) {
  using namespace tensor_fusion_test;
  Published file("tfn");
  const auto hidden = file.sizes("hidden_dims_tav");
  Random random(1);
  models::TfnNetwork<double> network({.inputs = file.sizes("feature_dims_tav"),
                                      .text_hidden = hidden[0],
                                      .first_hidden = hidden[1],
                                      .second_hidden = hidden[2],
                                      .text_out = file.size("text_out"),
                                      .hidden = file.size("post_fusion_dim"),
                                      .dropout = 0,
                                      .head_dropout = 0,
                                      .published = true},
                                     random);
  file.constant("param/output_range"), file.constant("param/output_shift");
  file.load(network);
  compare(file, network);
  optim::Adam<double> adam(network, {.learning_rate = file.number("lr")});
  const auto batch = file.batch(models::RegressionLoss::l1);
  file.steps(network, adam,
             [&] { return network.losses(network.forward(inputs(file), Context::train(random)), batch).total; });
  file.unmoved("output_range"), file.unmoved("output_shift");
  CHECK(file.finish() > 70);
}

TEST_CASE("LMF: its authors' arrays" * doctest::skip(!lacuna::test::have_published())) {
  using namespace tensor_fusion_test;
  Published file("lmf");
  const auto hidden = file.sizes("hidden_dims_tav");
  Random random(1);
  models::LmfNetwork<double> network({.inputs = file.sizes("feature_dims_tav"),
                                      .text_hidden = hidden[0],
                                      .first_hidden = hidden[1],
                                      .second_hidden = hidden[2],
                                      .rank = file.size("rank"),
                                      .dropout = 0,
                                      .published = true},
                                     random);
  file.load(network);
  const bool left_out = !network.rank_weight.requires_grad() && !network.bias.requires_grad();
  CHECK(left_out);
  compare(file, network);
  network.rank_weight.freeze(), network.bias.freeze();
  optim::Adam<double> adam(
      network, {.learning_rate = file.number("lr"), .weight_decay = file.number("weight_decay")},
      {{.pattern = "*_factor", .learning_rate_factor = file.number("factor_lr") / file.number("lr")}});
  const auto batch = file.batch(models::RegressionLoss::l1);
  file.steps(network, adam,
             [&] { return network.losses(network.forward(inputs(file), Context::train(random)), batch).total; });
  CHECK(file.finish() > 70);
}
