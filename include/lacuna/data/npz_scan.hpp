/// The first part of load_npz (load.hpp, which states the schema): from the names, types and shapes of all arrays it
/// decides what each is, and says so. Nothing but headers is read here, and the few numbers of what may be one-hot.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "lacuna/data/array_names.hpp"
#include "lacuna/data/dataset.hpp"
#include "lacuna/io/npz.hpp"

namespace lacuna::detail {

/// Everything about the names of a file. `what` is a name without its split.
class NpzScan {
 public:
  NpzScan(const io::Npz& file, const data::LoadOptions& options) : file_(file), options_(options) {
    find_prefixes();
    read_headers();
    choose_modalities();
    choose_labels();
    say();
  }

  const io::Npz& file() const { return file_; }
  /// "train_", or what the file has in its place; "valid_" too where there is no such split.
  const std::string& prefix(data::Role role) const { return prefix_[std::size_t(role)]; }
  bool has(data::Role role, const std::string& what) const { return headers_.count(prefix(role) + what) != 0; }
  const io::NpyHeader& header(data::Role role, const std::string& what) const {
    return headers_.at(prefix(role) + what);
  }
  /// Name and features of what is taken.
  const std::vector<std::pair<std::string, index_t>>& modalities() const { return modalities_; }
  /// Arrays of that split with the lengths ("length") or masks ("mask") of a modality; those of its own before the
  /// shared ones, which are for sequences. Empty: none.
  std::string told_by(data::Role role, const std::string& kind, const std::string& name) const {
    const bool own = !own_array(role, "length", name).empty() || !own_array(role, "mask", name).empty();
    if (own) return own_array(role, kind, name);
    if (header(role, name).shape.rank() != 3) return "";
    for (const std::string& what : {kind, kind + "s"})
      if (has(role, what)) return what;
    return "";
  }
  /// The array of real labels and that of classes; empty: none.
  const std::string& label() const { return label_; }
  const std::string& classes() const { return classes_; }
  /// Bytes of all arrays.
  std::uint64_t bytes() const { return bytes_; }
  data::LoadNotes& notes() { return notes_; }

  template <class... Pieces>
  [[noreturn]] void fail(const std::string& array, const Pieces&... pieces) const {
    throw IoError(cat(file_.path(), ": array '", printable(array), "' ", pieces...));
  }

 private:
  static constexpr data::Role roles[] = {data::Role::train, data::Role::validation, data::Role::test};

  void note(bool always, std::string text) { notes_.push_back({std::move(text), always}); }
  static std::string joined(const std::vector<std::string>& list) {
    std::string text;
    for (std::size_t i = 0; i < list.size() && i < 24; ++i) text += (i ? ", " : "") + printable(list[i]);
    return list.size() > 24 ? text + ", ..." : list.empty() ? "none" : text;
  }

  /// Splits by their names, or by other names for the same where the file has no such split.
  void find_prefixes() {
    const std::vector<std::string> known[] = {
        {"train_", "training_", "trn_"}, {"valid_", "val_", "validation_", "dev_"}, {"test_", "testing_", "tst_"}};
    for (const data::Role role : roles) {
      const auto& names = known[std::size_t(role)];
      std::vector<std::string> found;
      for (const std::string& prefix : names)
        if (std::any_of(file_.names().begin(), file_.names().end(),
                        [&](const std::string& name) { return name.starts_with(prefix); }))
          found.push_back(prefix);
      prefix_[std::size_t(role)] = found.empty() ? names[0] : found[0];
      if (found.empty() || found[0] == names[0]) continue;
      if (found.size() > 1)
        throw IoError(
            cat(file_.path(), ": has no ", names[0], " split, but ", joined(found), "; name one of them ", names[0]));
      note(true, cat("no ", names[0], " split; ", found[0], " is taken for it"));
    }
  }

  /// Types and shapes of all arrays; names without their split, in the order of the file.
  void read_headers() {
    std::set<std::string> seen;
    for (const std::string& name : file_.names()) {
      if (name == "class_names" || name == "provenance") continue;  // about the whole
      const data::Role* role =
          std::find_if(std::begin(roles), std::end(roles), [&](data::Role r) { return name.starts_with(prefix(r)); });
      const std::string what = role == std::end(roles) ? "" : name.substr(prefix(*role).size());
      if (role != std::end(roles) && what.empty()) {
        left_.emplace_back(name, "nothing behind the split");
        continue;
      }
      try {
        const io::NpyHeader header = file_.header(name);
        bytes_ += header.payload;
        headers_[name] = header;
        if (role == std::end(roles)) left_.emplace_back(name, "no name of a split");
      } catch (const io::NpyTypeError& error) {
        unreadable_[name] = error.what();
        if (role == std::end(roles)) left_.emplace_back(name, "of a type that is not read");
      }
      if (role != std::end(roles) && seen.insert(what).second) names_.push_back(what);
    }
    if (names_.empty())
      throw IoError(cat(file_.path(), ": no array is named train_, valid_ or test_ and something; it has ",
                        joined(file_.names())));
  }

