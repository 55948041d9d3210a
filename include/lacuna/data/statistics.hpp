/// What is in a data set, as plain numbers: sizes, what is missing, lengths, means, labels, and what should not be
/// there (constant and non-finite features, samples that come twice or stand in two splits). Needs xtensor.
///
///     const data::DatasetStatistics s = data::dataset_statistics(dataset);
///     s.splits[0].modalities[1].share_missing();     // of the training samples, how many lack the second modality
///     std::puts(data::describe(s).c_str());          // as a table: data/describe.hpp
///
/// Only present frames are read: padding and absent frames count nowhere, whatever they hold. Non-finite features are
/// counted and left out of means. Means and deviations (dividing by the count) are taken in two passes in double; the
/// bits do not depend on the number of threads. What there is nothing of (a mean over no frame) is NaN.
/// Errors: ShapeError for parts that disagree, OptionError for less than one bin.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "lacuna/core/threads.hpp"
#include "lacuna/data/dataset.hpp"
#include "lacuna/data/duplicates.hpp"
#include "lacuna/data/passed.hpp"
#include "lacuna/interop/xtensor.hpp"

namespace lacuna::data {

/// Where a feature stands in the frames (N, T, D) of a modality.
struct FeaturePosition {
  index_t sample = 0, frame = 0, feature = 0;
  friend bool operator==(const FeaturePosition&, const FeaturePosition&) = default;
};

/// One modality in one split. The length of a sample reaches to its last present frame; absent ones have none.
struct ModalityStatistics {
  std::string name;
  index_t samples = 0;          ///< N
  index_t missing_samples = 0;  ///< without any present frame
  index_t frames = 0;           ///< sum of the lengths
  index_t missing_frames = 0;   ///< of those, absent ones: gaps
  index_t shortest = 0, longest = 0;
  double median_length = std::numeric_limits<double>::quiet_NaN();
  index_t features = 0;                 ///< D
  std::vector<double> mean, deviation;  ///< (D) over the present frames; a constant feature has deviation exactly 0
  std::vector<double> low, high;        ///< (D)
  std::vector<index_t> constant;        ///< features with one value in two or more frames
  index_t non_finite = 0;               ///< NaN and infinite numbers in present frames
  std::vector<index_t> non_finite_features = {};
  std::optional<FeaturePosition> first_non_finite = {};

  /// Of the samples, which share lacks this modality; NaN without samples.
  double share_missing() const { return double(missing_samples) / double(samples); }
  /// Of the frames inside the lengths, which share is absent; NaN without frames.
  double share_missing_frames() const { return double(missing_frames) / double(frames); }
};

/// The labels of one split.
struct LabelSummary {
  index_t count = 0;       ///< finite real labels
  index_t non_finite = 0;  ///< NaN and infinite ones, left out of all else
  double mean = std::numeric_limits<double>::quiet_NaN(), deviation = mean, low = mean, high = mean;
  std::vector<index_t> histogram = {};     ///< per bin of DatasetStatistics::label_edges
  std::vector<index_t> class_counts = {};  ///< (class_count) samples of each class; empty without class ids
};

struct SplitStatistics {
  Role role = Role::train;
  index_t samples = 0;
  std::vector<ModalityStatistics> modalities;
  LabelSummary labels;
  index_t repeated = 0;          ///< samples equal to an earlier one of this split
  index_t in_earlier_split = 0;  ///< samples equal to one of a split before this one: they leak
};

struct DatasetStatistics {
  std::string name;
  index_t class_count = 0;
  std::array<SplitStatistics, 3> splits;  ///< train, validation, test; a split without samples too
  std::vector<double> label_edges;        ///< bins + 1 borders over the finite labels of all splits; empty without any
  std::vector<Repeat> repeats;            ///< every pair behind `repeated` and `in_earlier_split`
};

struct StatisticsOptions {
  index_t label_bins = 10;  ///< equally wide, from the smallest label to the largest, both included
};

}  // namespace lacuna::data

