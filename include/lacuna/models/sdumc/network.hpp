/// SDUMC's network: two flows over one set of weights.  (Weng, Wang, Gao, Li, Niu & Du, ICASSP 2025, arXiv 2410.15029)
///
/// Complete flow: all modalities. Missing flow: a simulated stream takes the place of the missing modality, goes
/// through the same weights, and its representations are completed by two imagination autoencoders.
///
///   projection      x_m = Lin_m(X_m)                                                (B, T_m, g)
///   UMCA stage 1    p_m = pooling of x_m by a learnable query,  H_m = MLP(p_m)      (B, g)     missing flow: H ← MIA₁
///   gates           w = Lin(MLP([H_1; …; H_M])), raw numbers                        (B, M)
///   views           q_i = MLP_i(Σ_{m∈S_i} w_m H_m), or MLP_i(H_m) for one modality  (B, V, g)
///   UMCA stage 2    O_m = cross-attention of the views to the frames of m           (B, V, g)
///   content         C_m = MLP(O_m)                                                  (B, V, h)  missing flow: C ← MIA₂
///   fusion          G = Σ_m w_m C_m,  u = Lin(MLP(vec G)),  z = Σ_i u_i G_i         (B, h)
///   heads           ŷ = Lin(z),  ρ = Lin(relu(Lin(z)))                              (B, 1) or scores (B, K), (B, r)
///
/// A sample that lacks a modality gets p_m = 0 and O_m = 0 for it.
#pragma once

#include "lacuna/data/stream.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/loss_rows.hpp"
#include "lacuna/kernels/cpu/shape.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/models/sdumc/flow.hpp"
#include "lacuna/models/sdumc/options.hpp"
#include "lacuna/nn/attention_pooling.hpp"
#include "lacuna/nn/imagination.hpp"
#include "lacuna/nn/present_encoder.hpp"
#include "lacuna/ops/slice.hpp"

namespace lacuna::models {

template <class T = float, class D = Cpu>
struct SdumcNetwork {
  SdumcOptions options;
  std::vector<std::vector<std::uint8_t>> views;
  std::vector<Linear<T, D>> projection;
  std::vector<AttentionPooling<T, D>> pooling;
  std::vector<Mlp<T, D>> hidden;
  Mlp<T, D> gate_mlp;
  Linear<T, D> gate;
  std::vector<Mlp<T, D>> view_query;
  std::vector<ViewCrossAttention<T, D>> cross_attention;
  std::vector<Mlp<T, D>> content;
  Mlp<T, D> view_mlp;
  Linear<T, D> view_gate, regression, contrast_in, contrast_out;
  std::vector<ImaginationAutoencoder<T, D>> imagination;  ///< MIA₁ and MIA₂; empty when off
  Rows rows = Rows::automatic;                            ///< frames that projections compute

  SdumcNetwork() = default;
  /// Throws OptionError for sizes that make no network.
  SdumcNetwork(const SdumcOptions& o, Random& random);

  using Stream = data::Stream<T, D>;
  using Flow = SdumcFlow<T, D>;

  /// The frames of one modality in the common space: what both flows share is computed once.
  /// Absent frames are 0 in every stream (models/streams.hpp).
  Variable<T, 3, D> project(std::size_t modality, const Stream& stream) const;
  /// What attention may see of a stream under the padding option.
  Mask<2, D> visible(const Stream& stream) const;

  /// One flow over projected frames (B, T_m, g) and their visibility. `imagine`: this is the missing flow. `beside`: a
  /// flow over the same frames but those of the missing modality; in inference without a graph, what does not depend on
  /// that modality is taken from there: the same bits.
  Flow operator()(std::span<const Variable<T, 3, D>> frames, std::span<const Mask<2, D>> present, bool imagine,
                  const Context& context, const Flow* beside = nullptr) const;
  /// The same for several flows of one batch at once: rows of all of them meet a weight together, so that it is read
  /// once. More than one only in inference without a graph.
  void run(std::span<SdumcPass<T, D>> passes) const;
  /// Whether both flows of a batch should go through `run` together: where rows are few, the time goes into reading
  /// weights. With more, sums would run in another order than in training, and the last bits would differ.
  bool reads_weights_once(const Stream& lost, const Stream& simulated) const {
    const index_t together = 2 * simulated.frames.extent(0) * index_t(views.size());
    return !detail::recording() && together <= Kernels<D>::Linear::joined_rows &&
           (lost.frames.extent(1) == 1) == (simulated.frames.extent(1) == 1);
  }

