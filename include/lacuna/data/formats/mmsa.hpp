/// Pickles of MMSA and what starts from them (LNLN, DMD, IMDer, CH-SIMS v2, MMSA-FET): aligned_50.pkl, unaligned_50.pkl.
///
/// {train, valid, test: {text [N, L, D], audio and vision [N, T, D], text_bert [N, 3, L], audio_lengths, vision_lengths,
/// regression_labels, regression_labels_T / _A / _V, id, raw_text}}; one sample without N and without splits
/// (MMSA_test); one split {language, acoustic, visual, labels}. Padding is at the end.
///
/// Lengths: of text the sum of the attention mask; of audio and vision the lists, or in aligned files the text's; where
/// a file has neither, up to the last frame that is not 0 in any modality. -inf becomes 0; NaN and +inf stay.
/// text_bert, the labels of one modality and raw_text are kept under their names; classification_labels and annotations
/// are passed over. The unlabelled samples of train_mix (mask 0) are not used.
/// Source: thuiar/MMSA, data_loader.py.
#pragma once

#include "lacuna/data/formats/options.hpp"
#include "lacuna/data/formats/sequences.hpp"
#include "lacuna/io/pickle.hpp"

namespace lacuna::data::formats {

class MmsaReader {
 public:
  MmsaReader(Arrays& arrays, const ImportOptions& options) : arrays_(arrays), options_(options) {}

  void read(const io::Value& root) {
    const std::pair<const char*, const char*> splits[] = {{"train", "train_"}, {"valid", "valid_"}, {"test", "test_"}};
    for (const auto& [name, prefix] : splits) {
      if (const auto split = root.get(std::string_view(name)))
        read_split(*split, name, prefix);
      else if (!read_alias(root, name, prefix))
        arrays_.note(lacuna::detail::cat("there is no ", name, " split; the file has ", keys_of(root)));
    }
    if (root.get(std::string_view("train_mix")))
      arrays_.note("train_mix (labelled and unlabelled samples) is left out; train holds the labelled ones");
  }
  /// One sample: the arrays have no axis for samples.
  void read_sample(const io::Value& sample) {
    for (const char* name : {"text", "audio", "vision"}) {
      const auto value = sample.get(std::string_view(name));
      if (!value) continue;
      Sequence frames = sequence_of(*value);
      const index_t whole = frames.length;
      if (const auto length = sample.get(std::string_view(std::string(name) + "_lengths"))) {
        frames.length = length->integer();
        if (frames.length < 0 || frames.length > whole)
          throw IoError(lacuna::detail::cat(length->where(), " is ", frames.length, ", expected 0..", whole));
      } else if (const auto bert = sample.get(std::string_view("text_bert")); bert && *name == 't') {
        const std::vector<double> mask = numbers_of(*bert);
        const std::size_t l = mask.size() / 3;
        frames.length = std::min<index_t>(whole, index_t(std::accumulate(mask.begin() + std::ptrdiff_t(l),
                                                                         mask.begin() + std::ptrdiff_t(2 * l), 0.0)));
      }
      arrays_.features(std::string("test_") + name, Shape{1, whole, frames.features},
                       [=, clean = Cleaner(Clean::minus_infinity, arrays_, name)](std::span<const index_t>, float* to) {
                         frames.fill(to);
                         clean(0, to, whole * frames.features);
                       });
      arrays_.integers(std::string("test_") + name + "_length", {frames.length});
    }
    if (const auto id = sample.get(std::string_view("id"))) arrays_.strings("test_id", {text_of(*id)});
    if (const auto text = sample.get(std::string_view("raw_text"))) arrays_.strings("test_raw_text", {text_of(*text)});
    arrays_.note("one sample without splits: it is the test split");
  }
  /// One split of a file a split.
  void read_one_split(const io::Value& split, const std::string& prefix) {
    const std::pair<const char*, const char*> names[] = {
        {"language", "text"}, {"text", "text"},     {"acoustic", "audio"}, {"audio", "audio"},
        {"visual", "vision"}, {"vision", "vision"}, {"video", "vision"}};
    for (const auto& [theirs, ours] : names)
      if (const auto value = split.get(std::string_view(theirs))) features(*value, prefix + ours);
    for (const char* name : {"labels", "label"})
      if (const auto labels = split.get(std::string_view(name)))
        add_labels(arrays_, prefix, numbers_of(*labels), integral(*labels));
    for (const char* name : {"id", "ids"})
      if (const auto ids = split.get(std::string_view(name))) arrays_.strings(prefix + "id", texts_of(*ids));
  }

