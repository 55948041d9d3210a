/// DMD against its authors' arrays.
#include "lacuna/models/baselines/dmd.hpp"

#include <doctest/doctest.h>

#include "lacuna/optim/adam.hpp"
#include "support/published.hpp"

TEST_CASE("DMD: its authors' arrays" * doctest::skip(!lacuna::test::have_published())) {
  using namespace lacuna;
  test::Published file("dmd");
  const auto frames = [&](const char* l) { return file.extent(std::string("out/origin_") + l, 1); };
  Random random(1);
  models::DmdNetwork<double> network({.inputs = file.sizes("feature_dims_tav"),
                                      .width = file.size("d"),
                                      .num_heads = file.size("heads"),
                                      .layers = file.size("nlevels"),
                                      .kernels = file.sizes("kernel_tav"),
                                      .stream_frames = {frames("l"), frames("a"), frames("v")},
                                      .source_dropout = {0, 0, 0},
                                      .embedding_dropout = 0,
                                      .head_dropout = 0,
                                      .low_hidden = file.size("gd_size_homo"),
                                      .high_hidden = file.size("gd_size_hetero"),
                                      .published = true},
                                     random);
  const char* const letter[] = {"l", "a", "v"};
  for (int m = 0; m < 3; ++m) {
    const std::string ours = "stream." + std::to_string(m) + ".", l = letter[m];
    for (const char* part : {"encoder_s", "decoder", "align_c", "weight", "self_attentions_c"})
      file.rename(ours + part + ".", std::string(part) + "_" + l + ".");
    for (const char* level : {"_low", "_high"})
      for (const char* part : {"proj1", "proj2", "out_layer"})
        file.rename(ours + part + level, std::string(part) + "_" + l + level);
    for (const char* end : {".weight", ".bias"}) {  // computed by the authors, in no loss
      file.constant("param/proj_cosine_" + l + end);
      file.unmoved("proj_cosine_" + l + end);
    }
  }
  file.load(network);
  const auto batch = file.batch(models::RegressionLoss::l1);
  const auto forward = [&] {
    return network.forward({file.sequence("text"), file.sequence("audio"), file.sequence("vision")},
                           Context::train(random));
  };
  const auto r = forward();
  Variable<double, 0> corrected;
  for (std::size_t m = 0; m < 3; ++m) {
    const std::string l = letter[m];
    const auto& p = r.parts[m];
    file.out("out/origin_" + l, p.x), file.out("out/s_" + l, p.own), file.out("out/c_" + l, p.common);
    file.out("out/recon_" + l, p.rebuilt), file.out("out/s_" + l + "_r", p.again),
        file.out("out/c_" + l + "_sim", p.aligned);
    file.out("out/repr_" + l + "_homo", p.low), file.out("out/repr_" + l + "_hetero", p.high);
    file.out("out/last_h_" + l, p.last);
    file.out("out/logits_" + l + "_homo", p.low_score), file.out("out/logits_" + l + "_hetero", p.high_score);
    file.out("loss/task_" + l + "_homo", batch.task_loss(p.low_score));
    file.out("loss/task_" + l + "_hetero", batch.task_loss(p.high_score));
    Linear<double> unused({.in_features = p.own.extent(1) * p.own.extent(2), .out_features = file.size("d")}, random);
    test::Published("dmd").load(unused, true, "param/proj_cosine_" + l + ".");
    file.out("out/proj_s_" + l, unused(reshape(p.own, p.own.extent(0), -1)));
    const auto features = network.apart(p, 2);
    corrected = m == 0 ? features : corrected + features;
  }
  file.out("loss/ort_corrected", corrected);
  file.out("out/logits_c", r.common_score), file.out("loss/task_c", batch.task_loss(r.common_score));
  file.out("out/output_logit", r.score), file.out("loss/task_all", batch.task_loss(r.score));
  const auto &l = r.parts[0], &a = r.parts[1], &v = r.parts[2];
  file.out("out/edges_homo", network.low({l.low_score, v.low_score, a.low_score}, {l.low, v.low, a.low}).edges);
  file.out("out/edges_hetero",
           network.high({l.high_score, v.high_score, a.high_score}, {l.high, v.high, a.high}).edges);
  const auto loss = network.losses(r, batch);
  for (const char* term : {"task", "recon", "cycle", "ort", "margin", "homo_reg", "homo_logit", "hetero_reg",
                           "hetero_logit", "hetero_repr"})
    file.out(std::string("loss/") + term, test::term(loss, term));
  file.out("loss/homo_repr_unused", test::term(loss, "homo_repr"));
  file.out("loss/total", loss.total);
  file.gradients(network, loss.total);
  optim::Adam<double> adam(network, {.learning_rate = file.number("lr")});
  file.steps(
      network, adam, [&] { return network.losses(forward(), batch).total; }, file.number("grad_clip_value"));
  CHECK(file.finish() > 900);
}
