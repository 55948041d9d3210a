/// Leakage: a modality from which the labels can be read off, and samples that stand in two splits. A model trained on
/// such data has scores that say nothing, and no test that is missing a modality tells.
///
///     data::refuse_leaks(set);                        // throws Error, with every leak in one line
///     data::refuse_leaks(set, {.allowed = {"text"}})  // unless it is meant to be so
///     for (const data::Leak& leak : data::find_leaks(set)) std::puts(leak.text.c_str());
///
/// A modality is refused when one of its features alone, or a ridge over all of them under cross-validation
/// (data/readable.hpp), reaches more than 0.99 (R², or the mean recall of the classes) on the training split, where the
/// others reach less than 0.95; a single modality, or one feature of real labels, when it is exact. Sequences enter as
/// the mean, the first and the last of their present frames. At least 20 samples must have the modality.
///
/// Samples stand in two splits when they share an id (ids that only count the samples of each split do not tell), or
/// all their present features, at least eight numbers of at least four values, to the bit or up to rounding
/// (data/near_samples.hpp); a single such pair whose ids differ is no sample in two splits. `allowed` takes "splits" for these.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include <bit>
#include <map>
#include <set>
#include <unordered_map>

#include "lacuna/data/near_samples.hpp"
#include "lacuna/data/passed.hpp"
#include "lacuna/data/readable.hpp"

namespace lacuna::data {

struct LeakageOptions {
  std::vector<std::string> allowed = {};  ///< names of modalities, and "splits"
  double score = 0.99;                    ///< from here on labels can be read off
  double far = 0.95;                      ///< what the other modalities must stay below
};

struct Leak {
  std::string name;  ///< what to allow: the modality, or "splits"
  std::string text;  ///< one line
};

}  // namespace lacuna::data

namespace lacuna::detail {

/// The samples of a split that have a modality, with their labels: means of the present frames, and behind them the
/// first and the last ones when `ends`.
template <data::Role role>
Readable readable(const data::Split<role>& split, std::size_t m, index_t class_count, bool ends) {
  const data::Modality& modality = split.modalities[m];
  const index_t frames = modality.frames.extent(1), d = modality.features(), most = d > 512 ? 512 : 1200;
  const auto here = [&](index_t i, index_t t) { return modality.present.data()[i * frames + t] != 0; };
  std::vector<index_t> samples;
  for (index_t i = 0; i < split.size(); ++i) {
    bool any = false;
    for (index_t t = 0; t < frames && !any; ++t) any = here(i, t);
    if (any) samples.push_back(i);
  }
  const index_t step = (index_t(samples.size()) + most - 1) / most;
  ends = ends && frames > 1;
  Readable r;
  r.d = ends ? 3 * d : d;
  const bool real = !split.labels.empty();
  r.class_count = real ? 0 : class_count;
  for (std::size_t s = 0; s < samples.size(); s += std::size_t(step)) {
    const index_t i = samples[s];
    std::vector<double> mean(static_cast<std::size_t>(d)), first, last;
    double count = 0;
    for (index_t t = 0; t < frames; ++t) {
      if (!here(i, t)) continue;
      const float* const x = modality.frames.data() + (i * frames + t) * d;
      for (index_t f = 0; f < d; ++f) mean[std::size_t(f)] += double(x[f]);
      count += 1;
      last.assign(x, x + d);
      if (first.empty()) first = last;
    }
    passed(modality, i);
    for (double& number : mean) number /= count;
    r.x.insert(r.x.end(), mean.begin(), mean.end());
    if (ends) r.x.insert(r.x.end(), first.begin(), first.end()), r.x.insert(r.x.end(), last.begin(), last.end());
    if (real)
      r.y.push_back(double(split.labels[std::size_t(i)]));
    else
      r.classes.push_back(split.classes[std::size_t(i)]);
    ++r.n;
  }
  return r;
}

/// What one modality tells about the labels.
struct ReadScore {
  double ridge = 0, one = 0;
  index_t feature = 0;
  double best() const { return std::max(ridge, one); }
};
inline ReadScore read_score(const Readable& whole, const Readable& ends, index_t features) {
  ReadScore score;
  if (whole.n < 20) return score;
  score.ridge = RidgeReader(whole).score();
  for (index_t f = 0; f < ends.d; ++f)
    if (const double one = read_by_one(ends, f); one > score.one) score.one = one, score.feature = f % features;
  return score;
}

/// What the present features of a sample in all modalities are known by; hash 0 where they are too few.
template <data::Role role>
SampleSign known_by(const data::Split<role>& split, index_t i) {
  SampleSign sign;
  std::uint64_t hash = 1469598103934665603u;
  const auto put = [&](std::uint32_t bits) { hash = (hash ^ bits) * 1099511628211u; };
  index_t numbers = 0;
  std::set<std::uint32_t> values;
  for (std::size_t m = 0; m < split.modalities.size(); ++m) {
    const auto& [name, frames, present] = split.modalities[m];
    put(std::uint32_t(m));
    for (index_t t = 0; t < frames.extent(1); ++t) {
      if (!present.data()[i * frames.extent(1) + t]) continue;
      const float* const x = frames.data() + (i * frames.extent(1) + t) * frames.extent(2);
      for (index_t f = 0; f < frames.extent(2); ++f, ++numbers) {
        const auto bits = std::bit_cast<std::uint32_t>(x[f]);
        put(bits);
        sign.add(m, f, x[f]);
        if (values.size() < 4) values.insert(bits);
      }
    }
    passed(split.modalities[m], i);
  }
  sign.hash = numbers >= 8 && values.size() >= 4 ? hash : 0;
  return sign;
}
/// Whether ids only count: whole numbers, each one more than the one before.
inline bool counting(const std::vector<std::string>& ids) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i].empty() || ids[i].size() > 15 || ids[i].find_first_not_of("0123456789") != std::string::npos)
      return false;
    if (i > 0 && std::stoll(ids[i]) != std::stoll(ids[i - 1]) + 1) return false;
  }
  return true;
}

