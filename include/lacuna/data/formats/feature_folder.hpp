/// A folder with the features of one modality, as MERTools, SDUMC and GCNet keep them: NAME.npy for every utterance, or
/// a folder NAME of frames, *.npy sorted as text.
///
/// Axes of length 1 are dropped and one axis is one frame, as numpy.squeeze and MERTools have it: [1, D], [D] and
/// [1, 1, D] are a frame of D, [1, T, D] is T frames, and [T, 1] is one frame of T features, not T frames of one. An
/// utterance without file, or whose array is empty, lacks this modality. Names that are no *.npy are passed over, and
/// names of utterances are looked up, not listed. Errors are IoError.
/// Source: zeroQiaoba/MERTools, toolkit/data/feat_data.py.
#pragma once

#include <dirent.h>

#include "lacuna/data/formats/sequences.hpp"
#include "lacuna/io/npy.hpp"

namespace lacuna::data::formats {

/// What a path is. Nothing is opened.
enum class PathKind { none, file, folder };
inline PathKind kind_of_path(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return PathKind::none;
  return S_ISDIR(facts.st_mode) ? PathKind::folder : PathKind::file;
}
/// Names in a folder that end so, sorted as bytes.
inline std::vector<std::string> names_in(const std::string& folder, std::string_view ending) {
  std::vector<std::string> names;
  DIR* const directory = ::opendir(folder.c_str());
  if (directory == nullptr) throw IoError(lacuna::detail::cat(folder, ": cannot be opened: ", std::strerror(errno)));
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != ".." && name.ends_with(ending)) names.push_back(name);
  }
  ::closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

class FeatureFolder {
 public:
  explicit FeatureFolder(std::string path) : path_(std::move(path)) {
    if (kind_of_path(path_) != PathKind::folder) throw IoError(path_ + ": is no folder");
  }

  const std::string& path() const { return path_; }

  /// Length 0 where the utterance is absent or empty. Reads headers only. Throws IoError, also for a name with '/'.
  Sequence of(const std::string& utterance) const {
    if (utterance.empty() || utterance[0] == '.' || utterance.find('/') != std::string::npos ||
        utterance.find('\0') != std::string::npos)
      throw IoError(lacuna::detail::cat(path_, ": '", lacuna::detail::printable(utterance),
                                        "' cannot be the name of a file of features"));
    const std::string stem = path_ + "/" + utterance;
    if (kind_of_path(stem + ".npy") == PathKind::file) return of_file(stem + ".npy");
    Sequence sequence;
    sequence.where = stem;
    if (kind_of_path(stem) != PathKind::folder) return sequence;
    std::vector<Sequence> frames;
    for (const std::string& name : names_in(stem, ".npy")) {
      frames.push_back(of_file(stem + "/" + name));
      Sequence& frame = frames.back();
      if (frame.length == 0) {
        frames.pop_back();
        continue;
      }
      if (sequence.length > 0 && frame.features != sequence.features)
        throw IoError(lacuna::detail::cat(frame.where, ": has ", frame.features, " features, expected ",
                                          sequence.features, " as the frames before it have"));
      sequence.features = frame.features;
      sequence.length += frame.length;
    }
    sequence.fill = [frames = std::move(frames)](float* to) {
      for (const Sequence& frame : frames) {
        frame.fill(to);
        to += frame.length * frame.features;
      }
    };
    return sequence;
  }
  /// Whether there is a file or a folder of that name.
  bool has(const std::string& utterance) const {
    return kind_of_path(path_ + "/" + utterance + ".npy") == PathKind::file ||
           kind_of_path(path_ + "/" + utterance) == PathKind::folder;
  }

 private:
  static Sequence of_file(const std::string& path) {
    const io::ByteSource source(path);
    struct {
      const io::ByteSource& source;
      std::uint64_t offset = 0;
      void read(void* to, std::size_t count) {
        source.read(offset, to, count);
        offset += count;
      }
    } stream{source};
    const Shape shape = io::read_npy_header(stream, source.size(), path + ": array").shape;
    index_t lengths[2] = {1, 1};
    int axes = 0;
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] == 1) continue;
      if (axes == 2)
        throw IoError(lacuna::detail::cat(path, ": has shape ", shape, ", expected frames (T, D)"));
      lengths[axes++] = shape[axis];
    }
    Sequence sequence;
    sequence.where = path;
    if (shape.size() == 0) return sequence;
    sequence.length = axes == 2 ? lengths[0] : 1;
    sequence.features = axes == 2 ? lengths[1] : lengths[0];
    sequence.fill = [path, count = shape.size()](float* to) {
      const std::vector<float> numbers = io::load_npy(path).as<float>();
      if (index_t(numbers.size()) != count) throw IoError(path + ": has changed since it was opened");
      std::copy(numbers.begin(), numbers.end(), to);
    };
    return sequence;
  }

  std::string path_;
};

/// Adds one modality of every split of `arrays` (by its ids) from a folder, and says who lacks it.
inline void add_folder(Arrays& arrays, const std::string& modality, const FeatureFolder& folder) {
  bool found = false;
  for (const char* prefix : {"train_", "valid_", "test_"}) {
    if (!arrays.contains(std::string(prefix) + "id")) continue;
    const std::vector<std::string> ids = arrays.at(std::string(prefix) + "id").read().strings();
    std::vector<Sequence> samples;
    index_t absent = 0, empty = 0;
    std::string first;
    for (const std::string& id : ids) {
      samples.push_back(folder.of(id));
      if (samples.back().length > 0) continue;
      ++(folder.has(id) ? empty : absent);
      if (first.empty()) first = id;
    }
    if (absent + empty > 0)
      arrays.note(lacuna::detail::cat(prefix, modality, ": of ", ids.size(), " samples ", absent, " have no file and ",
                                      empty, " an empty one, the first is '", lacuna::detail::printable(first),
                                      "': the modality is absent there"));
    found = found || absent < index_t(ids.size());
    add_sequences(arrays, std::string(prefix) + modality, std::move(samples));
  }
  if (!found) throw IoError(folder.path() + ": has a file for none of the samples; files are called as the samples are");
}
/// "audio=wavlm-large-FRA": the name of the modality, and a folder within `root` or a path. Without '=' the folder's
/// name is the modality's.
inline void add_folders(Arrays& arrays, const std::string& root, const std::vector<std::string>& features) {
  for (const std::string& one : features) {
    const std::size_t equal = one.find('=');
    const std::string folder = equal == std::string::npos ? one : one.substr(equal + 1);
    const std::string name =
        equal == std::string::npos ? folder.substr(folder.rfind('/') + 1) : one.substr(0, equal);
    const bool within = kind_of_path(root + "/" + folder) == PathKind::folder;
    add_folder(arrays, name, FeatureFolder(within ? root + "/" + folder : folder));
  }
}

}  // namespace lacuna::data::formats
