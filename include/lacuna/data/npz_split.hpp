/// The middle part of load_npz: reads one split as NpzScan decided. Arrays that nobody asks for are never read.
#pragma once

#include "lacuna/data/npz_check.hpp"
#include "lacuna/data/npz_scan.hpp"
#include "lacuna/io/scratch_memory.hpp"
#include "lacuna/io/utf8.hpp"

namespace lacuna::detail {

class NpzSplit {
 public:
  NpzSplit(NpzScan& scan, const data::LoadOptions& options) : scan_(scan), options_(options) {}

  template <data::Role role>
  void load(data::Split<role>& split) {
    role_ = role;
    samples_ = -1;
    const bool wanted = options_.splits.empty() ||
                        std::find(options_.splits.begin(), options_.splits.end(), role) != options_.splits.end();
    if (wanted)
      for (const auto& [name, features] : scan_.modalities())
        if (has(name)) count(name);
    for (const auto& [name, features] : scan_.modalities())
      split.modalities.push_back(wanted && has(name) ? modality(name) : data::Modality{name, {}, {}});
    if (wanted) {
      labels(split.labels, split.classes);
      ids(split.ids);
      conversations(split.conversations, split.speakers);
      if (samples_ < 0) note(false, cat("there is no ", data::to_string(role), " split"));
    }
    const index_t count = std::max<index_t>(samples_, 0);
    for (std::size_t m = 0; m < scan_.modalities().size(); ++m) {
      if (split.modalities[m].frames.defined()) continue;
      const auto& [name, features] = scan_.modalities()[m];
      if (samples_ >= 0)
        note(true, cat(array(name), " is missing: the modality is absent from all ", count, " samples"));
      // Zeros cost the file nothing: a small one must not ask for much memory.
      if (double(count) * double(features) * 4 > 16.0 * double(scan_.bytes()) + double(1 << 26))
        throw IoError(cat(scan_.file().path(), ": array '", array(name), "' is missing, and ", count,
                          " absent samples of ", features,
                          " features are out of proportion to the file; exclude the modality"));
      split.modalities[m].frames = Tensor<float, 3>::zeros({count, 1, features});
      split.modalities[m].present = Mask<2>::zeros({count, 1});
    }
    if (split.ids.empty())
      for (index_t i = 0; i < count; ++i) split.ids.push_back(std::to_string(i));
  }
  index_t class_count() const { return class_count_; }

 private:
  void note(bool always, std::string text) { scan_.notes().push_back({std::move(text), always}); }
  bool has(const std::string& what) const { return scan_.has(role_, what); }
  std::string array(const std::string& what) const { return scan_.prefix(role_) + what; }
  template <class... Pieces>
  [[noreturn]] void fail(const std::string& what, const Pieces&... pieces) const {
    scan_.fail(array(what), pieces...);
  }

  /// An array of this split must have N entries along its first axis; the first one met decides N.
  void count(const std::string& what) {
    const Shape& shape = scan_.header(role_, what).shape;
    if (shape.rank() == 0) fail(what, "is a single number, expected one entry per sample");
    if (samples_ < 0) {
      samples_ = shape[0];
      counted_ = array(what);
    } else if (shape[0] != samples_) {
      fail(what, "has ", shape[0], " samples, expected ", samples_, " as '", counted_, "' has");
    }
  }
  io::NpyArray read(const std::string& what) {
    count(what);
    return scan_.file().get(array(what));
  }

