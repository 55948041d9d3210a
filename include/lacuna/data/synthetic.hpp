/// A synthetic corpus for which the best attainable error of every subset of modalities is known: for tests, examples
/// and first steps.
///
/// A sample has K shared factors s ~ N(0, I), and its label is y = label_deviation / sqrt(K) * sum(s).
/// Modality m (audio, text, video) sees frames
///     x_t = A_m (s + distortion_m d_m) + B_m p_m + frame_noise e_t,   d_m, p_m, e_t ~ N(0, I),
/// where d_m (errors of the modality about the shared factors) and p_m (content unrelated to the label) are private and
/// last for the whole sequence, and e_t is new in every frame. Text sees all shared factors, audio the first two thirds, video the
/// last two thirds: what is lost with one modality is largely, never wholly, contained in the others.
///
/// Shapes: frames (N, max_frames, D) padded with zeros, present (N, max_frames), labels (N); each modality has its own
/// length, uniform in min_frames..max_frames. Features and labels have mean 0; features a variance of about 1.
/// Sample i of a split is a pure function of (seed, split, i), so a larger corpus contains the smaller one.
///
/// `Corpus` (corpus.hpp) tells the best attainable prediction and error for every subset of modalities. With the
/// default options the best MAE is 0.30 with everything, 0.39 with text alone, 0.43 without text, 0.67 with audio or
/// video alone; a constant has 0.96. No modality is absent: a missing-modality protocol takes them away.
///
/// Throws OptionError for options out of range.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include <cmath>

#include "lacuna/core/random.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/data/corpus.hpp"

