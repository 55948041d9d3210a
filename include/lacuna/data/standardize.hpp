/// Every feature to mean 0 and deviation 1: x' = (x - mean) / deviation, then clipped to ±feature_clip where asked.
///
///     const auto standardizer = Standardizer::fit(corpus.train, {.feature_clip = 5});
///     const auto test = standardizer(corpus.test);
///
/// Means and deviations (dividing by the count) are those of the present frames of the training split, and no other
/// split can be passed to `fit`. A feature that is constant there, or never present, keeps its scale: deviation 1.
/// Absent frames are exactly 0 before and after. Errors:
/// OptionError for a feature_clip that is no number >= 0, ShapeError for data of other modalities or sizes.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "lacuna/core/state.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/data/dataset.hpp"
#include "lacuna/data/passed.hpp"

namespace lacuna::data {

/// Mean and deviation of every feature of one modality, (D) each.
struct FeatureStatistics {
  std::string name;
  std::vector<double> mean, deviation;

  static void reflect(auto& self, auto&& visit) {
    visit("name", self.name);
    visit("mean", self.mean);
    visit("deviation", self.deviation);
  }

  /// Two passes, each over the samples in order: the same bits with any number of threads.
  static FeatureStatistics of(const Modality& modality) {
    const index_t rows = modality.present.size(), features = modality.features();
    FeatureStatistics statistics{modality.name, std::vector<double>(std::size_t(features), 0.0),
                                 std::vector<double>(std::size_t(features), 1.0)};
    index_t count = 0;
    for (index_t r = 0; r < rows; ++r) count += modality.present.data()[r] != 0;
    if (count == 0) return statistics;
    const index_t frames = modality.frames.extent(1);
    const auto each = [&](auto&& f) {  // features side by side within a group of samples: a file is read once a pass
      lacuna::detail::each_group(modality, [&](index_t first, index_t last) {
        parallel_for(features, 16, [&](index_t begin, index_t end) {
          for (index_t r = first * frames; r < last * frames; ++r)
            if (modality.present.data()[r])
              for (index_t d = begin; d < end; ++d) f(std::size_t(d), modality.frames.data()[r * features + d]);
        });
      });
    };
    const auto width = std::size_t(features);
    std::vector<float> low(width, HUGE_VALF), high(width, -HUGE_VALF);
    std::vector<double> squares(width, 0.0);
    auto& mean_of = statistics.mean;
    each([&](std::size_t d, float x) {
      mean_of[d] += double(x);
      low[d] = std::min(low[d], x);
      high[d] = std::max(high[d], x);
    });
    for (double& mean_of_feature : mean_of) mean_of_feature /= double(count);
    each([&](std::size_t d, float x) { squares[d] += (double(x) - mean_of[d]) * (double(x) - mean_of[d]); });
    for (std::size_t d = 0; d < width; ++d)
      // Rounding gives a constant feature a tiny deviation, which would blow noise up; low == high does not round.
      if (low[d] < high[d]) statistics.deviation[d] = std::sqrt(squares[d] / double(count));
    return statistics;
  }
};

class Standardizer {
 public:
  struct Options {
    double feature_clip = 0;  ///< in deviations; 0 = never
  };

  std::vector<FeatureStatistics> modalities;  ///< in the order of the data set
  double feature_clip = 0;

  static Standardizer fit(const Split<Role::train>& train) { return fit(train, Options{}); }
  static Standardizer fit(const Split<Role::train>& train, Options options) {
    if (!(options.feature_clip >= 0))
      throw OptionError(detail::cat("standardize: feature_clip is ", options.feature_clip, ", expected 0 or more"));
    Standardizer standardizer;
    standardizer.feature_clip = options.feature_clip;
    for (const Modality& modality : train.modalities)
      standardizer.modalities.push_back(FeatureStatistics::of(modality));
    return standardizer;
  }