 private:
  /// The validation split by another name.
  bool read_alias(const io::Value& root, std::string_view name, const std::string& prefix) {
    if (name != "valid") return false;
    for (const char* other : {"val", "dev", "validation"})
      if (const auto split = root.get(std::string_view(other))) {
        arrays_.note(lacuna::detail::cat("there is no valid split; ", other, " is taken for it"));
        read_split(*split, other, prefix);
        return true;
      }
    return false;
  }
  static std::string keys_of(const io::Value& root) {
    std::string list;
    for (std::size_t i = 0; i < std::min<std::size_t>(root.size(), 24); ++i)
      list += (i ? ", " : "") +
              (root.key(i).is_string() ? lacuna::detail::printable(root.key(i).text()) : root.key(i).describe());
    return list;
  }

  void read_split(const io::Value& split, const std::string& name, const std::string& prefix) {
    counted_.clear();
    samples_ = -1;
    for (const char* modality : {"text", "audio", "vision"})
      if (const auto value = split.get(std::string_view(modality))) features(*value, prefix + modality);
    if (samples_ < 0) throw IoError(split.where() + " has none of text, audio, vision");
    lengths(split, prefix);
    const std::pair<const char*, const char*> labels[] = {{"regression_labels", "label"},
                                                          {"regression_labels_T", "label_T"},
                                                          {"regression_labels_A", "label_A"},
                                                          {"regression_labels_V", "label_V"}};
    for (const auto& [theirs, ours] : labels) {
      const auto value = split.get(std::string_view(theirs));
      if (!value) continue;
      const std::vector<double> numbers = numbers_of(*value);
      count(index_t(numbers.size()), *value);
      if (std::string_view(ours) == "label") check_labels(numbers, *value, name);
      arrays_.reals(prefix + ours, std::vector<float>(numbers.begin(), numbers.end()));
    }
    if (!split.get(std::string_view("regression_labels")) && split.get(std::string_view("classification_labels")))
      arrays_.note(lacuna::detail::cat(name,
                                       " has no regression_labels, and classification_labels are not read; as integers "
                                       "they can be given in an .npz, as train_class"));
    for (const char* text : {"id", "raw_text"})
      if (const auto value = split.get(std::string_view(text))) {
        refuse_set(*value);
        const std::vector<std::string> list = texts_of(*value);
        count(index_t(list.size()), *value);
        arrays_.strings(prefix + text, list);
      }
  }

  void count(index_t n, const io::Value& value) {
    if (samples_ < 0) {
      samples_ = n;
      counted_ = value.where();
    }
    if (n != samples_)
      throw IoError(lacuna::detail::cat(value.where(), " has ", n, " samples, expected ", samples_, " as ",
                                        counted_.substr(counted_.rfind(' ') + 1), " has"));
  }

  /// [N, T, D], [N, D], or a list or array of objects of [T, D].
  void features(const io::Value& value, const std::string& name) {
    if (!is_numeric_array(value)) {
      std::vector<Sequence> samples;
      for (std::size_t n = 0; n < value.size(); ++n) samples.push_back(sequence_of(value[n]));
      count(index_t(samples.size()), value);
      add_sequences(arrays_, name, std::move(samples), Clean::minus_infinity);
      return;
    }
    const Shape shape = value.shape();
    if (shape.rank() != 2 && shape.rank() != 3)
      throw IoError(lacuna::detail::cat(value.where(), " has shape ", shape, ", expected (N, T, D)"));
    count(shape[0], value);
    arrays_.features(
        name, shape,
        rows_of_array([value](index_t begin, index_t end) { return value.rows(begin, end).as<float>(); },
                      shape.size() / std::max<index_t>(1, shape[0]), Cleaner(Clean::minus_infinity, arrays_, name)));
  }

