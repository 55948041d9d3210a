/// Folders of MERTools, MERBench and SDUMC: features/FEATURE/UTTERANCE.npy (feature_folder.hpp) and label*.npz, whose
/// objects train_corpus, val_corpus, test_corpus (MER2023: test1_corpus to test3_corpus; IEMOCAP: whole_corpus) are
/// dictionaries {utterance: {emo, val}} in the order of the samples.
///
/// `emo` becomes class: integers as they are, words in the order of MER2023 (neutral, angry, happy, sad, worried,
/// surprise) or of the alphabet; `val` becomes label, a number or its digits as text, where -10, an empty text, NaN or
/// nothing at all means none. A label that is the same for every sample is a placeholder and is left out. Where both
/// remain, the one that fewer samples lack is taken, the label before the class. A stream that stands in for the missing
/// modality, as SDUMC's text of a language model, is a feature like the others; the program's --simulated-text names it.
/// Source: zeroQiaoba/MERTools, MERBench/toolkit/dataloader.
#pragma once

#include "lacuna/core/number_from.hpp"
#include "lacuna/data/array_names.hpp"
#include "lacuna/data/formats/feature_folder.hpp"
#include "lacuna/data/formats/options.hpp"
#include "lacuna/io/numpy_objects.hpp"

namespace lacuna::data::formats {

/// The labels of one corpus.
struct MertoolsCorpus {
  std::vector<std::string> ids, emotions;  ///< an emotion is digits, a word, or empty
  std::vector<float> values;               ///< NaN: none
};

inline bool is_text(const io::Value& value) {
  return value.is_string() || (value.kind() == io::ValueKind::scalar && value.array().text());
}
/// A number written as text; NaN for an empty one.
inline double number_in(const io::Value& value) {
  const std::string text = text_of(value);
  if (text.find_first_not_of(' ') == std::string::npos) return NAN;
  if (const auto number = lacuna::detail::number_from<double>(text)) return *number;
  throw IoError(lacuna::detail::cat(value.where(), " is '", lacuna::detail::printable(text),
                                    "', expected a number, or an empty text for none"));
}

inline MertoolsCorpus mertools_corpus(io::Value corpus) {
  if (corpus.kind() == io::ValueKind::array && corpus.has_items() && corpus.size() == 1) corpus = corpus[0];
  if (!corpus.is_dict())
    throw IoError(corpus.where() + " is " + corpus.describe() + ", expected {utterance: {emo, val}}");
  MertoolsCorpus result;
  for (std::size_t i = 0; i < corpus.size(); ++i) {
    result.ids.push_back(text_of(corpus.key(i)));
    const io::Value sample = corpus.value(i);
    const auto emotion = sample.get(std::string_view("emo")), value = sample.get(std::string_view("val"));
    result.emotions.push_back(emotion ? text_of(*emotion) : "");
    double number = NAN;
    if (value && is_text(*value))
      number = number_in(*value);
    else if (value && !value->is_none())
      number = value->real();
    result.values.push_back(number == -10 ? NAN : float(number));
  }
  return result;
}

class MertoolsReader {
 public:
  MertoolsReader(Arrays& arrays, const ImportOptions& options) : arrays_(arrays), options_(options) {}

  void read(const std::string& folder) {
    read_labels(label_file(folder));
    const std::string features = folder + "/features";
    std::vector<std::string> wanted = options_.features;
    if (wanted.empty()) {
      for (const std::string& name : names_in(features, ""))
        if (kind_of_path(features + "/" + name) == PathKind::folder && name[0] != '.') wanted.push_back(name);
      arrays_.note("all folders of features are modalities; --features audio=FOLDER,text=FOLDER,video=FOLDER chooses");
    }
    add_folders(arrays_, features, wanted);
  }
  void read_labels(const std::string& path) {
    const io::Value root = io::load_npz_values(path);
    if (const auto whole = root.get(std::string_view("whole_corpus"))) {
      by_session(mertools_corpus(*whole));
    } else {
      std::string test = "test_corpus";
      if (!root.get(std::string_view(test))) {
        if (!options_.part.empty())
          test = options_.part + (options_.part.ends_with("_corpus") ? "" : "_corpus");
        else
          test = "test1_corpus";
        arrays_.note(lacuna::detail::cat("the test split is ", test, "; --part test2 takes another"));
      }
      const std::pair<std::string, std::string> splits[] = {
          {"train_corpus", "train_"}, {"val_corpus", "valid_"}, {test, "test_"}};
      for (const auto& [name, prefix] : splits)
        if (const auto corpus = root.get(std::string_view(name)))
          corpora_.emplace_back(prefix, mertools_corpus(*corpus));
      if (corpora_.empty()) root.at("train_corpus");
    }
    add_labels_of_all();
  }

