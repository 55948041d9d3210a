/// SDUMC made robust: any modality may be missing, the two flows are one function of what is present.
/// (after Weng, Wang, Gao, Li, Niu & Du, ICASSP 2025, arXiv 2410.15029; docs/research/sdumc.md says what was changed)
///
///     models::RobustSdumc<> model({.inputs = corpus.dimensions()}, Random(7));
///     train::fit(model, corpus, {.epochs = 40, .learning_rate = 1e-3});
///
/// With a_m = 1 where a sample has something of modality m, else 0, and a the M flags of a sample:
///   projection      x_m = Lin_m(X_m)                                                       (B, T_m, g)
///   UMCA stage 1    p_m = pooling of x_m by a learnable query,  H_m = a_m MLP(p_m)         (B, g)
///   imagination     Ĥ_m = MIA_m([H_1; …; 0; …; H_M]) without H_m,  H̃_m = H_m + (1 − a_m) Ĥ_m
///   gates           w = softmax over present m of Lin(MLP([H̃; a]))                          (B, M)
///   views           q_i = MLP_i(Σ_{m∈S_i} w_m H̃_m), or MLP_i(H̃_m) for one modality          (B, V, g)
///   UMCA stage 2    O_m = cross-attention of the views to the frames of m,  C_m = MLP(O_m) (B, V, h)
///   fusion          G = Σ_m w_m C_m,  u = Lin(MLP([vec G; a])),  z = Σ_i u_i G_i           (B, h)
///   heads           s = mean over present m of Lin_m(H_m) + Lin(MLP([z; a])), or an average of both: Joint (B, outputs)
/// The complete flow is this function of a whole sample, the missing flow of what training left of it. In inference a
/// sample is given to it as it is. An absent modality enters no attention, no gate and no sum: whatever its frames hold
/// changes nothing.
///
/// Loss, flow 0 complete and flow 1 missing, sg = stop-gradient, own: the heads Lin_m(H_m) where m is present:
///   L = full task_0 + missing task_1 + own (own_0 + own_1) / 2
///       + imagined mean_m rms(Ĥ¹_m − sg H⁰_m) over the samples that lost m + feature rms(z¹ − sg z⁰)
#pragma once

#include "lacuna/losses/objective.hpp"
#include "lacuna/losses/regression.hpp"
#include "lacuna/models/sdumc/options.hpp"
#include "lacuna/models/sdumc/robust_options.hpp"
#include "lacuna/nn/attention_pooling.hpp"
#include "lacuna/nn/imagination.hpp"
#include "lacuna/nn/present_encoder.hpp"
#include "lacuna/ops/softmax.hpp"

namespace lacuna::models {

/// What a flow computed, in the order above; one entry per modality.
template <class T, class D = Cpu>
struct RobustSdumcFlow {
  List<Mask<1, D>> present;          ///< a_m (B)
  List<Variable<T, 2, D>> hidden;    ///< H_m
  List<Variable<T, 2, D>> imagined;  ///< Ĥ_m; none where imagination is off
  Variable<T, 2, D> gates;           ///< w
  List<Tensor<T, 4, D>> attention;   ///< (B, 1, V, T_m)
  Variable<T, 2, D> fused;           ///< z
  List<Variable<T, 2, D>> own;       ///< scores of single modalities; none without evidence
  Variable<T, 2, D> scores;
};

template <class T = float, class D = Cpu>
struct RobustSdumcNetwork {
  using scalar = T;
  using device = D;
  using Options = RobustSdumcOptions;
  static constexpr const char* name = "SDUMC";

  RobustSdumcOptions options;
  std::vector<std::vector<std::uint8_t>> views;
  std::vector<Linear<T, D>> projection;
  std::vector<AttentionPooling<T, D>> pooling;
  std::vector<Mlp<T, D>> hidden;
  std::vector<ImaginationAutoencoder<T, D>> imagination;
  Mlp<T, D> gate_mlp;
  Linear<T, D> gate;
  std::vector<Mlp<T, D>> view_query;
  std::vector<ViewCrossAttention<T, D>> cross_attention;
  std::vector<Mlp<T, D>> content;
  Mlp<T, D> view_mlp, head_mlp;
  Linear<T, D> view_gate, head;
  std::vector<Linear<T, D>> own;

  RobustSdumcNetwork() = default;
  /// Throws OptionError for sizes that make no network.
  RobustSdumcNetwork(const Options& o, Random& random);

  RobustSdumcFlow<T, D> flow(const Streams<T, D>& streams, const Context& context) const;

