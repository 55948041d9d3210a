/// MMIM: mutual information between the modalities, and between each of them and the fusion.  (Han, Chen & Poria, EMNLP
/// 2021, arXiv 2109.00412)
///
///   x_t = mean of the text's frames,  x_a, x_v = linear of the last states of a bidirectional LSTM
///   f   = tanh(W₂ tanh(W₁ [x_t, x_a, x_v])),  M = W₃ f
///   lld = Σ over (t→v), (t→a), (v→a) of mean Σ_d −(μ − y)²/(2 e^ℓ) − ℓ/2,   μ, ℓ perceptrons of x
///   nce = Σ_m mean_i [logsumexp_j ⟨z_i, p_j⟩ − ⟨z_i, p_i⟩],  z = x_m, p = W_m f, both of unit length
///   H   = ¼ Σ over pairs of log det C⁺ + log det C⁻,  C the covariance of tanh(E y) over the positive (negative) samples
///         of this batch and the one before
///   L   = mean |M − label| + alpha · nce − beta · lld − beta · H
/// μ and ℓ maximise lld, the rest of the network too, each with the other held fixed, in one step; the authors give μ and ℓ
/// a pass over the data of their own before every epoch. H joins from the third batch on, where either sign has more samples than
/// the width of E y, a quarter of y.
///
/// A sample without modality m has x_m = 0 and takes part in no term of m. With `published` (github.com/thuiar/MMSA) lld
/// lacks −ℓ/2, so that a large ℓ maximises it, and x_t is the first frame. Defaults: MOSI there. Real labels only.
#pragma once

#include <array>

#include "lacuna/models/baselines/sequence_network.hpp"
#include "lacuna/nn/gaussian_estimator.hpp"
#include "lacuna/nn/subnetwork.hpp"
#include "lacuna/ops/log_det.hpp"
#include "lacuna/ops/matmul.hpp"

namespace lacuna::models {

struct MmimOptions {
  std::vector<index_t> inputs = {};
  index_t text = 0;                               ///< which of them
  index_t first_hidden = 16, second_hidden = 16;  ///< of the LSTMs
  index_t first_out = 16, second_out = 16;        ///< behind them
  index_t hidden = 128;                           ///< of the fusion
  double alpha = 0.1, beta = 0.1;                 ///< weights of nce; of lld and H
  double dropout = 0.1;                           ///< of the fusion's input
  bool published = false;
  RegressionLoss loss = RegressionLoss::l1;
  missing::MrmOptions drop = missing::mrm_preset("none");
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("text", self.text);
    visit("first_hidden", self.first_hidden);
    visit("second_hidden", self.second_hidden);
    visit("first_out", self.first_out);
    visit("second_out", self.second_out);
    visit("hidden", self.hidden);
    visit("alpha", self.alpha);
    visit("beta", self.beta);
    visit("dropout", self.dropout);
    visit("published", self.published);
  }
};

template <class T = float, class D = Cpu>
struct MmimNetwork : SequenceNetwork<MmimNetwork<T, D>, T, D> {
  using Options = MmimOptions;
  using Rows = Variable<T, 2, D>;
  using Number = Variable<T, 0, D>;
  static constexpr const char* name = "MMIM";
  /// t→v, t→a, v→a in a list of text, first (a), second (v).
  static constexpr std::size_t from[3] = {0, 0, 2}, to[3] = {2, 1, 1};

  /// q(y | x), and what the entropy of y is read from.
  struct Pair {
    GaussianEstimator<T, D> likelihood;
    Linear<T, D> entropy;
    static void reflect(auto& self, auto&& visit) {
      self.likelihood.reflect(self.likelihood, visit);
      visit("entropy_prj.0", self.entropy);
    }
  };
  struct Forward {
    std::array<Rows, 3> x;          ///< text, first, second
    std::array<Mask<1, D>, 3> has;  ///< undefined: all
    Rows hidden, score;
  };
  /// tanh(E y) of a batch, by pair and sign (negative, positive).
  using Memory = std::array<std::array<Rows, 2>, 3>;
  /// The same as it is stored, on the host; nothing before the first batch.
  struct Stored {
    index_t batches = 0;
    std::array<Tensor<T, 2>, 6> memory;
    static void reflect(auto& self, auto&& visit) {
      static constexpr const char* names[6] = {"memory0", "memory1", "memory2", "memory3", "memory4", "memory5"};
      visit("batches", self.batches);
      for (std::size_t i = 0; self.batches > 0 && i < 6; ++i) visit(names[i], self.memory[i]);
    }
  };

