/// CorrKD's network, one for the teacher and one for the student.  (Li et al., CVPR 2024, arXiv 2404.16456)
///
/// Per modality m, X_m (B, T_m, D_m) with zeros where a frame is absent (models/streams.hpp):
///   E_m = norm(layers(s conv(X_m) + positions))   (B, T_m, d)   pre-norm Transformer encoder of its own; s = 1
///   h_m = mean over time of E_m                   (B, d)
///   H = [h_1; …; h_M]                             (B, M d)      joint representation
///   z = W₂ relu(W₁ H + b₁) + b₂                   (B, K)        scores
/// As options: h_m by attention, Σ_t a_t E_mt with a_t = softmax_t ⟨c_m, tanh(K_m E_mt + k_m)⟩; W₁ [H; flags], one flag per present modality, and z + Σ_m (U_m h_m + c_m) over the present ones.
/// Any number of modalities, of unaligned lengths. No flag says what is missing: under GapMask::none an absent modality
/// is a sequence of zeros that goes through its encoder like any other, and the padding of a batch takes part, so that
/// `frames` should fix the lengths; under GapMask::present it contributes h_m = 0 and gets no gradient.
#pragma once

#include "lacuna/core/precompile.hpp"
#include "lacuna/data/stream.hpp"
#include "lacuna/kernels/cpu/loss_rows.hpp"
#include "lacuna/kernels/cpu/shape.hpp"
#include "lacuna/kernels/kernels.hpp"
#include "lacuna/losses/labels.hpp"
#include "lacuna/models/corrkd/options.hpp"
#include "lacuna/nn/attention_pooling.hpp"
#include "lacuna/nn/conv1d.hpp"
#include "lacuna/nn/grouped.hpp"
#include "lacuna/nn/position.hpp"
#include "lacuna/nn/present_encoder.hpp"
#include "lacuna/ops/dropout.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/ops/pooling.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna::models {

template <class T, class D = Cpu>
struct CorrkdOutput {
  List<Variable<T, 2, D>> streams;        ///< h_m
  Variable<T, 2, D> joint;                ///< H
  Variable<T, 2, D> scores;               ///< z
  List<Variable<T, 2, D>> unimodal = {};  ///< U_m h_m + c_m, 0 where m is absent; empty without evidence
  List<Mask<1, D>> present = {};          ///< (B) of every modality: a frame is present; empty unless asked for
  List<Present<D>> known = {};            ///< the same where the host knows it, from whom made the batch; else empty
};

template <class T = float, class D = Cpu>
struct CorrkdNetwork {
  using Options = CorrkdNetworkOptions;
  using Stream = data::Stream<T, D>;

  Options options;
  std::vector<Conv1d<T, D>> convolution;
  SinusoidalPositions<T, D> positions;
  std::vector<TransformerEncoder<T, D>> encoder;
  std::vector<Linear<T, D>> fill;  ///< weight (D_m, 1): the learned vector of an absent frame; empty unless asked for
  std::vector<AttentionPooling<T, D>> pooling;  ///< in the place of the mean; empty unless asked for
  Linear<T, D> head_in, head_out;
  std::vector<Linear<T, D>> unimodal;  ///< a head of every modality; empty without evidence
  Rows rows = Rows::automatic;         ///< frames that encoders compute, where a mask says which count

  CorrkdNetwork() = default;
  /// Throws OptionError for sizes that make no network.
  CorrkdNetwork(const Options& o, Random& random);

  /// streams: at least one per modality, further ones are not read.
  CorrkdOutput<T, D> operator()(const data::Streams<T, D>& streams, const Context& context = {}) const;

  /// h_m of one modality.
  Variable<T, 2, D> encode(std::size_t m, const Stream& given, const Context& context = {}) const {
    detail::expect_shape("CorrKD", "present", given.present.shape(), {given.frames.extent(0), given.frames.extent(1)});
    const Stream stream = lengthened(m, given);
    const Mask<2, D> seen = counted(m, stream.present);
    Variable<T, 3, D> x = embed(m, stream, seen);
    x = dropout(positions(x), options.embedding_dropout, context);
    x = encode_present(encoder[m], x, seen, context, rows);
    if (options.fill == missing::Fill::encoded_zeros) x = apply_mask(x, stream.present);
    return pooling.empty() ? mean_pool(x, seen) : pooling[m](x, seen, context).pooled;
  }

  static void reflect(auto& self, auto&& visit) {
    visit("convolution", self.convolution);
    visit("encoder", self.encoder);
    visit("head_in", self.head_in);
    visit("head_out", self.head_out);
    visit("fill", self.fill);
    visit("pooling", self.pooling);
    visit("unimodal", self.unimodal);
  }