 private:
  std::string label_file(const std::string& folder) const {
    if (!options_.labels.empty())
      return kind_of_path(options_.labels) == PathKind::file ? options_.labels : folder + "/" + options_.labels;
    std::vector<std::string> found = names_in(folder, ".npz");
    std::erase_if(found, [](const std::string& name) { return !name.starts_with("label"); });
    if (found.size() == 1) return folder + "/" + found[0];
    std::string list;
    for (const std::string& name : found) list += (list.empty() ? "" : ", ") + name;
    throw IoError(lacuna::detail::cat(folder, ": has ",
                                      found.empty() ? "no label*.npz" : "several files of labels (" + list + ")",
                                      "; say which with --label-file"));
  }
  /// Folds by session, the two digits after Ses.
  void by_session(const MertoolsCorpus& whole) {
    if (options_.fold == 0)
      throw IoError(arrays_.path() +
                    ": the labels are one corpus (whole_corpus), folds are by session; --fold 1 to 5 "
                    "makes that session the test split");
    MertoolsCorpus parts[2];
    const std::string session = "Ses0" + std::to_string(options_.fold);
    for (std::size_t i = 0; i < whole.ids.size(); ++i) {
      MertoolsCorpus& part = parts[whole.ids[i].starts_with(session)];
      part.ids.push_back(whole.ids[i]);
      part.emotions.push_back(whole.emotions[i]);
      part.values.push_back(whole.values[i]);
    }
    corpora_.emplace_back("train_", std::move(parts[0]));
    corpora_.emplace_back("test_", std::move(parts[1]));
    arrays_.note(lacuna::detail::cat("session ", options_.fold,
                                     " is the test split; MERTools selects on it, here there "
                                     "is no validation split until --holdout 0.1 makes one"));
  }

  static std::string lower(std::string text) {
    for (char& c : text)
      if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    return text;
  }
  void add_labels_of_all() {
    std::vector<std::string> words;
    bool numbers = true, same_emotion = true, same_value = true;
    index_t samples = 0, no_emotion = 0, no_value = 0;
    std::optional<std::string> emotion;
    std::optional<float> value;
    for (const auto& [prefix, corpus] : corpora_)
      for (std::size_t i = 0; i < corpus.ids.size(); ++i) {
        const std::string& word = corpus.emotions[i];
        ++samples;
        no_emotion += word.empty();
        no_value += std::isnan(corpus.values[i]);
        if (!word.empty()) {
          numbers = numbers && word.find_first_not_of("0123456789") == std::string::npos && word.size() < 6;
          same_emotion = same_emotion && (!emotion || *emotion == word);
          emotion = word;
          if (!lacuna::detail::listed(words, lower(word))) words.push_back(lower(word));
        }
        if (!std::isnan(corpus.values[i])) {
          same_value = same_value && (!value || *value == corpus.values[i]);
          value = corpus.values[i];
        }
      }
    const bool emotions = emotion && (!same_emotion || samples == 1), values = value && (!same_value || samples == 1);
    if (emotion && !emotions)
      arrays_.note(
          lacuna::detail::cat("emo is ", *emotion, " for all ", samples, " samples: a placeholder, not a label"));
    if (!values && samples > 0) arrays_.note("val is absent (-10) or the same for all samples: no label");
    if (emotions && !numbers) name_classes(words);
    if (emotions && no_emotion > 0)
      arrays_.note(lacuna::detail::cat("emo: ", no_emotion, " of ", samples, " samples have none"));
    if (values && no_value > 0)
      arrays_.note(
          lacuna::detail::cat("val: ", no_value, " of ", samples, " samples have none (-10, empty or missing)"));
    for (const auto& [prefix, corpus] : corpora_) {
      arrays_.strings(prefix + "id", corpus.ids);
      if (values) arrays_.reals(prefix + "label", corpus.values);
      if (!emotions) continue;
      std::vector<index_t> classes;
      for (const std::string& word : corpus.emotions)
        classes.push_back(word.empty() ? -1
                          : numbers    ? std::stol(word)
                                       : std::find(names_.begin(), names_.end(), lower(word)) - names_.begin());
      arrays_.integers(prefix + "class", classes);
    }
  }
  void name_classes(std::vector<std::string> words) {
    names_ = {"neutral", "angry", "happy", "sad", "worried", "surprise"};
    const bool known = std::all_of(words.begin(), words.end(),
                                   [&](const std::string& word) { return lacuna::detail::listed(names_, word); });
    if (!known) {
      std::sort(words.begin(), words.end());
      names_ = words;
    }
    arrays_.strings("class_names", names_);
    std::string list;
    for (std::size_t k = 0; k < names_.size(); ++k)
      list += lacuna::detail::cat(k ? ", " : "", lacuna::detail::printable(names_[k]), " ", k);
    arrays_.note(lacuna::detail::cat("emotions are words; class is ", list));
  }

  Arrays& arrays_;
  const ImportOptions& options_;
  std::vector<std::pair<std::string, MertoolsCorpus>> corpora_;
  std::vector<std::string> names_;
};

/// MERBench's pooling of T frames to `to` of them: bins of ceil(T / to) frames are averaged, and the zeros that fill the
/// last bin up stand in front of the first frame, whose average shrinks. Fewer frames than `to`: zeros in front.
inline Tensor<float, 2> pool_frames(const Tensor<float, 2>& x, index_t to) {
  const index_t frames = x.extent(0), features = x.extent(1);
  if (to < 1) throw OptionError(lacuna::detail::cat("pool_frames: ", to, " frames, expected at least 1"));
  const index_t bin = std::max<index_t>(1, (frames + to - 1) / to), front = bin * to - frames;
  auto pooled = Tensor<float, 2>::zeros({to, features});
  for (index_t f = 0; f < features; ++f)
    for (index_t t = 0; t < to; ++t) {
      double sum = 0;
      for (index_t i = t * bin; i < (t + 1) * bin; ++i)
        if (i >= front) sum += double(x(i - front, f));
      pooled(t, f) = float(sum / double(bin));
    }
  return pooled;
}

}  // namespace lacuna::data::formats