  Variable<T, 2, D> operator()(const Streams<T, D>& streams, const Context& context) const {
    return flow(streams, context).scores;
  }
  /// z (B, fused).
  Variable<T, 2, D> embed(const Streams<T, D>& streams, const Context& context) const {
    return flow(streams, context).fused;
  }
  /// (B, 1, V, T_m) of every modality: how the views attend to its frames.
  List<Tensor<T, 4, D>> attention(const Streams<T, D>& streams) const { return flow(streams, {}).attention; }
  std::vector<missing::MissingSpec> conditions(const Options& o, const std::vector<std::string>& names) const {
    return missing::subset_specs(names, o.inputs.size());
  }
  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context& context) const;
  bool replayable() const { return true; }

  static void reflect(auto& self, auto&& visit) {
    visit("projection", self.projection);
    visit("pooling", self.pooling);
    visit("hidden", self.hidden);
    visit("imagination", self.imagination);
    visit("gate_mlp", self.gate_mlp);
    visit("gate", self.gate);
    visit("view_query", self.view_query);
    visit("cross_attention", self.cross_attention);
    visit("content", self.content);
    visit("view_mlp", self.view_mlp);
    visit("view_gate", self.view_gate);
    visit("head_mlp", self.head_mlp);
    visit("head", self.head);
    visit("own", self.own);
  }

 private:
  /// a (B, M), as numbers or as a mask.
  template <class F>
  static Tensor<F, 2, D> flags(const List<Mask<1, D>>& present) {
    const index_t batch = present[0].size(), count = index_t(present.size());
    Tensor<F, 2, D> all({batch, count});
    for (index_t m = 0; m < count; ++m)
      Kernels<D>::LossRows::flags(batch, present[std::size_t(m)].data(), count, all.data() + m);
    return all;
  }
  /// The task loss of the heads of single modalities, the mean over modalities.
  static Variable<T, 0, D> own_loss(const TrainingBatch<T, D>& batch, const RobustSdumcFlow<T, D>& flow,
                                    const List<Present<D>>& has) {
    Variable<T, 0, D> total;
    for (std::size_t m = 0; m < flow.own.size(); ++m) {
      const auto term =
          batch.task->template loss<T, D>(flow.own[m], batch.targets, has[m].and_in(batch.targets.present));
      total = m == 0 ? term : total + term;
    }
    return (1.0 / double(flow.own.size())) * total;
  }
};

template <class T, class D>
RobustSdumcNetwork<T, D>::RobustSdumcNetwork(const Options& o, Random& random)
    : options(o), views(sdumc_views(index_t(o.inputs.size()))) {
  const index_t m = index_t(o.inputs.size()), g = o.width, h = o.fused, v = index_t(views.size());
  if (m < 2) throw OptionError(detail::cat("SDUMC: needs at least two modalities, found ", m));
  if (g < 2 || h < 2) throw OptionError(detail::cat("SDUMC: width ", g, " and fused ", h, " are too small"));
  o.drop.check(m);
  const index_t flag = o.presence ? m : 0;
  const UmcaOptions umca{.embed_dim = g, .scale = o.scale, .dropout = o.frame_dropout};
  const auto mlp = [&](std::vector<index_t> sizes) {
    return Mlp<T, D>({.sizes = std::move(sizes), .dropout = o.dropout}, random);
  };
  for (const index_t in : o.inputs) {
    projection.emplace_back(typename Linear<T, D>::Options{in, g}, random);
    pooling.emplace_back(umca, random);
    hidden.push_back(mlp({g, g, g}));
    cross_attention.emplace_back(umca, random);
    content.push_back(mlp({g, g, h}));
    if (o.imagine)
      imagination.emplace_back(
          typename ImaginationAutoencoder<T, D>::Options{m, g, o.bottleneck > 0 ? o.bottleneck : g / 2,
                                                         ImaginationResidual::transition},
          random);
    if (o.evidence) own.emplace_back(typename Linear<T, D>::Options{g, o.outputs()}, random);
  }
  gate_mlp = mlp({m * g + flag, g, g});
  gate = Linear<T, D>({.in_features = g, .out_features = m}, random);
  for (index_t i = 0; i < v; ++i) view_query.push_back(mlp({g, g}));
  view_mlp = mlp({v * h + flag, g, h});
  view_gate = Linear<T, D>({.in_features = h, .out_features = v}, random);
  head_mlp = mlp({h + flag, h});
  head = Linear<T, D>({.in_features = h, .out_features = o.outputs()}, random);
}

