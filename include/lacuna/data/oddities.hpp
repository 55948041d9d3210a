/// What looks odd about data that loads without an error, one line each: what a careful person would ask about before
/// training. Lines, not errors: each may be meant to be so.
///
///     for (const data::Note& note : data::oddities(set)) std::puts(note.text.c_str());
///
/// Looked for: values that stand for none (-10 among labels from -3 to 3; -999 among features), vectors of zeros that
/// count as present, constant features, one label or one number of a feature far from all others, labels far from 0, other
/// labels, another class prior or features on another scale in valid or test than in train, class ids that never come, a valid
/// split of a few samples. Inverted masks, lengths and repeated ids are told by the loader (data/load.hpp), which sees the file.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include <algorithm>
#include <cmath>
#include <limits>

#include "lacuna/core/number_text.hpp"
#include "lacuna/data/dataset.hpp"
#include "lacuna/data/odd_numbers.hpp"
#include "lacuna/data/passed.hpp"

namespace lacuna::detail {

/// Three digits of a number.
inline std::string brief(double x) { return general_text(x, 3); }

/// Mean and deviation of real labels.
struct LabelMoments {
  double count = 0, mean = 0, deviation = 0;
  float lowest = 0, highest = 0;

  explicit LabelMoments(const std::vector<float>& labels) : count(double(labels.size())) {
    for (const float y : labels) mean += double(y) / count;
    for (const float y : labels) deviation += std::pow(double(y) - mean, 2) / count;
    deviation = std::sqrt(deviation);
    if (!labels.empty()) {
      const auto ends = std::minmax_element(labels.begin(), labels.end());
      lowest = *ends.first, highest = *ends.second;
    }
  }
};

/// Shares of the classes; ids that a data set built by hand has outside them count nowhere.
inline std::vector<double> class_shares(const std::vector<index_t>& classes, index_t count) {
  std::vector<double> shares(static_cast<std::size_t>(count));
  for (const index_t k : classes)
    if (k >= 0 && k < count) shares[std::size_t(k)] += 1 / double(classes.size());
  return shares;
}

}  // namespace lacuna::detail

namespace lacuna::data {
namespace odd {

/// Labels that look like "no label".
template <Role role>
void labels(const Split<role>& split, LoadNotes& notes) {
  lacuna::detail::Placeholder placeholder;
  for (const float y : split.labels) placeholder.visit(double(y));
  if (const double value = placeholder.value(); !std::isnan(value)) {
    notes.push_back(
        {lacuna::detail::cat(placeholder.count(), " of ", placeholder.all(), " labels of ", to_string(role), " are ",
                             lacuna::detail::brief(value), ", far from all others: does it stand for no label?"),
         true});
  } else if (const double lone = placeholder.lone(); !std::isnan(lone)) {
    notes.push_back({lacuna::detail::cat("one of ", placeholder.all(), " labels of ", to_string(role), " is ",
                                         lacuna::detail::brief(lone), ", far from all others: is it right?"),
                     true});
  } else if (const lacuna::detail::RecurringLabel same(split.labels); same.count > 0) {
    notes.push_back({lacuna::detail::cat(same.count, " of ", placeholder.all(), " labels of ", to_string(role), " are ",
                                         lacuna::detail::brief(same.value),
                                         ", the others nearly all differ: does it stand for no label?"),
                     true});
  }
}

/// Features of one modality: values that stand for none, vectors of zeros.
template <Role role>
void features(const Split<role>& split, const Modality& modality, LoadNotes& notes) {
  using lacuna::detail::cat;
  const index_t d = modality.features();
  std::vector<lacuna::detail::Placeholder> columns(
      static_cast<std::size_t>(d));  // features may have scales of their own
  index_t here = 0, zeros = 0;
  lacuna::detail::each_frame(modality, [&](index_t, const float* x) {
    ++here;
    zeros += std::all_of(x, x + d, [](float number) { return number == 0; });
    for (index_t f = 0; f < d; ++f) columns[std::size_t(f)].visit(double(x[f]));
  });
  double value = 0, first = 0;
  index_t count = 0, features = 0, alone = 0;
  for (const auto& column : columns) {
    if (const double giant = column.giant(); !std::isnan(giant) && alone++ == 0) first = giant;
    const double own = column.value();
    if (std::isnan(own) || (features > 0 && own != value)) continue;
    value = own, count += column.count(), ++features;
  }
  if (features > 0)
    notes.push_back({cat(count, " numbers of ", to_string(role), " ", modality.name, ", in ", features, " of ", d,
                         " features, are ", lacuna::detail::brief(value),
                         ", far from all others there: does it stand for no value?"),
                     true});
  if (alone > 0)
    notes.push_back({cat(alone, " of ", d, " features of ", to_string(role), " ", modality.name,
                         " have one number a hundred times as large as all others (the first: ",
                         lacuna::detail::brief(first), "): is it a slip, or damaged?"),
                     true});
  if (zeros > 1 && 50 * zeros >= here)
    notes.push_back({cat(zeros, " of ", here, " present ", modality.frames.extent(1) > 1 ? "frames" : "vectors", " of ",
                         to_string(role), " ", modality.name, " are all zeros, of ", split.size(),
                         " samples: are they absent? A mask or length, or infer_padding, would say so"),
                     true});
}

/// Features that are one number in all of the training split.
inline void constants(const Modality& modality, LoadNotes& notes) {
  const index_t d = modality.features();
  std::vector<float> first;
  std::vector<bool> varies(static_cast<std::size_t>(d));
  index_t here = 0;
  lacuna::detail::each_frame(modality, [&](index_t, const float* x) {
    if (here++ == 0) first.assign(x, x + d);
    for (index_t f = 0; f < d; ++f)
      if (x[f] != first[std::size_t(f)]) varies[std::size_t(f)] = true;
  });
  const auto same = std::count(varies.begin(), varies.end(), false);
  if (here > 1 && same > 0)
    notes.push_back({lacuna::detail::cat(index_t(same), " of ", d, " features of train ", modality.name,
                                         " are constant: they tell nothing"),
                     same == d});
}

/// Mean and deviation of every feature, of up to about 500 samples all over the split.
struct FeatureMoments {
  std::vector<double> mean, deviation;
  index_t count = 0;

