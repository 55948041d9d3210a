/// A corpus that needs attention over frames and interactions between modalities, and for which the best attainable
/// error of every subset of modalities is known: what `lacuna train` shows without a data set.
///
///     const auto corpus = lacuna::data::salient({.samples = 2000, .seed = 7});
///     corpus.best(corpus.test, {"audio", "video"}).mae;      // what no predictor undercuts on average
///
/// Three factors: tone u and mood v, which all modalities tell, each with errors of its own, and w, which text alone
/// tells. The label is
///     y = label_scale (u (1 + turn tanh v) + v + own w + label_noise n),
/// where the mood turns the weight of the tone: u is told best by audio, v by video. Only `salient_frames` frames of a
/// modality show them, at places that differ from modality to modality. A mark tells them from distractors, which pretend
/// evidence at least as loud; averages over frames therefore know little. salient_corpus.hpp has the formulas.
///
/// Shapes: frames (N, max_frames, D) padded with zeros, present (N, max_frames), labels (N), or class ids that cut y at the
/// quantiles of `class_shares`. Each modality has its own length, uniform in min_frames..max_frames. A share `absent`
/// of the samples lacks one modality. Sample i of a split is a pure function of (seed, split, i), so that a larger corpus
/// contains the smaller one, with the same bits under any number of threads.
///
/// Throws OptionError for options out of range.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include <cmath>

#include "lacuna/core/random.hpp"
#include "lacuna/data/salient_corpus.hpp"