 private:
  /// s conv(X_m)
  Variable<T, 3, D> embed(std::size_t m, const Stream& stream, const Mask<2, D>& seen) const {
    Variable<T, 3, D> x(stream.frames);
    if (!fill.empty()) x = x + fill[m](Variable<T, 3, D>(absent(stream.present, seen)));
    x = convolution[m](x);
    return options.embedding_scale != 1 ? options.embedding_scale * x : x;
  }
  /// All h_m, with the numbers of `encode`, through all encoders at once where the device gains by that and the
  /// modalities are equally long; else none.
  List<Variable<T, 2, D>> encode_together([[maybe_unused]] const data::Streams<T, D>& streams,
                                          [[maybe_unused]] const Context& context) const {
    List<Variable<T, 2, D>> result;
    if constexpr (detail::Grouping<T, D>) {
      const std::size_t count = convolution.size();
      const double p = options.embedding_dropout;
      if (!detail::can_group(encoder, context) || !pooling.empty() || !(p >= 0 && p < 1)) return result;
      const auto length = [&](std::size_t m) {
        const bool fixed = options.gap_mask == GapMask::none && !options.frames.empty();
        return std::max(streams[m].frames.extent(1), fixed ? options.frames[m] : 0);
      };
      for (std::size_t m = 0; m < count; ++m) {
        const Tensor<T, 3, D>& frames = streams[m].frames;
        detail::expect_shape("CorrKD", "present", streams[m].present.shape(), {frames.extent(0), frames.extent(1)});
        if (frames.extent(0) != streams[0].frames.extent(0) || length(m) != length(0)) return result;
        if (outgrown(m, length(m))) return result;  // a mask of its own
      }
      List<Variable<T, 3, D>> parts;
      List<Mask<2, D>> present, counts;
      for (std::size_t m = 0; m < count; ++m) {
        const Stream stream = lengthened(m, streams[m]);
        present.push_back(stream.present);
        counts.push_back(counted(m, stream.present));
        parts.push_back(embed(m, stream, counts[m]));
      }
      const Mask<2, D> seen = counts[0].defined() ? detail::join_masks(counts) : Mask<2, D>();
      detail::GroupStreams drawn(context, index_t(count), std::uint64_t(p > 0) + detail::streams_of(encoder[0]));
      Variable<T, 3, D> x = positions(detail::join_groups(parts));
      if (drawn.drops(p)) x = detail::dropout_grouped(x, drawn.next(p));
      x = detail::encode_grouped(encoder, x, seen, drawn);
      if (options.fill == missing::Fill::encoded_zeros) x = apply_mask(x, detail::join_masks(present));
      const auto all = mean_pool(x, seen);
      for (std::size_t m = 0; m < count; ++m) result.push_back(detail::group_part(all, index_t(m), index_t(count)));
    }
    return result;
  }
  Stream lengthened(std::size_t m, const Stream& stream) const {
    const index_t batch = stream.frames.extent(0), now = stream.frames.extent(1), features = stream.frames.extent(2);
    if (options.gap_mask != GapMask::none || options.frames.empty() || options.frames[m] <= now) return stream;
    Stream longer{Tensor<T, 3, D>::zeros({batch, options.frames[m], features}),
                  Mask<2, D>::zeros({batch, options.frames[m]})};
    Kernels<D>::ShapeMoves::copy_runs(batch, now * features, stream.frames.data(), now * features, longer.frames.data(),
                                      options.frames[m] * features);
    Kernels<D>::ShapeMoves::copy_runs(batch, now, stream.present.data(), now, longer.present.data(), options.frames[m]);
    return longer;
  }
  /// (B, M)
  static Tensor<T, 2, D> flags(const List<Mask<1, D>>& present) {
    const index_t batch = present[0].size(), count = index_t(present.size());
    Tensor<T, 2, D> numbers({batch, count});
    for (index_t m = 0; m < count; ++m)
      Kernels<D>::LossRows::flags(batch, present[std::size_t(m)].data(), count, numbers.data() + m);
    return numbers;
  }
  /// The sum or the mean of what the present modalities say.
  Variable<T, 2, D> gathered(const CorrkdOutput<T, D>& output) const {
    auto total = output.unimodal[0];
    for (std::size_t m = 1; m < unimodal.size(); ++m) total = total + output.unimodal[m];
    if (options.evidence == Evidence::sum) return total;
    const Tensor<T, 2, D> here = flags(output.present);
    Tensor<T, 1, D> share({here.extent(0)});
    Kernels<D>::LossRows::shares(here.extent(0), here.extent(1), here.data(), share.data());
    return detail::scale_leading("evidence", total, share);
  }
  /// Whether a batch of this length is longer than the lengths that are fixed.
  bool outgrown(std::size_t m, index_t length) const {
    return options.gap_mask == GapMask::none && !options.frames.empty() && length > options.frames[m];
  }
  /// Undefined: all. Under GapMask::valid the mask goes through the host, and where a batch is longer than the lengths
  /// that are fixed: a sample then is as long as it is by itself, so that its score does not depend on its batch.
  Mask<2, D> counted(std::size_t m, const Mask<2, D>& present) const {
    const index_t frames = present.extent(1);
    const bool longer = outgrown(m, frames);
    if (options.gap_mask == GapMask::none && !longer) return {};
    if (options.gap_mask == GapMask::present) return present;
    List<std::uint8_t> flags = present.to_list();
    for (index_t b = 0; b < present.extent(0); ++b) {
      std::uint8_t* row = flags.data() + b * frames;
      index_t length = frames;
      while (length > 0 && !row[length - 1]) --length;
      if (longer) length = std::max(length, options.frames[m]);
      if (length == 0) length = frames;
      std::fill(row, row + length, std::uint8_t(1));
    }
    return Mask<2, D>::from(present.extents(), flags);
  }
  /// (B, T, 1): 1 at frames that count but are absent.
  static Tensor<T, 3, D> absent(const Mask<2, D>& present, const Mask<2, D>& seen) {
    const List<std::uint8_t> here = present.to_list(), counts = seen.defined() ? seen.to_list() : here;
    List<T> flags(here.size());
    for (std::size_t i = 0; i < here.size(); ++i) flags[i] = T(!here[i] && (!seen.defined() || counts[i]));
    return Tensor<T, 3, D>::from({present.extent(0), present.extent(1), 1}, flags);
  }
};