  template <class Test>
  bool anywhere(const std::string& what, Test&& test) const {
    return std::any_of(std::begin(roles), std::end(roles),
                       [&](data::Role role) { return has(role, what) && test(header(role, what)); });
  }
  bool anywhere(const std::string& what) const {
    return anywhere(what, [](const io::NpyHeader&) { return true; });
  }
  bool broken(const std::string& what) const {
    return std::any_of(std::begin(roles), std::end(roles),
                       [&](data::Role role) { return unreadable_.count(prefix(role) + what) != 0; });
  }
  static bool floating(const io::NpyHeader& h) { return h.kind == io::NpyKind::real || h.kind == io::NpyKind::brain; }
  static bool text(const io::NpyHeader& h) { return h.kind == io::NpyKind::bytes || h.kind == io::NpyKind::unicode; }
  bool named(const std::string& what) const {
    return listed(options_.modalities, what) || listed(options_.include, what);
  }
  static std::string kind_of_shared(const std::string& what) {
    return what == "length" || what == "lengths" ? "length" : what == "mask" || what == "masks" ? "mask" : "";
  }
  /// The stem of an array of lengths or masks: "audio" of audio_lengths.
  static std::string stem_of(const std::string& what) {
    for (const char* last : {"_mask", "_masks", "_length", "_lengths"})
      if (what.ends_with(last)) return what.substr(0, what.size() - std::string(last).size());
    return "";
  }
  std::string own_array(data::Role role, const std::string& kind, const std::string& name) const {
    for (const std::string& what : {name + "_" + kind, name + "_" + kind + "s"})
      if (has(role, what)) return what;
    const std::string word = modality_word(name);
    for (const char* other : {"audio", "acoustic", "speech", "text", "language", "video", "vision", "visual"})
      if (!word.empty() && modality_word(other) == word && !anywhere(other))
        for (const std::string& what : {other + ("_" + kind), other + ("_" + kind + "s")})
          if (has(role, what)) return what;
    return "";
  }

  /// Whether an array that is neither id, label, length nor mask could be a modality by its type and shape alone.
  bool could_be_features(const std::string& what) const {
    return anywhere(what, [](const io::NpyHeader& h) { return !text(h) && h.shape.rank() >= 2; });
  }
  /// Rows of 0 with a single 1 in every split that has it: classes, written out.
  bool one_hot(const std::string& what) const {
    bool found = false;
    for (const data::Role role : roles) {
      if (!has(role, what)) continue;
      const io::NpyHeader& h = header(role, what);
      if (h.shape.rank() != 2 || h.shape[1] < 2 || h.shape[1] > 128 || h.shape[0] < 2) return false;
      const std::vector<double> numbers = file_.get(prefix(role) + what).as<double>();
      for (index_t i = 0; i < h.shape[0]; ++i) {
        index_t ones = 0;
        for (index_t k = 0; k < h.shape[1]; ++k) {
          const double number = numbers[std::size_t(i * h.shape[1] + k)];
          if (number != 0 && number != 1) return false;
          ones += number == 1;
        }
        if (ones != 1) return false;
      }
      found = true;
    }
    return found;
  }

  /// Why an array that could be features is not taken by itself; empty: it is a modality.
  std::string reason_against(const std::string& what, const std::vector<std::string>& candidates) const {
    if (named_like_label(what)) return "named like a label";
    const std::string source = derived_from(what, candidates);
    if (!source.empty()) return "comes from " + source;
    if (named_like_mask(what))
      return "named like a mask; what is read is called mask or MODALITY_mask, with 1 for present";
    if (!anywhere(what, [](const io::NpyHeader& h) { return h.shape.rank() > 2 || h.shape[-1] != 1; }))
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
                                file_.path(), " has ", joined(found)));
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
          cat(file_.path(),
              ": no modality is left; expected floating arrays (N, D) or (N, T, D) such as train_text, found ",
              joined(names_)));
    for (const auto& [name, features] : modalities_) {
      std::vector<std::string> others;
      for (const auto& other : modalities_) others.push_back(other.first);
      const std::string source = derived_from(name, others);
      if (!source.empty())
        note(true, cat(name, " comes from ", source, ": where ", source, " is missing ", name,
                       " should be missing too (Dataset::groups)"));
    }
  }
  /// Whether lengths or masks of `stem` belong to one of the modalities.
  bool belongs(const std::string& stem, const std::vector<std::string>& sources) const {
    if (listed(sources, stem)) return true;
    return !modality_word(stem).empty() && std::any_of(sources.begin(), sources.end(), [&](const std::string& source) {
      return modality_word(source) == modality_word(stem);
    });
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
          cat(file_.path(), ": the name of modality '", printable(what),
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
        throw OptionError(cat("load: ", file_.path(), " has no label array train_", options_.label));
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
    if (!label_.empty() && !classes_.empty() && options_.labels != data::LabelUse::ignored)
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

  const io::Npz& file_;
  const data::LoadOptions& options_;
  std::string prefix_[3];
  std::map<std::string, io::NpyHeader> headers_;
  std::map<std::string, std::string> unreadable_;  ///< what was wrong with the type
  std::vector<std::string> names_, guessed_;
  std::map<std::string, std::string> reasons_;             ///< why something is no modality
  std::vector<std::pair<std::string, std::string>> left_;  ///< name and reason
  std::vector<std::pair<std::string, index_t>> modalities_;
  std::string label_, classes_;
  data::LoadNotes notes_;
  std::uint64_t bytes_ = 0;
};

}  // namespace lacuna::detail
