// Absence as masks, 1 = present: made, drawn, applied, and what a network does with what is not there.
#include <cstdio>
#include <lacuna/data/synthetic.hpp>
#include <lacuna/lacuna.hpp>

using namespace lacuna;

void show(const char* what, const Mask<2>& mask) {
  std::printf("%-36s", what);
  for (index_t b = 0; b < mask.extent(0); ++b) {
    for (index_t t = 0; t < mask.extent(1); ++t) std::printf("%c", mask(b, t) ? '1' : '.');
    std::printf(" ");
  }
  std::printf("\n");
}

int main() {
  // Made: three sequences of 2, 4 and 0 frames, padded to 4.
  const auto lengths = mask_from_lengths(std::vector<index_t>{2, 4, 0}, 4);
  show("lengths 2, 4, 0", lengths);

  // Applied: what is absent becomes 0, whatever it held, and gets gradient 0. Pooling and attention do not read it.
  const float unknown = std::numeric_limits<float>::quiet_NaN();
  Tensor<float, 3> frames = Tensor<float, 3>::full({3, 4, 1}, unknown);
  for (index_t t = 0; t < 4; ++t) frames(1, t, 0) = float(t + 1);
  frames(0, 0, 0) = 3, frames(0, 1, 0) = 5;
  const Variable<float, 3> x(frames, true);
  const auto mean_of = mean_pool(x, lengths);  // (3, 1): over present frames; 0 where there are none
  std::printf("%-36s%g %g %g\n", "mean over present frames", double(mean_of.value()(0, 0)),
              double(mean_of.value()(1, 0)), double(mean_of.value()(2, 0)));
  sum(mean_of).backward();
  std::printf("%-36s%g %g, of an absent one %g\n", "gradient of a present frame", double(x.grad()(0, 0, 0)),
              double(x.grad()(1, 0, 0)), double(x.grad()(0, 2, 0)));

  // Losses take a mask of samples: what they leave out costs nothing, whatever its numbers are.
  const Variable<float, 2> target(Tensor<float, 2>::from({3, 1}, {4, 2, unknown}));
  const auto loss = mse_loss(mean_of, target, any_present(lengths));  // (4-4)^2 and (2.5-2)^2, over two samples
  std::printf("%-36s%g\n", "loss of the samples that are there", double(loss.item()));

  // Drawn, for evaluation: a named, seeded absence gives the same masks in every run, whatever the order or batch size.
  const auto corpus = data::synthetic({.samples = 8, .seed = 1, .test = 5, .min_frames = 4, .max_frames = 6});
  const auto half = missing::sample_masks({.name = "half", .rate = 0.5, .seed = 7}, corpus.test);
  show("test, audio", corpus.test.modalities[0].present);
  show("half of all frames gone", half.keep[0]);
  const auto gone =
      missing::sample_masks({.name = "streams", .rate = 0.5, .unit = missing::Unit::sample, .seed = 7}, corpus.test);
  for (std::size_t m = 0; m < 3; ++m) show(("half of all streams: " + gone.modalities[m]).c_str(), gone.keep[m]);

  // Applied to a batch. Without text altogether is a condition; protocols of papers are lists of absences.
  const auto batch = data::gather<float>(corpus.test, std::vector<index_t>{0, 1, 4});
  const auto names = corpus.modality_names();
  show("samples 0, 1, 4 of it: audio", missing::apply(gone, batch).streams[0].present);
  show("without text: text", missing::apply(missing::without({"text"}, names), batch).streams[1].present);
  std::printf("protocol P1:");
  for (const auto& absence : missing::protocol_p1(names).conditions) std::printf(" %s,", absence.name.c_str());
  std::printf(" averaged\n");

  // Drawn anew in every step of training: modality dropping.
  Random random(3);
  for (int step = 0; step < 2; ++step) {
    std::vector<Mask<2>> present;
    for (const auto& stream : batch.streams) present.push_back(stream.present);
    const auto kept =
        missing::sample_masks({.frame_rate = 0.5}, present, batch.samples, Context::train(random), "example");
    show(step == 0 ? "training, step 0: audio" : "training, step 1: audio", kept[0]);
  }
  return loss.item() == 0.125f && std::isfinite(x.grad()(2, 0, 0)) ? 0 : 1;
}