namespace lacuna::detail {

/// Lengths and gaps: fills what the mask alone tells, and gives the present rows (sample, frame).
inline std::vector<std::array<index_t, 2>> present_rows_of(const data::Modality& modality,
                                                           data::ModalityStatistics& result) {
  std::vector<std::array<index_t, 2>> rows;
  std::vector<double> lengths;
  const auto present = as_xtensor(modality.present);
  for (index_t n = 0; n < result.samples; ++n) {
    const std::size_t before = rows.size();
    for (index_t t = 0; t < modality.present.extent(1); ++t)
      if (present(n, t) != 0) rows.push_back({n, t});
    if (rows.size() == before) {
      ++result.missing_samples;
      continue;
    }
    const index_t length = rows.back()[1] + 1;
    lengths.push_back(double(length));
    result.frames += length;
    result.missing_frames += length - index_t(rows.size() - before);
  }
  if (!lengths.empty()) {
    const auto all = xt::adapt(lengths, std::array{lengths.size()});
    result.shortest = index_t(xt::amin(all)());
    result.longest = index_t(xt::amax(all)());
    result.median_length = xt::median(xt::xtensor<double, 1>(all));
  }
  return rows;
}

/// Features begin..end of all present rows: means, deviations, limits, and the non-finite numbers of every feature.
inline void feature_statistics(const data::Modality& modality, const std::vector<std::array<index_t, 2>>& rows,
                               index_t begin, index_t end, data::ModalityStatistics& result,
                               std::vector<index_t>& non_finite, std::vector<std::size_t>& first_bad_row) {
  using Numbers = xt::xtensor<double, 1>;
  const auto frames = as_xtensor(modality.frames);
  const auto row = [&](std::size_t r) {
    if (r > 0 && rows[r][0] != rows[r - 1][0]) passed(modality, rows[r - 1][0]);
    return xt::cast<double>(xt::view(frames, rows[r][0], rows[r][1], xt::range(begin, end)));
  };
  const std::array<std::size_t, 1> width{std::size_t(end - begin)};
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const Numbers zero = xt::zeros<double>(width);
  Numbers total = zero, count = zero + double(rows.size()), low = zero + infinity, high = zero - infinity;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto x = row(r);
    xt::noalias(total) += x;
    xt::noalias(low) = xt::minimum(low, x);
    xt::noalias(high) = xt::maximum(high, x);
  }
  // Sums of floats do not overflow a double: one that is not finite has met a number that is not.
  const bool clean = xt::all(xt::isfinite(total));
  if (!clean) {
    total = zero, low = zero + infinity, high = zero - infinity;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const auto x = row(r);
      const xt::xtensor<bool, 1> finite = xt::isfinite(x);
      total += xt::where(finite, x, 0.0);
      low = xt::where(finite, xt::minimum(low, x), low);
      high = xt::where(finite, xt::maximum(high, x), high);
      for (std::size_t d = 0; d < width[0]; ++d) {
        if (finite(d)) continue;
        count(d) -= 1;
        if (non_finite[std::size_t(begin) + d]++ == 0) first_bad_row[std::size_t(begin) + d] = r;
      }
    }
  }
  const Numbers mean = total / count;  // 0 / 0: NaN
  Numbers squares = zero;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (clean)
      xt::noalias(squares) += xt::square(row(r) - mean);
    else
      squares += xt::where(xt::isfinite(row(r)), xt::square(row(r) - mean), 0.0);
  }
  // Rounding gives a constant feature a tiny deviation; low == high does not round.
  const Numbers deviation = xt::where(xt::equal(low, high), 0.0, xt::sqrt(squares / count));
  const Numbers none = xt::where(count > 0.0, 0.0, nan);
  const auto put = [&](const auto& from, std::vector<double>& to) {
    std::copy(from.begin(), from.end(), to.begin() + begin);
  };
  put(mean, result.mean);
  put(Numbers(deviation + none), result.deviation);
  put(Numbers(low + none), result.low);
  put(Numbers(high + none), result.high);
}

}  // namespace lacuna::detail

