/// Dictionaries of arrays padded with zeros in front: MulT and MultiBench (<data>_data.pkl, <data>_data_noalign.pkl);
/// and LMF / TFN (covarep, facet, glove; Python 2).
///
/// {train, valid, test: {text, audio, vision [N, T, D], labels, id}}. As MultiBench does: samples whose text is 0
/// throughout are left out; in aligned files everything starts with the first text frame that is not 0, elsewhere each
/// modality with its own; -inf becomes 0. A real frame of zeros in front cannot be told from padding: a line says how
/// many were cut. Labels [N, 1, 1] are `label`, or `class` where they are integers; one-hot pairs [N, 4, 2] of IEMOCAP
/// are `class_4` (neutral, happy, sad, angry, 1 where it holds); `--part happy` makes one of them `class`.
/// LMF: NaN in audio and vision becomes 0; a file of one data set per emotion needs `--part`.
/// Source: yaohungt/Multimodal-Transformer dataset.py; pliang279/MultiBench get_data.py.
#pragma once

#include "lacuna/data/formats/options.hpp"
#include "lacuna/data/formats/sequences.hpp"

namespace lacuna::data::formats {

class MultReader {
 public:
  MultReader(Arrays& arrays, const ImportOptions& options) : arrays_(arrays), options_(options) {}

  void read(const io::Value& root) {
    for (const char* name : {"train", "valid", "test"})
      if (const auto split = root.get(std::string_view(name))) read_split(*split, std::string(name) + "_");
  }

  /// `root`: train, valid, test, or one such per emotion.
  void read_lmf(io::Value root) {
    if (!root.get(std::string_view("train"))) {
      std::string names;
      for (std::size_t i = 0; i < root.size(); ++i) names += (i ? ", " : "") + text_of(root.key(i));
      const auto part = root.get(std::string_view(options_.part));
      if (!part)
        throw IoError(lacuna::detail::cat(root.where(), ": holds one data set for each of ", names,
                                          "; say which with --part, as --part ", text_of(root.key(0))));
      root = *part;
    }
    for (const char* name : {"train", "valid", "test"}) {
      const auto split = root.get(std::string_view(name));
      if (!split) continue;
      const std::string prefix = std::string(name) + "_";
      array(*split, "covarep", prefix + "audio", Clean::nan);
      array(*split, "facet", prefix + "vision", Clean::nan);
      array(*split, "glove", prefix + "text", Clean::keep);
      const io::Value labels = split->at("label");
      const std::vector<double> numbers = numbers_of(labels);
      const index_t samples = arrays_.at(prefix + "text").header.shape[0];
      if (index_t(numbers.size()) == samples)
        add_labels(arrays_, prefix, numbers, integral(labels));
      else if (samples > 0 && index_t(numbers.size()) % samples == 0)
        arrays_.reals(prefix + "label_all", Shape{samples, index_t(numbers.size()) / samples},
                      std::vector<float>(numbers.begin(), numbers.end()));
      else
        throw IoError(
            lacuna::detail::cat(labels.where(), " has ", numbers.size(), " labels for ", samples, " samples"));
    }
  }

 private:
  void array(const io::Value& split, const char* theirs, const std::string& name, Clean rule) {
    const io::Value value = split.at(theirs);
    const Shape shape = value.shape();
    arrays_.features(name, shape,
                     rows_of_array([value](index_t begin, index_t end) { return value.rows(begin, end).as<float>(); },
                                   shape.size() / std::max<index_t>(1, shape[0]), Cleaner(rule, arrays_, name)));
  }

