/// Data sets from xtensor's arrays, and back. Needs xtensor.
///
///     data::SplitArrays train{.modalities = {{"audio", audio, {.lengths = lengths}},   // xt (N, T, F) and (N)
///                                            {"text", text}},                          // xt (N, F): T = 1
///                             .labels = y};                                            // xt or std::vector (N)
///     auto dataset = data::from_arrays("my set", train, validation, test);
///     auto dataset = data::from_rows("my set", all, {.train = {0, 1, 2}, .validation = {3}, .test = {4, 5}});
///     auto [frames, present] = as_xtensor(dataset.train.modalities[0]);                // views, without a copy
///
/// Arrays may be any expressions of xtensor, of any type and layout; their numbers are copied, as float. The rules
/// are those of load_npz: a length and a mask together mean what both allow, without either all frames are present;
/// absent frames become 0, whatever they held; a modality that only some splits have is absent from the others; samples
/// without ids are "0", "1", ... (in a division by rows: their row); what a user should know stands in
/// `Dataset::notes`.
///
/// Errors: ShapeError where sizes disagree, and for rows that are not there; OptionError for numbers that cannot be:
/// non-finite features and labels, lengths outside 0..T, masks other than 0 and 1, class ids outside 0..65535, a row in
/// two splits, a modality named twice.
#pragma once

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "lacuna/data/arrays.hpp"
#include "lacuna/data/dataset.hpp"

namespace lacuna::detail {

class ArrayReader {
 public:
  ArrayReader(const std::string& name, const data::ArrayOptions& options) : name_(name), options_(options) {}

  /// The names and sizes of all modalities, in the order in which they are met.
  void scan(const data::SplitArrays& arrays, const char* split) {
    std::set<std::string> own;
    for (const data::ModalityArray& modality : arrays.modalities) {
      const index_t features = modality.frames.extent(2);
      if (!own.insert(modality.name).second) throw OptionError(cat(place(split, modality.name), " is given twice"));
      if (modality.frames.extent(1) < 1 || features < 1)
        throw ShapeError(cat(place(split, modality.name), " has shape ", modality.frames.shape(),
                             ", expected at least one frame and feature"));
      const auto at =
          std::find_if(sizes_.begin(), sizes_.end(), [&](const auto& s) { return s.name == modality.name; });
      if (at == sizes_.end())
        sizes_.push_back({modality.name, features});
      else if (at->features != features)
        throw ShapeError(cat(place(split, modality.name), " has ", features, " features, expected ", at->features,
                             " as in another split"));
    }
  }

  template <data::Role role>
  void read(const data::SplitArrays& arrays, data::Split<role>& split) {
    split_ = data::to_string(role);
    samples_ = -1;
    for (const auto& modality : arrays.modalities) expect_samples(modality.name, modality.frames.extent(0));
    if (arrays.labels.given()) expect_samples("labels", index_t(arrays.labels.values().size()));
    if (arrays.classes.given()) expect_samples("classes", index_t(arrays.classes.values().size()));
    if (!arrays.ids.empty()) expect_samples("ids", index_t(arrays.ids.size()));
    const index_t count = std::max<index_t>(samples_, 0);
    for (const auto& [name, features] : sizes_) {
      const auto at = std::find_if(arrays.modalities.begin(), arrays.modalities.end(),
                                   [&, &wanted = name](const auto& m) { return m.name == wanted; });
      if (at != arrays.modalities.end()) {
        split.modalities.push_back(modality(*at));
        continue;
      }
      if (count > 0) notes.push_back(cat(split_, " has no ", name, ": it is absent from all ", count, " samples"));
      split.modalities.push_back({name, Tensor<float, 3>::zeros({count, 1, features}), Mask<2>::zeros({count, 1})});
    }
    split.labels = arrays.labels.values();
    for (std::size_t n = 0; n < split.labels.size(); ++n)
      if (!std::isfinite(split.labels[n]))
        throw OptionError(
            cat(place(split_, "labels"), " of sample ", n, " is NaN or infinite; leave out samples without label"));
    split.classes = arrays.classes.values();
    for (std::size_t n = 0; n < split.classes.size(); ++n) {
      if (split.classes[n] < 0 || split.classes[n] > 65535)
        throw OptionError(
            cat(place(split_, "classes"), " of sample ", n, " is ", split.classes[n], ", expected 0..65535"));
      class_count = std::max(class_count, split.classes[n] + 1);
    }
    if (count > 0 && split.labels.empty() && split.classes.empty())
      notes.push_back(cat("the samples of ", split_, " have no label"));
    split.ids = arrays.ids;
    look_at_ids(arrays.ids);
    for (index_t n = index_t(split.ids.size()); n < count; ++n) split.ids.push_back(std::to_string(n));
  }