  Options options;
  LastStateSubnet<T, D> first, second;
  std::vector<Pair> pairs;
  std::vector<Linear<T, D>> predict;  ///< of text, first, second from f
  Linear<T, D> fusion_1, fusion_2, fusion_3;
  mutable Memory memory;  ///< moved by `objective` in training
  mutable index_t batches = 0;

  MmimNetwork() = default;
  MmimNetwork(const Options& o, Random& random) : options(o) {
    const auto in = three_inputs(name, o);
    expect_sizes(name, {o.first_hidden, o.second_hidden, o.first_out, o.second_out, o.hidden});
    first = LastStateSubnet<T, D>({in[1], o.first_hidden, o.first_out, true}, random);
    second = LastStateSubnet<T, D>({in[2], o.second_hidden, o.second_out, true}, random);
    const std::array<index_t, 3> width{in[0], o.first_out, o.second_out};
    const auto layer = [&](index_t i, index_t out) {
      return Linear<T, D>({.in_features = i, .out_features = out}, random);
    };
    for (std::size_t p = 0; p < 3; ++p) {
      const index_t y = width[to[p]];
      pairs.push_back({{width[from[p]], y, random}, layer(y, std::max<index_t>(1, y / 4))});
    }
    for (const index_t w : width) predict.push_back(layer(o.hidden, w));
    fusion_1 = layer(width[0] + width[1] + width[2], o.hidden);
    fusion_2 = layer(o.hidden, o.hidden);
    fusion_3 = layer(o.hidden, 1);
  }

  void save_state(State& state) const {
    Stored stored{batches, {}};
    for (std::size_t i = 0; batches > 0 && i < 6; ++i) stored.memory[i] = to_device<Cpu>(memory[i / 2][i % 2].value());
    state.put_fields(stored);
  }
  void load_state(const State& state) {
    Stored stored;
    state.get_fields(stored);
    batches = stored.batches;
    for (std::size_t i = 0; batches > 0 && i < 6; ++i) memory[i / 2][i % 2] = Rows(to_device<D>(stored.memory[i]));
  }

