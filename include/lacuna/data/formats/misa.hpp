/// Lists of samples: MISA, MMIM, UR-FUNNY of MISA, CubeMLP (one file a split: train.pkl, dev.pkl, test.pkl), MAG-BERT
/// (one dict of the three).
///
/// A sample is ((word ids [T], visual [T, Dv], acoustic [T, Da], words), label [1, k], "video[segment]"); MMIM adds the
/// lengths of visual and acoustic, MAG-BERT has (words, visual, acoustic), CubeMLP (text, audio, video) features, and
/// UR-FUNNY no id and an integer label, which is a class. Sequences are padded at the end. Column 0 of the label is
/// `label`, all of them `label_all`. Word ids are numbers of that file's own vocabulary: they are kept as word_ids,
/// which is no modality.
/// Source: declare-lab/MISA and Multimodal-Infomax, create_dataset.py and data_loader.py; BERT_multimodal_transformer.
#pragma once

#include "lacuna/data/formats/options.hpp"
#include "lacuna/data/formats/sequences.hpp"

namespace lacuna::data::formats {

/// One split. Throws IoError: which sample, found, expected.
inline void read_sample_list(Arrays& arrays, const io::Value& list, const std::string& prefix) {
  std::vector<Sequence> vision, audio, text;
  std::vector<index_t> word_ids, word_counts;
  std::vector<std::vector<index_t>> words;
  std::vector<double> labels, all_labels;
  std::vector<std::string> ids, sentences;
  std::size_t columns = 0;
  bool classes = true;
  const auto cut = [](Sequence sequence, const io::Value& length) {
    const index_t given = length.integer();
    if (given < 0 || given > sequence.length)
      throw IoError(lacuna::detail::cat(length.where(), " is ", given, ", expected 0..", sequence.length,
                                        " as there are frames"));
    if (given == sequence.length) return sequence;
    const index_t whole = sequence.length * sequence.features, kept = given * sequence.features;
    sequence.length = given;
    sequence.fill = [fill = sequence.fill, whole, kept](float* to) {
      std::vector<float> numbers(static_cast<std::size_t>(whole));
      fill(numbers.data());
      std::copy(numbers.begin(), numbers.begin() + kept, to);
    };
    return sequence;
  };
  for (std::size_t n = 0; n < list.size(); ++n) {
    const io::Value sample = list[n];
    if (!sample.has_items() || sample.size() < 2 || !sample[0].has_items() || sample[0].size() < 3)
      throw IoError(sample.where() + " is " + sample.describe() + ", expected ((words, visual, acoustic, ...), label)");
    const io::Value inner = sample[0];
    const bool named_words = inner[0].has_items() && (inner[0].size() == 0 || inner[0][0].is_string());
    if (inner.size() == 3 && !named_words) {  // CubeMLP: features of all three
      text.push_back(sequence_of(inner[0]));
      audio.push_back(sequence_of(inner[1]));
      vision.push_back(sequence_of(inner[2]));
    } else {
      vision.push_back(sequence_of(inner[1]));
      audio.push_back(sequence_of(inner[2]));
      if (inner.size() >= 6) {
        vision.back() = cut(std::move(vision.back()), inner[4]);
        audio.back() = cut(std::move(audio.back()), inner[5]);
      }
      std::string sentence;
      for (const std::string& word : texts_of(named_words ? inner[0] : inner[inner.size() > 3 ? 3 : 0]))
        sentence += (sentence.empty() ? "" : " ") + word;
      sentences.push_back(sentence);
      if (!named_words) {
        words.emplace_back();
        for (const double id : numbers_of(inner[0])) words.back().push_back(index_t(id));
      }
    }
    const std::vector<double> label = numbers_of(sample[1]);
    if (label.empty() || (n > 0 && label.size() != columns))
      throw IoError(
          lacuna::detail::cat(sample[1].where(), " has ", label.size(), " labels, expected ", n > 0 ? columns : 1));
    columns = label.size();
    labels.push_back(label[0]);
    all_labels.insert(all_labels.end(), label.begin(), label.end());
    classes = classes && integral(sample[1]) && label[0] >= 0;
    if (sample.size() > 2 && sample[2].is_string()) ids.push_back(text_of(sample[2]));
  }
  const index_t count = index_t(list.size());
  if (!text.empty()) add_sequences(arrays, prefix + "text", std::move(text), Clean::minus_infinity);
  add_sequences(arrays, prefix + "audio", std::move(audio), Clean::minus_infinity);
  add_sequences(arrays, prefix + "vision", std::move(vision), Clean::minus_infinity);
  if (!words.empty()) {
    std::size_t longest = 1;
    for (const auto& one : words) longest = std::max(longest, one.size());
    word_ids.assign(words.size() * longest, 0);
    for (std::size_t n = 0; n < words.size(); ++n) {
      std::copy(words[n].begin(), words[n].end(), word_ids.begin() + std::ptrdiff_t(n * longest));
      word_counts.push_back(index_t(words[n].size()));
    }
    arrays.integers(prefix + "word_ids", Shape{index_t(words.size()), index_t(longest)}, word_ids);
    arrays.integers(prefix + "text_length", word_counts);
    arrays.note("word ids count words of this file's own vocabulary: they are kept as word_ids, which is no modality");
  }
  add_labels(arrays, prefix, labels, classes);
  if (columns > 1) {
    arrays.reals(prefix + "label_all", Shape{count, index_t(columns)},
                 std::vector<float>(all_labels.begin(), all_labels.end()));
    arrays.note(
        lacuna::detail::cat("labels have ", columns, " columns: column 0, the sentiment, is label; all are label_all"));
  }
  if (index_t(ids.size()) == count)
    arrays.strings(prefix + "id", ids);
  else if (!ids.empty())
    arrays.note(lacuna::detail::cat(prefix, ": ", count - index_t(ids.size()), " of ", count,
                                    " samples have no id, so all of them are numbered"));
  if (index_t(sentences.size()) == count) arrays.strings(prefix + "raw_text", sentences);
}

/// MAG-BERT's dict of three lists, dev being the validation split.
inline void read_mag_bert(Arrays& arrays, const io::Value& root) {
  const std::pair<const char*, const char*> splits[] = {
      {"train", "train_"}, {"dev", "valid_"}, {"valid", "valid_"}, {"test", "test_"}};
  for (const auto& [name, prefix] : splits)
    if (const auto list = root.get(std::string_view(name))) read_sample_list(arrays, *list, prefix);
}

}  // namespace lacuna::data::formats
