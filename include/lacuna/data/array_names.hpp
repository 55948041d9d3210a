/// What the name of an array says about it: whether it is named like a label, and from which modality it comes.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace lacuna::detail {

inline bool listed(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

/// The words of a name in small letters, without digits and a plural s behind them: "Regression_labels2" gives
/// regression and label.
inline std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (const char c : name) {
    if (c == '_' || c == '-' || c == '.' || c == ' ')
      words.emplace_back();
    else
      words.back() += c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  }
  for (std::string& word : words) {
    while (word.size() > 1 && word.back() >= '0' && word.back() <= '9') word.pop_back();
    if (word.size() > 3 && word.back() == 's' && word[word.size() - 2] != 's') word.pop_back();
  }
  return words;
}

/// Whether a word of the name is one for what is to be predicted: label2, regression_labels, emotion, valence, y. So is
/// vad: valence, arousal and dominance in the files of IEMOCAP; where it means voice activity it is a mask, and no
/// features either.
inline bool named_like_label(std::string_view name) {
  for (const std::string& word : words_of(name))
    for (const char* known :
         {"label",     "class",       "classe",  "target",      "y",        "annotation", "emotion",
          "sentiment", "valence",     "arousal", "dominance",   "polarity", "score",      "rating",
          "truth",     "groundtruth", "gt",      "answer",      "outcome",  "category",   "prediction",
          "predicted", "pred",        "logit",   "probability", "senti",    "emo",        "vad",
          "sarcasm",   "humor",       "humour",  "anger",       "angry",    "disgust",    "fear",
          "happy",     "happiness",   "sad",     "sadness",     "surprise", "neutral"})
      if (word == known) return true;
  return false;
}

/// Whether the name is one for a mask that is not called `mask` or `X_mask`: attention_mask, padding_mask,
/// key_padding_mask. Which of 0 and 1 means present differs between programs, so it is nobody's mask and nobody's
/// features.
inline bool named_like_mask(std::string_view name) {
  for (const std::string& word : words_of(name))
    if (word == "mask" || word == "padding" || word == "attn") return true;
  return false;
}
/// Whether the name is one for lengths: seq_len, audio_len, durations.
inline bool named_like_length(std::string_view name) {
  for (const std::string& word : words_of(name))
    if (word == "len" || word == "length" || word == "lens" || word == "duration" || word == "seqlen") return true;
  return false;
}

/// Words for a modality.
struct ModalityWord {
  const char *word, *modality;
};
inline constexpr ModalityWord modality_words[] = {
    {"audio", "audio"},     {"acoustic", "audio"}, {"speech", "audio"},    {"voice", "audio"},
    {"vocal", "audio"},     {"text", "text"},      {"language", "text"},   {"textual", "text"},
    {"linguistic", "text"}, {"lexical", "text"},   {"transcript", "text"}, {"video", "video"},
    {"vision", "video"},    {"visual", "video"},   {"facial", "video"},    {"face", "video"}};

/// The modality that a word stands for: vision and visual are video, acoustic and speech are audio, linguistic and
/// textual are text; empty for a word that names none.
inline std::string modality_word(std::string_view word) {
  for (const ModalityWord& one : modality_words)
    if (word == one.word) return one.modality;
  return "";
}

/// The stream of `others` that `name` comes from: text for text_bert and glove_text, video for vision_raw; empty when
/// it is one of its own.
inline std::string derived_from(const std::string& name, const std::vector<std::string>& others) {
  std::string source;
  const auto consider = [&](const std::string& other) {
    if (other.size() > source.size()) source = other;
  };
  for (const std::string& other : others) {
    if (other == name || other.empty()) continue;
    for (const char between : {'_', '-', '.', ' '})
      if (name.starts_with(other + between) || name.ends_with(between + other)) consider(other);
    const std::string own = modality_word(other);
    if (own.empty() || name.find_first_of("_-. ") == std::string::npos) continue;
    const auto words = words_of(name);
    if (modality_word(words.front()) == own || modality_word(words.back()) == own) consider(other);
  }
  return source;
}

/// Whether a stream was made from sound in the place of another: simulated_text (docs/speech.md), asr_text.
inline bool named_like_heard(std::string_view name) {
  for (const std::string& word : words_of(name))
    if (word == "simulated" || word == "simulation" || word == "asr") return true;
  return false;
}

/// The modality that a name says: by its first word, else by its last. What was heard in the sound is audio, not text.
inline std::string modality_named(const std::string& name) {
  if (named_like_heard(name)) return "audio";
  const auto words = words_of(name);
  const std::string first = modality_word(words.front());
  return first.empty() ? modality_word(words.back()) : first;
}

/// The first of these streams that is text by its name; names.size() where none is.
inline std::size_t text_among(const std::vector<std::string>& names) {
  const auto plain = std::find(names.begin(), names.end(), "text");
  const auto at = plain != names.end() ? plain : std::find_if(names.begin(), names.end(), [](const std::string& name) {
    return modality_named(name) == "text";
  });
  return std::size_t(at - names.begin());
}

/// Groups of streams that come from one source, and so go missing together: streams of the same first or last word for
/// a modality (audio_mfcc, audio_wav2vec), derived one from the other, or heard in the sound (simulated_text belongs to
/// audio, not to text). group[i] is the first stream of the group of stream i.
inline std::vector<std::size_t> groups_of(const std::vector<std::string>& names) {
  std::vector<std::size_t> group(names.size());
  const auto comes_from = [](const std::string& name, const std::string& other) {
    return !named_like_heard(name) && !named_like_heard(other) && !derived_from(name, {other}).empty();
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    group[i] = i;
    for (std::size_t j = 0; j < i && group[i] == i; ++j)
      if ((!modality_named(names[i]).empty() && modality_named(names[i]) == modality_named(names[j])) ||
          comes_from(names[i], names[j]) || comes_from(names[j], names[i]))
        group[i] = group[j];
  }
  return group;
}

}  // namespace lacuna::detail
