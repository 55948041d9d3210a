/// LNLN against its authors' arrays.
#include "lacuna/models/baselines/lnln.hpp"

#include <doctest/doctest.h>

#include "lacuna/optim/adam.hpp"
#include "support/published.hpp"

TEST_CASE("LNLN: its authors' arrays" * doctest::skip(!lacuna::test::have_published())) {
  using namespace lacuna;
  test::Published file("lnln");
  const auto in = file.sizes("input_dims_lva");
  const auto length = file.sizes("T_lva");
  const index_t width = file.size("D"), head = file.size("dim_head");
  const auto depth = [&](const std::string& at) {
    index_t n = 0;
    while (file.has("param/" + at + std::to_string(n) + ".1.norm.weight")) ++n;
    return n;
  };
  Random random(1);
  models::LnlnNetwork<double> network({.inputs = {in[0], in[2], in[1]},
                                       .width = width,
                                       .num_heads = width / head,
                                       .head_width = head,
                                       .layers = depth("proj_l.1.encoder.layers."),
                                       .proxy_layers = depth("reconstructor.0.encoder.layers."),
                                       .fusion_layers = depth("dmml.2.CrossTransformerEncoder.layers."),
                                       .stream_frames = {length[0], length[2], length[1]},
                                       .judge_hidden = file.extent("param/effective_discriminator.0.weight", 0),
                                       .published = true},
                                      random);
  file.load(network);
  const auto batch = file.batch(models::RegressionLoss::mse);
  const auto completeness = file.tensor<2>("in/completeness");
  const auto inputs = [&](const std::string& end) {
    return models::Sequences<double>{file.sequence("language" + end), file.sequence("audio" + end),
                                     file.sequence("vision" + end)};
  };
  const auto loss = [&] {
    const auto r = network.forward(inputs("_incomplete"));
    return network.losses(r, network.judge(r, network.extract(inputs("_full"))), completeness, batch);
  };
  const auto r = network.forward(inputs("_incomplete"));
  file.out("out/h1_l", r.h[0]), file.out("out/h1_a", r.h[1]), file.out("out/h1_v", r.h[2]);
  file.out("out/proxy", r.proxy), file.out("out/dominant", r.dominant), file.out("out/hyper", r.hyper);
  file.out("out/language_stack", stack(r.language, 1)), file.out("out/fused", r.fused);
  file.out("out/sentiment_preds", r.score), file.out("out/w", r.w);
  const auto judged = network.judge(r, network.extract(inputs("_full")));
  file.out("out/effectiveness_discriminator_out", judged.verdict);
  file.out("out/rec_feats", judged.rebuilt), file.out("out/complete_feats", judged.complete);
  const auto terms = loss();
  for (const char* term : {"l_sp", "l_cc", "l_adv", "l_rec"})
    file.out(std::string("loss/") + term, test::term(terms, term));
  file.out("loss/total", terms.total);
  file.gradients(network, terms.total);
  optim::AdamW<double> adam(network, {.learning_rate = file.number("lr"), .weight_decay = file.number("weight_decay")});
  file.steps(network, adam, [&] { return loss().total; });
  CHECK(file.finish() > 600);
}
