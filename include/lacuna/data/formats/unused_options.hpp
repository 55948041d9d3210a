/// An option that a form of data has no use for is an error: who gives it expects something of it.
///
///     formats::refuse_unused("mmsa", {.fold = 2});   // OptionError: --fold: format mmsa has none; ...
#pragma once

#include <algorithm>

#include "lacuna/core/error.hpp"
#include "lacuna/data/formats/options.hpp"

namespace lacuna::data::formats {

/// Throws OptionError. --holdout and --folds are for every form but `npz`, whose arrays say the splits.
inline void refuse_unused(const std::string& format, const ImportOptions& options) {
  const auto expect = [&](bool given, const char* option, std::initializer_list<const char*> forms) {
    if (!given || std::any_of(forms.begin(), forms.end(), [&](const char* one) { return format == one; })) return;
    std::string list;
    for (const char* one : forms) list += (list.empty() ? "" : ", ") + std::string(one);
    throw OptionError(lacuna::detail::cat(option, ": format ", format, " has no use for it",
                                          list.empty() ? "" : "; it is for " + list));
  };
  expect(!options.part.empty(), "--part", {"mertools", "mult", "lmf"});
  expect(options.fold != 0, "--fold", {"mertools", "gcnet", "mmin"});
  expect(!options.split.empty(), "--as-split", {"one_split", "misa"});
  expect(!options.labels.empty(), "--label-file", {"mertools", "csv_folder", "csd"});
  if (options.fold > 5 && format != "mmin")
    throw OptionError(lacuna::detail::cat("--fold: ", options.fold, ", expected a session of IEMOCAP, 1 to 5"));
  if (format != "npz") return;
  const char* const why = "an .npz has its splits in the names of its arrays (train_, valid_, test_)";
  if (!options.folds.empty()) throw OptionError(lacuna::detail::cat("--folds: ", why));
  if (options.holdout != 0) throw OptionError(lacuna::detail::cat("--holdout: ", why));
  expect(!options.features.empty(), "--features", {"mertools", "csv_folder", "csd", "gcnet", "cosmic", "mmin"});
}

}  // namespace lacuna::data::formats
