/// Pickles of dialogues: DialogueRNN / DialogueGCN (IEMOCAP, MELD), GCNet (IEMOCAP, CMU-MOSI), COSMIC, bc-LSTM, and the
/// embeddings of MELD. Each utterance becomes one sample of one vector per modality; `dialogue` and `speaker` say where
/// it belongs.
///
///   DialogueRNN   (ids, speakers, labels, text, audio, visual, sentences, train ids, test ids)
///   MELD          (ids, speakers, emotions, text, audio, sentences, train ids, test ids, sentiments): no visual
///   GCNet         [ids, labels, speakers, sentences, train, (valid,) test]: the features are in folders (feature_folder.hpp)
///   COSMIC        [speakers, labels, (sentiments,) sentences, train, test, valid]: text alone
///   bc-LSTM       (data [V, U, D], labels, test data, test labels, longest, lengths, test lengths)
///   MELD          [train, valid, test: {"dialogue_utterance": [D]}]
///
/// Folds are used in sorted order: those of sets have none of their own. Labels that are integers are `class`, others
/// `label`; what the class numbers of MELD mean differs between repositories: they are kept as they are.
/// Source: declare-lab/conv-emotion and MELD; zeroQiaoba/GCNet.
#pragma once

#include "lacuna/data/formats/options.hpp"
#include "lacuna/data/formats/sequences.hpp"