template <class T, class D>
CorrkdNetwork<T, D>::CorrkdNetwork(const Options& o, Random& random) : options(o) {
  const index_t modalities = index_t(o.inputs.size()), d = o.width;
  if (modalities < 1 || d < 1 || o.outputs < 1 || o.depth < 0 || o.kernel < 1)
    throw OptionError(detail::cat("CorrKD: ", modalities, " modalities, width ", d, ", ", o.outputs, " outputs, depth ",
                                  o.depth, ", kernel ", o.kernel, " make no network"));
  if (!o.frames.empty() && o.frames.size() != o.inputs.size())
    throw OptionError(detail::cat("CorrKD: ", o.frames.size(), " lengths for ", modalities, " modalities"));
  const TransformerOptions transformer{.embed_dim = d,
                                       .num_heads = o.head_count(),
                                       .hidden = o.hidden > 0 ? o.hidden : 4 * d,
                                       .layers = o.depth,
                                       .dropout = o.residual_dropout,
                                       .attention_dropout = o.attention_dropout,
                                       .hidden_dropout = o.hidden_dropout};
  for (const index_t in : o.inputs)
    convolution.emplace_back(
        typename Conv1d<T, D>::Options{.in_channels = in, .out_channels = d, .kernel = o.kernel, .bias = false},
        random);
  positions = SinusoidalPositions<T, D>({.embed_dim = d});
  for (index_t m = 0; m < modalities; ++m) encoder.emplace_back(transformer, random);
  head_in = Linear<T, D>({.in_features = modalities * (d + o.presence), .out_features = modalities * d}, random);
  head_out = Linear<T, D>({.in_features = modalities * d, .out_features = o.outputs}, random);
  if (o.fill == missing::Fill::learned)
    for (const index_t in : o.inputs)
      fill.emplace_back(typename Linear<T, D>::Options{.in_features = 1, .out_features = in, .bias = false}, random);
  if (o.pooling == FramePooling::attention)
    for (index_t m = 0; m < modalities; ++m)
      pooling.emplace_back(UmcaOptions{.embed_dim = d, .scale = 1, .dropout = 0}, random);
  if (o.evidence != Evidence::none)
    for (index_t m = 0; m < modalities; ++m)
      unimodal.emplace_back(typename Linear<T, D>::Options{.in_features = d, .out_features = o.outputs}, random);
}

template <class T, class D>
CorrkdOutput<T, D> CorrkdNetwork<T, D>::operator()(const data::Streams<T, D>& streams, const Context& context) const {
  if (streams.size() < convolution.size())
    throw ShapeError(detail::cat("CorrKD: ", streams.size(), " streams for ", convolution.size(), " modalities"));
  CorrkdOutput<T, D> output;
  output.streams = encode_together(streams, context);
  for (std::size_t m = output.streams.size(); m < convolution.size(); ++m)
    output.streams.push_back(encode(m, streams[m], context));
  output.joint = concat(output.streams, -1);
  auto head = output.joint;
  if (options.presence || !unimodal.empty())
    for (std::size_t m = 0; m < convolution.size(); ++m) output.present.push_back(any_present(streams[m].present));
  if (options.presence) head = concat(List<Variable<T, 2, D>>{head, Variable<T, 2, D>(flags(output.present))}, -1);
  output.scores = head_out(dropout(head_in(head, Activation::relu), options.head_dropout, context));
  for (std::size_t m = 0; m < unimodal.size(); ++m)
    output.unimodal.push_back(apply_mask(unimodal[m](output.streams[m]), output.present[m]));
  if (!unimodal.empty()) output.scores = output.scores + gathered(output);
  return output;
}

LACUNA_PRECOMPILE(template struct CorrkdNetwork<float, Cpu>)
LACUNA_PRECOMPILE(template struct CorrkdNetwork<double, Cpu>)

}  // namespace lacuna::models