  index_t class_count = 0;
  data::LoadNotes notes;

 private:
  struct Size {
    std::string name;
    index_t features;
  };

  std::string place(const char* split, const std::string& what) const { return cat(name_, ": ", split, " ", what); }

  void expect_samples(const std::string& what, index_t found) {
    if (samples_ < 0) {
      samples_ = found;
      counted_ = what;
    } else if (found != samples_) {
      throw ShapeError(
          cat(place(split_, what), " has ", found, " samples, expected ", samples_, " as ", counted_, " has"));
    }
  }

  data::Modality modality(const data::ModalityArray& from) {
    const index_t frames = from.frames.extent(1), features = from.frames.extent(2);
    data::Modality result{from.name, from.frames.clone(), Mask<2>::full({samples_, frames}, 1)};
    if (from.presence.lengths.given()) {
      const auto& lengths = from.presence.lengths.values();
      if (index_t(lengths.size()) != samples_)
        throw ShapeError(cat(place(split_, from.name), " has ", lengths.size(), " lengths, expected ", samples_));
      for (index_t n = 0; n < samples_; ++n) {
        const index_t length = lengths[std::size_t(n)];
        if (length < 0 || length > frames)
          throw OptionError(
              cat(place(split_, from.name), ": the length of sample ", n, " is ", length, ", expected 0..", frames));
        for (index_t t = length; t < frames; ++t) result.present(n, t) = 0;
      }
    }
    if (from.presence.mask.given()) {
      const auto& mask = from.presence.mask.values();
      expect_shape(place(split_, from.name).c_str(), "mask", mask.shape(), result.present.shape());
      for (index_t i = 0; i < mask.size(); ++i) {
        if (mask.data()[i] != 0 && mask.data()[i] != 1)
          throw OptionError(cat(place(split_, from.name), ": its mask holds ", mask.data()[i],
                                ", expected 0 (absent) or 1 (present)"));
        if (mask.data()[i] == 0) result.present.data()[i] = 0;
      }
    }
    if (!from.presence.lengths.given() && !from.presence.mask.given() && frames > 1)
      notes.push_back(cat(split_, " ", from.name, " has neither length nor mask: all its frames count as present"));
    clean(result, features);
    return result;
  }

  /// Absent frames to 0; non-finite features refused, or 0 as well.
  void clean(data::Modality& modality, index_t features) {
    index_t found = 0, first = -1;
    float* x = modality.frames.data();
    for (index_t i = 0; i < modality.frames.size(); ++i) {
      if (!modality.present.data()[i / features]) {
        x[i] = 0;
      } else if (!std::isfinite(x[i])) {
        if (found++ == 0) first = i;
        x[i] = 0;
      }
    }
    if (found == 0) return;
    const index_t row = first / features, frames = modality.frames.extent(1);
    const std::string what =
        cat(place(split_, modality.name), " holds ", found, " NaN or infinite features, the first at ",
            Shape{row / frames, row % frames, first % features});
    if (options_.non_finite == data::NonFinite::refuse)
      throw OptionError(what + "; expected finite numbers (ArrayOptions::non_finite can set them to 0)");
    notes.push_back(what + "; they are set to 0");
  }

  void look_at_ids(const std::vector<std::string>& ids) {
    index_t repeated = 0, foreign = 0;
    std::set<std::string> own;
    for (const std::string& id : ids) {
      repeated += !own.insert(id).second;
      foreign += seen_.count(id) != 0;
    }
    if (repeated > 0) notes.push_back(cat(split_, " repeats ", repeated, " ids"));
    if (foreign > 0)
      notes.push_back(cat(split_, " holds ", foreign, " ids that another split holds too: the splits may overlap"));
    seen_.merge(own);
  }

