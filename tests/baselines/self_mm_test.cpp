/// Self-MM against its authors' arrays: four epochs of label generation, then gradients and steps.
#include "lacuna/models/baselines/self_mm.hpp"

#include <doctest/doctest.h>

#include "lacuna/optim/adam.hpp"
#include "support/published.hpp"

namespace self_mm_test {

using namespace lacuna;

/// Rows first..first+count of the three streams, with the text as a leaf in the first batch.
struct Batches {
  test::Published& file;
  index_t size;
  Tensor<double, 3> text, audio, vision;
  std::vector<index_t> audio_length, vision_length;
  std::vector<double> label;

  explicit Batches(test::Published& f)
      : file(f),
        size(f.size("B")),
        text(f.tensor<3>("in/text")),
        audio(f.tensor<3>("in/audio")),
        vision(f.tensor<3>("in/vision")),
        audio_length(f.integers("in/audio_length")),
        vision_length(f.integers("in/vision_length")),
        label(f.numbers("in/label")) {}
  static Variable<double, 3> rows(const Tensor<double, 3>& x, index_t first, index_t count, bool leaf = false) {
    const index_t inner = x.extent(1) * x.extent(2);
    Tensor<double, 3> y({count, x.extent(1), x.extent(2)});
    std::copy_n(std::as_const(x).data() + first * inner, count * inner, y.data());
    return Variable<double, 3>(y, leaf);
  }
  models::Sequences<double> inputs(index_t i, Variable<double, 3> t = {}) const {
    const auto mask = [&](const std::vector<index_t>& lengths, index_t frames) {
      return mask_from_lengths(std::span<const index_t>(lengths).subspan(std::size_t(i * size), std::size_t(size)),
                               frames);
    };
    if (!t.defined()) t = rows(text, i * size, size);
    return {{t, Mask<2>::full({size, text.extent(1)}, 1)},
            {rows(audio, i * size, size), mask(audio_length, audio.extent(1))},
            {rows(vision, i * size, size), mask(vision_length, vision.extent(1))}};
  }
  models::TrainingBatch<double> taught(index_t i) const {
    auto batch = file.batch(models::RegressionLoss::l1);
    std::vector<double> y(label.begin() + i * size, label.begin() + (i + 1) * size);
    batch.targets.values = Tensor<double, 2>::from({size, 1}, y);
    batch.targets.classes.assign(y.size(), 0);
    for (index_t b = 0; b < size; ++b) batch.samples.push_back(i * size + b);
    return batch;
  }
};

}  // namespace self_mm_test

TEST_CASE("Self-MM: its authors' arrays" * doctest::skip(!lacuna::test::have_published())) {
  using namespace self_mm_test;
  test::Published file("self_mm");
  Random random(1);
  models::SelfMmNetwork<double> network({.inputs = file.sizes("feature_dims_tav"),
                                         .first_hidden = file.size("a_lstm_hidden_size"),
                                         .second_hidden = file.size("v_lstm_hidden_size"),
                                         .first_out = file.size("audio_out"),
                                         .second_out = file.size("video_out"),
                                         .fused = file.size("post_fusion_dim"),
                                         .text_post = file.size("post_text_dim"),
                                         .first_post = file.size("post_audio_dim"),
                                         .second_post = file.size("post_video_dim"),
                                         .dropout = 0,
                                         .published = true},
                                        random);
  const char* const names[] = {"fusion", "text", "audio", "video"};
  for (int s = 0; s < 4; ++s)
    for (int layer = 1; layer < 4; ++layer)
      file.rename("head." + std::to_string(s) + ".layer_" + std::to_string(layer),
                  std::string("post_") + names[s] + "_layer_" + std::to_string(layer));
  file.load(network);
  const Batches batches(file);
  network.labels = models::UnimodalLabels(batches.label, file.number("H"), true);
  const Context context;
  const char* const kept[] = {"fusion", "text", "audio", "vision"};
  for (int epoch = 1; epoch <= 4; ++epoch) {
    const std::string e = "epoch" + std::to_string(epoch);
    if (epoch == 4) {
      for (std::size_t s = 1; s < 4; ++s)
        file.compare(std::string("out/labels_before_epoch4/") + kept[s], network.labels.labels(s), file.forward);
      const auto text = Batches::rows(batches.text, 0, batches.size, true);
      const auto r = network.forward(batches.inputs(0, text), context);
      const char* const scores[] = {"out/M", "out/T", "out/A", "out/V"};
      const char* const features[] = {"out/Feature_f", "out/Feature_t", "out/Feature_a", "out/Feature_v"};
      for (std::size_t s = 0; s < 4; ++s) file.out(scores[s], r.score[s]), file.out(features[s], r.feature[s]);
      const auto loss = network.losses(r, batches.taught(0));
      file.out("loss/total", loss.total);
      file.gradients(network, loss.total);
      file.compare("gin/text_batch0", text.grad().to_vector(), file.gradient);
      auto trained = network;
      const double rate = file.number("lr_other"), decay = file.number("wd_other");
      optim::Adam<double> adam(trained, {.learning_rate = rate, .weight_decay = decay},
                               {{"audio_model.*", file.number("lr_audio") / rate, file.number("wd_audio") / decay},
                                {"video_model.*", file.number("lr_video") / rate, file.number("wd_video") / decay}});
      file.steps(trained, adam,
                 [&] { return trained.losses(trained.forward(batches.inputs(0), context), batches.taught(0)).total; });
    }
    for (index_t i = 0; i < 3; ++i) {
      const auto r = network.forward(batches.inputs(i), context);
      const auto batch = batches.taught(i);
      const std::string at = e + "_batch" + std::to_string(i);
      if (file.has("loss/" + at + "_M")) {
        const auto loss = network.losses(r, batch);
        for (const char* term : {"M", "T", "A", "V"}) file.out("loss/" + at + "_" + term, test::term(loss, term));
        file.out("loss/" + at + "_total", loss.total);
      }
      network.teach(r, batch.samples);
      for (std::size_t s = 0; s < 4; ++s)
        for (const bool positive : {false, true}) {
          const std::string end = std::string(kept[s]) + (positive ? "_pos" : "_neg");
          if (file.has("out/" + at + "_center_" + end))
            file.compare("out/" + at + "_center_" + end, network.labels.centre(s, positive), file.forward);
        }
    }
    for (std::size_t s = 0; s < 4; ++s) {
      if (s > 0) file.compare("out/labels_after_" + e + "/" + kept[s], network.labels.labels(s), file.forward);
      for (const bool positive : {false, true})
        file.compare("out/centers_after_" + e + "/" + kept[s] + (positive ? "_pos" : "_neg"),
                     network.labels.centre(s, positive), file.forward);
    }
  }
  CHECK(file.finish() > 150);
}
