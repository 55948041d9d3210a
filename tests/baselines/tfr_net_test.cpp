/// TFR-Net against its authors' arrays: in training and inference, the generator as coded and over features.
#include "lacuna/models/baselines/tfr_net.hpp"

#include <doctest/doctest.h>

#include "lacuna/optim/adam.hpp"
#include "support/published.hpp"

namespace tfr_net_test {

using namespace lacuna;

const char* const streams[] = {"text", "audio", "vision"};

void names(test::Published& file) {
  const std::string letters = "lav", align = "align_subnet.Model.", fusion = "fusion_subnet.Model.";
  for (std::size_t m = 0; m < 3; ++m) {
    const std::string i = "." + std::to_string(m) + ".", l(1, letters[m]);
    file.rename("projection" + i, align + "proj_" + l + ".");
    file.rename("generator" + i, align + "trans_" + l + "_final.");
    file.rename("rebuild" + i, "generator_" + std::string(1, "tav"[m]) + ".Model.linear.");
    file.rename("reader" + i, fusion + streams[m] + "_encoder.");
  }
  for (const auto* pair : models::TfrNetwork<double>::Order::pair_names)
    file.rename(pair + std::string("."), align + pair + ".");
  for (const auto* memory : models::TfrNetwork<double>::Order::memory_names)
    file.rename(memory + std::string("."), align + memory + ".");
  file.rename("classifier.", fusion + "classifier.linear_trans_");
}
Mask<2> mask(test::Published& file, const std::string& name) {
  const auto numbers = file.numbers("in/" + name);
  return Mask<2>::from({file.extent("in/" + name, 0), file.extent("in/" + name, 1)},
                       std::vector<std::uint8_t>(numbers.begin(), numbers.end()));
}

}  // namespace tfr_net_test

TEST_CASE("TFR-Net: its authors' arrays" * doctest::skip(!lacuna::test::have_published())) {
  using namespace tfr_net_test;
  test::Published file("tfr_net");
  names(file);
  Random random(1);
  const auto weights = file.sizes("weight_gen_loss");
  models::TfrNetwork<double> network(
      {.inputs = file.sizes("feature_dims_tav"),
       .width = file.sizes("dst_feature_dim_nheads")[0],
       .num_heads = file.sizes("dst_feature_dim_nheads")[1],
       .layers = file.size("nlevels"),
       .kernels = {file.size("conv1d_kernel_size_l"), file.size("conv1d_kernel_size_a"),
                   file.size("conv1d_kernel_size_v")},
       .stream_frames = file.sizes("T_tav"),
       .time_heads = file.size("num_temporal_head"),
       .gru_layers = file.size("fusion_gru_layers"),
       .fused = {file.size("fusion_t_hid"), file.size("fusion_a_hid"), file.size("fusion_v_hid")},
       .hidden = file.size("cls_hidden_dim"),
       .generation = {double(weights[0]), double(weights[1]), double(weights[2])},
       .similarity = file.number("weight_sim_loss"),
       .attention_dropout = 0,
       .head_dropout = 0,
       .published = true},
      random);
  file.load(network);
  const auto batch = file.batch(models::RegressionLoss::l1);
  std::vector<Mask<2>> valid, erased;
  std::vector<Variable<double, 3>> full;
  for (const std::string s : streams) {
    valid.push_back(mask(file, s + "_valid"));
    erased.push_back(models::frames_erased(valid.back(), mask(file, s + "_keep")));
    full.emplace_back(file.tensor<3>("in/" + s + "_full"));
  }
  const auto forward = [&](const auto& net, const Context& context) {
    models::Sequences<double> x;
    for (const std::string s : streams) x.push_back({file.leaf<3>(s + "_incomplete"), mask(file, s + "_keep")});
    return net.forward(x, context, valid);
  };
  const auto losses = [&](const auto& net, const auto& r) {
    std::array<Variable<double, 0>, 3> generated;
    for (std::size_t m = 0; m < 3; ++m)
      generated[m] =
          models::rebuild_loss(net.generate(m, r.h[m], true).frames, full[m], erased[m], net.options.similarity);
    return net.losses(r, batch, generated);
  };
  const auto generated = [&](const auto& loss) {
    return double(weights[0]) * test::term(loss, "gen_text") + double(weights[1]) * test::term(loss, "gen_first") +
           double(weights[2]) * test::term(loss, "gen_second");
  };
  const auto r = forward(network, Context{});
  const auto judged = losses(network, r);
  const char* const terms[] = {"gen_text", "gen_first", "gen_second"};
  for (std::size_t m = 0; m < 3; ++m) {
    const std::string s = streams[m];
    file.out("out/h_" + s, r.h[m]);
    file.out("out/utterance_" + s, r.u[m]);
    for (const bool over_batch : {true, false}) {
      const auto made = network.generate(m, r.h[m], over_batch);
      const std::string top = over_batch ? "out/" : "fixed/";
      file.out(top + "g_" + s, made.g);
      file.out(top + "reconstruction_" + s, made.frames);
      if (!over_batch)
        file.out(top + "gen_" + s, models::rebuild_loss(made.frames, full[m], erased[m], network.options.similarity));
    }
    file.out("loss/out_gen_" + s, test::term(judged, terms[m]));
  }
  file.out("out/M", r.score);
  file.out("loss/eval_pred", test::term(judged, "task"));
  file.out("loss/eval_gen", generated(judged));

  auto trained = network;
  const auto learnt = forward(network, Context::train(random));
  const auto loss = losses(network, learnt);
  file.out("out_train/M", learnt.score);
  file.buffers(network, "out_train/");
  file.out("loss/pred", test::term(loss, "task"));
  file.out("loss/gen", generated(loss));
  file.out("loss/total", loss.total);
  file.gradients(network, loss.total);
  optim::Adam<double> adam(trained, {.learning_rate = file.number("lr"), .weight_decay = file.number("weight_decay")});
  file.steps(
      trained, adam, [&] { return losses(trained, forward(trained, Context::train(random))).total; },
      file.number("grad_clip_value"));
  CHECK(file.finish() > 800);
}