  Forward forward(const Sequences<T, D>& x, const Context& context) const {
    Forward r;
    r.x = {options.published ? select(x[0].frames, 1, 0) : mean_pool(x[0].frames, x[0].present),
           first(x[1].frames, x[1].present), second(x[2].frames, x[2].present)};
    for (std::size_t m = 0; m < 3; ++m)
      if (!options.published) r.has[m] = any_present(x[m].present);
    const auto joined = lacuna::dropout(concat<T, 2, D>({r.x[0], r.x[1], r.x[2]}, -1), options.dropout, context);
    r.hidden = fusion_2(fusion_1(joined, Activation::tanh), Activation::tanh);
    r.score = fusion_3(r.hidden);
    return r;
  }
  /// Of pair p. held: its estimator is; else with `apart` the representations are.
  Number lld(const Forward& r, std::size_t p, bool held, bool apart) const {
    const Rows &x = r.x[from[p]], &y = r.x[to[p]];
    const auto fit = pairs[p].likelihood(apart ? x.detach() : x, apart ? y.detach() : y, held, !options.published);
    return mean_of(fit, r, from[p], to[p]);
  }
  /// Of modality m.
  Number nce(const Forward& r, std::size_t m) const {
    const auto unit = [](const Rows& z) { return z / norm(z, 2, 1, keepdim); };
    const auto p = unit(predict[m](r.hidden));
    const auto z = r.has[m].defined() ? r.x[m] / (norm(r.x[m], 2, 1, keepdim) + 1e-12) : unit(r.x[m]);
    return mean_of(logsumexp(matmul(z, p, {.transpose_b = true}), 1) - sum(z * p, 1), r, m, m);
  }
  /// tanh(E y) by sign of the label; rows without the modality are left out.
  Memory signs(const Forward& r, const std::vector<double>& labels) const {
    Memory all;
    for (std::size_t p = 0; p < 3; ++p) {
      const auto e = pairs[p].entropy(r.x[to[p]], Activation::tanh);
      const auto there = flags(r.has[to[p]], index_t(labels.size()));
      for (const bool positive : {false, true}) {
        std::vector<index_t> rows;
        for (std::size_t b = 0; b < labels.size(); ++b)
          if (there[b] && (positive ? labels[b] > 0 : labels[b] < 0)) rows.push_back(index_t(b));
        all[p][positive] = index_select(e, 0, std::span<const index_t>(rows));
      }
    }
    return all;
  }
  /// H; undefined where a side has too few samples.
  static Number entropy(const Memory& now, const Memory& before) {
    Number total;
    for (std::size_t p = 0; p < 3; ++p)
      for (const std::size_t s : {1u, 0u}) {
        const auto all = concat<T, 2, D>({before[p][s].detach(), now[p][s]}, 0);
        const index_t count = all.extent(0);
        if (count <= all.extent(1)) return {};
        const auto centred = all - mean(all, 0, keepdim);
        const auto c = scale(matmul(centred, centred, {.transpose_a = true}), 1.0 / double(count));
        const auto term = 0.25 * log_det(c);
        total = total.defined() ? total + term : term;
      }
    return total;
  }
  /// With H against the batch `before`, where it is given. alternate: μ and ℓ learn by a term of their own.
  LossTerms<T, D> losses(const Forward& r, const TrainingBatch<T, D>& batch, const Memory* now, const Memory* before,
                         bool alternate) const {
    static constexpr const char *lld_names[3] = {"lld_tv", "lld_ta", "lld_va"},
                                *nce_names[3] = {"nce_t", "nce_a", "nce_v"};
    Objective<T, D> objective;
    objective.add("task", 1, batch.task_loss(r.score));
    for (std::size_t m = 0; m < 3; ++m) objective.add(nce_names[m], options.alpha, nce(r, m));
    for (std::size_t p = 0; p < 3; ++p) objective.add(lld_names[p], -options.beta, lld(r, p, alternate, false));
    Number h;
    if (before != nullptr) h = entropy(*now, *before);
    if (alternate && !h.defined()) h = Number(Tensor<T, 0, D>::full({}, T(0)));  // every batch has the same terms
    objective.add("H", -options.beta, h);
    if (alternate)
      for (std::size_t p = 0; p < 3; ++p) objective.add("estimate", -1, lld(r, p, false, true));
    return objective.result();
  }
  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context& context) const {
    const Forward r = forward(sequences(batch.seen, options.text), context);
    if (!context.training()) return losses(r, batch, nullptr, nullptr, true);
    const std::vector<T> y = batch.targets.values.to_vector();
    Memory now = signs(r, std::vector<double>(y.begin(), y.end()));
    const auto result = losses(r, batch, &now, batches >= 2 ? &memory : nullptr, true);
    for (auto& pair : now)
      for (auto& side : pair) side = side.detach();
    memory = now;
    ++batches;
    return result;
  }

  static void reflect(auto& self, auto&& visit) {
    visit("acoustic_enc", self.first);
    visit("visual_enc", self.second);
    visit("pairs", self.pairs);
    visit("predict", self.predict);
    visit("fusion_prj.linear_1", self.fusion_1);
    visit("fusion_prj.linear_2", self.fusion_2);
    visit("fusion_prj.linear_3", self.fusion_3);
  }

 private:
  /// Over the samples that have modalities m and n.
  static Number mean_of(const Variable<T, 1, D>& each, const Forward& r, std::size_t m, std::size_t n) {
    const Mask<1, D> has = both(r.has[m], r.has[n]);
    if (!has.defined()) return mean(each);
    const auto all = has.to_vector();
    const auto count = std::count(all.begin(), all.end(), 1);
    return scale(sum(apply_mask(each, has)), count > 0 ? 1.0 / double(count) : 0.0);
  }
};

template <class T = float, class D = Cpu>
using Mmim = Model<MmimNetwork<T, D>>;

}  // namespace lacuna::models
