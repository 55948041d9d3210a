/// Sequences of different lengths into one array padded with zeros at the end, with their lengths; and what makes
/// sequences of the values of a pickle: arrays [T, D] or [D], lists of lists of numbers, lists of arrays.
#pragma once

#include "lacuna/data/formats/arrays.hpp"
#include "lacuna/io/value.hpp"

namespace lacuna::data::formats {

/// The frames of one sample. Absent: length 0, features may be unknown (0).
struct Sequence {
  index_t length = 0, features = 0;
  std::function<void(float*)> fill;  ///< writes length x features numbers
  std::vector<bool> present = {};    ///< which frames are there; empty: all
  std::string where;                 ///< opens messages
};

/// Throws IoError for a set, in which nothing stands at a place.
inline void refuse_set(const io::Value& value) {
  if (value.kind() == io::ValueKind::set || value.kind() == io::ValueKind::frozen_set)
    throw IoError(value.where() + " is a set, which has no order, expected an entry per sample; save it as a list");
}

/// All numbers of a list (of lists) or an array, row by row. Throws IoError for anything else, and for lists nested
/// more than four deep or of more than 2^26 numbers, which no data set of this field has in one place.
inline void append_numbers(const io::Value& value, std::vector<double>& numbers, int depth = 0) {
  if (value.kind() == io::ValueKind::array || value.kind() == io::ValueKind::tensor) {
    if (!value.has_items()) {
      const std::vector<double> own = value.array().as<double>();
      numbers.insert(numbers.end(), own.begin(), own.end());
      return;
    }
  }
  if (value.kind() == io::ValueKind::boolean) return numbers.push_back(value.boolean());
  if (!value.has_items()) return numbers.push_back(value.real());
  refuse_set(value);
  if (depth == 4) throw IoError(value.where() + " is nested deeper than numbers of one sample are");
  for (std::size_t i = 0; i < value.size(); ++i) {
    append_numbers(value[i], numbers, depth + 1);
    if (numbers.size() > (std::size_t(1) << 26))
      throw IoError(value.where() + " has more than 2^26 numbers in lists; save it as an array");
  }
}
inline std::vector<double> numbers_of(const io::Value& value) {
  std::vector<double> numbers;
  append_numbers(value, numbers);
  return numbers;
}
/// Of an array or tensor with numbers (not objects).
inline bool is_numeric_array(const io::Value& value) {
  return (value.kind() == io::ValueKind::array && !value.has_items()) || value.kind() == io::ValueKind::tensor;
}
/// Strings of a list, tuple or array; numbers become their digits.
inline std::string text_of(const io::Value& value) {
  if (value.kind() == io::ValueKind::integer) return value.integer_text();
  if (value.kind() == io::ValueKind::bytes) return std::string(value.bytes());
  if (value.kind() == io::ValueKind::scalar && value.array().integral()) return std::to_string(value.integer());
  return value.text();
}
inline std::vector<std::string> texts_of(const io::Value& value) {
  std::vector<std::string> list;
  if (is_numeric_array(value)) {
    const io::NpyArray array = value.array();
    if (array.text()) return array.strings();
    for (const index_t number : array.as<index_t>()) list.push_back(std::to_string(number));
    return list;
  }
  for (std::size_t i = 0; i < value.size(); ++i) list.push_back(text_of(value[i]));
  return list;
}

/// What becomes of -inf and NaN in features when they are read.
enum class Clean { keep, minus_infinity, nan };

/// Sets them to 0, row by row, and says how many there were.
class Cleaner {
 public:
  Cleaner(Clean rule, const Arrays& arrays, const std::string& name)
      : rule_(rule),
        count_(arrays.counter(name + (rule == Clean::nan ? ": NaN" : ": -inf") + " becomes 0 (",
                              " times), as in the loaders of this format")) {}

  void operator()(index_t row, float* numbers, index_t count) const {
    index_t found = 0;
    for (index_t i = 0; i < count && rule_ != Clean::keep; ++i) {
      const bool bad = rule_ == Clean::nan ? std::isnan(numbers[i]) : std::isinf(numbers[i]) && numbers[i] < 0;
      if (bad) numbers[i] = 0;
      found += bad;
    }
    count_(row, found);
  }

