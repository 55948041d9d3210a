/// Which samples are in which split, where the file does not say, and which are left out for want of a label.
#pragma once

#include <cmath>
#include <map>
#include <set>

#include "lacuna/data/formats/arrays.hpp"
#include "lacuna/data/formats/folds.hpp"
#include "lacuna/data/formats/options.hpp"
#include "lacuna/data/video_of.hpp"

namespace lacuna::data::formats {

/// "train_", "valid_" or "test_" for a file of one split: by the option, or the name of the file.
inline std::string split_prefix(const Arrays& arrays, const ImportOptions& options) {
  if (options.split == "train" || options.split == "valid" || options.split == "test") return options.split + "_";
  if (!options.split.empty())
    throw OptionError(
        lacuna::detail::cat("--as-split: there is no '", options.split, "'; expected train, valid or test"));
  const std::string name = arrays.path().substr(arrays.path().rfind('/') + 1);
  const std::pair<const char*, const char*> known[] = {
      {"train", "train_"}, {"dev", "valid_"}, {"val", "valid_"}, {"test", "test_"}};
  for (const auto& [word, prefix] : known)
    if (name.find(word) != std::string::npos) {
      arrays.note(lacuna::detail::cat("one split, ", prefix, " by the name of the file"));
      return prefix;
    }
  arrays.note("one split: it is taken for the test split; --as-split says otherwise");
  return "test_";
}

/// What a sample belongs to as a whole: its dialogue, or the video that its id names.
inline std::vector<std::string> groups_of_samples(const Arrays& arrays, const std::string& prefix) {
  if (arrays.contains(prefix + "dialogue")) return arrays.at(prefix + "dialogue").read().strings();
  if (!arrays.contains(prefix + "id")) return {};
  std::vector<std::string> groups = arrays.at(prefix + "id").read().strings();
  for (std::string& id : groups) id = video_of(std::move(id));
  return groups;
}

/// Samples of a data set without splits of its own, which all are training data, into those of a list (folds.hpp), by
/// their ids or their videos'. Throws OptionError for data that have splits.
inline void apply_folds(Arrays& arrays, const std::string& path) {
  if (path.empty()) return;
  for (const std::string& name : arrays.names())
    if (name.starts_with("valid_") || name.starts_with("test_"))
      throw OptionError(lacuna::detail::cat("--folds: ", arrays.path(), " has splits of its own; leave --folds out"));
  const Folds folds(path);
  if (!arrays.contains("train_id")) throw OptionError("--folds: the data have no ids");
  const std::vector<std::string> ids = arrays.at("train_id").read().strings(),
                                 videos = groups_of_samples(arrays, "train_");
  std::map<std::string, std::vector<index_t>> parts;
  for (std::size_t n = 0; n < ids.size(); ++n) {
    const std::string own = folds.of(ids[n]);
    parts[own.empty() ? folds.of(videos[n]) : own].push_back(index_t(n));
  }
  for (const char* split : {"valid", "test", "train"})
    arrays.take_rows("train_", index_t(ids.size()), parts[split], std::string(split) + "_");
  if (!parts[""].empty())
    arrays.note(lacuna::detail::cat(parts[""].size(), " of ", ids.size(), " samples are in no fold and are left out"));
}

/// The last `share` of the training videos (or dialogues), in the order of the file, becomes the validation split.
inline void hold_out(Arrays& arrays, double share) {
  if (share == 0) return;
  if (!(share > 0 && share < 1))
    throw OptionError(lacuna::detail::cat("--holdout: ", share, ", expected a share between 0 and 1"));
  for (const std::string& name : arrays.names())
    if (name.starts_with("valid_"))
      throw OptionError(lacuna::detail::cat("--holdout: ", arrays.path(), " has a validation split"));
  const std::vector<std::string> groups = groups_of_samples(arrays, "train_");
  if (groups.empty()) throw OptionError("--holdout: the training split has no ids, which tell what belongs together");
  std::vector<std::string> order;
  std::set<std::string> seen;
  for (const std::string& group : groups)
    if (seen.insert(group).second) order.push_back(group);
  const std::size_t held = std::max<std::size_t>(1, std::size_t(std::llround(double(order.size()) * share)));
  if (held >= order.size())
    throw OptionError(
        lacuna::detail::cat("--holdout: the training split has ", order.size(), " videos, none would be left"));
  const std::set<std::string> validation(order.end() - std::ptrdiff_t(held), order.end());
  std::vector<index_t> kept, taken;
  for (std::size_t n = 0; n < groups.size(); ++n)
    (validation.count(groups[n]) != 0 ? taken : kept).push_back(index_t(n));
  arrays.take_rows("train_", index_t(groups.size()), taken, "valid_");
  arrays.take_rows("train_", index_t(groups.size()), kept, "train_");
  arrays.note(lacuna::detail::cat("validation: the last ", held, " of ", order.size(), " training videos, ",
                                  taken.size(), " samples (--holdout)"));
}

/// Leaves out the samples without a label. `label` is an option of the loader, or empty: label, else class. Where both
/// are there, the one that fewer samples lack stays. Samples whose label is NaN are refused by the loader unless
/// `drop`; those whose format says "none" have no label by intention and go.
inline void leave_out_unlabelled(Arrays& arrays, const std::string& label, bool drop) {
  const auto missing = [&](const std::string& name) {
    std::vector<index_t> kept;
    if (!arrays.contains(name)) return kept;
    const io::NpyArray array = arrays.at(name).read();
    if (array.rank() != 1) return kept;
    const std::vector<double> numbers = array.as<double>();
    for (std::size_t n = 0; n < numbers.size(); ++n)
      if (!(std::isnan(numbers[n]) || (array.integral() && numbers[n] < 0))) kept.push_back(index_t(n));
    return kept;
  };
  const auto lack = [&](const std::string& what) {
    index_t count = 0;
    for (const char* prefix : {"train_", "valid_", "test_"})
      if (arrays.contains(prefix + what))
        count += arrays.at(prefix + what).header.shape[0] - index_t(missing(prefix + what).size());
    return count;
  };
  const auto anywhere = [&](const std::string& what) {
    return arrays.contains("train_" + what) || arrays.contains("valid_" + what) || arrays.contains("test_" + what);
  };
  std::string chosen = label;
  if (chosen.empty() && anywhere("label") && anywhere("class")) {
    const bool real = lack("label") <= lack("class");
    chosen = real ? "label" : "class";
    arrays.note(lacuna::detail::cat("there are a label and a class: the ", chosen, " is taken; --label ",
                                    real ? "class" : "label", " takes the other"));
    for (const char* prefix : {"train_", "valid_", "test_"})
      arrays.remove(prefix + std::string(real ? "class" : "label"));
  }
  if (chosen.empty()) chosen = anywhere("label") ? "label" : "class";
  if (!drop) return;
  for (const char* prefix : {"train_", "valid_", "test_"}) {
    const std::string name = prefix + chosen;
    if (!arrays.contains(name)) continue;
    const std::vector<index_t> kept = missing(name);
    const index_t samples = arrays.at(name).header.shape[0];
    if (index_t(kept.size()) == samples) continue;
    arrays.take_rows(prefix, samples, kept, prefix);
    arrays.note(lacuna::detail::cat(prefix, ": ", samples - index_t(kept.size()), " of ", samples, " samples have no ",
                                    chosen, " and are left out"));
  }
}

}  // namespace lacuna::data::formats
