/// CubeMLP against its authors' arrays.
#include "lacuna/models/baselines/cube_mlp.hpp"

#include <doctest/doctest.h>

#include "lacuna/data/synthetic.hpp"
#include "lacuna/optim/adam.hpp"
#include "lacuna/train/learner.hpp"
#include "support/published.hpp"

namespace cube_mlp_test {

using namespace lacuna;

void compare(const std::string& name) {
  test::Published file(name);
  const auto word = [&](const char* key) { return file.config(key); };
  std::vector<index_t> projected;
  const std::string flags = word("res_project");
  for (std::size_t at = 0; (at = flags.find_first_of("tf", at)) != std::string::npos;
       at = flags.find_first_of(",]", at))
    projected.push_back(flags[at] == 't');
  const auto compose = [&](const char* key) {
    return word(key) == "\"cat\"" ? models::CubeCompose::concat : models::CubeCompose::mean;
  };
  Random random(1);
  models::CubeMlpNetwork<double> network({.inputs = {file.size("d_t"), file.size("d_a"), file.size("d_v")},
                                          .width = file.size("d_common"),
                                          .frames = file.size("time_len"),
                                          .mixer_hidden = file.sizes("d_hiddens"),
                                          .mixer_out = file.sizes("d_outs"),
                                          .projected = projected,
                                          .encoder = word("encoders") == "\"gru\""    ? models::CubeEncoder::gru
                                                     : word("encoders") == "\"lstm\"" ? models::CubeEncoder::lstm
                                                                                      : models::CubeEncoder::conv,
                                          .over_time = compose("features_compose_t"),
                                          .over_modalities = compose("features_compose_k"),
                                          .mixer_bias = file.truth("bias"),
                                          .norm_first = file.truth("ln_first"),
                                          .dropout = 0,
                                          .published = true},
                                         random);
  for (const auto& [ours, other] :
       {std::pair("recurrent.0.", "rnn_a."), std::pair("recurrent.1.", "rnn_v."), std::pair("conv.0", "conv_a"),
        std::pair("conv.1", "conv_v"), std::pair("norm.0", "ln_a"), std::pair("norm.1", "ln_v"),
        std::pair("blocks.", "mlp_encoder.layers_stack."), std::pair("head.0", "classifier.0"),
        std::pair("head.1", "classifier.3")})
    file.rename(ours, other);
  file.load(network);
  const auto batch = file.batch(models::RegressionLoss::l1);
  const auto forward = [&] {
    const auto mask = file.tensor<2>("in/text_mask").to_vector();
    models::Sequences<double> x{file.sequence("text"), file.sequence("audio"), file.sequence("vision")};
    x[0].present = Mask<2>::from({x[0].frames.extent(0), x[0].frames.extent(1)},
                                 std::vector<std::uint8_t>(mask.begin(), mask.end()));
    return network.forward(x, Context::train(random));
  };
  const auto r = forward();
  const char* const letter[] = {"t", "a", "v"};
  for (std::size_t m = 0; m < 3; ++m) file.out(std::string("out/encoded_") + letter[m], r.encoded[m]);
  for (std::size_t b = 0; b < r.blocks.size(); ++b) file.out("out/block" + std::to_string(b), r.blocks[b]);
  file.out("out/features", r.blocks.back());
  file.out("out/M", r.score);
  const auto total = network.losses(r, batch).total;
  file.out("loss/total", total);
  file.gradients(network, total);
  optim::Adam<double> adam(network, {.learning_rate = file.number("lr")});
  file.steps(
      network, adam, [&] { return network.losses(forward(), batch).total; }, file.number("grad_clip_value"));
  CHECK(file.finish() > 100);
}

}  // namespace cube_mlp_test

TEST_CASE("CubeMLP: its authors' arrays, norm first" * doctest::skip(!lacuna::test::have_published())) {
  cube_mlp_test::compare("cubemlp");
}
TEST_CASE("CubeMLP: its authors' arrays, norm last" * doctest::skip(!lacuna::test::have_published())) {
  cube_mlp_test::compare("cubemlp_b");
}

TEST_CASE("CubeMLP: vectors have one frame to mix; what is stored says so") {
  using namespace lacuna;
  using Model = models::CubeMlp<float>;
  data::Dataset set = data::synthetic({.samples = 24, .seed = 3, .min_frames = 1, .max_frames = 1});
  Model model({.inputs = set.dimensions(),
               .width = 4,
               .frames = 8,
               .mixer_hidden = {4, 3, 4},
               .mixer_out = {4, 3, 4},
               .projected = {1}},
              Random(1));
  const index_t before = count_parameters(model.network);
  Random random(2);
  model.prepare(set, random);
  CHECK(model.options.frames == 1);
  CHECK(model.network.options.frames == 1);
  CHECK(count_parameters(model.network) < before);
  const Model again = train::model_from<Model>(train::model_state(model));
  const auto batch = data::gather<float>(set.test, std::vector<index_t>{0, 1});
  CHECK(again.predict(batch) == model.predict(batch));
}