template <class T, class D>
RobustSdumcFlow<T, D> RobustSdumcNetwork<T, D>::flow(const Streams<T, D>& streams, const Context& context) const {
  using Vectors = List<Variable<T, 2, D>>;
  const std::size_t m = projection.size();
  if (streams.size() < m) throw ShapeError(detail::cat("SDUMC: ", streams.size(), " streams for ", m, " modalities"));
  const index_t batch = streams[0].frames.extent(0), h = options.fused, v = index_t(views.size());
  RobustSdumcFlow<T, D> flow;
  List<Variable<T, 3, D>> frames;
  for (std::size_t i = 0; i < m; ++i) {
    const Mask<2, D>& present = streams[i].present;
    flow.present.push_back(any_present(present));
    frames.push_back(linear_present(projection[i], streams[i].frames, present, Rows::automatic));
    const auto pooled = pooling[i](frames[i], present, context).pooled;
    flow.hidden.push_back(apply_mask(hidden[i](pooled, context), flow.present[i]));
  }
  Vectors vectors = flow.hidden;  // H̃
  const Variable<T, 2, D> nothing(Tensor<T, 2, D>::zeros({batch, options.width}));
  for (std::size_t i = 0; i < imagination.size(); ++i) {
    Vectors others = flow.hidden;
    others[i] = nothing;
    flow.imagined.push_back(imagination[i](others, i));
    vectors[i] = vectors[i] + flow.imagined[i] - apply_mask(flow.imagined[i], flow.present[i]);
  }
  const Variable<T, 2, D> present(flags<T>(flow.present));
  const auto with_flags = [&](const Variable<T, 2, D>& x) {
    return options.presence ? concat(Vectors{x, present}, -1) : x;
  };
  const auto raw = gate(gate_mlp(with_flags(concat(vectors, -1)), context));
  flow.gates = options.normalize_gates ? softmax(raw, -1, flags<std::uint8_t>(flow.present)) : raw * present;

  const auto stacked = stack(vectors, 1);
  Vectors queries;
  for (std::size_t i = 0; i < views.size(); ++i) {
    const bool single = i + m >= views.size();
    queries.push_back(
        view_query[i](single ? vectors[i + m - views.size()] : weighted_sum(flow.gates, stacked, views[i]), context));
  }
  const auto asked = stack(queries, 1);
  List<Variable<T, 3, D>> contents;
  for (std::size_t i = 0; i < m; ++i) {
    const auto attended = cross_attention[i](asked, frames[i], streams[i].present, context);
    flow.attention.push_back(attended.weights);
    contents.push_back(content[i](attended.output, context));
  }
  const auto joined = reshape(stack(contents, 1), std::array<index_t, 3>{batch, index_t(m), v * h});
  const auto fused = weighted_sum(flow.gates, joined);  // (B, V·h); gates of absent modalities are 0
  const auto weights = view_gate(view_mlp(with_flags(fused), context));
  flow.fused = weighted_sum(weights, reshape(fused, std::array<index_t, 3>{batch, v, h}));
  flow.scores = head(head_mlp(with_flags(flow.fused), context));
  if (own.empty()) return flow;

  Variable<T, 2, D> total;
  for (std::size_t i = 0; i < m; ++i) {
    flow.own.push_back(apply_mask(own[i](flow.hidden[i]), flow.present[i]));
    total = i == 0 ? flow.own[i] : total + flow.own[i];
  }
  Tensor<T, 1, D> share({batch});
  Kernels<D>::LossRows::shares(batch, index_t(m), present.value().data(), share.data());
  flow.scores =
      flow.scores + detail::scale_leading("evidence", options.averaged() ? total - flow.scores : total, share);
  return flow;
}

template <class T, class D>
LossTerms<T, D> RobustSdumcNetwork<T, D>::objective(const TrainingBatch<T, D>& batch, const Context& context) const {
  const RobustSdumcWeights& w = options.weights;
  const auto zero = flow(batch.whole, context), one = flow(batch.seen, context);
  const auto goal = [&](const Variable<T, 2, D>& x) { return options.detach ? x.detach() : x; };
  Objective<T, D> objective;
  objective.add("full", w.full, batch.task_loss(zero.scores));
  objective.add("missing", w.missing, batch.task_loss(one.scores));
  if (w.own != 0 && !own.empty())
    objective.add("own", 0.5 * w.own, own_loss(batch, zero, batch.had) + own_loss(batch, one, batch.has));
  if (w.imagined != 0 && !imagination.empty()) {
    Variable<T, 0, D> total;
    for (std::size_t m = 0; m < one.imagined.size(); ++m) {
      const auto term = rmse_loss(one.imagined[m], goal(zero.hidden[m]), batch.lost[m].mask());
      total = m == 0 ? term : total + term;
    }
    objective.add("imagined", w.imagined, (1.0 / double(one.imagined.size())) * total);
  }
  if (w.feature != 0) objective.add("feature", w.feature, rmse_loss(one.fused, goal(zero.fused)));
  return objective.result();
}

template <class T = float, class D = Cpu>
using RobustSdumc = Model<RobustSdumcNetwork<T, D>>;

}  // namespace lacuna::models