namespace lacuna {
namespace detail {

inline void check_synthetic(const data::SyntheticOptions& o) {
  const auto at_least = [](const char* name, index_t found, index_t least) {
    if (found < least) throw OptionError(cat("synthetic: ", name, " is ", found, ", expected at least ", least));
  };
  const auto finite = [](const char* name, double found, bool zero) {
    if (!(zero ? found >= 0 : found > 0) || !std::isfinite(found))
      throw OptionError(cat("synthetic: ", name, " is ", found, ", expected a finite number ", zero ? ">= 0" : "> 0"));
  };
  at_least("samples", o.samples, 1);
  at_least("validation", o.validation, 0);
  at_least("test", o.test, 0);
  at_least("min_frames", o.min_frames, 1);
  at_least("max_frames", o.max_frames, o.min_frames);
  at_least("shared_factors", o.shared_factors, 1);
  at_least("private_factors", o.private_factors, 0);
  at_least("text_features", o.text_features, o.shared_factors);  // or the seen factors could not be told apart
  at_least("audio_features", o.audio_features, (2 * o.shared_factors + 2) / 3);
  at_least("video_features", o.video_features, (2 * o.shared_factors + 2) / 3);
  finite("label_deviation", o.label_deviation, false);
  finite("audio_distortion", o.audio_distortion, true);
  finite("text_distortion", o.text_distortion, true);
  finite("video_distortion", o.video_distortion, true);
  finite("private_deviation", o.private_deviation, true);
  finite("frame_noise", o.frame_noise, false);
}

/// Orthogonal columns for the seen factors, of such a length that A s has variance 0.5 per feature on average; B is
/// Gaussian.
inline data::SyntheticChannel synthetic_channel(const char* name, const data::SyntheticOptions& o, index_t features,
                                                index_t first, index_t last, double distortion, RandomStream stream) {
  std::uint64_t drawn = 0;
  data::SyntheticChannel channel{name, distortion, Tensor<double, 2>::zeros({features, o.shared_factors}),
                                 Tensor<double, 2>::zeros({features, o.private_factors})};
  Tensor<double, 2>& a = channel.shared_loading;
  for (index_t k = first; k < last; ++k) {
    for (index_t f = 0; f < features; ++f) a(f, k) = stream.normal(drawn++);
    for (int pass = 0; pass < 2; ++pass)  // Gram and Schmidt, twice for accuracy; columns of length 1
      for (index_t j = first; j <= k; ++j) {
        double product = 0;
        for (index_t f = 0; f < features; ++f) product += a(f, k) * a(f, j);
        for (index_t f = 0; f < features; ++f)
          if (j < k)
            a(f, k) -= product * a(f, j);
          else
            a(f, k) /= std::sqrt(product);
      }
  }
  const double length = std::sqrt(0.5 * double(features) / double(last - first));
  for (index_t f = 0; f < features; ++f)
    for (index_t k = first; k < last; ++k) a(f, k) *= length;
  for (index_t f = 0; f < features; ++f)
    for (index_t k = 0; k < o.private_factors; ++k)
      channel.private_loading(f, k) =
          o.private_deviation / std::sqrt(double(o.private_factors)) * stream.normal(drawn++);
  return channel;
}

template <data::Role role>
void fill_synthetic(data::Split<role>& split, Tensor<double, 2>& factors, index_t samples, const data::Corpus& corpus,
                    const Random& random) {
  const data::SyntheticOptions& o = corpus.options;
  factors = Tensor<double, 2>({samples, o.shared_factors});
  split.labels.resize(std::size_t(samples));
  for (index_t n = 0; n < samples; ++n) split.ids.push_back(cat(data::to_string(role), '_', n));
  for (const data::SyntheticChannel& channel : corpus.channels)
    split.modalities.push_back({channel.name, Tensor<float, 3>::zeros({samples, o.max_frames, channel.features()}),
                                Mask<2>::zeros({samples, o.max_frames})});
  parallel_for(samples, 16, [&](index_t begin, index_t end) {
    for (index_t n = begin; n < end; ++n) {
      Random source = random.split(std::uint64_t(n));
      const RandomStream shared = source.stream(), lengths = source.stream();
      double sum = 0;
      for (index_t k = 0; k < o.shared_factors; ++k) sum += factors(n, k) = shared.normal(std::uint64_t(k));
      split.labels[std::size_t(n)] = float(o.label_deviation / std::sqrt(double(o.shared_factors)) * sum);
      for (std::size_t m = 0; m < corpus.channels.size(); ++m) {
        const data::SyntheticChannel& channel = corpus.channels[m];
        const RandomStream own = source.stream(), noise = source.stream();
        std::vector<double> still(std::size_t(channel.features()), 0.0);  // the part that all frames share
        for (index_t k = 0; k < 2 * o.shared_factors + o.private_factors; ++k) {
          const double factor = k < o.shared_factors ? factors(n, k) : own.normal(std::uint64_t(k - o.shared_factors));
          for (index_t f = 0; f < channel.features(); ++f) still[std::size_t(f)] += channel.loading(f, k) * factor;
        }
        const index_t length = o.min_frames + index_t(lengths.uniform(m) * double(o.max_frames - o.min_frames + 1));
        for (index_t t = 0; t < length; ++t) {
          split.modalities[m].present(n, t) = 1;
          for (index_t f = 0; f < channel.features(); ++f)
            split.modalities[m].frames(n, t, f) =
                float(still[std::size_t(f)] + o.frame_noise * noise.normal(std::uint64_t(t * channel.features() + f)));
        }
      }
    }
  });
}

}  // namespace detail

namespace data {

/// Makes the corpus. The same options give the same bits, with any number of threads.
inline Corpus synthetic(const SyntheticOptions& options = {}) {
  detail::check_synthetic(options);
  const index_t shared = options.shared_factors, part = (2 * shared + 2) / 3;
  const auto size = [&](index_t wanted, index_t share) {
    return wanted > 0 ? wanted : options.samples > share ? options.samples / share : 1;
  };
  const Random random(options.seed);
  Random loadings = random.split(0);
  Corpus corpus;
  corpus.name = "synthetic";
  corpus.options = options;
  corpus.channels.push_back(detail::synthetic_channel("audio", options, options.audio_features, 0, part,
                                                      options.audio_distortion, loadings.stream()));
  corpus.channels.push_back(detail::synthetic_channel("text", options, options.text_features, 0, shared,
                                                      options.text_distortion, loadings.stream()));
  corpus.channels.push_back(detail::synthetic_channel("video", options, options.video_features, shared - part, shared,
                                                      options.video_distortion, loadings.stream()));
  detail::fill_synthetic(corpus.train, corpus.train_factors, options.samples, corpus, random.split(1));
  detail::fill_synthetic(corpus.validation, corpus.validation_factors, size(options.validation, 4), corpus,
                         random.split(2));
  detail::fill_synthetic(corpus.test, corpus.test_factors, size(options.test, 2), corpus, random.split(3));
  return corpus;
}

}  // namespace data
}  // namespace lacuna

#include "lacuna/core/words_back.hpp"
