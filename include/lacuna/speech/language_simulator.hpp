/// The language model in the place of SDUMC's text: a models::Simulator, beside decoder and stream.
///
///     models::Sdumc<> model(options, Random(7));
///     model.network.join(speech::LanguageSimulator<float>(listener, {.audio = 0}));
///
/// A stream of the batch is what the speech encoder heard: its last states, (B, F, D), as `lacuna extract --layer -1`
/// stores them. For every sample its present frames go through the projector into the language model, whose hidden
/// states (tokens, H) are the sample's stand-in, (B, longest, H) together. A sample without sound, or in whose sound no
/// word is heard, has no present frame. Without gradient. In the order of seconds per sample: a stream that `extract`
/// made once is the same, and is there at once.
#pragma once

#include "lacuna/data/standardize.hpp"
#include "lacuna/models/sdumc/simulator.hpp"
#include "lacuna/speech/listener.hpp"

namespace lacuna::speech {

struct LanguageSimulatorOptions {
  std::size_t audio = 0;  ///< number of the stream that was heard
  /// Scales of that stream and of the text that is replaced, where the model standardises (Model::standardizer): frames
  /// come scaled and clipped, are brought back, and the text made of them is scaled as the network expects it.
  data::FeatureStatistics audio_scale = {}, text_scale = {};
};

template <class T = float>
class LanguageSimulator {
 public:
  /// Throws OptionError for a listener without encoder, language model and projector.
  explicit LanguageSimulator(Listener<T> listener, LanguageSimulatorOptions options = {})
      : listener_(std::move(listener)), o_(std::move(options)) {
    if (!listener_.simulates())
      throw OptionError("speech: a simulator needs a listener with a speech encoder, a language model and a projector");
  }

  data::Stream<T> operator()(const models::Streams<T>& streams) const {
    const data::Stream<T>& heard = streams.at(o_.audio);
    const index_t batch = heard.frames.extent(0), width = listener_.text_width();
    std::vector<Tensor<T, 2>> texts;
    index_t longest = 1;
    for (index_t b = 0; b < batch; ++b) {
      const Tensor<T, 2> last = present_frames(heard, b);
      texts.push_back(last.extent(0) > 0 ? listener_.simulated(last).simulated : Tensor<T, 2>({0, width}));
      longest = std::max(longest, texts.back().extent(0));
    }
    data::Stream<T> made{Tensor<T, 3>::zeros({batch, longest, width}), Mask<2>::zeros({batch, longest})};
    for (index_t b = 0; b < batch; ++b) {
      const Tensor<T, 2>& text = texts[std::size_t(b)];
      for (index_t t = 0; t < text.extent(0); ++t) {
        made.present(b, t) = 1;
        for (index_t d = 0; d < width; ++d) made.frames(b, t, d) = scaled(o_.text_scale, d, std::as_const(text)(t, d));
      }
    }
    return made;
  }

 private:
  Tensor<T, 2> present_frames(const data::Stream<T>& heard, index_t b) const {
    const index_t frames = heard.frames.extent(1), width = heard.frames.extent(2);
    std::vector<index_t> present;
    for (index_t t = 0; t < frames; ++t)
      if (heard.present(b, t)) present.push_back(t);
    Tensor<T, 2> last({index_t(present.size()), width});
    for (std::size_t i = 0; i < present.size(); ++i)
      for (index_t d = 0; d < width; ++d)
        last(index_t(i), d) = unscaled(o_.audio_scale, d, heard.frames(b, present[i], d));
    return last;
  }
  static T scaled(const data::FeatureStatistics& by, index_t d, T x) {
    return by.mean.empty() ? x : T((double(x) - by.mean[std::size_t(d)]) / by.deviation[std::size_t(d)]);
  }
  static T unscaled(const data::FeatureStatistics& by, index_t d, T x) {
    return by.mean.empty() ? x : T(double(x) * by.deviation[std::size_t(d)] + by.mean[std::size_t(d)]);
  }

  Listener<T> listener_;
  LanguageSimulatorOptions o_;
};

}  // namespace lacuna::speech
