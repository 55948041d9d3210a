/// DiCMoR against its authors' arrays: everything there, the text alone, vision and audio.
#include "lacuna/models/baselines/dicmor.hpp"

#include <doctest/doctest.h>

#include "support/published.hpp"

namespace dicmor_test {

using namespace lacuna;

/// The streams of the file; those that are not named are absent.
models::Sequences<double> without(test::Published& file, const std::string& present) {
  models::Sequences<double> x;
  for (const char* stream : {"text", "audio", "vision"}) {
    x.push_back(file.sequence(stream));
    if (present == "all" || present.find(stream) != std::string::npos) continue;
    auto& [frames, mask] = x.back();
    frames = 0.0 * frames, mask = Mask<2>::full(mask.extents(), 0);
  }
  return x;
}

}  // namespace dicmor_test

TEST_CASE("DiCMoR: its authors' arrays" * doctest::skip(!lacuna::test::have_published())) {
  using namespace dicmor_test;
  test::Published file("dicmor");
  Random random(1);
  models::DicmorNetwork<double> network({.inputs = file.sizes("feature_dims_tav"),
                                         .width = file.size("d"),
                                         .num_heads = file.size("heads"),
                                         .layers = file.size("nlevels"),
                                         .kernels = file.sizes("kernel_tav"),
                                         .flow_steps = file.size("n_flow"),
                                         .flow_hidden = file.size("coupling_hidden"),
                                         .blocks = file.size("group_blocks"),
                                         .reduction = file.size("reduction"),
                                         .aux = file.number("weight_aux"),
                                         .source_dropout = {0, 0, 0},
                                         .embedding_dropout = 0,
                                         .published = true},
                                        random);
  const char* const letter[] = {"l", "a", "v"};
  const char* const priors[] = {"hn", "n", "wn", "neutral", "wp", "p", "hp"};
  const auto flow_of = [&](int m) { return std::string("flow_") + letter[m] + ".blocks.0."; };
  for (int m = 0; m < 3; ++m) {
    const std::string i = std::to_string(m) + ".", l = letter[m];
    file.rename("flow." + i + "steps.", flow_of(m) + "flows.");
    file.rename("recovery." + i + "join", "cat_" + l), file.rename("recovery." + i + "refine", "rec_" + l);
    for (const char* end : {".weight", ".bias"}) file.constant("param/weight_" + l + end);  // the authors use neither
    for (index_t step = 0; step < network.options.flow_steps; ++step)
      for (const char* part : {"actnorm.loc", "actnorm.scale", "invconv.weight"})
        file.constant("param/" + flow_of(m) + "flows." + std::to_string(step) + "." + part);
    for (const char* part : {"scale", "conv.weight", "conv.bias"})
      file.constant("param/" + flow_of(m) + "prior." + part);
  }
  for (int k = 0; k < 7; ++k) {
    file.rename("prior." + std::to_string(k) + ".", std::string("prior_") + priors[k] + ".");
    file.constant(std::string("param/prior_") + priors[k] + ".conv.weight");  // times 0
  }
  file.load(network);
  const auto batch = file.batch(models::RegressionLoss::l1);
  for (const std::string pattern : {"all", "text", "vision_audio"}) {
    const auto whole = network.flowed(without(file, "all"));
    const auto r = network.forward(without(file, pattern), Context::train(random));
    file.out("out/" + pattern + "/M", r.score);
    const auto loss = network.losses(r, whole, batch);
    for (const char* term : {"task", "flow_l", "flow_a", "flow_v", "rec"})
      file.out("loss/" + pattern + "_" + term, test::term(loss, term));
    file.out("loss/" + pattern + "_total", loss.total);
    file.gradients(network, loss.total, "grad_" + pattern + "/", "");
    for (const char* k : priors) {
      const std::string weight = "grad_" + pattern + "/prior_" + k + ".conv.weight";
      if (file.has(weight)) file.compare(weight, std::vector<double>(file.numbers(weight).size(), 0.0), file.gradient);
    }
    if (pattern != "all") continue;
    for (std::size_t m = 0; m < 3; ++m) {
      const std::string l = letter[m];
      file.out("out/projected_" + l, whole.x[m].frames);
      file.out("out/z_" + l, whole.flow[m].z);
      file.out("out/logdet_" + l, sum(whole.flow[m].log_det, 1));
      if (m > 0) file.out("out/from_text_" + l, network.flow[m].inverse(whole.flow[0].z));
      const auto back = network.flow[m].inverse(whole.flow[m].z).value().to_vector();
      CHECK(test::relative_error(back, whole.x[m].frames.value().to_vector(), 0.01) < 1e-12);
    }
  }
  CHECK(file.finish() == 937);
}
