/// How load_npz (load.hpp, which states the schema) reads a file: first all headers, from which modalities are chosen
/// and sizes agreed, then one split after the other. Arrays that nobody asks for are never read.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lacuna/data/dataset.hpp"
#include "lacuna/data/load_options.hpp"
#include "lacuna/io/npz.hpp"

namespace lacuna::detail {

class NpzLoader {
 public:
  NpzLoader(const io::Npz& file, const data::LoadOptions& options) : file_(file), options_(options) {
    scan();
    choose_modalities();
    if (!options_.label.empty() && !anywhere(options_.label))
      throw OptionError(cat("load: ", file_.path(), " has no label array train_", options_.label));
  }

  template <data::Role role>
  void load(data::Split<role>& split) {
    prefix_ = cat(data::to_string(role), "_");
    samples_ = -1;
    for (const auto& [name, features] : modalities_)
      if (has(name)) count(name);
    for (const auto& [name, features] : modalities_)
      split.modalities.push_back(has(name) ? modality(name) : data::Modality{name, {}, {}});
    labels(split.labels, split.classes);
    ids(split.ids);
    if (samples_ < 0) notes_.push_back(cat("there is no ", data::to_string(role), " split"));
    const index_t count = std::max<index_t>(samples_, 0);
    for (std::size_t m = 0; m < modalities_.size(); ++m) {
      if (split.modalities[m].frames.defined()) continue;
      const auto& [name, features] = modalities_[m];
      if (samples_ >= 0)
        notes_.push_back(cat(prefix_, name, " is missing: the modality is absent from all ", count, " samples"));
      // Zeros cost the file nothing: a small one must not ask for much memory.
      if (double(count) * double(features) * 4 > 16.0 * double(bytes_) + double(1 << 26))
        throw IoError(cat(file_.path(), ": array '", prefix_, name, "' is missing, and ", count, " absent samples of ",
                          features, " features are out of proportion to the file; exclude the modality"));
      split.modalities[m].frames = Tensor<float, 3>::zeros({count, 1, features});
      split.modalities[m].present = Mask<2>::zeros({count, 1});
    }
    if (split.ids.empty())
      for (index_t i = 0; i < count; ++i) split.ids.push_back(std::to_string(i));
  }

  index_t class_count() const { return class_count_; }
  /// To be asked for when all splits are loaded.
  std::vector<std::string> notes() const {
    std::vector<std::string> notes = notes_;
    for (const auto& [name, header] : headers_)
      if (used_.count(name) == 0) notes.push_back(cat("skipped: ", name, " ", header.dtype, " ", header.shape));
    return notes;
  }

 private:
  static constexpr const char* prefixes[] = {"train_", "valid_", "test_"};

  bool has(const std::string& name) const { return headers_.count(prefix_ + name) != 0; }
  bool anywhere(const std::string& name) const {
    return std::any_of(std::begin(prefixes), std::end(prefixes),
                       [&](const char* p) { return headers_.count(p + name) != 0; });
  }
  std::string place(const std::string& name) const {
    return cat(file_.path(), ": array '", printable(prefix_ + name), "'");
  }
  template <class... Pieces>
  [[noreturn]] void fail(const std::string& name, const Pieces&... pieces) const {
    throw IoError(cat(place(name), " ", pieces...));
  }
  static bool listed(const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  }
  static std::string joined(const std::vector<std::string>& list) {
    std::string text;
    for (std::size_t i = 0; i < list.size() && i < 24; ++i) text += (i ? ", " : "") + printable(list[i]);
    return list.size() > 24 ? text + ", ..." : list.empty() ? "none" : text;
  }

  /// Types and shapes of all arrays; names without their split, in the order of the file.
  void scan() {
    std::set<std::string> seen;
    for (const std::string& name : file_.names()) {
      try {
        const io::NpyHeader header = file_.header(name);
        bytes_ += header.payload;
        headers_[name] = header;
      } catch (const io::NpyTypeError& error) {
        notes_.push_back(cat("skipped: ", error.what()));
        continue;
      }
      for (const std::string prefix : prefixes)
        if (name.starts_with(prefix) && seen.insert(name.substr(prefix.size())).second)
          names_.push_back(name.substr(prefix.size()));
    }
    if (names_.empty())
      throw IoError(cat(file_.path(), ": no array is named train_, valid_ or test_ and something; it has ",
                        joined(file_.names())));
  }

