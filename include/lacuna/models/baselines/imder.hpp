/// IMDer: incomplete multimodality-diffused emotion recognition.  (Wang, Li & Cui, NeurIPS 2023)
///
///   x_m = convolution of stream m (frozen)                            (B, T_m, d), zeros behind up to `score_frames`
///   c   = the other modality that is there, or W [both]               (recovery.hpp)
///   x̂_m = refined sample of a score-based diffusion under c           (nn/score_network.hpp), no gradient to the sample
///   M   = MulT's trunk of x_m where it is there, else x̂_m             (crossmodal_predictor.hpp)
///   L   = task + aux Σ over the missing m of (score loss of x_m under c + mean (x̂_m − x_m)²)
///
/// A first phase trains convolutions and trunk on complete data; what they then say is kept. In training every sample has
/// noise of its own; a prediction takes one fixed draw for all, so that it depends on nothing else. Sampling runs the score
/// network `sampler_steps` times, in every training step too: with the defaults it is by far the slowest model here.
///
/// With `published` (github.com/mdswyz/IMDer): padding as in MulT there. Score networks see every frame, zeros included,
/// in either. There a whole batch misses the same modalities; here every sample its own. Defaults: MOSI there.
#pragma once

#include <numeric>

#include "lacuna/core/row_sums.hpp"
#include "lacuna/models/baselines/recovery.hpp"
#include "lacuna/models/baselines/sequence_network.hpp"
#include "lacuna/nn/score_network.hpp"

namespace lacuna::models {

struct ImderOptions {
  std::vector<index_t> inputs = {};
  index_t text = 0;  ///< which of them
  index_t width = 32, num_heads = 8, layers = 4;
  std::vector<index_t> kernels = {3, 3, 3};              ///< of the convolutions: text, then the others
  index_t score_frames = 48;                             ///< a multiple of 8; longer streams are refused
  std::vector<index_t> score_channels = {64, 128, 256};  ///< of the levels below the first
  index_t score_embedding = 256;                         ///< of the time of the diffusion
  index_t sampler_steps = 100;
  index_t blocks = 20, reduction = 16;               ///< of the recovering groups
  double aux = 0.1;                                  ///< weight of scores and recovery
  std::vector<double> source_dropout = {0, 0.2, 0};  ///< of attention, by the stream that is asked
  double embedding_dropout = 0.2, head_dropout = 0;
  PretrainOptions pretraining = {};
  bool published = false;
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::l1;
  missing::MrmOptions drop = modality_dropping();
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    reflect_crossmodal(self, visit);
    visit("score_frames", self.score_frames);
    visit("score_channels", self.score_channels);
    visit("score_embedding", self.score_embedding);
    visit("sampler_steps", self.sampler_steps);
    visit("blocks", self.blocks);
    visit("reduction", self.reduction);
    visit("aux", self.aux);
    PretrainOptions::reflect(self.pretraining, visit);
  }
};

template <class T = float, class D = Cpu>
struct ImderNetwork : SequenceNetwork<ImderNetwork<T, D>, T, D> {
  using Options = ImderOptions;
  using Number = Variable<T, 0, D>;
  static constexpr const char* name = "IMDer";

  struct Forward {
    Sequences<T, D> own;  ///< behind the convolutions
    std::array<Mask<1, D>, 3> has;
    std::array<Sequence<T, D>, 3> condition, recovered;  ///< undefined where no sample lacks it
    Variable<T, 2, D> hidden, score;
  };

  Options options;
  StreamProjections<T, D> projections;
  CrossmodalPredictor<T, D> predictor;
  std::vector<ScoreNetwork<T, D>> score;
  std::vector<Recovery<T, D>> recovery;
  CompletePhase complete;

  ImderNetwork() = default;
  ImderNetwork(const Options& o, Random& random) : options(o) {
    expect_sizes(name, {o.width, o.score_embedding - 1, o.sampler_steps, o.blocks, o.reduction, o.score_frames});
    if (o.score_channels.size() != 3 || o.score_frames % 8)
      throw OptionError(detail::cat(name, ": score_channels has ", o.score_channels.size(),
                                    " sizes, expected 3; "
                                    "score_frames is ",
                                    o.score_frames, ", expected a multiple of 8"));
    o.pretraining.check(name);
    projections = {three_inputs(name, o), o.width, o.kernels, o.published, random};
    predictor = {crossmodal_options(o), outputs_for(o.classes), random};
    ScoreNetworkOptions s{.channels = {o.width, o.score_channels[0], o.score_channels[1], o.score_channels[2]},
                          .groups = {},
                          .groups_up = {},
                          .embedding = o.score_embedding,
                          .num_heads = o.num_heads,
                          .layers = o.layers,
                          .embedding_dropout = o.embedding_dropout};
    for (std::size_t i = 0; i < 4; ++i) s.groups[i] = std::gcd<index_t>(i == 0 ? 4 : 32, s.channels[i]);
    for (std::size_t i = 0; i < 3; ++i) s.groups_up[i] = std::gcd<index_t>(32, s.channels[2 - i]);
    for (int m = 0; m < 3; ++m) {
      score.push_back({s, random});
      recovery.push_back({o.width, o.blocks, o.reduction, random});
    }
  }