  explicit FeatureMoments(const Modality& modality)
      : mean(std::size_t(modality.features())), deviation(std::size_t(modality.features())) {
    const index_t frames = modality.frames.extent(1), step = std::max<index_t>(1, modality.frames.extent(0) / 500);
    for (index_t n = 0; n < modality.frames.extent(0); n += step) {
      for (index_t r = n * frames; r < (n + 1) * frames; ++r)
        if (modality.present.data()[r]) visit(modality.frames.data() + r * modality.features());
      lacuna::detail::passed(modality, n);
    }
    for (double& squares : deviation) squares = std::sqrt(squares / double(std::max<index_t>(1, count)));
  }

 private:
  void visit(const float* x) {
    ++count;
    for (std::size_t f = 0; f < mean.size(); ++f) {
      const double off = double(x[f]) - mean[f];
      mean[f] += off / double(count);
      deviation[f] += off * (double(x[f]) - mean[f]);
    }
  }
};

/// Features of another split against those of the training split: most of them far off, or far more or less spread.
template <Role role>
void features_against_train(const Modality& train, const Split<role>& split, const Modality& other, LoadNotes& notes) {
  const FeatureMoments a(train), b(other);
  if (a.count < 10 || b.count < 10) return;
  index_t off = 0, varied = 0;
  for (std::size_t f = 0; f < a.mean.size(); ++f) {
    if (!(a.deviation[f] > 0)) continue;
    ++varied;
    off += std::abs(b.mean[f] - a.mean[f]) > 10 * a.deviation[f] || b.deviation[f] > 20 * a.deviation[f] ||
           20 * b.deviation[f] < a.deviation[f];
  }
  if (2 * off > varied)
    notes.push_back({lacuna::detail::cat(off, " of ", train.features(), " features of ", to_string(role), " ",
                                         train.name, " lie elsewhere than in train, or are spread otherwise (of ",
                                         split.size(), " samples): are they on one scale?"),
                     true});
}

/// Labels of another split against those of the training split: their mean, further off than chance, or their classes.
template <Role role>
void against_train(const Dataset& set, const Split<role>& split, LoadNotes& notes) {
  using lacuna::detail::cat;
  if (!set.train.labels.empty() && !split.labels.empty()) {
    const lacuna::detail::LabelMoments a(set.train.labels), b(split.labels);
    const double apart = b.mean - a.mean,
                 chance = std::sqrt(a.deviation * a.deviation / a.count + b.deviation * b.deviation / b.count);
    if (a.lowest < a.highest && std::abs(apart) > 0.5 * a.deviation && std::abs(apart) > 5 * chance)
      notes.push_back({cat("labels of ", to_string(role), " lie around ", lacuna::detail::brief(b.mean),
                           ", those of train around ", lacuna::detail::brief(a.mean), " (deviation ",
                           lacuna::detail::brief(a.deviation), "): are they on one scale?"),
                       true});
  }
  const bool real = !set.train.labels.empty();
  if (real ? split.labels.empty() && !split.classes.empty()
           : !split.labels.empty() && split.classes.empty() && !set.train.classes.empty())
    notes.push_back({cat(to_string(role), " has ", real ? "classes" : "real labels", " alone, train ",
                         real ? "real labels" : "classes", ": as it is, what is learnt cannot be judged by it"),
                     true});
  if (set.train.classes.empty() || split.classes.empty() || set.class_count < 2) return;
  const auto a = lacuna::detail::class_shares(set.train.classes, set.class_count),
             b = lacuna::detail::class_shares(split.classes, set.class_count);
  double distance = 0, chance = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    distance += std::abs(a[k] - b[k]) / 2;
    const double p = (a[k] + b[k]) / 2;
    chance += std::sqrt(p * (1 - p) * (1 / double(set.train.classes.size()) + 1 / double(split.classes.size()))) / 2;
  }
  if (distance > 0.1 && distance > 2.5 * chance)
    notes.push_back(
        {cat("classes of ", to_string(role), " come in other shares than in train (", std::lround(100 * distance),
             " % lie elsewhere): look at macro F1 or the mean recall, not at accuracy"),
         true});
}

}  // namespace odd