  /// True for a floating array of two or three axes in some split.
  bool may_be_modality(const std::string& name) const {
    return std::any_of(std::begin(prefixes), std::end(prefixes), [&](const char* prefix) {
      const auto at = headers_.find(prefix + name);
      if (at == headers_.end() || at->second.kind != io::NpyKind::real) return false;
      return at->second.shape.rank() == 2 || at->second.shape.rank() == 3;
    });
  }
  /// Neither an id nor a label nor the length or mask of something.
  bool is_modality(const std::string& name) const {
    if (listed({"id", "length", "mask", "label", "class", options_.label}, name) || !may_be_modality(name))
      return false;
    for (const std::string last : {"_mask", "_length"})
      if (name.ends_with(last) && may_be_modality(name.substr(0, name.size() - last.size()))) return false;
    return true;
  }

  void choose_modalities() {
    std::vector<std::string> found;
    for (const std::string& name : names_)
      if (is_modality(name)) found.push_back(name);
    for (const auto* list : {&options_.modalities, &options_.exclude})
      for (const std::string& name : *list)
        if (!listed(found, name) || std::count(list->begin(), list->end(), name) != 1)
          throw OptionError(cat("load: modality '", name, "' is ",
                                listed(found, name) ? "named twice" : "not in the file", "; ", file_.path(), " has ",
                                joined(found)));
    std::vector<std::string> chosen = options_.modalities;
    if (chosen.empty()) {
      const std::vector<std::string> published = {"audio", "text", "video"};
      for (const std::string& name : published)
        if (listed(found, name)) chosen.push_back(name);
      for (const std::string& name : found)
        if (!listed(published, name)) chosen.push_back(name);
    }
    for (const std::string& name : chosen)
      if (!listed(options_.exclude, name)) modalities_.emplace_back(name, features_of(name));
    if (modalities_.empty())
      throw IoError(
          cat(file_.path(),
              ": no modality is left; expected floating arrays (N, D) or (N, T, D) such as train_text, found ",
              joined(names_)));
  }

  /// The D that all splits agree on.
  index_t features_of(const std::string& name) {
    index_t features = -1;
    std::string first;
    for (const char* prefix : prefixes) {
      prefix_ = prefix;
      if (!has(name)) continue;
      const io::NpyHeader& header = headers_.at(prefix_ + name);
      const int rank = header.shape.rank();
      if (header.kind != io::NpyKind::real || (rank != 2 && rank != 3))
        fail(name, "is ", header.dtype, " ", header.shape, ", expected floating (N, D) or (N, T, D)");
      if (header.shape[-1] < 1 || header.shape[1] < 1)
        fail(name, "has shape ", header.shape, ", expected at least one frame and feature");
      if (features >= 0 && header.shape[-1] != features)
        fail(name, "has ", header.shape[-1], " features, expected ", features, " as '", first, "' has");
      if (features < 0) first = prefix_ + name;
      features = header.shape[-1];
    }
    return features;
  }

  /// An array of this split must have N entries along its first axis; the first one met decides N.
  void count(const std::string& name) {
    const Shape& shape = headers_.at(prefix_ + name).shape;
    if (shape.rank() == 0) fail(name, "is a single number, expected one entry per sample");
    if (samples_ < 0) {
      samples_ = shape[0];
      counted_ = prefix_ + name;
    } else if (shape[0] != samples_) {
      fail(name, "has ", shape[0], " samples, expected ", samples_, " as '", counted_, "' has");
    }
    used_.insert(prefix_ + name);
  }
  io::NpyArray read(const std::string& name) {
    count(name);
    return file_.get(prefix_ + name);
  }

  data::Modality modality(const std::string& name) {
    data::Modality result{name, {}, {}};
    const io::NpyArray array = read(name);
    const bool sequence = array.rank() == 3;
    if (sequence)
      result.frames = array.tensor<float, 3>();
    else
      result.frames = array.tensor<float, 2>().reshape(std::array<index_t, 3>{samples_, 1, array.shape()[1]});
    const index_t rows = samples_ * result.frames.extent(1), features = result.features();
    result.present = Mask<2>::full({samples_, result.frames.extent(1)}, 1);
    const bool own = has(name + "_length") || has(name + "_mask");
    bool given = false;
    if (own || sequence) {
      const std::string stem = own ? name + "_" : "";
      if (has(stem + "length")) apply_length(stem + "length", name, result.present), given = true;
      if (has(stem + "mask")) apply_mask(stem + "mask", name, result.present), given = true;
    }
    float* x = result.frames.data();
    std::uint8_t* present = result.present.data();
    if (!given && options_.infer_padding) {
      for (index_t r = 0; r < rows; ++r)
        present[r] = std::any_of(x + r * features, x + (r + 1) * features, [](float value) { return value != 0; });
    } else if (!given && result.frames.extent(1) > 1) {
      notes_.push_back(cat(prefix_, name, " has neither length nor mask: all its frames count as present"));
    }
    index_t nans = 0, infinities = 0, first = -1;
    for (index_t r = 0; r < rows; ++r) {
      for (index_t i = r * features; i < (r + 1) * features; ++i) {
        if (!present[r]) {
          x[i] = 0;
        } else if (!std::isfinite(x[i])) {
          ++(std::isnan(x[i]) ? nans : infinities);
          if (first < 0) first = i;
          x[i] = 0;
        }
      }
    }
    if (first >= 0) {
      const index_t row = first / features, frames = result.frames.extent(1);
      const Shape where = sequence ? Shape{row / frames, row % frames, first % features} : Shape{row, first % features};
      const std::string found =
          cat("holds ", nans, " NaN and ", infinities, " infinite features, the first at ", where);
      if (options_.non_finite == data::NonFinite::refuse)
        fail(name, found, "; expected finite numbers (LoadOptions::non_finite can set them to 0)");
      notes_.push_back(cat(prefix_, name, " ", found, "; they are set to 0"));
    }
    return result;
  }

