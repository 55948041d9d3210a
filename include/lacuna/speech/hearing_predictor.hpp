/// A trained model that takes sound: SDUMC with the language model as the stand-in of its text.
///
///     const speech::HearingPredictor predict(Predictor::load("model.lacuna"), listener);
///     predict(speech::load_sound<float>("clip.wav"), {{"video", video}}).value;
///
/// SDUMC's stand-in is a decoder of its own, or a stream behind its modalities. That stream, and the audio features,
/// are made here of a waveform, in the moment of the prediction; the text itself is left out. A model with a decoder
/// takes the audio features alone.
#pragma once

#include "lacuna/speech/listener.hpp"
#include "lacuna/zoo/predictor.hpp"

namespace lacuna::speech {

class HearingPredictor {
 public:
  struct Names {
    std::string audio = "audio", simulated = "simulated";  ///< of the streams that the model was trained on
  };
  /// The listener must be the one whose features the model was trained on. Throws OptionError when the model has
  /// neither stream.
  HearingPredictor(Predictor predictor, const Listener<float>& listener, Names names = {"audio", "simulated"})
      : predictor_(std::move(predictor)), listener_(listener), names_(std::move(names)) {
    for (const auto& input : predictor_.inputs()) {
      audio_ = audio_ || input.name == names_.audio;
      simulated_ = simulated_ || input.name == names_.simulated;
    }
    simulated_ = simulated_ && listener_.simulates();
    if (!audio_ && !simulated_)
      throw OptionError("speech: the model has no stream '" + names_.audio + "', and none '" + names_.simulated +
                        "' that this listener could make");
  }

  const Predictor& predictor() const { return predictor_; }
  /// wave (N): mono, 16 kHz; `others`: what else is known of the sample. What was heard is put into `heard`, if given.
  Answer operator()(const Tensor<float, 1>& wave, Sample others = {}, HeardClip<float>* heard = nullptr) const {
    HeardClip<float> clip = listener_(wave);
    if (audio_) others.push_back({names_.audio, Frames(clip.audio)});
    if (simulated_) others.push_back({names_.simulated, Frames(clip.simulated)});
    if (heard) *heard = std::move(clip);
    return predictor_(others);
  }

 private:
  Predictor predictor_;
  Listener<float> listener_;
  Names names_;
  bool audio_ = false, simulated_ = false;
};

}  // namespace lacuna::speech