/// All lines, in the order of the splits.
inline LoadNotes oddities(const Dataset& set) {
  using lacuna::detail::cat;
  LoadNotes notes;
  std::vector<std::string> said;  // what one split shows is not told again of the next
  const auto once = [&](const std::string& what, auto&& add) {
    if (lacuna::detail::listed(said, what)) return;
    const std::size_t before = notes.size();
    add();
    if (notes.size() > before) said.push_back(what);
  };
  const auto look = [&](const auto& split) {
    once("labels of the file", [&] { odd::labels(split, notes); });
    for (const Modality& modality : split.modalities)
      once(modality.name, [&] { odd::features(split, modality, notes); });
  };
  look(set.train);
  look(set.validation);
  look(set.test);
  for (const Modality& modality : set.train.modalities) odd::constants(modality, notes);
  if (set.train.labels.size() > 1) {
    const lacuna::detail::LabelMoments y(set.train.labels);
    if (y.lowest == y.highest)
      notes.push_back(
          {cat("all labels of train are ", lacuna::detail::brief(y.mean), ": there is nothing to learn"), true});
    else if (std::abs(y.mean) > y.deviation)
      notes.push_back(
          {cat("labels lie around ", lacuna::detail::brief(y.mean), " (deviation ", lacuna::detail::brief(y.deviation),
               "), not around 0", y.lowest >= 0 || y.highest <= 0 ? ": scores of signs say nothing" : ""),
           true});
  }
  if (!set.train.classes.empty()) {
    const auto shares = lacuna::detail::class_shares(set.train.classes, set.class_count);
    const auto never = std::count(shares.begin(), shares.end(), 0.0);
    if (index_t(never) + 1 == set.class_count)
      notes.push_back({"all samples of train are of one class: there is nothing to learn", true});
    else if (never > 0)
      notes.push_back({cat(index_t(never), " of ", set.class_count, " classes have no sample in train"), true});
  }
  if (set.validation.size() > 0 && set.validation.size() < 5)
    notes.push_back({cat("valid has ", set.validation.size(), " sample", set.validation.size() == 1 ? "" : "s",
                         ": what is chosen by it (the epoch, a penalty) is left to chance"),
                     true});
  const auto compare = [&](const auto& split) {
    odd::against_train(set, split, notes);
    for (std::size_t m = 0; m < split.modalities.size() && m < set.train.modalities.size(); ++m)
      if (split.modalities[m].features() == set.train.modalities[m].features())
        odd::features_against_train(set.train.modalities[m], split, split.modalities[m], notes);
  };
  compare(set.validation);
  compare(set.test);
  return notes;
}

}  // namespace lacuna::data

#include "lacuna/core/words_back.hpp"