  /// A split with new frames; everything else is shared or copied.
  template <Role role>
  Split<role> operator()(Split<role> split) const {
    expect_count(split.modalities.size());
    for (std::size_t m = 0; m < modalities.size(); ++m) {
      Modality& modality = split.modalities[m];
      if (modality.name != modalities[m].name)
        throw ShapeError(
            detail::cat("standardize: modality ", m, " is ", modality.name, ", expected ", modalities[m].name));
      modality.frames = apply(m, modality.frames, modality.present);
    }
    return split;
  }
  Dataset operator()(Dataset dataset) const {
    dataset.train = (*this)(std::move(dataset.train));
    dataset.validation = (*this)(std::move(dataset.validation));
    dataset.test = (*this)(std::move(dataset.test));
    return dataset;
  }
  /// A batch with new frames.
  template <class T>
  Batch<T> operator()(Batch<T> batch) const {
    expect_count(batch.streams.size());
    for (std::size_t m = 0; m < modalities.size(); ++m)
      batch.streams[m].frames = apply(m, batch.streams[m].frames, batch.streams[m].present);
    return batch;
  }
  /// frames (N, T, D), present (N, T) of modality m -> (N, T, D); in place when nobody else sees the frames.
  template <class T>
  Tensor<T, 3> apply(std::size_t m, Tensor<T, 3> frames, const Mask<2>& present) const {
    if (m >= modalities.size())
      throw ShapeError(detail::cat("standardize: modality ", m, ", ", modalities.size(), " were fitted"));
    const FeatureStatistics& statistics = modalities[m];
    const index_t rows = present.size(), features = index_t(statistics.mean.size());
    detail::expect_shape("standardize", statistics.name.c_str(), frames.shape(),
                         {present.extent(0), present.extent(1), features});
    Tensor<T, 3> result = frames.sole() ? frames : Tensor<T, 3>(frames.extents());
    parallel_for(rows, detail::row_grain(features), [&](index_t begin, index_t end) {
      for (index_t r = begin; r < end; ++r) {
        const T* from = std::as_const(frames).data() + r * features;
        T* to = result.data() + r * features;
        for (index_t d = 0; d < features; ++d) {
          double x = (double(from[d]) - statistics.mean[std::size_t(d)]) / statistics.deviation[std::size_t(d)];
          if (feature_clip > 0) x = std::clamp(x, -feature_clip, feature_clip);
          to[d] = present.data()[r] ? T(x) : T(0);
        }
      }
    });
    return result;
  }

  static void reflect(auto& self, auto&& visit) {
    visit("modalities", self.modalities);
    visit("feature_clip", self.feature_clip);
  }
  void save_state(State& state) const { state.put_fields(*this); }
  void load_state(const State& state) {
    state.get_fields(*this);
    for (const FeatureStatistics& stored : modalities)
      if (stored.mean.size() != stored.deviation.size())
        throw ShapeError(detail::cat("standardize: stored ", stored.name, " has ", stored.mean.size(), " means and ",
                                     stored.deviation.size(), " deviations"));
  }

 private:
  void expect_count(std::size_t found) const {
    if (found != modalities.size())
      throw ShapeError(detail::cat("standardize: ", found, " modalities, expected ", modalities.size()));
  }
};

/// The same for real labels.
struct LabelStatistics {
  double mean = 0, deviation = 1;

  /// Throws ShapeError when the training split has no real labels. Constant labels keep deviation 1.
  static LabelStatistics fit(const Split<Role::train>& train) {
    if (train.labels.empty()) throw ShapeError("label statistics: the training split has no real labels");
    LabelStatistics statistics;
    for (const float label : train.labels) statistics.mean += double(label);
    statistics.mean /= double(train.labels.size());
    double squares = 0;
    for (const float label : train.labels)
      squares += (double(label) - statistics.mean) * (double(label) - statistics.mean);
    const auto [low, high] = std::minmax_element(train.labels.begin(), train.labels.end());
    if (*low < *high) statistics.deviation = std::sqrt(squares / double(train.labels.size()));
    return statistics;
  }
  double standardize(double label) const { return (label - mean) / deviation; }
  double restore(double standardized) const { return mean + deviation * standardized; }
};

}  // namespace lacuna::data

#include "lacuna/core/words_back.hpp"
