/// MMIN, CRA and AE against the arrays of GCNet's comparison.
#include "lacuna/models/baselines/mmin.hpp"

#include <doctest/doctest.h>

#include "lacuna/models/baselines/cra.hpp"
#include "support/published.hpp"

namespace mmin_test {

using namespace lacuna;

const std::string letters = "ALV";  // the order of the modalities here; masks are A, V, L

void names(test::Published& file, index_t blocks) {
  for (std::size_t m = 0; m < 3; ++m) {
    const std::string i = std::to_string(m) + ".", l(1, letters[m]);
    file.rename("pretrained.utterance.fc." + i, "teacher.net" + l + ".");
    file.rename("encoders.utterance.fc." + i, "net" + l + ".");
    file.rename("encoders.fc." + i, "net" + l + ".");
    file.rename("rebuild." + i, "recon.net" + l + l + ".");
  }
  for (index_t b = 0; b < blocks; ++b)
    for (const std::string part : {"encoder", "decoder"})
      file.rename("blocks." + std::to_string(b) + "." + part, part + "_" + std::to_string(b));
  file.rename("forward.", "netAE."), file.rename("backward.", "netAE_cycle.");
  file.rename("cascade.", "netAE."), file.rename("plain.", "simple.netAE.");
  file.rename("classifier.", "netC."), file.rename("judge.", "recon.netC.");
  file.rename("body.layers.0.", "module.0."), file.rename("body.layers.1.", "module.2.");
  file.rename("head.", "fc_out.");
  for (const std::string list : {"encoder", "decoder"})  // their activations are counted
    for (const std::string at : {".", "_0.", "_1.", "_2."})
      for (const char* i : {"2", "1"})
        file.rename(list + at + i + ".", list + at + std::to_string(2 * std::stoi(i)) + ".");
  file.rename("transition.1.", "transition.2.");
}

/// The streams of one frame, what is left of them, and labels.
struct Case {
  models::Task task{.kind = models::LabelKind::classes, .classes = 4};
  models::TrainingBatch<double> batch;

  explicit Case(test::Published& file) {
    const index_t size = file.size("B");
    const auto keep = file.integers("in/keep_AVL");
    batch.task = &task;
    for (std::size_t m = 0; m < 3; ++m) {
      const auto x = file.tensor<2>(std::string("in/") + letters[m]);
      std::vector<std::uint8_t> kept;
      for (index_t b = 0; b < size; ++b) kept.push_back(keep[std::size_t(3 * b) + std::string("AVL").find(letters[m])]);
      const auto all = Mask<2>::full({size, 1}, 1), some = Mask<2>::from({size, 1}, kept);
      batch.whole.push_back({x.reshape(std::array<index_t, 3>{size, 1, x.extent(1)}), all});
      batch.seen.push_back(models::masked_stream(batch.whole.back().frames, some));
      batch.had.push_back(Present<Cpu>::of(any_present(all)));
      batch.has.push_back(Present<Cpu>::of(any_present(some)));
    }
    batch.targets.classes = file.integers("in/label");
    batch.targets.settle();
  }
};

}  // namespace mmin_test

TEST_CASE("MMIN, CRA, AE: their arrays" * doctest::skip(!lacuna::test::have_published())) {
  using namespace mmin_test;
  test::Published file("mmin");
  names(file, file.size("n_blocks"));
  Random random(1);
  const Case given(file);
  std::vector<index_t> inputs;
  for (const char l : letters) inputs.push_back(file.size(std::string(1, l)));
  models::MminNetwork<double> mmin({.inputs = inputs,
                                    .width = file.size("embedding"),
                                    .layers = file.sizes("AE_layers"),
                                    .blocks = file.size("n_blocks"),
                                    .dropout = 0,
                                    .published = true,
                                    .cls_layers = file.sizes("cls_layers"),
                                    .imagination = file.number("mse"),
                                    .cycle = file.number("cycle"),
                                    .classes = file.size("output_dim")},
                                   random);
  models::CraOptions options{.inputs = inputs,
                             .width = file.size("embedding"),
                             .cls_layers = file.sizes("cls_layers"),
                             .layers = file.sizes("AE_layers"),
                             .blocks = file.size("n_blocks"),
                             .recon = file.number("recon"),
                             .published = true,
                             .classes = file.size("output_dim")};
  models::CraNetwork<double> cra(options, random);
  options.residual = false;
  models::CraNetwork<double> plain(options, random);
  file.load(mmin, true), file.load(cra, true), file.load(plain);

  const Context context;
  const auto r = mmin.run(given.batch.seen, context);
  const auto told = mmin.told(models::streams_taken(given.batch));
  file.out("out/features", r.features);
  file.out("out/imagined", r.imagined);
  file.out("out/latent", r.codes);
  file.out("out/cycled", r.recalled);
  file.out("out/logits", r.score);
  file.out("out/teacher", told);
  const auto loss = mmin.losses(r, told, given.batch);
  // the terms of the file have their weights in them
  file.out("loss/CE", test::term(loss, "task"));
  file.out("loss/mse", mmin.options.imagination * test::term(loss, "imagination"));
  file.out("loss/cycle", mmin.options.cycle * test::term(loss, "cycle"));
  file.out("loss/total", loss.total);
  file.gradients(mmin, loss.total, "grad/", "");

  for (const auto& [network, name] : {std::pair(&cra, std::string("cra")), std::pair(&plain, std::string("ae"))}) {
    const auto y = network->forward(given.batch.seen, context);
    const std::string out = "out_" + name + "/", losses = "loss/" + name + "_";
    file.out(out + "fused", y.fused);
    file.out(out + "logits", y.score);
    for (std::size_t m = 0; m < 3; ++m) file.out(out + "recon_" + letters[m], y.rebuilt[m]);
    const auto terms = network->losses(y, given.batch);
    file.out(losses + "ce", test::term(terms, "task"));
    file.out(losses + "recon", test::term(terms, "recon"));
    file.out(losses + "total", terms.total);
    file.gradients(*network, terms.total, "grad_" + name + "/", "");
  }
  CHECK(file.finish() > 260);
}