  void apply_length(const std::string& name, const std::string& owner, Mask<2>& present) {
    const auto lengths = read(name).tensor<index_t, 1>();
    for (index_t n = 0; n < samples_; ++n) {
      const index_t length = lengths(n), frames = present.extent(1);
      if (length < 0 || length > frames)
        fail(name, "gives sample ", n, " the length ", length, ", expected 0..", frames, " as '", prefix_, owner,
             "' has frames");
      for (index_t t = length; t < frames; ++t) present(n, t) = 0;
    }
  }
  void apply_mask(const std::string& name, const std::string& owner, Mask<2>& present) {
    const io::NpyArray mask = read(name);
    const bool flat = mask.shape() == Shape{samples_} && present.extent(1) == 1;
    if (!flat && !(mask.shape() == present.shape()))
      fail(name, "has shape ", mask.shape(), ", expected ", present.shape(), " as '", prefix_, owner, "' has frames");
    const std::vector<double> numbers = mask.as<double>();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] != 0 && numbers[i] != 1) fail(name, "holds ", numbers[i], ", expected 0 (absent) or 1 (present)");
      if (numbers[i] == 0) present.data()[i] = 0;
    }
  }

  void labels(std::vector<float>& real, std::vector<index_t>& classes) {
    const std::string chosen = options_.label.empty() ? "label" : options_.label;
    if (has(chosen)) {
      const bool integer = headers_.at(prefix_ + chosen).kind != io::NpyKind::real;
      if (integer && chosen != "label")
        read_classes(chosen, classes);
      else
        read_labels(chosen, real);
    }
    if (options_.label.empty() && has("class")) read_classes("class", classes);
    if (real.empty() && classes.empty() && samples_ > 0)
      notes_.push_back(cat("the samples of ", prefix_, " have no label"));
  }
  void read_labels(const std::string& name, std::vector<float>& real) {
    real = read(name).tensor<float, 1>().to_vector();
    for (std::size_t i = 0; i < real.size(); ++i)
      if (!std::isfinite(real[i]))
        fail(name, "gives sample ", i, " a label that is NaN or infinite; leave out samples without label");
  }
  void read_classes(const std::string& name, std::vector<index_t>& classes) {
    classes = read(name).tensor<index_t, 1>().to_vector();
    for (std::size_t i = 0; i < classes.size(); ++i) {
      if (classes[i] < 0 || classes[i] > 65535)
        fail(name, "gives sample ", i, " the class ", classes[i], ", expected 0..65535");
      class_count_ = std::max(class_count_, classes[i] + 1);
    }
  }

  void ids(std::vector<std::string>& list) {
    if (!has("id")) return;
    const io::NpyArray array = read("id");
    if (array.rank() != 1) fail("id", "has shape ", array.shape(), ", expected one id per sample");
    if (array.text())
      list = array.strings();
    else
      for (const index_t id : array.as<index_t>()) list.push_back(std::to_string(id));
    index_t repeated = 0, foreign = 0;
    std::set<std::string> own;
    for (const std::string& id : list) {
      repeated += !own.insert(id).second;
      foreign += seen_ids_.count(id) != 0;
    }
    if (repeated > 0) notes_.push_back(cat(prefix_, "id repeats ", repeated, " ids"));
    if (foreign > 0)
      notes_.push_back(cat(prefix_, "id holds ", foreign, " ids that another split holds too: the splits may overlap"));
    seen_ids_.merge(own);
  }

  const io::Npz& file_;
  const data::LoadOptions& options_;
  std::map<std::string, io::NpyHeader> headers_;
  std::vector<std::string> names_;
  std::vector<std::pair<std::string, index_t>> modalities_;  ///< name and features
  std::set<std::string> used_, seen_ids_;
  std::vector<std::string> notes_;
  std::uint64_t bytes_ = 0;  ///< of all arrays of the file
  std::string prefix_, counted_;
  index_t samples_ = -1, class_count_ = 0;
};

}  // namespace lacuna::detail
