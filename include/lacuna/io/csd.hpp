/// Computational sequences of the CMU-MultimodalSDK (.csd): for every video rows of features with the seconds they
/// cover. Needs the component lacuna::hdf5.
///
///     const io::Csd covarep("COVAREP.csd");
///     for (const std::string& key : covarep.keys()) {
///       covarep.intervals(key);              // [n] pairs of seconds
///       covarep.rows(key, 0, 100);           // features of the first 100 rows; more is not read
///     }
///
/// The file is /ROOT/data/KEY/features [n, ...] and /ROOT/data/KEY/intervals [n, 2]; the first root by name that has
/// data is taken, and the sequence is called by the metadata field "root name". Opening checks that both have as many
/// rows. Errors are IoError. Source: CMU-MultiComp-Lab/CMU-MultimodalSDK, computational_sequence.
#pragma once

#include <array>

#include "lacuna/io/hdf5.hpp"
#include "lacuna/io/json_header.hpp"

namespace lacuna::io {

class Csd {
 public:
  explicit Csd(const std::string& path) : file_(path) {
    for (const std::string& root : file_.children("")) {
      keys_ = file_.children(root + "/data");
      if (keys_.empty()) continue;
      root_ = root;
      break;
    }
    if (root_.empty())
      throw IoError(path + ": has no group with 'data' inside, as a computational sequence has (ROOT/data/KEY/features)");
    for (const std::string& key : keys_) {
      const Shape features = file_.header(place(key, "features")).shape;
      const Shape intervals = file_.header(place(key, "intervals")).shape;
      if (features.rank() < 1 || intervals.rank() != 2 || intervals[1] != 2 || features[0] != intervals[0])
        throw IoError(detail::cat(path, ": '", detail::printable(key), "' has features ", features, " and intervals ",
                                  intervals, ", expected as many rows of both, intervals (n, 2)"));
    }
    for (const std::string& field : file_.children(root_ + "/metadata")) {
      const NpyArray value = file_.get(root_ + "/metadata/" + field);
      if (!value.text() || value.size() < 1) continue;
      metadata_[field] = decoded(value.strings()[0]);
    }
  }

  const std::string& path() const { return file_.path(); }
  /// What the sequence is called: its metadata field "root name", else the name of the group.
  std::string name() const {
    const auto found = metadata_.find("root name");
    return found == metadata_.end() ? root_ : found->second;
  }
  /// Texts as they are, other JSON as it is written.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// In the order of their bytes.
  const std::vector<std::string>& keys() const { return keys_; }
  bool contains(const std::string& key) const { return file_.contains(place(key, "features")); }

  std::vector<std::array<double, 2>> intervals(const std::string& key) const {
    const std::vector<double> numbers = file_.get(place(key, "intervals")).as<double>();
    std::vector<std::array<double, 2>> list;
    for (std::size_t i = 0; i + 1 < numbers.size(); i += 2) list.push_back({numbers[i], numbers[i + 1]});
    return list;
  }
  NpyHeader header(const std::string& key) const { return file_.header(place(key, "features")); }
  NpyArray features(const std::string& key) const { return file_.get(place(key, "features")); }
  NpyArray rows(const std::string& key, index_t begin, index_t end) const {
    return file_.rows(place(key, "features"), begin, end);
  }

 private:
  std::string place(const std::string& key, const char* what) const { return root_ + "/data/" + key + "/" + what; }
  /// The SDK writes JSON; older files have the text itself.
  static std::string decoded(const std::string& text) {
    if (!text.starts_with('"')) return text;
    try {
      detail::JsonHeader json(text, "metadata");
      std::string plain = json.string();
      json.expect_end();
      return plain;
    } catch (const IoError&) {
      return text;
    }
  }

  Hdf5 file_;
  std::string root_;
  std::vector<std::string> keys_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace lacuna::io