  void read_split(const io::Value& split, const std::string& prefix) {
    const char* const modalities[] = {"text", "audio", "vision"};
    index_t samples = -1, frames = -1;
    bool aligned = true;
    std::vector<std::vector<index_t>> starts;
    for (const char* name : modalities) {
      const io::Value value = split.at(name);
      const Shape shape = value.shape();
      if (shape.rank() != 3 || (samples >= 0 && shape[0] != samples))
        throw IoError(lacuna::detail::cat(value.where(), " has shape ", shape, ", expected (",
                                          samples >= 0 ? std::to_string(samples) : "N", ", T, D)"));
      samples = shape[0];
      aligned = aligned && (frames < 0 || shape[1] == frames);
      frames = shape[1];
      starts.push_back(first_frames(value));
    }
    std::vector<index_t> kept;
    for (index_t n = 0; n < samples; ++n)
      if (starts[0][std::size_t(n)] < split.at("text").shape()[1]) kept.push_back(n);
    if (index_t(kept.size()) < samples)
      arrays_.note(
          lacuna::detail::cat(prefix, ": ", samples - index_t(kept.size()), " of ", samples,
                              " samples have a text of zeros throughout: they are left out, as MultiBench does"));
    for (std::size_t m = 0; m < 3; ++m) {
      index_t cut = 0;
      std::vector<Sequence> sequences;
      for (const index_t n : kept) {
        const index_t start = starts[aligned ? 0 : m][std::size_t(n)];
        cut += start;
        sequences.push_back(tail(split.at(modalities[m]), n, start));
      }
      if (cut > 0)
        arrays_.note(lacuna::detail::cat(prefix, modalities[m], ": padding in front, ", cut, " frames",
                                         aligned ? " before the first word" : " of zeros", ", is cut"));
      add_sequences(arrays_, prefix + modalities[m], std::move(sequences), Clean::minus_infinity);
    }
    labels(split, prefix, kept, samples);
    if (const auto ids = split.get(std::string_view("id"))) {
      const std::vector<std::string> list = texts_of(*ids);
      const bool table = ids->kind() == io::ValueKind::array && ids->shape().rank() > 0;
      const index_t rows = table ? ids->shape()[0] : index_t(list.size());
      if (rows != samples || list.size() % std::size_t(std::max<index_t>(1, samples)) != 0)
        throw IoError(lacuna::detail::cat(ids->where(), " has ", rows, " ids, expected ", samples, ", one per sample"));
      const std::size_t columns = samples > 0 ? list.size() / std::size_t(samples) : 1;
      std::vector<std::string> chosen;
      for (const index_t n : kept)
        if (std::size_t(n) * columns < list.size()) chosen.push_back(list[std::size_t(n) * columns]);
      if (chosen.size() == kept.size()) arrays_.strings(prefix + "id", chosen);
    }
  }

  /// The first frame of every sample that is not 0; T where there is none.
  static std::vector<index_t> first_frames(const io::Value& value) {
    const Shape shape = value.shape();
    const std::vector<float> numbers = value.array().as<float>();
    const index_t row = shape[1] * shape[2];
    std::vector<index_t> starts;
    for (index_t n = 0; n < shape[0]; ++n) {
      index_t i = 0;
      while (i < row && numbers[std::size_t(n * row + i)] == 0) ++i;
      starts.push_back(row > 0 ? i / shape[2] : 0);
    }
    return starts;
  }
  /// Frames from `start` on.
  static Sequence tail(const io::Value& value, index_t n, index_t start) {
    const Shape shape = value.shape();
    Sequence sequence;
    sequence.where = value.where();
    sequence.length = shape[1] - start;
    sequence.features = shape[2];
    sequence.fill = [value, n, start, shape](float* to) {
      const std::vector<float> numbers = value.rows(n, n + 1).as<float>();
      std::copy(numbers.begin() + start * shape[2], numbers.end(), to);
    };
    return sequence;
  }

  void labels(const io::Value& split, const std::string& prefix, const std::vector<index_t>& kept, index_t samples) {
    const io::Value labels = split.at("labels");
    const std::vector<double> numbers = numbers_of(labels);
    const Shape shape = is_numeric_array(labels) ? labels.shape() : Shape{index_t(numbers.size())};
    if (shape.rank() == 0 || shape[0] != samples)
      throw IoError(lacuna::detail::cat(labels.where(), " has shape ", shape, ", expected ", samples, " samples"));
    const index_t columns = samples > 0 ? index_t(numbers.size()) / samples : 1;
    if (shape.rank() == 3 && shape[2] == 2) {  // pairs, one-hot: whether the emotion is there
      std::vector<index_t> classes, one;
      const std::vector<std::string> emotions = {"neutral", "happy", "sad", "angry"};
      const std::size_t which =
          std::size_t(std::find(emotions.begin(), emotions.end(), options_.part) - emotions.begin());
      for (const index_t n : kept)
        for (index_t k = 0; k < shape[1]; ++k) {
          const double* pair = numbers.data() + (n * shape[1] + k) * 2;
          classes.push_back(pair[1] > pair[0]);
          if (std::size_t(k) == which) one.push_back(classes.back());
        }
      arrays_.integers(prefix + lacuna::detail::cat("class_", shape[1]), Shape{index_t(kept.size()), shape[1]},
                       classes);
      if (one.size() == kept.size() && which < emotions.size())
        arrays_.integers(prefix + "class", one);
      else
        arrays_.note(
            "labels say of each of 4 emotions (neutral, happy, sad, angry) whether it is there: --part happy "
            "makes one of them the class");
      return;
    }
    std::vector<double> first;
    std::vector<float> all;
    for (const index_t n : kept) {
      first.push_back(numbers[std::size_t(n * columns)]);
      all.insert(all.end(), numbers.begin() + n * columns, numbers.begin() + (n + 1) * columns);
    }
    add_labels(arrays_, prefix, first, integral(labels));
    if (columns > 1) arrays_.reals(prefix + "label_all", Shape{index_t(kept.size()), columns}, std::move(all));
  }

  Arrays& arrays_;
  const ImportOptions& options_;
};

}  // namespace lacuna::data::formats
