/// The first part of load_npz (load.hpp, which states the schema): from the names, types and shapes of all arrays it
/// decides what each is, and says so.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "lacuna/data/npz_headers.hpp"

namespace lacuna::detail {

/// What is taken of a file, as what. `what` is a name without its split.
class NpzScan : public NpzHeaders {
 public:
  NpzScan(const io::Npz& file, const data::LoadOptions& options) : NpzHeaders(file), options_(options) {
    choose_modalities();
    choose_labels();
    say();
  }

  /// Name and features of what is taken.
  const std::vector<std::pair<std::string, index_t>>& modalities() const { return modalities_; }
  /// The array of real labels and that of classes; empty: none.
  const std::string& label() const { return label_; }
  const std::string& classes() const { return classes_; }

 private:
  bool named(const std::string& what) const {
    return listed(options_.modalities, what) || listed(options_.include, what);
  }
  /// Whether an array that is neither id, label, length nor mask could be a modality by its type and shape alone.
  bool could_be_features(const std::string& what) const {
    return anywhere(what, [](const io::NpyHeader& h) { return !text(h) && h.shape.rank() >= 2; });
  }
  /// Why an array that could be features is not taken by itself; empty: it is a modality.
  std::string reason_against(const std::string& what, const std::vector<std::string>& candidates) const {
    if (named_like_label(what)) return "named like a label";
    const std::string source = derived_from(what, candidates);
    if (!source.empty()) return "comes from " + source;
    if (named_like_mask(what))
      return "named like a mask; what is read is called mask or MODALITY_mask, with 1 for present";
    if (!anywhere(what, [](const io::NpyHeader& h) {
          return h.shape.rank() > 2 || (h.shape.rank() > 0 && h.shape[-1] != 1);
        }))
      return "shaped like a label: one number per sample";
    if (!anywhere(what, floating) && modality_word(what).empty() &&
        !anywhere(what, [](const io::NpyHeader& h) { return h.shape.rank() > 2; }))
      return "integers with two axes";
    if (one_hot(what)) return "shaped like a label: one-hot rows";
    return "";
  }

  void choose_modalities() {
    const std::vector<std::string> taken = {"id", "label", "class", options_.label};
    std::vector<std::string> candidates, found;
    for (const std::string& what : names_) {
      if (broken(what)) refuse_needed(what);
      if (listed(taken, what) || !kind_of_shared(what).empty()) continue;
      if (broken(what)) refuse_type(what);
      if (could_be_features(what)) candidates.push_back(what);
    }
    const std::vector<std::string> all = candidates;
    std::vector<std::string> sources;  // what lengths, masks and derived streams may belong to
    for (const std::string& what : all)
      if (!named_like_label(what) && stem_of(what).empty()) sources.push_back(what);
    for (const std::string& what : all) {
      if (named(what)) {
        found.push_back(what);
        continue;
      }
      const std::string stem = stem_of(what);
      if (!stem.empty() && belongs(stem, sources)) continue;
      const std::string reason = reason_against(what, sources);
      if (reason.empty())
        found.push_back(what);
      else
        reasons_[what] = reason;
    }
    for (const auto* list : {&options_.modalities, &options_.exclude})
      for (const std::string& name : *list) {
        const bool there = listed(found, name) || (list == &options_.exclude && listed(names_, name));
        if (!there || std::count(list->begin(), list->end(), name) != 1)
          throw OptionError(cat("load: modality '", name, "' is ", there ? "named twice" : "not in the file", "; ",
                                file().path(), " has ", joined(found)));
      }
    std::vector<std::string> chosen = options_.modalities;
    if (chosen.empty()) {
      const std::vector<std::string> published = {"audio", "text", "video"};
      for (const std::string& name : published)
        if (listed(found, name)) chosen.push_back(name);
      for (const std::string& name : found)
        if (!listed(published, name)) chosen.push_back(name);
    } else {
      for (const std::string& name : options_.include)
        if (listed(found, name) && !listed(chosen, name)) chosen.push_back(name);
    }
    for (const std::string& name : found)
      if (!listed(chosen, name)) reasons_[name] = "not asked for";
    for (const std::string& name : chosen) {
      if (listed(options_.exclude, name))
        reasons_[name] = "excluded";
      else
        modalities_.emplace_back(name, features_of(name));
    }
    if (modalities_.empty())
      throw IoError(
          cat(file().path(),
              ": no modality is left; expected floating arrays (N, D) or (N, T, D) such as train_text, found ",
              joined(names_)));
    std::vector<std::string> streams;
    for (const auto& modality : modalities_) streams.push_back(modality.first);
    const auto groups = groups_of(streams);
    for (std::size_t m = 0; m < streams.size(); ++m)
      if (const std::string& first = streams[groups[m]]; groups[m] != m) {
        const bool derived = named_like_heard(streams[m]) || !derived_from(streams[m], {first}).empty();
        note(true, cat(streams[m], derived ? " comes from " : " has one source with ", first,
                       ", as its name says: they go missing together"));
      }
  }
  /// Whether lengths or masks of `stem` belong to one of the modalities.
  bool belongs(const std::string& stem, const std::vector<std::string>& sources) const {
    if (listed(sources, stem)) return true;
    return !modality_word(stem).empty() && std::any_of(sources.begin(), sources.end(), [&](const std::string& source) {
      return modality_word(source) == modality_word(stem);
    });
  }