  data::Modality modality(const std::string& name) {
    data::Modality result{name, {}, {}};
    count(name);
    const Shape shape = scan_.header(role_, name).shape;
    const bool sequence = shape.rank() == 3;
    const std::array<index_t, 3> extents{samples_, sequence ? shape[1] : 1, shape[-1]};
    result.present = Mask<2>::full({samples_, extents[1]}, 1);
    const std::string length = scan_.told_by(role_, "length", name), mask = scan_.told_by(role_, "mask", name);
    if (!length.empty()) apply_length(length, name, result.present);
    const index_t behind = mask.empty() ? 0 : apply_mask(mask, name, result.present);
    if (behind > 0 && said_.insert("behind " + mask).second)
      note(true, cat(array(mask), " calls ", behind, " frames of ", name, " present that lie behind its ",
                     array(length), ": they count as absent"));
    const bool told = !length.empty() || !mask.empty();
    FrameCleaner cleaner(result.present, extents[2], !told && options_.infer_padding);
    result.frames = frames_of(name, extents, cleaner);
    if (told)
      look_at_mask(name, length, mask, cleaner.evidence);
    else if (!options_.infer_padding && extents[1] > 1 && said_.insert("frames of " + name).second)
      note(true, cat(array(name), " has neither length nor mask: all its frames count as present"));
    judge(name, sequence, extents, cleaner.bad);
    return result;
  }

  /// In memory, or in a file without a name; absent frames become 0, what is present is looked at on its way.
  Tensor<float, 3> frames_of(const std::string& name, const std::array<index_t, 3>& extents, FrameCleaner& cleaner) {
    const index_t width = extents[1] * extents[2], size = Shape(extents).size();
    if (size == 0 || !scan_.file().streams(array(name))) {
      const io::NpyArray stored = read(name);
      Tensor<float, 3> frames =
          stored.rank() == 3 ? stored.tensor<float, 3>() : stored.tensor<float, 2>().reshape(extents);
      cleaner(0, extents[0] * extents[1], frames.data());
      return frames;
    }
    if (options_.scratch.empty()) {
      Tensor<float, 3> frames(extents);
      scan_.file().stream(array(name), [&](index_t first, index_t count, float* numbers) {
        cleaner(first * extents[1], count * extents[1], numbers);
        std::copy_n(numbers, count * width, frames.data() + first * width);
      });
      return frames;
    }
    const auto memory = std::make_shared<io::ScratchMemory>(4 * std::uint64_t(size), options_.scratch);
    scan_.file().stream(array(name), [&](index_t first, index_t count, float* numbers) {
      cleaner(first * extents[1], count * extents[1], numbers);
      memory->write(std::uint64_t(first * width), numbers, std::size_t(count * width));
    });
    return Tensor<float, 3>::borrow(extents, memory->floats(), memory);
  }

  void look_at_mask(const std::string& name, const std::string& length, const std::string& mask,
                    const MaskEvidence& evidence) {
    const std::string told = array(mask.empty() ? length : mask);
    if (evidence.present == 0 && samples_ > 0)
      note(true,
           cat(told, " says that no frame of ", name, " is present: it is absent from all ", samples_, " samples"));
    if (evidence.inverted() && said_.insert("inverted " + (mask.empty() ? length : mask)).second)
      note(true, cat(told, " looks inverted: of the frames of ", name, " that it calls present ",
                     percent(evidence.present_zero, evidence.present), " are zeros, of the others ",
                     percent(evidence.absent_numbers, evidence.absent), " are not; 1 means present"));
    if (length != "length" && length != "lengths") return;
    for (const auto& [other, features] : scan_.modalities()) {  // one length for streams of other lengths
      if (other == name || !has(other) || scan_.told_by(role_, "length", other) != length) continue;
      const index_t longer = scan_.header(role_, name).shape[1], shorter = scan_.header(role_, other).shape[1];
      if (longer > shorter && evidence.absent_numbers > 0 && said_.insert("length of " + name).second)
        note(true,
             cat(array(length), " is one length for ", name, " of ", longer, " frames and ", other, " of ", shorter,
                 ": ", percent(evidence.absent, evidence.absent + evidence.present), " of the frames of ", name,
                 " count as absent, numbers among them; give it its own lengths, ", array(name + "_length")));
    }
  }

