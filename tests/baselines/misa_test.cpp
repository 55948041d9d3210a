/// MISA against its authors' arrays: with the central moments, and with the adversary in their place.
#include "lacuna/models/baselines/misa.hpp"

#include <doctest/doctest.h>

#include "lacuna/optim/adam.hpp"
#include "support/published.hpp"

namespace misa_test {

using namespace lacuna;

models::MisaNetwork<double> network(test::Published& file, bool adversarial, Random& random) {
  return {{.inputs = file.sizes("feature_dims_tav"),
           .width = file.size("hidden_size"),
           .hidden = file.size("transformer_ffn"),
           .num_heads = file.size("transformer_heads"),
           .diff = file.number("diff_weight"),
           .similarity = file.number("sim_weight"),
           .recon = file.number("recon_weight"),
           .adversarial = adversarial,
           .reversal = file.number("discriminator_reverse_grad_weight"),
           .dropout = 0,
           .encoder_dropout = 0,
           .published = true},
          random};
}
void names(test::Published& file) {
  const char letter[] = {'t', 'a', 'v'};
  const char* const own[] = {"_1", "_3", "_1"};
  for (int m = 0; m < 3; ++m) {
    const std::string l(1, letter[m]), ours = "modality." + std::to_string(m) + ".";
    file.rename(ours + "project_norm", "project_" + l + ".project_" + l + "_layer_norm");
    file.rename(ours + "project.", "project_" + l + ".project_" + l + ".");
    file.rename(ours + "private", "private_" + l + ".private_" + l + own[m]);
    file.rename(ours + "recon", "recon_" + l + ".recon_" + l + "_1");
  }
  file.rename("first.rnn", "arnn"), file.rename("second.rnn", "vrnn");
  file.rename("first.layer_norm", "alayer_norm"), file.rename("second.layer_norm", "vlayer_norm");
  file.rename("shared.", "shared.shared_1.");
  file.rename("fusion_layer", "fusion.fusion_layer");
  file.rename("discriminator_layer", "discriminator.discriminator_layer");
  file.rename("encoder.", "transformer_encoder.layers.0.");
  file.rename("attention.qkv.", "self_attn.in_proj_"), file.rename("attention.output", "self_attn.out_proj");
  file.rename("feed_forward.in.", "linear1."), file.rename("feed_forward.out.", "linear2.");
}

}  // namespace misa_test

TEST_CASE("MISA: its authors' arrays" * doctest::skip(!lacuna::test::have_published())) {
  using namespace misa_test;
  test::Published file("misa");
  names(file);
  Random random(1);
  auto net = network(file, false, random), adversary = network(file, true, random);
  file.load(net, true);
  for (const char* unused : {"sp_discriminator.sp_discriminator_layer_1.", "tlayer_norm."})
    for (const char* end : {"weight", "bias"})
      file.constant(std::string("param/") + unused + end), file.unmoved(std::string(unused) + end);
  file.load(adversary);
  const auto batch = file.batch(models::RegressionLoss::mse);
  const auto forward = [&](const auto& of) {
    return of.forward(
        {file.sequence("text", "length"), file.sequence("audio", "length"), file.sequence("vision", "length")},
        Context::train(random));
  };
  const auto r = forward(net);
  Linear<double> judge({.in_features = file.size("hidden_size"), .out_features = 4}, random);  // no loss has it
  {
    test::Published again("misa");
    again.load(judge, true, "param/sp_discriminator.sp_discriminator_layer_1.");
  }
  const char* const letter[] = {"t", "a", "v"};
  Variable<double, 2> shared;
  for (std::size_t m = 0; m < 3; ++m) {
    const auto& part = r.parts[m];
    const std::string l = letter[m];
    file.out("out/utterance_" + l, part.utterance);
    file.out("out/utt_" + l + "_orig", part.common);
    file.out("out/utt_private_" + l, part.own);
    file.out("out/utt_shared_" + l, part.shared);
    file.out("out/utt_" + l + "_recon", part.rebuilt);
    file.out("out/sp_discriminator_p_" + l, judge(part.own));
    shared = m == 0 ? part.shared : shared + part.shared;
  }
  file.out("out/sp_discriminator_s", judge((1.0 / 3) * shared));
  file.out("out/transformer", r.encoded);
  file.out("out/M", r.score);
  const auto loss = net.losses(r, batch);
  for (const char* name : {"task", "diff", "recon", "cmd"})
    file.out(std::string("loss/") + name, test::term(loss, name));
  file.out("loss/total", loss.total);
  file.gradients(net, loss.total);

  const auto other = forward(adversary);
  for (std::size_t m = 0; m < 3; ++m) file.out(std::string("out/domain_label_") + letter[m], other.parts[m].domain);
  const auto fooled = adversary.losses(other, batch);
  file.out("loss/domain", test::term(fooled, "domain"));
  file.out("loss/total_domain", fooled.total);
  zero_grad(adversary);
  fooled.total.backward();
  int gradients = 0;
  for_each_parameter(adversary, [&](const std::string& path, const auto& parameter) {
    const std::string full = "grad_domain/" + file.theirs(path, "param/");
    if (file.has(full)) file.compare(full, parameter.grad().to_vector(), file.gradient), ++gradients;
  });
  CHECK(gradients == 7);

  optim::Adam<double> adam(net, {.learning_rate = file.number("lr")});
  file.steps(
      net, adam, [&] { return net.losses(forward(net), batch).total; }, file.number("grad_clip_value"));
  CHECK(file.finish() > 200);
}
