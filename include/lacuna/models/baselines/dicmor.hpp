/// DiCMoR: distribution-consistent modal recovering.  (Wang, Cui & Li, ICCV 2023)
///
///   x_m = convolution of stream m (frozen),  z_m, δ_m = F_m(x_m)      a flow and its log det of every frame (nn/flow.hpp)
///   x̂_m = what the others say through F_m backwards, refined          F_m⁻¹(z_n), no gradient to it (recovery.hpp)
///   M   = MulT's trunk of x_m where it is there, else x̂_m             (crossmodal_predictor.hpp)
///   L   = task + aux (Σ_m flow_m + mean over the missing m of mean (x̂_m − x_m)²)
///   flow_m = max(0, −(Σ δ_m + Σ log N(z_m; μ_y, σ_y)) / (ln 2 · frames · d))
///
/// N has a mean and a deviation for every class y and feature; of real labels the classes are the nearest of −3, …, 3, so
/// that they are not standardised by default. A first phase trains convolutions and trunk on complete data; what they then
/// say is kept. Where a sample lacks two modalities both come from the third; where it lacks one, from both others joined.
/// A missing stream is as long as those it comes from.
///
/// With `published` (github.com/mdswyz/DiCMoR): padding as in MulT, and a flow that leaves its features in their order, so
/// that the first half never changes; here they are reversed between couplings, in the place of Glow's 1×1 convolution
/// and activation norm, which that code makes and never calls. There a whole batch misses the same modalities; here every
/// sample its own. Defaults: MOSI there.
#pragma once

#include <cmath>

#include "lacuna/models/baselines/crossmodal_predictor.hpp"
#include "lacuna/models/baselines/recovery.hpp"
#include "lacuna/models/baselines/sequence_network.hpp"
#include "lacuna/models/pretrain.hpp"
#include "lacuna/nn/flow.hpp"

namespace lacuna::models {

struct DicmorOptions {
  std::vector<index_t> inputs = {};
  index_t text = 0;  ///< which of them
  index_t width = 32, num_heads = 8, layers = 4;
  std::vector<index_t> kernels = {5, 5, 5};          ///< of the convolutions: text, then the others
  index_t flow_steps = 32, flow_hidden = 64;         ///< couplings of every flow, and their inner width
  index_t blocks = 20, reduction = 16;               ///< of the recovering groups
  double aux = 0.1;                                  ///< weight of flows and recovery
  std::vector<double> source_dropout = {0, 0.2, 0};  ///< of attention, by the stream that is asked
  double embedding_dropout = 0.2, head_dropout = 0;
  PretrainOptions pretraining = {};
  bool published = false;
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::l1;
  missing::MrmOptions drop = modality_dropping();
  bool standardize = true, standardize_labels = false;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    reflect_crossmodal(self, visit);
    visit("standardize_labels", self.standardize_labels);
    visit("flow_steps", self.flow_steps);
    visit("flow_hidden", self.flow_hidden);
    visit("blocks", self.blocks);
    visit("reduction", self.reduction);
    visit("aux", self.aux);
    PretrainOptions::reflect(self.pretraining, visit);
  }
};

template <class T = float, class D = Cpu>
struct DicmorNetwork : SequenceNetwork<DicmorNetwork<T, D>, T, D> {
  using Options = DicmorOptions;
  using Number = Variable<T, 0, D>;
  static constexpr const char* name = "DiCMoR";

  /// Mean and log deviation of a class, each of every feature.
  struct Prior {
    Parameter<T, 1, D> bias, scale;  ///< (2d): both are 0 at the start, bias · exp(3 scale) is what they are
    static void reflect(auto& self, auto&& visit) {
      visit("conv.bias", self.bias);
      visit("scale", self.scale);
    }
  };
  /// Streams behind their convolutions, and their flows.
  struct Flowed {
    Sequences<T, D> x;
    std::array<typename NormalizingFlow<T, D>::Result, 3> flow;
  };
  struct Forward {
    Flowed own;
    std::array<Mask<1, D>, 3> has;
    std::array<Sequence<T, D>, 3> recovered;  ///< undefined where no sample lacks it
    Variable<T, 2, D> hidden, score;
  };

  Options options;
  StreamProjections<T, D> projections;
  CrossmodalPredictor<T, D> predictor;
  std::vector<NormalizingFlow<T, D>> flow;
  std::vector<Prior> prior;
  std::vector<Recovery<T, D>> recovery;
  CompletePhase complete;

  DicmorNetwork() = default;
  DicmorNetwork(const Options& o, Random& random) : options(o) {
    expect_sizes(name, {o.width, o.flow_steps, o.flow_hidden, o.blocks, o.reduction});
    o.pretraining.check(name);
    projections = {three_inputs(name, o), o.width, o.kernels, o.published, random};
    predictor = {crossmodal_options(o), outputs_for(o.classes), random};
    for (int m = 0; m < 3; ++m) {
      flow.push_back({{o.width, o.flow_hidden, o.flow_steps, !o.published}, random});
      recovery.push_back({o.width, o.blocks, o.reduction, random});
    }
    const auto zeros = [&] { return Parameter<T, 1, D>(Tensor<T, 1, D>::zeros({2 * o.width})); };
    for (index_t k = 0; k < (o.classes > 0 ? o.classes : 7); ++k) prior.push_back({zeros(), zeros()});
  }