  void lengths(const io::Value& split, const std::string& prefix) {
    std::vector<index_t> text;
    if (const auto bert = split.get(std::string_view("text_bert"))) {
      const Shape shape = bert->shape();
      if (shape.rank() != 3 || shape[1] != 3)
        throw IoError(lacuna::detail::cat(bert->where(), " has shape ", shape, ", expected (N, 3, L)"));
      count(shape[0], *bert);
      const std::vector<float> numbers = bert->array().as<float>();
      for (index_t n = 0; n < shape[0]; ++n) {
        const float* const mask = numbers.data() + (3 * n + 1) * shape[2];
        text.push_back(index_t(std::accumulate(mask, mask + shape[2], 0.0f)));
      }
      arrays_.reals(prefix + "text_bert", shape, numbers);
      arrays_.note("text: lengths are the sums of the attention mask of text_bert", false);
    }
    for (const char* modality : {"text", "audio", "vision"}) {
      const std::string name = prefix + modality;
      if (!arrays_.contains(name) || arrays_.at(name).header.shape.rank() != 3) continue;
      const index_t frames = arrays_.at(name).header.shape[1];
      const auto list = split.get(std::string_view(std::string(modality) + "_lengths"));
      if (list) {
        const std::vector<index_t> given = checked(*list, frames);
        if (arrays_.contains(name + "_length")) arrays_.remove(name + "_length");
        arrays_.integers(name + "_length", given);
      } else if (arrays_.contains(name + "_length")) {
        continue;  // ragged: their own lengths
      } else if (!text.empty() && frames == arrays_.at(prefix + "text").header.shape[1]) {
        arrays_.integers(name + "_length", text);
        if (*modality != 't')
          arrays_.note(lacuna::detail::cat(modality, " has no lengths: the file is aligned, it has the text's"), false);
      } else {
        infer(prefix, modality, frames);
      }
    }
  }
  std::vector<index_t> checked(const io::Value& list, index_t frames) {
    const std::vector<double> numbers = numbers_of(list);
    count(index_t(numbers.size()), list);
    std::vector<index_t> lengths;
    for (std::size_t n = 0; n < numbers.size(); ++n) {
      const index_t length = index_t(std::clamp(numbers[n], -1.0, 1e15));
      if (length < 0 || length > frames || double(length) != numbers[n])
        throw IoError(lacuna::detail::cat(list.where(), " gives sample ", n, " the length ", numbers[n],
                                          ", expected 0..", frames, " as there are frames"));
      lengths.push_back(length);
    }
    return lengths;
  }
  /// Up to the last frame that is not 0 in any modality of as many frames.
  void infer(const std::string& prefix, const std::string& modality, index_t frames) {
    std::vector<index_t> last(std::size_t(samples_), 0);
    for (const char* other : {"text", "audio", "vision"}) {
      const std::string name = prefix + other;
      if (!arrays_.contains(name) || arrays_.at(name).header.shape.rank() != 3) continue;
      const Shape shape = arrays_.at(name).header.shape;
      if (shape[1] != frames) continue;
      const std::vector<float> numbers = arrays_.at(name).read().as<float>();
      const index_t row = shape[1] * shape[2];
      for (index_t n = 0; n < shape[0]; ++n)
        for (index_t i = row - 1; i >= 0; --i)
          if (numbers[std::size_t(n * row + i)] != 0) {
            last[std::size_t(n)] = std::max(last[std::size_t(n)], i / shape[2] + 1);
            break;
          }
    }
    arrays_.integers(prefix + modality + "_length", last);
    arrays_.note(modality + " has neither lengths nor text_bert: they end with the last frame that is not 0");
  }

  void check_labels(const std::vector<double>& labels, const io::Value& value, const std::string& name) {
    index_t absent = 0, first = -1;
    for (std::size_t n = 0; n < labels.size(); ++n)
      if (std::isnan(labels[n]) && absent++ == 0) first = index_t(n);
    if (absent == 0) return;
    const std::string found = lacuna::detail::cat(value.where(), ": ", absent, " of ", labels.size(),
                                                  " labels are NaN, the first of sample ", first);
    if (options_.unlabelled == Unlabelled::refuse)
      throw IoError(found + "; leave such samples out with --unlabelled drop");
    arrays_.note(lacuna::detail::cat(name, ": ", absent, " of ", labels.size(), " labels are NaN"));
  }

  Arrays& arrays_;
  const ImportOptions& options_;
  index_t samples_ = -1;
  std::string counted_;
};

}  // namespace lacuna::data::formats
