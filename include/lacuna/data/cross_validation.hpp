/// Folds of training and validation samples: how options are chosen without the test split.
///
///     const data::FoldOptions folds{.count = 3};
///     for (index_t k = 0; k < folds.count; ++k) {
///       const data::Dataset set = data::fold(corpus, k, folds);   // set.test is fold k, nothing of corpus.test
///       ...
///     }
///
/// The samples of corpus.train and corpus.validation are dealt into `count` parts. In fold k part k is the test split;
/// of the other parts the share that validation had of both becomes the validation split, for the choice of an epoch, and
/// the rest the training split. What belongs together is dealt as a whole: a conversation, or the utterances of one video
/// (data/video_of.hpp), where the ids name at least ten videos for every fold. Otherwise classes are dealt evenly.
/// A pure function of the ids, the classes and the seed. Samples and modalities that are absent stay so.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "lacuna/core/random.hpp"
#include "lacuna/data/dataset.hpp"
#include "lacuna/data/video_of.hpp"

namespace lacuna::data {

struct FoldOptions {
  index_t count = 3;  ///< K, at least 2
  std::uint64_t seed = 1;
};

}  // namespace lacuna::data

namespace lacuna::detail {

/// Numbers below `train` are samples of the training split, those from there on of the validation split.
using FoldGroups = std::vector<std::vector<index_t>>;

/// What is dealt as a whole, in the order of its first sample.
inline FoldGroups fold_groups(const data::Dataset& whole, index_t folds) {
  const index_t train = whole.train.size(), all = train + whole.validation.size();
  const auto gather = [&](auto&& key_of) {
    FoldGroups groups;
    std::map<std::string, std::size_t> place;
    for (index_t n = 0; n < all; ++n) {
      const auto [at, fresh] = place.emplace(key_of(n), groups.size());
      if (fresh) groups.emplace_back();
      groups[at->second].push_back(n);
    }
    return groups;
  };
  if (!whole.train.conversations.empty())
    return gather([&](index_t n) {
      return n < train ? cat("t", whole.train.conversations[std::size_t(n)])
                       : cat("v", whole.validation.conversations.at(std::size_t(n - train)));
    });
  FoldGroups videos = gather([&](index_t n) {
    return data::video_of(n < train ? whole.train.ids[std::size_t(n)] : whole.validation.ids[std::size_t(n - train)]);
  });
  if (index_t(videos.size()) >= 10 * folds && index_t(videos.size()) < all) return videos;
  FoldGroups single;
  for (index_t n = 0; n < all; ++n) single.push_back({n});
  return single;
}

/// These samples of both splits, in this order.
template <data::Role role>
data::Split<role> fold_split(const data::Dataset& whole, const std::vector<index_t>& samples) {
  const index_t train = whole.train.size();
  data::Split<role> split;
  const auto collect = [&](const auto& of_train, const auto& of_validation, auto& to) {
    if (of_train.empty()) return;
    for (const index_t n : samples)
      to.push_back(n < train ? of_train[std::size_t(n)] : of_validation.at(std::size_t(n - train)));
  };
  collect(whole.train.labels, whole.validation.labels, split.labels);
  collect(whole.train.classes, whole.validation.classes, split.classes);
  collect(whole.train.ids, whole.validation.ids, split.ids);
  collect(whole.train.conversations, whole.validation.conversations, split.conversations);
  collect(whole.train.speakers, whole.validation.speakers, split.speakers);
  for (std::size_t m = 0; m < whole.train.modalities.size(); ++m) {
    const data::Modality &first = whole.train.modalities[m], &second = whole.validation.modalities.at(m);
    const index_t frames = std::max(first.frames.extent(1), second.frames.extent(1)), features = first.features();
    const index_t count = index_t(samples.size());
    data::Modality made{first.name, Tensor<float, 3>::zeros({count, frames, features}),
                        Mask<2>::zeros({count, frames})};
    for (index_t i = 0; i < count; ++i) {
      const index_t n = samples[std::size_t(i)];
      const data::Modality& from = n < train ? first : second;
      const index_t row = n < train ? n : n - train, length = from.frames.extent(1);
      std::copy_n(from.frames.data() + row * length * features, length * features,
                  made.frames.data() + i * frames * features);
      std::copy_n(from.present.data() + row * length, length, made.present.data() + i * frames);
    }
    split.modalities.push_back(std::move(made));
  }
  return split;
}

}  // namespace lacuna::detail

namespace lacuna::data {

/// Fold k = 0, 1, ... of the samples for training and validation. Throws OptionError for a k or a count out of range,
/// and where there are fewer groups than it takes to fill every split.
inline Dataset fold(const Dataset& whole, index_t k, const FoldOptions& options = {}) {
  using lacuna::detail::cat;
  if (options.count < 2 || k < 0 || k >= options.count)
    throw OptionError(cat("folds: ", k, " of ", options.count, ", expected at least 2 folds, counted from 0"));
  const lacuna::detail::FoldGroups groups = lacuna::detail::fold_groups(whole, options.count);
  const index_t train = whole.train.size(), all = train + whole.validation.size(), count = index_t(groups.size());
  if (whole.validation.size() == 0 || count < 3 * options.count)
    throw OptionError(cat("folds: ", whole.name, " has ", count, " samples or videos for training and validation, ",
                          whole.validation.size(),
                          " of them validation samples; expected validation samples and at least ", 3 * options.count));
  std::vector<index_t> order = Random(options.seed).permutation(count);
  const auto class_of = [&](index_t group) {
    const index_t n = groups[std::size_t(group)].front();
    return n < train ? whole.train.classes[std::size_t(n)] : whole.validation.classes.at(std::size_t(n - train));
  };
  if (!whole.train.classes.empty() && count == all)
    std::stable_sort(order.begin(), order.end(), [&](index_t a, index_t b) { return class_of(a) < class_of(b); });
  const double share = double(whole.validation.size()) / double(all);
  std::vector<index_t> parts[3];  // training, validation, test
  index_t rest = 0;
  for (index_t i = 0; i < count; ++i) {
    const auto& group = groups[std::size_t(order[std::size_t(i)])];
    std::size_t to = 2;
    if (i % options.count != k) {
      to = std::floor(double(rest + 1) * share) > std::floor(double(rest) * share) ? 1 : 0;
      ++rest;
    }
    parts[to].insert(parts[to].end(), group.begin(), group.end());
  }
  Dataset made;
  made.name = whole.name;
  made.class_count = whole.class_count;
  made.train = lacuna::detail::fold_split<Role::train>(whole, parts[0]);
  made.validation = lacuna::detail::fold_split<Role::validation>(whole, parts[1]);
  made.test = lacuna::detail::fold_split<Role::test>(whole, parts[2]);
  return made;
}

}  // namespace lacuna::data
