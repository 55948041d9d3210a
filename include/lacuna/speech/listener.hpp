/// From sound to the streams that SDUMC takes: audio features, and the text that a language model hears.
///
///     const speech::Listener<float> listener({.speech = "wavlm-large", .language = "vicuna-7b-v1.5",
///                                             .projector = "projector"});
///     const auto clip = listener(speech::load_sound<float>("clip.wav"));
///     clip.audio;  clip.simulated;  clip.said;                       // (F, 1024), (tokens, 4096), text
///     listener.text("the food was good");                            // (tokens, 4096) of a transcript
///
/// Encoder → soft tokens → language model, which is asked to transcribe: [soft tokens][start id, prompt]. Its hidden
/// states are the simulated text, in the place of those of a real transcript. Const calls may come from several threads.
#pragma once

#include <optional>

#include "lacuna/language/generate.hpp"
#include "lacuna/language/tokenizer.hpp"
#include "lacuna/ops/shape.hpp"
#include "lacuna/speech/long_clip.hpp"
#include "lacuna/speech/projector.hpp"

namespace lacuna::speech {

/// What the authors of SDUMC asked with: the default of SLAM-LLM's code.
inline constexpr const char* transcribe_prompt =
    "USER: Transcribe speech to text. Output the transcription directly without redundant content. Ensure that the "
    "output is not duplicated. \n ASSISTANT:";
/// What SLAM-LLM's recipe trains with.
inline constexpr const char* short_prompt = "USER: Transcribe speech to text. \n ASSISTANT:";

struct ListenerOptions {
  std::string speech = {};               ///< folder of a speech encoder
  std::string language = {};             ///< folder of a language model; none: audio features alone
  std::string projector = {};            ///< its projector; none: no simulated text
  language::WeightOptions weights = {};  ///< how the language model's are kept
  index_t layer = -5;                    ///< audio: a state of the encoder, as Heard::state counts
  bool raw = false;                      ///< as Heard::raw counts
  PieceOptions pieces = {};
  std::string prompt = transcribe_prompt;
  language::GenerateOptions generate = {};  ///< without ends: those of config.json
  bool published = false;                   ///< simulated text of beam row 0, as the authors; else of the best text
  index_t sum = 4;                          ///< text: the sum of so many last states,
  std::optional<index_t> state = {};        ///< or this one alone, negative from the end
};

template <class T>
struct HeardClip {
  Tensor<T, 2> audio;      ///< (F, D)
  Tensor<T, 2> simulated;  ///< (tokens, hidden), without the end; undefined without a projector
  std::string said;
  language::Hypothesis text;
  index_t steps = 0;
};

template <class T = float>
class Listener {
 public:
  /// Throws IoError for what is missing or damaged, ShapeError for parts that do not fit each other.
  explicit Listener(const ListenerOptions& options) : o_(options) {
    if (!o_.speech.empty()) encoder_.emplace(o_.speech);
    if (!o_.language.empty()) {
      model_.emplace(o_.language, o_.weights);
      tokenizer_.emplace(o_.language);
      if (o_.generate.ends.empty()) o_.generate.ends = model_->config().ends;
      if (tokenizer_->size() > model_->config().vocabulary)
        throw ShapeError(detail::cat(o_.language, ": the tokenizer has ", tokenizer_->size(), " ids, the model ",
                                     model_->config().vocabulary, "; they belong to different models"));
    }
    if (o_.projector.empty()) return;
    if (!encoder_ || !model_) throw OptionError("speech: a projector needs a speech encoder and a language model");
    projector_.emplace(o_.projector);
    projector_->frames(encoder_->config().hidden);
    if (projector_->linear2.weight.extent(0) != model_->config().hidden)
      throw ShapeError(detail::cat(o_.projector, ": makes tokens of ", projector_->linear2.weight.extent(0),
                                   " numbers, the language model takes ", model_->config().hidden));
  }

  const ListenerOptions& options() const { return o_; }
  bool hears() const { return encoder_.has_value(); }
  bool reads() const { return model_.has_value(); }
  bool simulates() const { return projector_.has_value(); }
  /// Features of a row of text; 0 without a language model.
  index_t text_width() const { return model_ ? model_->config().hidden : 0; }

  /// wave (N): mono, 16 kHz, in [−1, 1].
  HeardClip<T> operator()(const Tensor<T, 1>& wave) const {
    if (!encoder_) throw OptionError("speech: this listener has no speech encoder");
    const NoGrad off;
    const Features<T> heard = features(*encoder_, wave, o_.layer, o_.raw, o_.pieces);
    HeardClip<T> clip;
    if (projector_) clip = simulated(heard.last);
    clip.audio = heard.state;
    return clip;
  }
  /// What the language model makes of the encoder's last states (F, D): a clip whose `audio` is not defined.
  HeardClip<T> simulated(const Tensor<T, 2>& last) const {
    if (!projector_) throw OptionError("speech: this listener has no projector, nothing simulates text");
    const NoGrad off;
    HeardClip<T> clip;
    const auto soft = (*projector_)(last);
    const auto prompt = model_->embed(tokenizer_->encode(o_.prompt));
    const auto input = soft.extent(0) > 0 ? concat(std::vector<Variable<T, 2>>{soft, prompt}, 0) : prompt;
    const auto made =
        language::generate(*model_, input.value(), o_.generate, {.published = o_.published, .forced = !o_.published});
    clip.text = made.best();
    clip.steps = made.steps;
    std::vector<index_t> words = clip.text.tokens;
    const auto& ends = o_.generate.ends;
    if (!words.empty() && std::find(ends.begin(), ends.end(), words.back()) != ends.end()) words.pop_back();
    clip.said = tokenizer_->decode(words);
    const Tensor<T, 3>& states = o_.published ? made.published : made.forced;
    const Tensor<T, 2> rows = chosen(states);
    clip.simulated = o_.published ? rows : Tensor<T, 2>(rows.window(0, Shape{index_t(words.size()), rows.extent(1)}));
    return clip;
  }
  /// The states of a transcript, the start id's row first: (tokens, hidden).
  Tensor<T, 2> text(std::string_view transcript) const {
    if (!model_) throw OptionError("speech: this listener has no language model");
    const NoGrad off;
    const std::vector<index_t> ids = tokenizer_->encode(transcript);
    if (ids.empty()) return Tensor<T, 2>({0, model_->config().hidden});
    return chosen(language::by_position(model_->read(model_->embed(ids), {}, {.states = true}).states));
  }

 private:
  Tensor<T, 2> chosen(const Tensor<T, 3>& states) const {
    if (!o_.state) return language::summed_layers(states, o_.sum);
    const index_t count = states.extent(1), at = *o_.state < 0 ? *o_.state + count : *o_.state;
    if (at < 0 || at >= count)
      throw OptionError(detail::cat("speech: state ", *o_.state, " of a language model with ", count, " of them"));
    Tensor<T, 2> one({states.extent(0), states.extent(2)});
    for (index_t t = 0; t < one.extent(0); ++t)
      std::copy_n(states.data() + (t * count + at) * one.extent(1), one.extent(1), one.data() + t * one.extent(1));
    return one;
  }

  ListenerOptions o_;
  std::optional<Encoder<T>> encoder_;
  std::optional<language::Llama<T>> model_;
  std::optional<language::Tokenizer> tokenizer_;
  std::optional<Projector<T>> projector_;
};

}  // namespace lacuna::speech
