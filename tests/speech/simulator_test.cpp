/// The language model as SDUMC's stand-in, and its weights in eight bits.
#include "lacuna/models/sdumc/sdumc.hpp"
#include "lacuna/speech/language_simulator.hpp"
#include "speech/speech_oracle.hpp"

namespace simulator_test {

using namespace speech_test;
using lacuna::Mask;
using lacuna::language::Llama;
using lacuna::speech::LanguageSimulator;
using lacuna::speech::Listener;

TEST_CASE("speech: the language model joins SDUMC as a simulator" * doctest::skip(!have())) {
  using T = double;
  using Streams = lacuna::models::Streams<T>;
  static_assert(lacuna::models::Simulator<LanguageSimulator<T>, T, lacuna::Cpu>);
  lacuna::speech::ListenerOptions options{
      .speech = model("wavlm_large_like"), .language = model("vicuna_like"), .projector = model("projector")};
  options.generate.max_new_tokens = 12;
  const Listener<T> listener(options);
  Oracle oracle("slam.npz");
  const std::vector<Tensor<T, 2>> heard{oracle.tensor<T, 2>("in/feat0"), oracle.tensor<T, 2>("in/feat1")};
  const index_t width = heard[0].extent(1), hidden = listener.text_width(),
                frames = std::max(heard[0].extent(0), heard[1].extent(0));
  // three samples: two clips, and one without sound; text is missing, video is there
  Streams streams;
  streams.push_back({Tensor<T, 3>::zeros({3, frames, width}), Mask<2>::zeros({3, frames})});
  for (index_t b = 0; b < 2; ++b)
    for (index_t t = 0; t < heard[std::size_t(b)].extent(0); ++t) {
      streams[0].present(b, t) = 1;
      for (index_t d = 0; d < width; ++d) streams[0].frames(b, t, d) = heard[std::size_t(b)](t, d);
    }
  streams.push_back({Tensor<T, 3>::zeros({3, 2, hidden}), Mask<2>::zeros({3, 2})});
  streams.push_back({Tensor<T, 3>::from({3, 1, 2}, {1, 2, 3, 4, 5, 6}), Mask<2>::from({3, 1}, {1, 1, 1})});

  const LanguageSimulator<T> simulator(listener);
  const auto made = simulator(streams);
  for (index_t b = 0; b < 3; ++b) {
    const auto text = b < 2 ? listener.simulated(heard[std::size_t(b)]).simulated : Tensor<T, 2>({0, hidden});
    index_t present = 0;
    for (index_t t = 0; t < made.present.extent(1); ++t) present += made.present(b, t);
    CHECK(present == text.extent(0));
    CHECK((b == 2 || present > 0));
    for (index_t t = 0; t < present; ++t)
      for (index_t d = 0; d < hidden; ++d) CHECK(made.frames(b, t, d) == text(t, d));
  }

  // SDUMC with it gives what it gives with that text as a stream of the data
  const lacuna::models::SdumcOptions plain{.inputs = {width, hidden, 2}, .width = 6, .fused = 4, .contrast = 3};
  auto by_stream = plain;
  by_stream.simulator.stream = 3;
  lacuna::Random one(5), other(5);
  lacuna::models::SdumcImputation<T> joined(plain, one);
  const lacuna::models::SdumcImputation<T> stored(by_stream, other);
  joined.join(simulator);
  Streams with_text(streams.begin(), streams.end());
  with_text.push_back(made);
  CHECK(joined(streams, {}).value().to_vector() == stored(with_text, {}).value().to_vector());

  // scales: what comes standardised goes back, and what is made is standardised as the text
  lacuna::speech::LanguageSimulatorOptions scales;
  scales.audio_scale = {"audio", std::vector<double>(std::size_t(width), 0.5),
                        std::vector<double>(std::size_t(width), 2)};
  scales.text_scale = {"text", std::vector<double>(std::size_t(hidden), -1),
                       std::vector<double>(std::size_t(hidden), 4)};
  Streams scaled(streams.begin(), streams.end());
  scaled[0].frames = streams[0].frames.clone();
  for (index_t i = 0; i < scaled[0].frames.size(); ++i)
    scaled[0].frames.data()[i] = (scaled[0].frames.data()[i] - 0.5) / 2;
  const auto again = LanguageSimulator<T>(listener, scales)(scaled);
  REQUIRE(again.frames.extent(1) == made.frames.extent(1));
  for (index_t t = 0; t < made.present.extent(1); ++t)
    for (index_t d = 0; d < hidden; ++d)
      if (made.present(0, t)) CHECK(std::abs(again.frames(0, t, d) - (made.frames(0, t, d) + 1) / 4) < 1e-9);

  CHECK_THROWS_AS(LanguageSimulator<T>(Listener<T>({.speech = model("wavlm_large_like")})), lacuna::OptionError);
}

TEST_CASE("language models in eight bits: what it costs in accuracy" * doctest::skip(!have())) {
  Oracle oracle("llm.npz");
  const lacuna::NoGrad off;
  for (const std::string& name : first_parts(oracle)) {
    const Llama<float> net(model(name), {.int8 = true});
    const std::vector<index_t> ids = oracle.integers(name + "/ids");
    const auto reading = net.read(net.embed(ids), {}, {.states = true});
    const auto off_by = [&](const std::string& array, const auto& found) {
      const auto reference = oracle.numbers(name + "/" + array);
      double worst = 0, largest = 0;
      for (std::size_t i = 0; i < reference.size(); ++i) {
        worst = std::max(worst, std::abs(double(found.data()[i]) - reference[i]));
        largest = std::max(largest, std::abs(reference[i]));
      }
      return worst / largest;
    };
    const auto logits = net.logits(reading.last).value();
    const double scores = off_by("logits", logits),
                 last = off_by("hs" + std::to_string(reading.states.size() - 1), reading.last.value());
    index_t same = 0;
    const auto reference = oracle.tensor<double, 2>(name + "/logits");
    for (index_t t = 0; t < logits.extent(0); ++t) {
      const float* const row = logits.data() + t * logits.extent(1);
      const double* const exact = reference.data() + t * logits.extent(1);
      same += std::max_element(row, row + logits.extent(1)) - row ==
              std::max_element(exact, exact + logits.extent(1)) - exact;
    }
    CHECK(scores < 0.05);
    CHECK(scores > 1e-5);  // it is in eight bits
    CHECK(last < 0.05);
    MESSAGE(name << " int8: scores off by " << scores << " of the largest, last states " << last
                 << ", most probable id equal at " << same << " of " << logits.extent(0) << " positions");
  }
}

}  // namespace simulator_test