  /// Labels, lengths and masks of a type that is not read are an error; ids are not needed, and samples are numbered instead.
  void refuse_needed(const std::string& what) {
    const bool told = !kind_of_shared(what).empty();
    const bool label = what == (options_.label.empty() ? "label" : options_.label) || what == "class";
    for (const data::Role role : roles) {
      const auto at = unreadable_.find(prefix(role) + what);
      if (at == unreadable_.end() || !(told || label || what == "id")) continue;
      if (told || (label && options_.labels != data::LabelUse::ignored)) throw IoError(at->second);
      if (what == "id") note(true, at->second.substr(file().path().size() + 2) + "; its samples are numbered instead");
    }
  }

  /// A modality of a type that is not read is an error unless it is excluded; other such arrays are left out.
  void refuse_type(const std::string& what) {
    if (listed(options_.exclude, what)) {
      reasons_[what] = "excluded";
      return;
    }
    for (const data::Role role : roles) {
      const auto at = unreadable_.find(prefix(role) + what);
      if (at == unreadable_.end()) continue;
      const bool numbers = at->second.find("pickled") == std::string::npos;
      const bool harmless = named_like_label(what) || !stem_of(what).empty();
      if (named(what) || !modality_word(what).empty() || could_be_features(what) || (numbers && !harmless))
        throw IoError(cat(at->second, "; exclude '", printable(what), "' to load the file without it"));
      reasons_[what] = numbers ? "of a type that is not read" : "Python objects";
    }
  }

  /// The D that all splits agree on.
  index_t features_of(const std::string& what) {
    if (std::any_of(what.begin(), what.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f || c == ','; }))
      throw IoError(
          cat(file().path(), ": the name of modality '", printable(what),
              "' has a comma or a control character in it, which no option and no table can hold; rename it"));
    index_t features = -1;
    int axes = 0;
    std::string first;
    bool integers = false;
    for (const data::Role role : roles) {
      if (!has(role, what)) continue;
      const io::NpyHeader& h = header(role, what);
      const std::string array = prefix(role) + what;
      const int rank = h.shape.rank();
      if (text(h) || (rank != 2 && rank != 3))
        fail(array, "is ", h.dtype, " ", h.shape, ", expected numbers (N, D) or (N, T, D); reshape it, or exclude '",
             printable(what), "'");
      if (h.shape[-1] < 1 || h.shape[1] < 1)
        fail(array, "has shape ", h.shape, ", expected at least one frame and feature");
      if (features >= 0 && h.shape[-1] != features)
        fail(array, "has ", h.shape[-1], " features, expected ", features, " as '", first, "' has");
      if (axes != 0 && axes != rank)
        note(true, cat(array, " is ", h.shape, ", '", first, "' has ", axes,
                       " axes: vectors in one split, sequences in another; the vectors count as one frame"));
      if (features < 0) first = array;
      features = h.shape[-1];
      axes = rank;
      if (!floating(h) && !integers) note(true, cat(array, " holds ", h.dtype, ": its integers are read as numbers"));
      integers = integers || !floating(h);
    }
    return features;
  }

  void choose_labels() {
    if (!options_.label.empty()) {
      if (!anywhere(options_.label))
        throw OptionError(cat("load: ", file().path(), " has no label array train_", options_.label));
      const bool real = anywhere(options_.label, floating) || options_.label == "label";
      (real ? label_ : classes_) = options_.label;
      return;
    }
    if (anywhere("label")) label_ = "label";
    if (anywhere("class")) classes_ = "class";
  }

