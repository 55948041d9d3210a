/// Clip in, sentiment out: WavLM hears, a language model writes what it heard, SDUMC judges without a transcript.
///
///     speech_to_sentiment model.lacuna wavlm-large vicuna-7b-v1.5 projector clip.wav ...
///
/// The model is one that `lacuna train --simulated-text simulated` made of the streams of `lacuna extract`, with the same
/// models and its default states, but for --layer: what is third from the end of the audio states is given as --layer -3.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "lacuna/speech/hearing_predictor.hpp"
#include "lacuna/speech/sound.hpp"
#include "support/program.hpp"

int main(int argc, char** argv) {
  using namespace lacuna;
  std::string model;
  std::vector<std::string> clips;
  speech::ListenerOptions options;
  CLI::App app("Says the sentiment of sound clips, and what was heard in them.");
  app.add_option("model", model, "checkpoint of a trained model")->required();
  app.add_option("speech", options.speech, "folder of the speech encoder")->required();
  app.add_option("language", options.language, "folder of the language model")->required();
  app.add_option("projector", options.projector, "folder or file of the projector")->required();
  app.add_option("clips", clips, "sound files")->required();
  app.add_option("--layer", options.layer, "hidden state that the model was trained on")->capture_default_str();
  app.add_option("--new-tokens", options.generate.max_new_tokens, "at most")->capture_default_str();
  return support::run("speech_to_sentiment", app, argc, argv, [&] {
    const speech::HearingPredictor predict(Predictor::load(model), speech::Listener<float>(options));
    for (const std::string& file : clips) {
      speech::HeardClip<float> heard;
      const Answer answer = predict(speech::load_sound<float>(file), {}, &heard);
      std::printf("%s  %+.3f  \"%s\"\n", file.c_str(), answer.value, heard.said.c_str());
    }
    return 0;
  });
}