  /// What is present must be finite.
  void judge(const std::string& name, bool sequence, const std::array<index_t, 3>& extents,
             const NonFiniteNumbers& bad) {
    if (bad.first < 0) return;
    const index_t frames = extents[1], features = extents[2], row = bad.first / features;
    const Shape where =
        sequence ? Shape{row / frames, row % frames, bad.first % features} : Shape{row, bad.first % features};
    const std::string found =
        cat("holds ", bad.nans, " NaN and ", bad.infinities, " infinite features, the first at ", where);
    if (options_.non_finite == data::NonFinite::refuse)
      fail(name, found, "; expected finite numbers (LoadOptions::non_finite, --non-finite zero, sets them to 0)");
    note(true, cat(array(name), " ", found, "; they are set to 0"));
  }

  void apply_length(const std::string& what, const std::string& owner, Mask<2>& present) {
    const auto lengths = read(what).tensor<index_t, 1>();
    for (index_t n = 0; n < samples_; ++n) {
      const index_t length = lengths(n), frames = present.extent(1);
      if (length < 0 || length > frames)
        fail(what, "gives sample ", n, " the length ", length, ", expected 0..", frames, " as '", array(owner),
             "' has frames");
      for (index_t t = length; t < frames; ++t) present(n, t) = 0;
    }
  }
  /// How many frames it calls present that a length before it called absent.
  index_t apply_mask(const std::string& what, const std::string& owner, Mask<2>& present) {
    const io::NpyArray mask = read(what);
    const bool flat = mask.shape() == Shape{samples_} && present.extent(1) == 1;
    if (!flat && !(mask.shape() == present.shape()))
      fail(what, "has shape ", mask.shape(), ", expected ", present.shape(), " as '", array(owner), "' has frames");
    const std::vector<double> numbers = mask.as<double>();
    index_t behind = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] != 0 && numbers[i] != 1) fail(what, "holds ", numbers[i], ", expected 0 (absent) or 1 (present)");
      behind += numbers[i] == 1 && present.data()[i] == 0;
      if (numbers[i] == 0) present.data()[i] = 0;
    }
    return behind;
  }

  void labels(std::vector<float>& real, std::vector<index_t>& classes) {
    if (options_.labels == data::LabelUse::ignored) return;
    if (!scan_.label().empty() && has(scan_.label())) read_labels(scan_.label(), real);
    if (!scan_.classes().empty() && has(scan_.classes())) read_classes(scan_.classes(), classes);
    if (real.empty() && classes.empty() && samples_ > 0)
      note(false, cat("the samples of ", scan_.prefix(role_), " have no label"));
  }
  /// Whether an unknown label is no error: the split then has none.
  bool passes(const std::string& what, index_t sample, const std::string& found) {
    if (options_.labels != data::LabelUse::optional) return false;
    note(true, cat(array(what), " gives sample ", sample, " ", found, ": the split counts as one without labels"));
    return true;
  }
  /// One number per sample, and what to do where an array is not that.
  io::NpyArray read_column(const std::string& what, bool classes) {
    const io::NpyHeader& h = scan_.header(role_, what);
    if (h.shape.rank() == 2)
      fail(what, "has shape ", h.shape, ", expected 1 axis, a number per sample: ",
           h.shape[1] == 1 || (h.shape[0] == 1 && h.shape[1] == samples_) ? "reshape it to (N)"
           : classes                                                      ? "of one-hot rows take argmax(axis=1)"
                                                                          : "take one of its columns");
    const bool text = h.kind == io::NpyKind::bytes || h.kind == io::NpyKind::unicode;
    if (text)
      fail(what, "has type ", h.dtype, ", expected numbers: ",
           classes ? "numpy.unique(x, return_inverse=True) numbers words" : "convert it with astype");
    if (classes && (h.kind == io::NpyKind::real || h.kind == io::NpyKind::brain))
      fail(what, "has type ", h.dtype, ", expected integers: convert it with astype, or call real labels label");
    return read(what);
  }
  void read_labels(const std::string& what, std::vector<float>& real) {
    real = read_column(what, false).tensor<float, 1>().to_vector();
    for (std::size_t i = 0; i < real.size(); ++i) {
      if (std::isfinite(real[i])) continue;
      if (passes(what, index_t(i), "a label that is NaN or infinite")) return real.clear();
      fail(what, "gives sample ", i, " a label that is NaN or infinite; leave out samples without label");
    }
  }
  void read_classes(const std::string& what, std::vector<index_t>& classes) {
    classes = read_column(what, true).tensor<index_t, 1>().to_vector();
    index_t most = 0;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      if (classes[i] < 0 && passes(what, index_t(i), cat("the class ", classes[i]))) return classes.clear();
      if (classes[i] < 0 || classes[i] > 65535)
        fail(what, "gives sample ", i, " the class ", classes[i], ", expected 0..65535");
      most = std::max(most, classes[i] + 1);
    }
    class_count_ = std::max(class_count_, most);
  }

  void ids(std::vector<std::string>& list) {
    if (!has("id")) return;
    const io::NpyArray stored = read("id");
    if (stored.rank() != 1) fail("id", "has shape ", stored.shape(), ", expected one id per sample");
    if (stored.shape()[0] == 0) return;  // of whatever type: NumPy makes float64 of an empty list
    if (stored.text())
      list = readable(stored.strings());
    else
      for (const index_t id : stored.as<index_t>()) list.push_back(std::to_string(id));
    const RepeatedIds repeats(list, seen_ids_);
    if (repeats.repeated > 0) note(true, cat(array("id"), " repeats ", repeats.repeated, " ids"));
    if (repeats.foreign > 0)
      note(true,
           cat(array("id"), " holds ", repeats.foreign, " ids that another split holds too: the splits may overlap"));
  }

  /// Numbers of conversations change where {split}_dialogue does; those of speakers are their names in order.
  void conversations(std::vector<index_t>& numbers, std::vector<index_t>& speakers) {
    if (!has("dialogue")) return;
    const std::vector<std::string> names = texts(role_, "dialogue");
    count("dialogue");
    for (std::size_t n = 0; n < names.size(); ++n)
      numbers.push_back(n == 0 ? 0 : numbers.back() + (names[n] != names[n - 1]));
    const auto called = index_t(std::set<std::string>(names.begin(), names.end()).size());
    if (!names.empty() && called <= numbers.back())
      note(true, cat(array("dialogue"), " names ", called,
                     " conversations, but their samples do not stand one after the "
                     "other: they count as ",
                     numbers.back() + 1, "; sort the samples by conversation"));
    if (!has("speaker")) return;
    count("speaker");
    if (speakers_.empty())
      for (const data::Role role : {data::Role::train, data::Role::validation, data::Role::test})
        if (scan_.has(role, "speaker"))
          for (const std::string& name : texts(role, "speaker")) speakers_.insert(name);
    for (const std::string& name : texts(role_, "speaker"))
      speakers.push_back(std::distance(speakers_.begin(), speakers_.find(name)));
  }
  std::vector<std::string> texts(data::Role role, const std::string& what) const {
    const io::NpyArray stored = scan_.file().get(scan_.prefix(role) + what);
    if (stored.rank() != 1) fail(what, "has shape ", stored.shape(), ", expected one name or number per sample");
    if (stored.text()) return stored.strings();
    std::vector<std::string> list;
    for (const index_t number : stored.as<index_t>()) list.push_back(std::to_string(number));
    return list;
  }

  /// Ids go into files and onto screens: bytes that are no UTF-8 are written out, as \xff.
  std::vector<std::string> readable(std::vector<std::string> list) {
    index_t changed = 0;
    for (std::string& id : list)
      if (!utf8_strict(id)) id = escaped_utf8(id), ++changed;
    if (changed > 0)
      note(true, cat(array("id"), " holds ", changed, " ids that are no UTF-8: their bytes are written \\xff"));
    return list;
  }

  NpzScan& scan_;
  const data::LoadOptions& options_;
  data::Role role_ = data::Role::train;
  std::set<std::string> seen_ids_, speakers_, said_;  ///< what has its line does not get another
  std::string counted_;
  index_t samples_ = -1, class_count_ = 0;
};

}  // namespace lacuna::detail