/// Samples that stand in two splits: how many of them, by which sign, and the first.
class SharedSamples {
 public:
  template <data::Role role>
  void add(const data::Split<role>& split) {
    const bool named = !counting(split.ids);
    named_ = named_ && named;
    std::map<std::string, const char*> ids;
    std::unordered_map<std::uint64_t, const char*> known;
    for (index_t i = 0; i < split.size(); ++i) {
      const std::string& id = split.ids[std::size_t(i)];
      if (named)
        find(ids_, id, data::to_string(role), cat("'", id, "'"), by_id_, first_id_), ids[id] = data::to_string(role);
      const SampleSign sign = known_by(split, i);
      const std::uint64_t hash = sign.hash;
      if (hash == 0) continue;
      signs_.push_back({role, i, sign});
      find(known_, hash, data::to_string(role), cat("sample ", i), by_features_, first_features_);
      known[hash] = data::to_string(role);
    }
    ids_.merge(ids);
    known_.merge(known);
  }
  std::vector<std::string> lines(const data::Dataset& set) const {
    std::vector<std::string> lines;
    const auto near = near_pairs(set, signs_);
    const index_t least = named_ ? 2 : 1, alike = by_features_ + index_t(near.size());
    if (by_id_ > 0) lines.push_back(cat(by_id_, " ids stand in two splits, the first is ", first_id_));
    if (by_features_ > 0 && alike >= least)
      lines.push_back(
          cat(by_features_, " samples have the same features in two splits, the first is ", first_features_));
    if (!near.empty() && alike >= least)
      lines.push_back(cat(near.size(),
                          " samples have the same features up to rounding in two splits, the first is sample ",
                          near[0].first.sample, " of ", data::to_string(near[0].first.role), ", near sample ",
                          near[0].second.sample, " of ", data::to_string(near[0].second.role)));
    return lines;
  }

 private:
  template <class Map, class Key>
  static void find(const Map& map, const Key& key, const char* here, const std::string& what, index_t& count,
                   std::string& first) {
    const auto at = map.find(key);
    if (at == map.end()) return;
    if (count++ == 0) first = cat(what, " of ", here, ", also in ", at->second);
  }
  std::map<std::string, const char*> ids_;
  std::unordered_map<std::uint64_t, const char*> known_;
  std::vector<SignedSample> signs_;
  index_t by_id_ = 0, by_features_ = 0;
  bool named_ = true;
  std::string first_id_, first_features_;
};

}  // namespace lacuna::detail

namespace lacuna::data {

/// All leaks that are not allowed, those of modalities first.
inline std::vector<Leak> find_leaks(const Dataset& set, const LeakageOptions& options = {}) {
  using namespace lacuna::detail;
  std::vector<Leak> leaks;
  const auto allowed = [&](const std::string& name) { return listed(options.allowed, name); };
  const bool real = !set.train.labels.empty();
  std::vector<ReadScore> scores;
  if (real || !set.train.classes.empty())
    for (std::size_t m = 0; m < set.train.modalities.size(); ++m)
      scores.push_back(read_score(readable(set.train, m, set.class_count, false),
                                  readable(set.train, m, set.class_count, true), set.train.modalities[m].features()));
  double others = 0;  // the best of those from which the labels cannot be read off
  bool alone = true;
  for (const ReadScore& score : scores)
    if (score.best() <= options.score) others = std::max(others, score.best()), alone = false;
  const char* const measure = real ? "R2" : "mean recall";
  for (std::size_t m = 0; m < scores.size(); ++m) {
    const std::string& name = set.train.modalities[m].name;
    const ReadScore& score = scores[m];
    const bool exact = real ? score.one > 1 - 1e-9 : score.one == 1 && scores.size() == 1;
    if (allowed(name) || score.best() <= options.score || !(exact || (!alone && others < options.far))) continue;
    const std::string by = score.one >= score.ridge ? cat("feature ", score.feature, " alone") : "a ridge";
    leaks.push_back({name, cat("the labels can be read off '", name, "': ", by, " reaches ", measure, " ",
                               fixed_text(score.best(), 4),
                               alone ? std::string() : cat(", the other modalities at most ", fixed_text(others, 4)),
                               "; exclude it, or allow '", name, "' if it is meant to be so")});
  }
  if (allowed("splits")) return leaks;
  SharedSamples shared;
  shared.add(set.train);
  shared.add(set.validation);
  shared.add(set.test);
  for (const std::string& line : shared.lines(set))
    leaks.push_back({"splits", line + "; take them out of one, or allow 'splits' if it is meant to be so"});
  return leaks;
}

/// Throws Error with all leaks that are not allowed, in one line.
inline void refuse_leaks(const Dataset& set, const LeakageOptions& options = {}) {
  std::string text;
  for (const Leak& leak : find_leaks(set, options)) text += (text.empty() ? "" : "; and ") + leak.text;
  if (!text.empty()) throw Error(set.name + ": " + text);
}

}  // namespace lacuna::data

#include "lacuna/core/words_back.hpp"