namespace lacuna {
namespace detail {

inline void check_salient(const data::SalientOptions& o) {
  const auto at_least = [](const char* name, index_t found, index_t least) {
    if (found < least) throw OptionError(cat("salient: ", name, " is ", found, ", expected at least ", least));
  };
  const auto finite = [](const char* name, double found, bool zero) {
    if (!(zero ? found >= 0 : found > 0) || !std::isfinite(found))
      throw OptionError(cat("salient: ", name, " is ", found, ", expected a finite number ", zero ? ">= 0" : "> 0"));
  };
  at_least("samples", o.samples, 1);
  at_least("validation", o.validation, 0);
  at_least("test", o.test, 0);
  at_least("salient_frames", o.salient_frames, 1);
  at_least("min_frames", o.min_frames, o.salient_frames);
  at_least("max_frames", o.max_frames, o.min_frames);
  for (const auto& [name, found] :
       {std::pair("audio_features", o.audio_features), std::pair("text_features", o.text_features),
        std::pair("video_features", o.video_features)})
    at_least(name, found, 4);  // the mark and three factors
  for (const data::Distortions* all : {&o.audio_distortion, &o.text_distortion, &o.video_distortion})
    for (const double one : *all)
      if (!std::isfinite(one)) throw OptionError(cat("salient: a distortion is ", one, ", expected a finite number"));
  finite("turn", o.turn, true);
  finite("own", o.own, true);
  finite("label_noise", o.label_noise, false);
  finite("label_scale", o.label_scale, false);
  finite("mark", o.mark, false);
  finite("distractor_deviation", o.distractor_deviation, true);
  finite("frame_noise", o.frame_noise, true);
  if (!(o.absent >= 0 && o.absent <= 1)) throw OptionError(cat("salient: absent is ", o.absent, ", expected 0..1"));
  double sum = 0;
  for (const double share : o.class_shares) sum += share > 0 ? share : -1e300;
  if (!o.class_shares.empty() && (o.class_shares.size() < 2 || !(std::abs(sum - 1) < 1e-9)))
    throw OptionError("salient: class_shares must be two or more numbers above 0 whose sum is 1");
}

/// A random orthonormal matrix: Gram and Schmidt, twice for accuracy.
inline Tensor<double, 2> random_turn(index_t size, RandomStream stream) {
  Tensor<double, 2> turn({size, size});
  for (index_t k = 0; k < size; ++k) {
    for (index_t f = 0; f < size; ++f) turn(f, k) = stream.normal(std::uint64_t(k * size + f));
    for (int pass = 0; pass < 2; ++pass)
      for (index_t j = 0; j <= k; ++j) {
        double product = 0;
        for (index_t f = 0; f < size; ++f) product += turn(f, k) * turn(f, j);
        for (index_t f = 0; f < size; ++f)
          if (j < k)
            turn(f, k) -= product * turn(f, j);
          else
            turn(f, k) /= std::sqrt(product);
      }
  }
  return turn;
}

/// The frames of sample n in modality m. lasting: the errors d; places, fresh: of the salient frames, of every frame.
template <data::Role role>
void fill_salient_frames(data::Modality& modality, const data::SalientCorpus& corpus, const data::SalientView& view,
                         index_t n, index_t length, Random source, const Tensor<double, 2>& factors) {
  const data::SalientOptions& o = corpus.options;
  const RandomStream lasting = source.stream(), places = source.stream(), fresh = source.stream();
  std::vector<index_t> order(static_cast<std::size_t>(length));
  for (index_t t = 0; t < length; ++t) order[std::size_t(t)] = t;
  std::vector<bool> salient(std::size_t(length), false);
  for (index_t s = 0; s < o.salient_frames; ++s) {
    const index_t drawn = s + std::min(length - s - 1, index_t(places.uniform(std::uint64_t(s)) * double(length - s)));
    std::swap(order[std::size_t(s)], order[std::size_t(drawn)]);
    salient[std::size_t(order[std::size_t(s)])] = true;
  }
  const index_t features = view.features();
  std::vector<double> c(static_cast<std::size_t>(features));
  for (index_t t = 0; t < length; ++t) {
    const auto number = [&](index_t k) { return std::uint64_t(t * features + k); };
    const bool shows = salient[std::size_t(t)];
    c[0] = o.mark * ((shows ? 1.0 : 0.0) + (fresh.uniform(2 * number(0)) - 0.5) / 3);
    for (index_t k = 1; k < features; ++k) {
      const double drawn = fresh.normal(number(k));
      const double spread = k <= 3 ? view.distortion[std::size_t(k - 1)] : 0;
      if (k > 3 || !(spread > 0))
        c[std::size_t(k)] = drawn;
      else if (shows)
        c[std::size_t(k)] = factors(n, k - 1) + spread * lasting.normal(std::uint64_t(k)) + o.frame_noise * drawn;
      else
        c[std::size_t(k)] = o.distractor_deviation * drawn;
    }
    modality.present(n, t) = 1;
    for (index_t f = 0; f < features; ++f) {
      double sum = 0;
      for (index_t k = 0; k < features; ++k) sum += view.turn(f, k) * c[std::size_t(k)];
      modality.frames(n, t, f) = float(sum);
    }
  }
}

template <data::Role role>
void fill_salient(data::Split<role>& split, Tensor<double, 2>& factors, index_t samples,
                  const data::SalientCorpus& corpus, const Random& random) {
  const data::SalientOptions& o = corpus.options;
  factors = Tensor<double, 2>({samples, 3});
  std::vector<double> labels(static_cast<std::size_t>(samples));
  for (index_t n = 0; n < samples; ++n) split.ids.push_back(cat(data::to_string(role), '_', n));
  for (const data::SalientView& view : corpus.views)
    split.modalities.push_back({view.name, Tensor<float, 3>::zeros({samples, o.max_frames, view.features()}),
                                Mask<2>::zeros({samples, o.max_frames})});
  parallel_for(samples, 16, [&](index_t begin, index_t end) {
    for (index_t n = begin; n < end; ++n) {
      Random source = random.split(std::uint64_t(n));
      const RandomStream shared = source.stream(), sizes = source.stream();
      for (index_t k = 0; k < 3; ++k) factors(n, k) = shared.normal(std::uint64_t(k));
      const double u = factors(n, 0), v = factors(n, 1), w = factors(n, 2);
      labels[std::size_t(n)] =
          o.label_scale * (u * (1 + o.turn * std::tanh(v)) + v + o.own * w + o.label_noise * shared.normal(3));
      const auto views = std::uint64_t(corpus.views.size());
      const bool lacks = sizes.uniform(views) < o.absent;
      const auto lost = std::uint64_t(sizes.uniform(views + 1) * double(views));
      for (std::size_t m = 0; m < corpus.views.size(); ++m) {
        const index_t length = o.min_frames + index_t(sizes.uniform(m) * double(o.max_frames - o.min_frames + 1));
        if (!lacks || m != lost)
          fill_salient_frames<role>(split.modalities[m], corpus, corpus.views[m], n, length,
                                    source.split(std::uint64_t(m)), factors);
      }
    }
  });
  for (const double y : labels) {
    if (o.class_shares.empty()) {
      split.labels.push_back(float(y));
      continue;
    }
    index_t k = 0;
    for (const double threshold : corpus.thresholds) k += y > threshold;
    split.classes.push_back(k);
  }
}

}  // namespace detail

namespace data {

/// Makes the corpus. The same options give the same bits, with any number of threads.
inline SalientCorpus salient(const SalientOptions& options = {}) {
  detail::check_salient(options);
  const auto size = [&](index_t wanted, index_t share) {
    return wanted > 0 ? wanted : options.samples > share ? options.samples / share : 1;
  };
  const Random random(options.seed);
  Random turns = random.split(0);
  SalientCorpus corpus;
  corpus.name = "synthetic";
  corpus.options = options;
  const auto view = [&](const char* name, index_t features, const Distortions& distortion) {
    corpus.views.push_back({name, distortion, detail::random_turn(features, turns.stream())});
  };
  view("audio", options.audio_features, options.audio_distortion);
  view("text", options.text_features, options.text_distortion);
  view("video", options.video_features, options.video_distortion);
  corpus.class_count = index_t(options.class_shares.size());
  double share = 0;
  for (std::size_t k = 0; k + 1 < options.class_shares.size(); ++k)
    corpus.thresholds.push_back(corpus.label({}).quantile(share += options.class_shares[k]));
  detail::fill_salient(corpus.train, corpus.train_factors, options.samples, corpus, random.split(1));
  detail::fill_salient(corpus.validation, corpus.validation_factors, size(options.validation, 4), corpus,
                       random.split(2));
  detail::fill_salient(corpus.test, corpus.test_factors, size(options.test, 2), corpus, random.split(3));
  return corpus;
}

}  // namespace data
}  // namespace lacuna

#include "lacuna/core/words_back.hpp"