  static void reflect(auto& self, auto&& visit) {
    visit("projection", self.projection);
    visit("pooling", self.pooling);
    visit("hidden", self.hidden);
    visit("gate_mlp", self.gate_mlp);
    visit("gate", self.gate);
    visit("view_query", self.view_query);
    visit("cross_attention", self.cross_attention);
    visit("content", self.content);
    visit("view_mlp", self.view_mlp);
    visit("view_gate", self.view_gate);
    visit("regression", self.regression);
    visit("contrast_in", self.contrast_in);
    visit("contrast_out", self.contrast_out);
    visit("imagination", self.imagination);
  }
};

template <class T, class D>
SdumcNetwork<T, D>::SdumcNetwork(const SdumcOptions& o, Random& random)
    : options(o), views(sdumc_views(index_t(o.inputs.size()))) {
  const index_t m = index_t(o.inputs.size()), g = o.width, h = o.fused, v = index_t(views.size());
  if (m < 2) throw OptionError(detail::cat("SDUMC: needs at least two modalities, found ", m));
  if (o.missing < 0 || o.missing >= m)
    throw OptionError(detail::cat("SDUMC: the modality that may be missing is number ", o.missing, " of ", m));
  if (o.classes < 0 || o.classes == 1)
    throw OptionError(detail::cat("SDUMC: ", o.classes, " classes, expected at least 2, or 0 for real labels"));
  o.drop.check(m);
  if (g < 2 || h < 2 || o.contrast < 1)
    throw OptionError(detail::cat("SDUMC: width ", g, ", fused ", h, " and contrast ", o.contrast, " are too small"));
  const UmcaOptions umca{.embed_dim = g, .scale = o.scale, .dropout = o.frame_dropout};
  const auto mlp = [&](std::vector<index_t> sizes) {
    return Mlp<T, D>({.sizes = std::move(sizes), .dropout = o.dropout}, random);
  };
  for (const index_t in : o.inputs) projection.emplace_back(typename Linear<T, D>::Options{in, g}, random);
  for (index_t i = 0; i < m; ++i) pooling.emplace_back(umca, random);
  for (index_t i = 0; i < m; ++i) hidden.push_back(mlp({g, g, g}));
  gate_mlp = mlp({m * g, g, g});
  gate = Linear<T, D>({.in_features = g, .out_features = m}, random);
  for (index_t i = 0; i < v; ++i) view_query.push_back(mlp({g, g}));
  for (index_t i = 0; i < m; ++i) cross_attention.emplace_back(umca, random);
  for (index_t i = 0; i < m; ++i) content.push_back(mlp({g, g, h}));
  view_mlp = mlp({v * h, g, h});
  view_gate = Linear<T, D>({.in_features = h, .out_features = v}, random);
  regression = Linear<T, D>({.in_features = h, .out_features = o.outputs()}, random);
  contrast_in = Linear<T, D>({.in_features = h, .out_features = o.contrast}, random);
  contrast_out = Linear<T, D>({.in_features = o.contrast, .out_features = o.contrast}, random);
  if (o.imagination == Imagination::off) return;
  const auto residual =
      o.imagination == Imagination::input ? ImaginationResidual::input : ImaginationResidual::transition;
  const auto imagine = [&](index_t size, index_t narrow) {
    imagination.emplace_back(
        typename ImaginationAutoencoder<T, D>::Options{m, size, narrow > 0 ? narrow : std::max<index_t>(size / 2, 1),
                                                       residual},
        random);
  };
  imagine(g, o.bottleneck);
  imagine(h, o.fused_bottleneck);
}

template <class T, class D>
Variable<T, 3, D> SdumcNetwork<T, D>::project(std::size_t modality, const Stream& stream) const {
  detail::expect_shape("SDUMC", "present", stream.present.shape(), {stream.frames.extent(0), stream.frames.extent(1)});
  return linear_present(projection[modality], stream.frames, visible(stream), rows);
}

template <class T, class D>
Mask<2, D> SdumcNetwork<T, D>::visible(const Stream& stream) const {
  if (options.padding == Padding::masked) return stream.present;
  const index_t frames = stream.present.extent(1);
  Mask<2, D> all(stream.present.extents());
  Kernels<D>::LossRows::any_present(stream.present.extent(0), frames, stream.present.data(), frames, false, all.data());
  return all;
}

template <class T, class D>
SdumcFlow<T, D> SdumcNetwork<T, D>::operator()(std::span<const Variable<T, 3, D>> frames,
                                               std::span<const Mask<2, D>> present, bool imagine,
                                               const Context& context, const Flow* beside) const {
  SdumcPass<T, D> pass{frames, present, imagine, &context, beside, {}};
  run({&pass, 1});
  return std::move(pass.flow);
}

template <class T, class D>
void SdumcNetwork<T, D>::run(std::span<SdumcPass<T, D>> passes) const {
  using Vectors = Variable<T, 2, D>;
  const std::size_t m = projection.size();
  const auto lost = std::size_t(options.missing);
  if (m == 0) throw ShapeError("SDUMC: was made without options: no modality is known");
  for (const auto& pass : passes)
    if (pass.frames.size() != m || pass.present.size() != m)
      throw ShapeError(detail::cat("SDUMC: ", pass.frames.size(), " streams for ", m, " modalities"));
  const Context& context = *passes[0].context;
  const index_t batch = passes[0].frames[0].extent(0) * index_t(passes.size()), h = options.fused,
                v = index_t(views.size());
  const bool alone = context.training() || detail::recording();  // dropout and gradients tell the flows apart
  for (auto& [frames, present, imagine, own, beside, flow] : passes) {
    imagine = imagine && !imagination.empty();
    if (alone) beside = nullptr;
    flow.missing = options.missing;
    flow.frames.assign(frames.begin(), frames.end());
    if (!alone) flow.keys.resize(m);
  }
  const auto known = [&](const SdumcPass<T, D>& pass, std::size_t i) {
    return pass.beside != nullptr && pass.beside->keys.size() == m && i != lost;
  };
  for (std::size_t i = 0; i < m; ++i)
    for (auto& pass : passes) {
      if (known(pass, i)) {
        pass.flow.pooled.push_back(pass.beside->pooled[i]);
        pass.flow.pooling_weights.push_back(pass.beside->pooling_weights[i]);
        continue;
      }
      const auto result = pooling[i](pass.frames[i], pass.present[i], context);
      pass.flow.pooled.push_back(result.pooled);
      pass.flow.pooling_weights.push_back(result.weights);
    }
  for (std::size_t i = 0; i < m; ++i) {
    List<Vectors> own;
    for (const auto& pass : passes)
      if (!known(pass, i)) own.push_back(pass.flow.pooled[i]);
    if (!own.empty()) own = detail::rows_parted(hidden[i](detail::rows_joined(own), context), own.size());
    std::size_t next = 0;
    for (auto& pass : passes) pass.flow.hidden.push_back(known(pass, i) ? pass.beside->hidden[i] : own[next++]);
  }
  const auto net = [&](std::size_t which) { return imagination.empty() ? nullptr : &imagination[which]; };

  List<Vectors> vectors, asked;
  for (std::size_t i = 0; i < m; ++i)
    vectors.push_back(gather(passes, i, &Flow::hidden, &Flow::imagined_hidden, net(0), lost));
  const auto gate_hidden = gate_mlp(concat(vectors, -1), context);
  const auto gates = gate(gate_hidden);
  deal(gate_hidden, passes, &Flow::gate_hidden);
  deal(gates, passes, &Flow::gates);
  const auto stacked = stack(vectors, 1);
  for (std::size_t i = 0; i < views.size(); ++i) {
    const bool single = i + m >= views.size();
    const auto mix = single ? vectors[i + m - views.size()] : weighted_sum(gates, stacked, views[i]);
    asked.push_back(view_query[i](mix, context));
    deal(mix, passes, &Flow::mixes);
    deal(asked.back(), passes, &Flow::queries);
  }
  const auto queries = stack(asked, 1);
  const auto one_frame = [&](std::size_t i) { return passes[0].frames[i].extent(1) == 1; };
  for (std::size_t i = 0; i < m; ++i) {
    const auto projected = one_frame(i) ? queries : cross_attention[i].query(queries);
    const auto own = detail::rows_parted(projected, passes.size());
    for (std::size_t k = 0; k < passes.size(); ++k) {
      auto& [frames, present, imagine, unused, beside, flow] = passes[k];
      if (known(passes[k], i)) flow.keys[i] = beside->keys[i];
      const auto found =
          cross_attention[i].asked(own[k], frames[i], present[i], context, alone ? nullptr : &flow.keys[i]);
      flow.attended.push_back(found.output);
      flow.attention_weights.push_back(found.weights);
    }
  }
  for (std::size_t i = 0; i < m; ++i) {
    List<Variable<T, 3, D>> each;
    for (const auto& pass : passes) each.push_back(pass.flow.attended[i]);
    const auto attended = detail::rows_joined(each);
    // all queries find the same in a single frame, and only dropout would tell their contents apart
    const bool same = one_frame(i) && !context.training() && v > 1;
    auto found = content[i](same ? slice(attended, 1, 0, 1) : attended, context);
    if (same) {
      const auto row = reshape(found, std::array<index_t, 2>{batch, h});
      found = stack(List<Vectors>(std::size_t(v), row), 1);
    }
    deal(found, passes, &Flow::content);
  }

  List<Variable<T, 3, D>> contents;
  for (std::size_t i = 0; i < m; ++i)
    contents.push_back(gather(passes, i, &Flow::content, &Flow::imagined_content, net(1), lost));
  const auto everything = reshape(stack(contents, 1), std::array<index_t, 3>{batch, index_t(m), v * h});
  const auto views_fused = weighted_sum(gates, everything);  // (B, V·h)
  const auto view_hidden = view_mlp(views_fused, context);
  const auto view_weights = view_gate(view_hidden);
  const auto fused = weighted_sum(view_weights, reshape(views_fused, std::array<index_t, 3>{batch, v, h}));
  deal(view_hidden, passes, &Flow::view_hidden);
  deal(view_weights, passes, &Flow::view_weights);
  deal(fused, passes, &Flow::fused);
  deal(regression(fused), passes, &Flow::prediction);
  deal(contrast_out(contrast_in(fused, Activation::relu)), passes, &Flow::contrast);
}

/// Both flows of one batch. `streams` are the modalities, `simulated` stands in for the missing one.
template <class T, class D = Cpu>
struct SdumcFlows {
  SdumcFlow<T, D> complete, missing;
};

template <class T, class D>
SdumcFlows<T, D> both_flows(const SdumcNetwork<T, D>& network, const data::Streams<T, D>& streams,
                            const data::Stream<T, D>& simulated, const Context& complete_context,
                            const Context& missing_context) {
  const auto lost = std::size_t(network.options.missing);
  List<Variable<T, 3, D>> frames;
  List<Mask<2, D>> present;
  for (std::size_t m = 0; m < streams.size(); ++m) {
    frames.push_back(network.project(m, streams[m]));
    present.push_back(network.visible(streams[m]));
  }
  SdumcFlows<T, D> flows;
  const bool training = complete_context.training() || missing_context.training();
  if (!training && network.reads_weights_once(streams[lost], simulated)) {
    auto others = frames;
    auto seen = present;
    others[lost] = network.project(lost, simulated);
    seen[lost] = network.visible(simulated);
    SdumcPass<T, D> passes[] = {{frames, present, false, &complete_context, nullptr, {}},
                                {others, seen, true, &missing_context, &passes[0].flow, {}}};
    network.run(passes);
    return {std::move(passes[0].flow), std::move(passes[1].flow)};
  }
  flows.complete = network(frames, present, false, complete_context);
  frames[lost] = network.project(lost, simulated);
  present[lost] = network.visible(simulated);
  flows.missing = network(frames, present, true, missing_context, &flows.complete);
  return flows;
}

}  // namespace lacuna::models