  template <class Feed>
  std::optional<Phase<T, D>> next_phase(const Options& o, const Feed& feed, Random&) {
    return complete.template next<T, D>(*this, o, feed);
  }
  void save_state(State& state) const { state.put_fields(complete); }
  void load_state(const State& state) { state.get_fields(complete); }
  /// Throws OptionError for sequences that are too long.
  void fit(const Options& o, const data::Dataset& data, Random&) {
    refuse_longer(name, "score_frames", o.score_frames, data);
  }

  Sequences<T, D> projected(const Sequences<T, D>& given) const {
    auto x = projections(given);
    for (auto& one : x) {
      one.frames = one.frames.detach();
      one = lengthened(one, options.score_frames, "IMDer: score_frames");
    }
    return x;
  }
  Forward forward(const Sequences<T, D>& given, const Context& context) const {
    const SameRowSums alike;  // the sampler multiplies a rounding a hundredfold: a sample answers as in any batch
    Forward r{.own = projected(given),
              .has = has_modality(given),
              .condition = {},
              .recovered = {},
              .hidden = {},
              .score = {}};
    Sequences<T, D> x = r.own;
    Random fixed(17);
    Random& random = context.training() && context.random != nullptr ? *context.random : fixed;
    for (std::size_t m = 0; m < 3; ++m) {
      if (has_all(r.has[m])) continue;
      const auto [a, b] = other_modalities[m];
      const auto& c = r.condition[m] = recovery[m].source(r.own[a], r.has[a], r.own[b], r.has[b]);
      const auto extents = c.frames.value().extents();
      auto drawn = score[m].sample(c.frames.detach(), options.sampler_steps, [&] {
        if (&random != &fixed) return init::normal<T, 3, D>(extents, 1.0, random);
        const Variable<T, 3, D> one(init::normal<T, 3, D>({1, extents[1], extents[2]}, 1.0, random));
        return expand(one, extents).value();
      });
      if (c.present.defined()) drawn = apply_mask(drawn, c.present);
      r.recovered[m] = recovery[m]({drawn, c.present});
      x[m] = either(r.has[m], r.own[m], r.recovered[m]);
    }
    const auto p = predictor(x, options.head_dropout, context);
    r.hidden = p.hidden, r.score = p.score;
    return r;
  }

  /// whole: before training took something away. Validation has no noise to judge scores by, and leaves them out.
  LossTerms<T, D> losses(const Forward& r, const Sequences<T, D>& given, const TrainingBatch<T, D>& batch,
                         const Context& context) const {
    const auto whole = projected(given);
    const auto had = has_modality(given);
    const Number zero(Tensor<T, 0, D>::full({}, T(0)));
    Number scores = zero, rec = zero;
    for (std::size_t m = 0; m < 3; ++m) {
      if (!r.recovered[m].frames.defined()) continue;
      rec = rec + recovery_loss(r.recovered[m], whole[m], r.has[m]);
      if (!context.training() || context.random == nullptr) continue;
      const auto kept = r.has[m].to_vector();
      auto counted = had[m].to_vector();
      std::vector<double> t;
      for (std::size_t b = 0; b < counted.size(); ++b) {
        counted[b] = counted[b] && !kept[b];
        t.push_back(1e-3 + (1 - 1e-3) * context.random->uniform());
      }
      const auto z = init::normal<T, 3, D>(whole[m].frames.value().extents(), 1.0, *context.random);
      scores = scores + score[m].loss(whole[m].frames, r.condition[m].frames, t, z, context,
                                      Mask<1, D>::from({index_t(counted.size())}, counted));
    }
    return Objective<T, D>()
        .add("task", 1, batch.task_loss(r.score))
        .add("score", options.aux, scores)
        .add("rec", options.aux, rec)
        .result();
  }
  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context& context) const {
    return losses(this->pass(batch.seen, context), sequences(batch.whole, options.text), batch, context);
  }
  static void reflect(auto& self, auto&& visit) {
    self.projections.reflect(self.projections, visit);
    self.predictor.reflect(self.predictor, visit);
    visit("score", self.score);
    visit("recovery", self.recovery);
  }
};

template <class T = float, class D = Cpu>
using Imder = Model<ImderNetwork<T, D>>;

}  // namespace lacuna::models