  const std::string& name_;
  const data::ArrayOptions& options_;
  std::vector<Size> sizes_;
  std::set<std::string> seen_;
  const char* split_ = "";
  std::string counted_;
  index_t samples_ = -1;
};

/// The chosen samples of a split, as a split of any role.
template <data::Role role>
data::Split<role> chosen_rows(const data::Split<data::Role::train>& from, const std::vector<index_t>& rows) {
  data::Split<role> result;
  const auto choose = [&](const auto& all, auto& to) {
    for (const index_t row : rows)
      if (!all.empty()) to.push_back(all[std::size_t(row)]);
  };
  choose(from.labels, result.labels), choose(from.classes, result.classes), choose(from.ids, result.ids);
  const auto keep = xt::keep(rows);
  for (const data::Modality& modality : from.modalities)
    result.modalities.push_back({modality.name, from_xtensor<float, 3>(xt::view(as_xtensor(modality.frames), keep)),
                                 from_xtensor<std::uint8_t, 2>(xt::view(as_xtensor(modality.present), keep))});
  return result;
}

}  // namespace lacuna::detail

namespace lacuna::data {

/// A data set of three splits.
inline Dataset from_arrays(const std::string& name, const SplitArrays& train, const SplitArrays& validation,
                           const SplitArrays& test, const ArrayOptions& options = {}) {
  lacuna::detail::ArrayReader reader(name, options);
  reader.scan(train, "train"), reader.scan(validation, "valid"), reader.scan(test, "test");
  Dataset dataset;
  dataset.name = name;
  reader.read(train, dataset.train);
  reader.read(validation, dataset.validation);
  reader.read(test, dataset.test);
  dataset.class_count = reader.class_count;
  dataset.notes = reader.notes;
  return dataset;
}

/// One set of arrays, divided by rows. No row may be named twice; all rows are checked, those in no split too.
inline Dataset from_rows(const std::string& name, const SplitArrays& all, const SplitRows& rows,
                         const ArrayOptions& options = {}) {
  Dataset whole = from_arrays(name, all, {}, {}, options);
  std::vector<const char*> owner(std::size_t(whole.train.size()), nullptr);
  const auto check = [&](const Column<index_t>& column, const char* split) {
    for (const index_t row : column.values()) {
      if (row < 0 || row >= whole.train.size())
        throw ShapeError(
            lacuna::detail::cat(name, ": row ", row, " of ", split, " is outside 0..", whole.train.size() - 1));
      const char*& other = owner[std::size_t(row)];
      if (other != nullptr)
        throw OptionError(lacuna::detail::cat(name, ": row ", row, " is named for ", other, " and again for ", split));
      other = split;
    }
  };
  check(rows.train, "train"), check(rows.validation, "valid"), check(rows.test, "test");
  Dataset dataset;
  dataset.name = name;
  dataset.train = lacuna::detail::chosen_rows<Role::train>(whole.train, rows.train.values());
  dataset.validation = lacuna::detail::chosen_rows<Role::validation>(whole.train, rows.validation.values());
  dataset.test = lacuna::detail::chosen_rows<Role::test>(whole.train, rows.test.values());
  dataset.class_count = whole.class_count;
  dataset.notes = std::move(whole.notes);
  return dataset;
}

/// Views of a modality's frames (N, T, F) and presence (N, T); they own nothing.
template <class Frames, class Present>
struct StreamView {
  Frames frames;
  Present present;
};

/// Of a Modality or a Stream on the host: without a copy; of a const one, views of const. The modality must live on.
template <class M>
requires requires(M& m) { m.frames.data(), m.present.data(); }
auto as_xtensor(M& modality) {
  return StreamView<decltype(lacuna::as_xtensor(modality.frames)), decltype(lacuna::as_xtensor(modality.present))>{
      lacuna::as_xtensor(modality.frames), lacuna::as_xtensor(modality.present)};
}
template <class M>
requires requires(M& m) { m.frames.data(), m.present.data(); }
auto as_xtensor(const M&& modality) = delete;

}  // namespace lacuna::data
