/// The names, types and shapes of all arrays of a data set's file, by split. Nothing but headers is read here, and the
/// few numbers of what may be one-hot. What is made of them: npz_scan.hpp.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "lacuna/data/array_names.hpp"
#include "lacuna/data/dataset.hpp"
#include "lacuna/io/npz.hpp"

namespace lacuna::detail {

/// `what` is a name without its split.
class NpzHeaders {
 public:
  explicit NpzHeaders(const io::Npz& file) : file_(file) {
    find_prefixes();
    read_headers();
  }

  const io::Npz& file() const { return file_; }
  /// "train_", or what the file has in its place; "valid_" too where there is no such split.
  const std::string& prefix(data::Role role) const { return prefix_[std::size_t(role)]; }
  bool has(data::Role role, const std::string& what) const { return headers_.count(prefix(role) + what) != 0; }
  const io::NpyHeader& header(data::Role role, const std::string& what) const {
    return headers_.at(prefix(role) + what);
  }
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
  /// Bytes of all arrays.
  std::uint64_t bytes() const { return bytes_; }
  data::LoadNotes& notes() { return notes_; }

  template <class... Pieces>
  [[noreturn]] void fail(const std::string& array, const Pieces&... pieces) const {
    throw IoError(cat(file_.path(), ": array '", printable(array), "' ", pieces...));
  }

 protected:
  static constexpr data::Role roles[] = {data::Role::train, data::Role::validation, data::Role::test};

  void note(bool always, std::string text) { notes_.push_back({std::move(text), always}); }
  static std::string joined(const std::vector<std::string>& list) {
    std::string text;
    for (std::size_t i = 0; i < list.size() && i < 24; ++i) text += (i ? ", " : "") + printable(list[i]);
    return list.size() > 24 ? text + ", ..." : list.empty() ? "none" : text;
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
    for (const ModalityWord& other : modality_words)
      if (word == other.modality && !anywhere(other.word))
        for (const std::string& what : {other.word + ("_" + kind), other.word + ("_" + kind + "s")})
          if (has(role, what)) return what;
    return "";
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

  std::map<std::string, std::string> unreadable_;          ///< what was wrong with the type
  std::vector<std::string> names_;                         ///< without their split
  std::vector<std::pair<std::string, std::string>> left_;  ///< name and reason
  data::LoadNotes notes_;

 private:
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
                        file_.names().empty() ? "none: no member is called NAME.npy" : joined(file_.names())));
  }

  const io::Npz& file_;
  std::string prefix_[3];
  std::map<std::string, io::NpyHeader> headers_;
  std::uint64_t bytes_ = 0;
};

}  // namespace lacuna::detail
