/// The options of SDUMC, and the views of its modalities.
#pragma once

#include <algorithm>
#include <vector>

#include "lacuna/losses/contrastive.hpp"
#include "lacuna/losses/ranking.hpp"
#include "lacuna/missing/sampler.hpp"

namespace lacuna::models {

/// MIA: off (the module the authors' training script imports), on with the transition's output as residual (their second
/// file), on with the stand-in itself as residual (closest to the paper's words).
enum class Imagination { off, transition, input };

/// masked: attention sees true frames only, a sample's prediction does not depend on its batch mates.
/// published: the padded frames of a batch take part, as in the authors' runs.
enum class Padding { masked, published };

/// Weights of the six loss terms; defaults as in the authors' released training script.
struct SdumcWeights {
  double full = 0.5, missing = 0.5, text = 0.1, query = 0.7, feature = 0.13, contrast = 0.5;
};

/// Where the stand-in of the missing modality comes from.
struct SimulatorOptions {
  index_t stream = -1;  ///< a stream of the data set, by position after the modalities; -1 = made by a learned decoder
  index_t slots = 8;    ///< frames that the decoder makes at most
  index_t width = 32;   ///< its inner size; narrow, so that it does not learn the training split by heart
  index_t num_heads = 4;
  double dropout = 0.1;
  index_t epochs = 30;  ///< at most; it stops when a held-out part of the training split improves no more
  index_t patience = 4;
  index_t batch = 64;
  double learning_rate = 1e-3;
};

/// Training takes nothing away but the modality that may be missing.
inline missing::MrmOptions sdumc_no_drop() { return missing::mrm_preset("none"); }

/// Defaults: the sizes of the published model.
struct SdumcOptions {
  std::vector<index_t> inputs;   ///< feature size of every modality, at least two of them
  index_t missing = 1;           ///< the modality that may be missing and has a simulated stand-in (text)
  index_t width = 256;           ///< g, common size
  index_t fused = 128;           ///< h, size of the fused representation
  index_t contrast = 64;         ///< r, size of the contrastive head
  index_t bottleneck = 0;        ///< of the first MIA net; 0 = width / 2
  index_t fused_bottleneck = 0;  ///< of the second MIA net; 0 = fused / 2
  Imagination imagination = Imagination::input;
  Padding padding = Padding::masked;
  double frame_dropout = 0.5;  ///< in both attention stages
  double dropout = 0.3;        ///< in every MLP block
  double scale = 0.3;          ///< of the attention scores
  SdumcWeights weights = {};
  RankNContrastOptions ranking = {};  ///< τ = 2, slack 1e-4
  index_t classes = 0;  ///< K class ids as labels: cross-entropy for MSE, supervised contrast for ranks; 0: real labels
  SupConOptions classes_contrast = {};
  /// What else training takes away, from both flows alike, so that any subset may be missing later.
  missing::MrmOptions drop = sdumc_no_drop();
  SimulatorOptions simulator = {};
  bool standardize = true;         ///< every feature to mean 0 and deviation 1 of the training split, clipped
  bool standardize_labels = true;  ///< the same for real labels; false: as the authors trained
  double feature_clip = 5;         ///< of standardised features, in deviations; 0 = never

  /// Scores per sample.
  index_t outputs() const { return classes > 0 ? classes : 1; }

  static void reflect(auto& self, auto&& visit) {
    visit("inputs", self.inputs);
    visit("missing", self.missing);
    visit("width", self.width);
    visit("fused", self.fused);
    visit("contrast", self.contrast);
    visit("bottleneck", self.bottleneck);
    visit("fused_bottleneck", self.fused_bottleneck);
    visit("imagination", self.imagination);
    visit("padding", self.padding);
    visit("frame_dropout", self.frame_dropout);
    visit("dropout", self.dropout);
    visit("scale", self.scale);
    visit("weight_full", self.weights.full);
    visit("weight_missing", self.weights.missing);
    visit("weight_text", self.weights.text);
    visit("weight_query", self.weights.query);
    visit("weight_feature", self.weights.feature);
    visit("weight_contrast", self.weights.contrast);
    visit("ranking_temperature", self.ranking.temperature);
    visit("ranking_slack", self.ranking.slack);
    visit("classes", self.classes);
    visit("classes_temperature", self.classes_contrast.temperature);
    visit("classes_normalize", self.classes_contrast.normalize);
    missing::MrmOptions::reflect(self.drop, visit);
    visit("simulated_stream", self.simulator.stream);
    visit("simulator_slots", self.simulator.slots);
    visit("simulator_width", self.simulator.width);
    visit("simulator_num_heads", self.simulator.num_heads);
    visit("simulator_dropout", self.simulator.dropout);
    visit("simulator_epochs", self.simulator.epochs);
    visit("simulator_patience", self.simulator.patience);
    visit("simulator_batch", self.simulator.batch);
    visit("simulator_learning_rate", self.simulator.learning_rate);
    visit("standardize", self.standardize);
    visit("standardize_labels", self.standardize_labels);
    visit("feature_clip", self.feature_clip);
  }
};

/// The views of M modalities: the full set; every set without one modality (without the last, the first, the second, ...);
/// every single modality. Sets that coincide count once: M = 2 gives three views, M = 3 the seven of the paper
/// (fused, at, tv, av, a, t, v for audio, text, video), M > 3 gives 2M + 1.
/// view[m] = 1: modality m belongs to it. A view of one modality takes its vector as it is; all others weigh by the gates.
inline std::vector<std::vector<std::uint8_t>> sdumc_views(index_t modalities) {
  const auto m = std::size_t(modalities);
  std::vector<std::vector<std::uint8_t>> views{std::vector<std::uint8_t>(m, 1)};
  if (m > 2) {
    for (std::size_t i = 0; i < m; ++i) {
      views.emplace_back(m, std::uint8_t(1));
      views.back()[(i + m - 1) % m] = 0;
    }
  }
  for (std::size_t i = 0; i < m; ++i) {
    views.emplace_back(m, std::uint8_t(0));
    views.back()[i] = 1;
  }
  return views;
}

}  // namespace lacuna::models