 private:
  Clean rule_;
  std::function<void(index_t, index_t)> count_;
};

/// Rows of an array, which `read(begin, end)` gives as numbers, some at a time.
template <class Read>
io::FloatRows rows_of_array(Read read, index_t width, Cleaner clean) {
  return [=](std::span<const index_t> rows, float* to) {
    for (std::size_t i = 0; i < rows.size();) {
      std::size_t end = i + 1;  // of a run of rows that follow each other
      while (end < rows.size() && end < i + 64 && rows[end] == rows[end - 1] + 1) ++end;
      const std::vector<float> numbers = read(rows[i], rows[end - 1] + 1);
      std::copy(numbers.begin(), numbers.end(), to);
      for (; i < end; ++i, to += width) clean(rows[i], to, width);
    }
  };
}

/// An array [T, D] or [D], a list of T lists of D numbers, or a list of T arrays [D].
inline Sequence sequence_of(const io::Value& value) {
  Sequence sequence;
  sequence.where = value.where();
  if (is_numeric_array(value)) {
    const Shape shape = value.shape();
    if (shape.rank() != 1 && shape.rank() != 2)
      throw IoError(lacuna::detail::cat(value.where(), " has shape ", shape, ", expected frames (T, D)"));
    sequence.length = shape.size() == 0 ? 0 : shape.rank() == 2 ? shape[0] : 1;
    sequence.features = shape[-1];
    sequence.fill = [value](float* to) {
      const std::vector<float> numbers = value.array().as<float>();
      std::copy(numbers.begin(), numbers.end(), to);
    };
    return sequence;
  }
  if (!value.has_items()) throw IoError(value.where() + " is " + value.describe() + ", expected frames (T, D)");
  std::vector<float> numbers;
  for (std::size_t t = 0; t < value.size(); ++t) {
    const std::vector<double> frame = numbers_of(value[t]);
    if (t > 0 && index_t(frame.size()) != sequence.features)
      throw IoError(lacuna::detail::cat(value.where(), " frame ", t, " has ", frame.size(), " features, expected ",
                                        sequence.features));
    sequence.features = index_t(frame.size());
    numbers.insert(numbers.end(), frame.begin(), frame.end());
  }
  sequence.length = index_t(value.size());
  sequence.fill = [numbers](float* to) { std::copy(numbers.begin(), numbers.end(), to); };
  return sequence;
}

/// Adds `name` (N, longest, D), padded with zeros at the end, and `name`_length (N). `flat`: one frame each, so that
/// the array is (N, D) and without lengths when every sample has its frame. Nothing is added when all are absent.
inline void add_sequences(Arrays& arrays, const std::string& name, std::vector<Sequence> samples,
                          Clean rule = Clean::keep, bool flat = false) {
  index_t features = 0, longest = 1, first = -1;
  std::vector<index_t> lengths;
  for (std::size_t n = 0; n < samples.size(); ++n) {
    const Sequence& sample = samples[n];
    lengths.push_back(sample.length);
    if (sample.length == 0) continue;
    longest = std::max(longest, sample.length);
    if (first >= 0 && sample.features != features)
      throw IoError(lacuna::detail::cat(sample.where, ": sample ", n, " of ", name, " has ", sample.features,
                                        " features, expected ", features, " as sample ", first, " has"));
    if (first < 0) {
      first = index_t(n);
      features = sample.features;
    }
  }
  if (features == 0) {
    if (!samples.empty())
      arrays.note(lacuna::detail::cat(name, ": none of ", samples.size(), " samples has it; it is left out"));
    return;
  }
  const index_t count = index_t(samples.size());
  const bool vectors = flat && longest == 1 && std::count(lengths.begin(), lengths.end(), 1) == count;
  const double padded = double(count) * double(longest) * double(features);
  const index_t present = std::accumulate(lengths.begin(), lengths.end(), index_t(0));
  if (padded > 1000 * double(present) * double(features) + double(1 << 26))
    throw IoError(lacuna::detail::cat(arrays.path(), ": ", name, " has one sequence of ", longest, " frames among ",
                                      count, " of ", present, " in all; padded it is out of proportion"));
  std::vector<index_t> mask;  // where frames within a sequence are absent
  if (std::any_of(samples.begin(), samples.end(), [](const Sequence& one) {
        return std::find(one.present.begin(), one.present.end(), false) != one.present.end();
      })) {
    mask.assign(std::size_t(count * longest), 0);
    for (index_t n = 0; n < count; ++n)
      for (index_t t = 0; t < samples[std::size_t(n)].length; ++t)
        mask[std::size_t(n * longest + t)] =
            samples[std::size_t(n)].present.empty() || samples[std::size_t(n)].present[std::size_t(t)];
  }
  arrays.features(name, vectors ? Shape{count, features} : Shape{count, longest, features},
                  [samples = std::move(samples), width = longest * features, clean = Cleaner(rule, arrays, name)](
                      std::span<const index_t> rows, float* to) {
                    for (const index_t row : rows) {
                      if (samples[std::size_t(row)].length > 0) samples[std::size_t(row)].fill(to);
                      clean(row, to, width);
                      to += width;
                    }
                  });
  if (!mask.empty()) arrays.integers(name + "_mask", Shape{count, longest}, mask);
  if (!vectors) arrays.integers(name + "_length", lengths);
}

/// Labels as they are: integers become `class`, other numbers `label`.
inline void add_labels(Arrays& arrays, const std::string& prefix, const std::vector<double>& labels, bool classes) {
  if (classes) {
    std::vector<index_t> ids;
    for (const double label : labels) ids.push_back(index_t(label));
    arrays.integers(prefix + "class", ids);
  } else {
    arrays.reals(prefix + "label", std::vector<float>(labels.begin(), labels.end()));
  }
}
/// Whether a number of a pickle, or the numbers of an array, are integers by their type.
inline bool integral(const io::Value& value) {
  if (value.kind() == io::ValueKind::integer || value.kind() == io::ValueKind::boolean) return true;
  if (value.kind() == io::ValueKind::scalar) return value.array().integral();
  if (value.has_items()) return value.size() > 0 && integral(value[0]);
  return is_numeric_array(value) && value.array().integral();
}

}  // namespace lacuna::data::formats