  /// One line on what was taken, and one on what was not.
  void say() {
    std::set<std::string> used = {"id", label_, classes_};
    std::string taken, talk;
    for (const char* what : {"dialogue", "speaker"})  // of conversations
      if (anywhere("dialogue") && anywhere(what) && used.insert(what).second)
        talk += cat(talk.empty() ? "; conversations: " : ", ", what);
    for (const auto& [name, features] : modalities_) {
      used.insert(name);
      index_t frames = 0;
      std::vector<std::string> told;
      for (const data::Role role : roles) {
        if (!has(role, name)) continue;
        const io::NpyHeader& h = header(role, name);
        if (h.shape.rank() == 3) frames = std::max(frames, h.shape[1]);
        for (const char* kind : {"length", "mask"}) {
          const std::string array = told_by(role, kind, name);
          if (array.empty() || !used.insert(prefix(role) + array).second) {
            if (!array.empty() && !listed(told, array)) told.push_back(array);
            continue;
          }
          if (!listed(told, array)) told.push_back(array);
          used.insert(array);
          if (array != kind && array != name + ("_" + std::string(kind)) && !listed(guessed_, array)) {
            guessed_.push_back(array);
            note(true, cat(array, " is taken for the ", kind, "s of ", name));
          }
        }
      }
      taken += cat(taken.empty() ? "" : ", ", printable(name), " (");
      if (frames > 0) taken += cat(frames, " frames, ");
      taken += cat(features, " features");
      for (const std::string& array : told) taken += ", " + printable(array);
      taken += ")";
    }
    for (const std::string& what : names_) {
      if (used.count(what) != 0) continue;
      if (reasons_.count(what) != 0) {
        left_.emplace_back(what, reasons_.at(what));
      } else if (what == "label" || what == "class" || named_like_label(what)) {
        left_.emplace_back(what, options_.label.empty() ? "named like a label" : "another label is taken");
      } else if (!stem_of(what).empty() || !kind_of_shared(what).empty()) {
        left_.emplace_back(what, "lengths or masks of nothing that is taken");
      } else if (named_like_length(what) || named_like_mask(what)) {
        left_.emplace_back(what, "named like lengths or a mask; those are called length and mask, or MODALITY_length");
      } else {
        left_.emplace_back(what, anywhere(what, text) ? "text" : "no features by its shape");
      }
    }
    std::string labels;
    if (options_.labels != data::LabelUse::ignored)
      for (const std::string* name : {&label_, &classes_})
        if (!name->empty()) labels += (labels.empty() ? "; label: " : ", ") + printable(*name);
    std::string without;
    for (const auto& [what, why] : left_) without += cat(without.empty() ? "" : ", ", printable(what), " (", why, ")");
    const bool always = !left_.empty() || !notes_.empty();
    data::LoadNotes first = {{cat("modalities: ", taken, labels, talk), always}};
    if (!left_.empty()) first.push_back({"left out: " + without, true});
    notes_.insert(notes_.begin(), first.begin(), first.end());
    if (labels.empty() && options_.labels != data::LabelUse::ignored) suggest_labels();
    const bool both = std::any_of(std::begin(roles), std::end(roles),
                                  [&](data::Role role) { return has(role, label_) && has(role, classes_); });
    if (both && options_.labels != data::LabelUse::ignored)
      note(true, cat("there are real labels, ", label_, ", and classes, ", classes_,
                     ": models learn the real ones unless another label is named (option label)"));
    hint_at_one_sample();
  }
  /// A single sample of T frames is (1, T, D); (T, D) is T samples of one vector each.
  void hint_at_one_sample() {
    std::vector<data::Role> there;
    for (const data::Role role : roles)
      if (has(role, modalities_.front().first)) there.push_back(role);
    if (there.size() != 1 || !label_.empty() || !classes_.empty() || has(there[0], "id")) return;
    for (const auto& [name, features] : modalities_)
      if (!has(there[0], name) || header(there[0], name).shape.rank() != 2) return;
    const index_t n = header(there[0], modalities_.front().first).shape[0];
    note(true, cat("all modalities are (N, D): ", n, " samples of one vector each; one sample of ", n,
                   " frames would be (1, ", n, ", D)"));
  }
  void suggest_labels() {
    std::vector<std::string> like;
    for (const std::string& what : names_)
      if (named_like_label(what) && anywhere(what) && !named(what)) like.push_back(what);
    if (!like.empty())
      note(true, cat("no label or class array; as a label could be taken (option label): ", joined(like)));
  }

  const data::LoadOptions& options_;
  std::vector<std::string> guessed_;
  std::map<std::string, std::string> reasons_;  ///< why something is no modality
  std::vector<std::pair<std::string, index_t>> modalities_;
  std::string label_, classes_;
};

}  // namespace lacuna::detail
