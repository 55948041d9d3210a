/// Streams that come from one source go missing together: what is left of a text that is missing would give it away.
///
///     const missing::Groups groups({"audio", "text", "text_bert", "simulated_text"});
///     groups.names();                 // audio, text: what conditions, patterns and rates are of
///     groups.spread({1, 0});          // {1, 0, 0, 1}: without text there is no text_bert; the simulated text was heard
///
/// The names tell (data/array_names.hpp): text_bert and glove_text come from text, audio_mfcc and audio_wav2vec from one
/// sound, and a simulated text from the sound that it was heard in, so that it goes with audio and stays where text goes.
/// Streams with other names stand alone: to have two of one modality go missing apart, give them names of their own.
#pragma once

#include <string>
#include <vector>

#include "lacuna/data/array_names.hpp"
#include "lacuna/missing/pattern.hpp"

namespace lacuna::missing {

class Groups {
 public:
  /// Every stream stands alone.
  explicit Groups(std::size_t streams) : of_(streams) {
    for (std::size_t m = 0; m < streams; ++m) first_.push_back(of_[m] = m);
  }
  explicit Groups(const std::vector<std::string>& streams) : of_(streams.size()) {
    const std::vector<std::size_t> first = detail::groups_of(streams);
    for (std::size_t m = 0; m < streams.size(); ++m) {
      if (first[m] == m) first_.push_back(m), names_.push_back(streams[m]);
      std::size_t g = 0;
      while (first_[g] != first[m]) ++g;
      of_[m] = g;
    }
  }

  std::size_t size() const { return first_.size(); }
  std::size_t streams() const { return of_.size(); }
  /// The group of a stream, and the first stream of a group.
  std::size_t of(std::size_t stream) const { return of_[stream]; }
  std::size_t first(std::size_t group) const { return first_[group]; }
  /// Of the first stream of every group; none where every stream stands alone without a name.
  const std::vector<std::string>& names() const { return names_; }

  /// Of groups → of streams.
  Pattern spread(const Pattern& groups) const {
    Pattern streams;
    for (const std::size_t g : of_) streams.push_back(groups[g]);
    return streams;
  }
  /// Of streams → of groups: 1 where any of its streams is.
  Pattern gather(const Pattern& streams) const {
    Pattern groups(size(), 0);
    for (std::size_t m = 0; m < of_.size(); ++m)
      if (streams[m]) groups[of_[m]] = 1;
    return groups;
  }

 private:
  std::vector<std::size_t> of_, first_;
  std::vector<std::string> names_;
};

}  // namespace lacuna::missing