namespace lacuna::data {

/// Throws ShapeError when frames (N, T, D) and present (N, T) disagree.
inline ModalityStatistics modality_statistics(const Modality& modality) {
  lacuna::detail::expect_shape("statistics", modality.name.c_str(), modality.present.shape(),
                               {modality.frames.extent(0), modality.frames.extent(1)});
  ModalityStatistics result;
  result.name = modality.name;
  result.samples = modality.frames.extent(0);
  result.features = modality.features();
  const auto width = std::size_t(result.features);
  for (auto* numbers : {&result.mean, &result.deviation, &result.low, &result.high}) numbers->resize(width);
  const auto rows = lacuna::detail::present_rows_of(modality, result);
  std::vector<index_t> non_finite(width, 0);
  std::vector<std::size_t> first_bad_row(width, 0);
  // Features that lie in a file are read once a pass, not once for every block of them.
  const index_t block = io::Resident::holds(modality.frames.data()) ? result.features : 64;
  parallel_for(result.features, block, [&](index_t begin, index_t end) {
    lacuna::detail::feature_statistics(modality, rows, begin, end, result, non_finite, first_bad_row);
  });
  for (std::size_t d = 0; d < width; ++d) {
    if (index_t(rows.size()) - non_finite[d] > 1 && result.low[d] == result.high[d])
      result.constant.push_back(index_t(d));
    if (non_finite[d] == 0) continue;
    result.non_finite += non_finite[d];
    result.non_finite_features.push_back(index_t(d));
    const auto [sample, frame] = rows[first_bad_row[d]];
    const FeaturePosition here{sample, frame, index_t(d)};
    const auto earlier = [](const FeaturePosition& a, const FeaturePosition& b) {
      return std::array{a.sample, a.frame, a.feature} < std::array{b.sample, b.frame, b.feature};
    };
    if (!result.first_non_finite || earlier(here, *result.first_non_finite)) result.first_non_finite = here;
  }
  return result;
}

/// Real labels into the bins between `edges`, class ids into `class_count` counts. Throws ShapeError for a class id
/// outside 0..class_count - 1.
inline LabelSummary label_summary(const std::vector<float>& labels, const std::vector<index_t>& classes,
                                  const std::vector<double>& edges, index_t class_count) {
  LabelSummary result;
  std::vector<double> finite;
  for (const float label : labels)
    if (std::isfinite(label)) finite.push_back(double(label));
  result.count = index_t(finite.size());
  result.non_finite = index_t(labels.size() - finite.size());
  if (edges.size() > 1) result.histogram.assign(edges.size() - 1, 0);
  if (!finite.empty()) {
    const auto y = xt::adapt(finite, std::array{finite.size()});
    result.low = xt::amin(y)();
    result.high = xt::amax(y)();
    result.mean = xt::mean(y)();
    result.deviation = result.low < result.high ? std::sqrt(xt::mean(xt::square(y - result.mean))()) : 0.0;
    for (const double label : finite) {
      const auto above = std::upper_bound(edges.begin(), edges.end(), label) - edges.begin();
      if (edges.size() > 1)
        ++result.histogram[std::size_t(std::clamp<std::ptrdiff_t>(above - 1, 0, std::ptrdiff_t(edges.size()) - 2))];
    }
  }
  if (!classes.empty()) result.class_counts.assign(std::size_t(class_count), 0);
  for (const index_t id : classes) {
    if (id < 0 || id >= class_count)
      throw ShapeError(lacuna::detail::cat("statistics: class ", id, " is outside 0..", class_count - 1));
    ++result.class_counts[std::size_t(id)];
  }
  return result;
}

/// Everything about all three splits.
inline DatasetStatistics dataset_statistics(const Dataset& dataset, const StatisticsOptions& options = {}) {
  if (options.label_bins < 1)
    throw OptionError(lacuna::detail::cat("statistics: label_bins is ", options.label_bins, ", expected at least 1"));
  DatasetStatistics result;
  result.name = dataset.name;
  result.class_count = dataset.class_count;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  const auto limits = [&](const auto& split) {
    for (const float label : split.labels)
      if (std::isfinite(label)) low = std::min(low, double(label)), high = std::max(high, double(label));
  };
  limits(dataset.train), limits(dataset.validation), limits(dataset.test);
  if (low <= high) {
    const index_t bins = low < high ? options.label_bins : 1;
    const auto edges = xt::linspace<double>(low, high, std::size_t(bins) + 1);
    result.label_edges.assign(edges.begin(), edges.end());
    result.label_edges.back() = high;  // not rounded
  }
  const auto fill = [&]<Role role>(const Split<role>& split, SplitStatistics& statistics) {
    statistics.role = role;
    statistics.samples = split.size();
    for (const Modality& modality : split.modalities) {
      if (modality.frames.extent(0) != split.size())
        throw ShapeError(lacuna::detail::cat("statistics: ", to_string(role), " has ", modality.frames.extent(0),
                                             " samples of ", modality.name, " and ", split.size(), " ids"));
      statistics.modalities.push_back(modality_statistics(modality));
    }
    statistics.labels = label_summary(split.labels, split.classes, result.label_edges, dataset.class_count);
  };
  fill(dataset.train, result.splits[0]);
  fill(dataset.validation, result.splits[1]);
  fill(dataset.test, result.splits[2]);
  result.repeats = find_repeats(dataset);
  std::array<std::vector<bool>, 3> leaks;
  for (std::size_t s = 0; s < 3; ++s) leaks[s].resize(std::size_t(result.splits[s].samples));
  for (const Repeat& repeat : result.repeats) {
    const auto s = std::size_t(repeat.role);
    if (repeat.role == repeat.earlier_role) {
      ++result.splits[s].repeated;
    } else if (!leaks[s][std::size_t(repeat.sample)]) {
      leaks[s][std::size_t(repeat.sample)] = true;
      ++result.splits[s].in_earlier_split;
    }
  }
  return result;
}

}  // namespace lacuna::data