  template <class Feed>
  std::optional<Phase<T, D>> next_phase(const Options& o, const Feed& feed, Random&) {
    return complete.template next<T, D>(*this, o, feed);
  }
  void save_state(State& state) const { state.put_fields(complete); }
  void load_state(const State& state) { state.get_fields(complete); }

  Flowed flowed(const Sequences<T, D>& given) const {
    Flowed r{projections(given), {}};
    for (std::size_t m = 0; m < 3; ++m) {
      r.x[m].frames = r.x[m].frames.detach();
      r.flow[m] = flow[m](r.x[m].frames);
    }
    return r;
  }
  Forward forward(const Sequences<T, D>& given, const Context& context) const {
    Forward r{.own = flowed(given), .has = has_modality(given), .recovered = {}, .hidden = {}, .score = {}};
    Sequences<T, D> x = r.own.x;
    for (std::size_t m = 0; m < 3; ++m) {
      if (has_all(r.has[m])) continue;
      const auto [a, b] = other_modalities[m];
      const auto through = [&](std::size_t n) {
        const NoGrad off;
        const auto& there = r.own.x[n].present;
        const auto back = flow[m].inverse(r.own.flow[n].z.detach());  // of an absent frame, too
        return Sequence<T, D>{there.defined() ? apply_mask(back, there) : back, there};
      };
      r.recovered[m] = recovery[m](recovery[m].source(through(a), r.has[a], through(b), r.has[b]));
      x[m] = either(r.has[m], r.own.x[m], r.recovered[m]);
    }
    const auto p = predictor(x, options.head_dropout, context);
    r.hidden = p.hidden, r.score = p.score;
    return r;
  }

  /// whole: before training took something away.
  LossTerms<T, D> losses(const Forward& r, const Flowed& whole, const TrainingBatch<T, D>& batch) const {
    static constexpr const char* names[3] = {"flow_l", "flow_a", "flow_v"};
    Objective<T, D> objective;
    objective.add("task", 1, batch.task_loss(r.score));
    for (std::size_t m = 0; m < 3; ++m) objective.add(names[m], options.aux, flow_loss(whole, m, batch.targets));
    Number rec(Tensor<T, 0, D>::full({}, T(0)));
    int count = 0;
    for (std::size_t m = 0; m < 3; ++m)
      if (r.recovered[m].frames.defined()) rec = rec + recovery_loss(r.recovered[m], whole.x[m], r.has[m]), ++count;
    return objective.add("rec", options.aux, scale(rec, 1.0 / std::max(count, 1))).result();
  }
  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context& context) const {
    return losses(this->pass(batch.seen, context), flowed(sequences(batch.whole, options.text)), batch);
  }
  static void reflect(auto& self, auto&& visit) {
    self.projections.reflect(self.projections, visit);
    self.predictor.reflect(self.predictor, visit);
    visit("flow", self.flow);
    visit("prior", self.prior);
    visit("recovery", self.recovery);
  }

 private:
  /// The class of a sample; −1 without a label.
  index_t class_of(double value, index_t id) const {
    if (id < 0 || options.classes > 0) return id;
    if (!std::isfinite(value)) return -1;
    return index_t(std::clamp(std::nearbyint(value), -3.0, 3.0)) + 3;
  }
  Number flow_loss(const Flowed& whole, std::size_t m, const Targets<T, D>& targets) const {
    const auto& [z, log_det] = whole.flow[m];
    const index_t batch = z.extent(0), frames = z.extent(1), d = z.extent(2);
    const auto values = targets.values.defined() ? targets.values.to_vector() : std::vector<T>();
    std::vector<index_t> classes;
    std::vector<std::uint8_t> counted;
    const auto& present = whole.x[m].present;
    const auto there =
        present.defined() ? present.to_vector() : std::vector<std::uint8_t>(std::size_t(batch * frames), 1);
    index_t count = 0;
    for (index_t b = 0; b < batch; ++b) {
      const index_t k = class_of(values.empty() ? 0 : double(values[std::size_t(b)]), targets.classes[std::size_t(b)]);
      classes.push_back(std::max<index_t>(k, 0));
      for (index_t t = 0; t < frames; ++t) {
        counted.push_back(k >= 0 && there[std::size_t(b * frames + t)]);
        count += counted.back();
      }
    }
    std::vector<Variable<T, 1, D>> rows;
    for (const Prior& p : prior) {
      const Variable<T, 1, D>&bias = p.bias, &scale = p.scale;
      rows.push_back(bias * exp(3.0 * scale));
    }
    const auto of = reshape(index_select(stack(rows, 0), 0, std::span<const index_t>(classes)), batch, 1, 2 * d);
    const auto mean = slice(of, 2, 0, d), deviation = slice(of, 2, d, d);
    const auto density =
        -0.5 * std::log(2 * std::acos(-1.0)) - deviation - 0.5 * square(z - mean) * exp(-2.0 * deviation);
    const auto each = apply_mask(log_det + sum(density, 2), Mask<2, D>::from({batch, frames}, counted));
    return relu(scale(sum(each), count > 0 ? -1.0 / (std::log(2.0) * double(count * d)) : 0.0));
  }
};

template <class T = float, class D = Cpu>
using Dicmor = Model<DicmorNetwork<T, D>>;

}  // namespace lacuna::models
