/// The folder of UR-FUNNY v2: data_folds.pkl {train, dev, test: ids}, humor_label_sdk.pkl {id: 0 or 1}, and of each
/// stream NAME_features_sdk.pkl {id: {punchline_features [T][D], context_features [S][T][D]}}.
///
/// The punchline is the sample; the context is left out. covarep is audio, openface vision; the text is the word
/// embeddings of word_embedding_list.pkl at word_embedding_indexes_sdk.pkl. What is not there is left out.
/// Source: ROC-HCI/UR-FUNNY.
#pragma once

#include "lacuna/data/formats/dialogue.hpp"
#include "lacuna/data/formats/feature_folder.hpp"
#include "lacuna/io/pickle.hpp"

namespace lacuna::data::formats {

inline void read_urfunny(Arrays& arrays, const std::string& folder) {
  const io::Value folds = io::load_pickle(folder + "/data_folds.pkl");
  const bool labelled = kind_of_path(folder + "/humor_label_sdk.pkl") == PathKind::file;
  std::optional<io::Value> labels, words, indexes;
  if (labelled) labels = io::load_pickle(folder + "/humor_label_sdk.pkl");
  if (kind_of_path(folder + "/word_embedding_indexes_sdk.pkl") == PathKind::file) {
    words = io::load_pickle(folder + "/word_embedding_list.pkl");
    indexes = io::load_pickle(folder + "/word_embedding_indexes_sdk.pkl");
  }
  std::vector<std::pair<std::string, io::Value>> streams;
  const std::pair<const char*, const char*> known[] = {{"covarep", "audio"}, {"openface", "vision"}};
  for (const auto& [theirs, ours] : known) {
    const std::string path = folder + "/" + theirs + "_features_sdk.pkl";
    if (kind_of_path(path) == PathKind::file) streams.emplace_back(ours, io::load_pickle(path));
  }
  const std::pair<const char*, const char*> splits[] = {{"train", "train_"}, {"dev", "valid_"}, {"test", "test_"}};
  for (const auto& [name, prefix] : splits) {
    const auto list = folds.get(std::string_view(name));
    if (!list) continue;
    std::vector<DialogueKey> ids;
    for (std::size_t i = 0; i < list->size(); ++i) ids.push_back(dialogue_key((*list)[i]));
    std::vector<std::string> names;
    std::vector<index_t> classes;
    for (const DialogueKey& id : ids) {
      names.push_back(id.text);
      if (labels) classes.push_back(of_dialogue(*labels, id).integer());
    }
    for (const auto& [modality, values] : streams) {
      std::vector<Sequence> samples;
      for (const DialogueKey& id : ids) samples.push_back(sequence_of(of_dialogue(values, id).at("punchline_features")));
      add_sequences(arrays, std::string(prefix) + modality, std::move(samples));
    }
    if (indexes) {
      std::vector<Sequence> samples;
      for (const DialogueKey& id : ids) {
        const std::vector<double> at = numbers_of(of_dialogue(*indexes, id).at("punchline_embedding_indexes"));
        Sequence sample;
        sample.where = indexes->where();
        std::vector<float> numbers;
        for (const double word : at) {
          const std::vector<double> vector = numbers_of((*words)[std::size_t(std::max(0.0, word))]);
          sample.features = index_t(vector.size());
          numbers.insert(numbers.end(), vector.begin(), vector.end());
        }
        sample.length = index_t(at.size());
        sample.fill = [numbers](float* to) { std::copy(numbers.begin(), numbers.end(), to); };
        samples.push_back(std::move(sample));
      }
      add_sequences(arrays, std::string(prefix) + "text", std::move(samples));
    }
    if (labels) arrays.integers(std::string(prefix) + "class", classes);
    arrays.strings(std::string(prefix) + "id", names);
  }
  arrays.note("UR-FUNNY: the punchlines are the samples, their contexts are left out");
}

}  // namespace lacuna::data::formats