namespace lacuna::data::formats {

/// The dictionaries of a file, all keyed by dialogue.
struct Dialogues {
  std::optional<io::Value> ids = {}, speakers = {}, labels = {}, sentiments = {}, text = {}, audio = {}, vision = {},
                           sentences = {};
};

/// What a dialogue is called in a dictionary: text, or a number.
struct DialogueKey {
  std::string text;
  std::optional<std::int64_t> number = {};
  bool operator<(const DialogueKey& o) const { return number && o.number ? *number < *o.number : text < o.text; }
};

inline io::Value of_dialogue(const io::Value& dictionary, const DialogueKey& key) {
  const auto found = key.number ? dictionary.get(*key.number) : dictionary.get(std::string_view(key.text));
  if (found) return *found;
  throw IoError(
      lacuna::detail::cat(dictionary.where(), " has no dialogue '", lacuna::detail::printable(key.text), "'"));
}
inline DialogueKey dialogue_key(const io::Value& value) {
  DialogueKey key;
  key.text = text_of(value);
  if (value.kind() == io::ValueKind::integer) key.number = value.integer();
  return key;
}
/// Of a list or set of ids, sorted.
inline std::vector<DialogueKey> fold_of(const io::Value& list) {
  std::vector<DialogueKey> keys;
  for (std::size_t i = 0; i < list.size(); ++i) keys.push_back(dialogue_key(list[i]));
  std::sort(keys.begin(), keys.end());
  return keys;
}

/// Who speaks utterance u: a name, or the place of the one in a row of MELD's one-hot rows; empty: nobody is named.
inline std::string speaker_of(const io::Value& list, std::size_t u) {
  std::vector<double> row;
  if (list.has_items()) {
    const io::Value one = list[u];
    const bool scalar = one.kind() == io::ValueKind::scalar && (one.array().text() || one.array().integral());
    if (one.is_string() || one.kind() == io::ValueKind::integer || scalar) return text_of(one);
    if (!one.has_items() && !is_numeric_array(one)) return "";
    row = numbers_of(one);
  } else if (is_numeric_array(list) && list.shape().rank() == 1) {
    const io::NpyArray one = list.rows(index_t(u), index_t(u) + 1);
    if (one.text()) return one.strings()[0];
    return one.integral() ? std::to_string(one.as<index_t>()[0]) : "";
  } else if (is_numeric_array(list) && list.shape().rank() == 2) {
    row = list.rows(index_t(u), index_t(u) + 1).as<double>();
  }
  const auto one = std::find(row.begin(), row.end(), 1.0);
  const bool hot = one != row.end() && std::count(row.begin(), row.end(), 0.0) == std::ptrdiff_t(row.size()) - 1;
  return hot ? std::to_string(one - row.begin()) : "";
}

/// Adds the utterances of these dialogues.
inline void add_dialogues(Arrays& arrays, const Dialogues& d, const std::vector<DialogueKey>& fold,
                          const std::string& prefix) {
  std::vector<std::string> ids, names, speakers, sentences;
  std::vector<double> labels, sentiments;
  std::vector<Sequence> streams[3];
  bool classes = true, spoken = false;
  for (const DialogueKey& key : fold) {
    const io::Value labelled = of_dialogue(*d.labels, key);
    const std::size_t count = labelled.size();
    const auto same = [&](const io::Value& list) {
      if (list.size() != count &&
          !(is_numeric_array(list) && list.shape().rank() > 0 && list.shape()[0] == index_t(count)))
        throw IoError(lacuna::detail::cat(list.where(), " has ", list.size(), " utterances, expected ", count, " as ",
                                          labelled.where(), " has"));
      return list;
    };
    for (const double label : numbers_of(labelled)) labels.push_back(label);
    if (labels.size() != names.size() + count)
      throw IoError(labelled.where() + " has several numbers for one utterance, expected one label each");
    classes = classes && integral(labelled);
    if (d.sentiments)
      for (const double label : numbers_of(same(of_dialogue(*d.sentiments, key)))) sentiments.push_back(label);
    std::vector<std::string> own;
    if (d.ids) own = texts_of(same(of_dialogue(*d.ids, key)));
    for (std::size_t u = 0; u < count; ++u) {
      ids.push_back(d.ids ? own[u] : key.text + "_" + std::to_string(u));
      names.push_back(key.text);
    }
    if (d.speakers) {
      const io::Value list = same(of_dialogue(*d.speakers, key));
      for (std::size_t u = 0; u < count; ++u) {
        speakers.push_back(speaker_of(list, u));
        spoken = spoken || !speakers.back().empty();
      }
    }
    if (d.sentences)
      for (std::string& text : texts_of(same(of_dialogue(*d.sentences, key)))) sentences.push_back(std::move(text));
    const std::optional<io::Value>* const modalities[] = {&d.text, &d.audio, &d.vision};
    for (std::size_t m = 0; m < 3; ++m) {
      if (!*modalities[m]) continue;
      const io::Value list = same(of_dialogue(**modalities[m], key));
      for (std::size_t u = 0; u < count; ++u) {
        if (list.has_items()) {
          streams[m].push_back(sequence_of(list[u]));
          continue;
        }
        Sequence row;
        row.where = list.where();
        row.length = 1;
        row.features = list.shape().size() / index_t(count);
        row.fill = [list, u](float* to) {
          const std::vector<float> numbers = list.rows(index_t(u), index_t(u) + 1).as<float>();
          std::copy(numbers.begin(), numbers.end(), to);
        };
        streams[m].push_back(std::move(row));
      }
    }
  }
  const char* const modality_names[] = {"text", "audio", "vision"};
  for (std::size_t m = 0; m < 3; ++m)
    if (!streams[m].empty())
      add_sequences(arrays, prefix + modality_names[m], std::move(streams[m]), Clean::keep, true);
  add_labels(arrays, prefix, labels, classes);
  if (d.sentiments)
    arrays.integers(prefix + "class_sentiment", std::vector<index_t>(sentiments.begin(), sentiments.end()));
  arrays.strings(prefix + "id", ids);
  arrays.strings(prefix + "dialogue", names);
  if (spoken) arrays.strings(prefix + "speaker", speakers);
  if (sentences.size() == ids.size()) arrays.strings(prefix + "raw_text", sentences);
}

inline void read_dialogue_rnn(Arrays& arrays, const io::Value& root) {
  const bool meld = root[8].is_dict();
  Dialogues d;
  d.ids = root[0], d.speakers = root[1], d.labels = root[2], d.text = root[3], d.audio = root[4];
  if (!meld) d.vision = root[5];
  d.sentences = root[meld ? 5 : 6];
  if (meld) {
    d.sentiments = root[8];
    arrays.note(
        "MELD of conv-emotion: class is the emotion (neutral 0, surprise 1, fear 2, sadness 3, joy 4, disgust 5, "
        "anger 6), class_sentiment the sentiment; other repositories number the emotions differently");
  }
  add_dialogues(arrays, d, fold_of(root[meld ? 6 : 7]), "train_");
  add_dialogues(arrays, d, fold_of(root[meld ? 7 : 8]), "test_");
  arrays.note("the file has no validation split; --holdout 0.1 makes one of the last tenth of the training dialogues");
}

/// Six dictionaries and folds (IEMOCAP, no validation fold) or seven.
inline void read_gcnet(Arrays& arrays, const io::Value& root, const ImportOptions& options) {
  Dialogues d;
  d.ids = root[0], d.labels = root[1], d.speakers = root[2], d.sentences = root[3];
  const bool three = root.size() == 7;
  std::vector<DialogueKey> train = fold_of(root[4]), test = fold_of(root[three ? 6 : 5]);
  if (three) {
    add_dialogues(arrays, d, train, "train_");
    add_dialogues(arrays, d, fold_of(root[5]), "valid_");
    add_dialogues(arrays, d, test, "test_");
    return;
  }
  std::vector<DialogueKey> all = train;
  all.insert(all.end(), test.begin(), test.end());
  std::sort(all.begin(), all.end());
  add_dialogues(arrays, d, all, "all_");
  if (options.fold > 0) {  // Ses05F_impro01: the two digits are the session
    train.clear(), test.clear();
    for (const DialogueKey& key : all)
      (key.text.substr(0, 5) == "Ses0" + std::to_string(options.fold) ? test : train).push_back(key);
    arrays.note(lacuna::detail::cat("session ", options.fold, " is the test split, the others are for training"));
  } else {
    arrays.note("the folds of the file are used; --fold 1 to 5 makes that session the test split");
  }
  const auto texts = [](const std::vector<DialogueKey>& keys) {
    std::vector<std::string> list;
    for (const DialogueKey& key : keys) list.push_back(key.text);
    return list;
  };
  arrays.strings("train_dialogues", texts(train));
  arrays.strings("test_dialogues", texts(test));
  add_dialogues(arrays, d, train, "train_");
  add_dialogues(arrays, d, test, "test_");
  arrays.note("GCNet selects on its test fold; here there is no validation split until --holdout 0.1 makes one");
}

/// [speakers, labels, (sentiments,) sentences, train, test, valid]: the test fold comes before the validation fold.
inline void read_cosmic(Arrays& arrays, const io::Value& root) {
  const std::size_t more = root.size() - 6;
  Dialogues d;
  d.labels = root[1];
  d.sentences = root[2 + more];
  if (more == 1) d.sentiments = root[2];
  d.speakers = root[0];
  add_dialogues(arrays, d, fold_of(root[3 + more]), "train_");
  add_dialogues(arrays, d, fold_of(root[5 + more]), "valid_");
  add_dialogues(arrays, d, fold_of(root[4 + more]), "test_");
  arrays.note("COSMIC's order of folds: training, test, validation");
}

/// Utterances of [dialogue, utterance, D], padded at the end.
inline void read_bc_lstm(Arrays& arrays, const io::Value& root) {
  const auto split = [&](const io::Value& data, const io::Value& label, const io::Value& length,
                         const std::string& prefix) {
    const Shape shape = data.shape();
    const std::vector<double> labels = numbers_of(label), lengths = numbers_of(length);
    if (shape.rank() != 3 || index_t(lengths.size()) != shape[0] || index_t(labels.size()) != shape[0] * shape[1])
      throw IoError(lacuna::detail::cat(data.where(), " has shape ", shape,
                                        ", expected (dialogues, utterances, D) for ", lengths.size(), " lengths and ",
                                        labels.size(), " labels"));
    std::vector<Sequence> rows;
    std::vector<double> kept;
    std::vector<std::string> ids, names;
    for (index_t v = 0; v < shape[0]; ++v) {
      if (!(lengths[std::size_t(v)] >= 0 && lengths[std::size_t(v)] <= double(shape[1])))
        throw IoError(lacuna::detail::cat(length.where(), " gives dialogue ", v, " the length ",
                                          lengths[std::size_t(v)], ", expected 0..", shape[1]));
      for (index_t u = 0; u < index_t(lengths[std::size_t(v)]); ++u) {
        Sequence row;
        row.where = data.where();
        row.length = 1;
        row.features = shape[2];
        row.fill = [data, v, u, shape](float* to) {
          const std::vector<float> numbers = data.rows(v, v + 1).as<float>();
          std::copy_n(numbers.begin() + u * shape[2], shape[2], to);
        };
        rows.push_back(std::move(row));
        kept.push_back(labels[std::size_t(v * shape[1] + u)]);
        ids.push_back(prefix + std::to_string(v) + "_" + std::to_string(u));  // the file has none
        names.push_back(std::to_string(v));
      }
    }
    add_sequences(arrays, prefix + "features", std::move(rows), Clean::keep, true);
    add_labels(arrays, prefix, kept, integral(label));
    arrays.strings(prefix + "id", ids);
    arrays.strings(prefix + "dialogue", names);
  };
  split(root[0], root[1], root[5], "train_");
  split(root[2], root[3], root[6], "test_");
  arrays.note("bc-LSTM has one stream of features, which is called features, and no validation split");
}

/// Three dictionaries of vectors (or [utterances, D] by dialogue), without labels.
inline void read_embeddings(Arrays& arrays, const io::Value& root) {
  const char* const prefixes[] = {"train_", "valid_", "test_"};
  for (std::size_t s = 0; s < 3; ++s) {
    std::vector<Sequence> rows;
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < root[s].size(); ++i) {
      ids.push_back(text_of(root[s].key(i)));
      rows.push_back(sequence_of(root[s].value(i)));
    }
    add_sequences(arrays, std::string(prefixes[s]) + "features", std::move(rows), Clean::keep, true);
    arrays.strings(std::string(prefixes[s]) + "id", ids);
  }
  arrays.note("embeddings of MELD: one stream, which is called features, and no labels");
}

}  // namespace lacuna::data::formats
