/// MISA: modality-invariant and -specific representations.  (Hazarika, Zimmermann & Poria, ACM MM 2020, arXiv 2005.03545)
///
///   u_t = mean of the text's frames,  u_a, u_v = last states of two bidirectional LSTMs, a norm between them
///   o_m = norm relu(W_m u_m),  p_m = σ(P_m o_m) its own part,  s_m = σ(S o_m) the shared one,  r_m = R_m (p_m + s_m)
///   M   = W₃ relu W₁ encoder([p_t, p_v, p_a, s_t, s_v, s_a])                     (B, outputs); one post-norm layer
///   L   = task + recon · mean (r_m − o_m)² + diff · Σ ‖p̂ᵀ q̂‖²/h² + similarity · mean CMD(s_m, s_n)
/// diff goes over the pairs (p_m, s_m), (p_m, p_n). adversarial: in the place of CMD a classifier behind a reversed
/// gradient tells from s_m which modality it came from.
///
/// A sample without modality m has o_m, p_m, s_m = 0, which are no keys of the encoder and take part in no loss. With
/// `published` what is absent is encoded like zeros and takes part, and the norms of p̂, q̂ are constants for the gradient
/// (github.com/thuiar/MMSA, which cuts all streams at the length of the text; here each has its own). Defaults: MOSI there.
#pragma once

#include "lacuna/losses/alignment.hpp"
#include "lacuna/models/baselines/sequence_network.hpp"
#include "lacuna/nn/subnetwork.hpp"
#include "lacuna/nn/transformer.hpp"
#include "lacuna/ops/gradient_reversal.hpp"
#include "lacuna/ops/matmul.hpp"
#include "lacuna/ops/pooling.hpp"

namespace lacuna::models {

struct MisaOptions {
  std::vector<index_t> inputs = {};
  index_t text = 0;       ///< which of them
  index_t width = 128;    ///< h
  index_t hidden = 2048;  ///< of the encoder's feed-forward part
  index_t num_heads = 2;
  double diff = 0.1, similarity = 0.3, recon = 1;  ///< weights
  bool adversarial = false;
  double reversal = 1;  ///< factor of the reversed gradient
  double dropout = 0.2, encoder_dropout = 0.1;
  bool published = false;
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::mse;
  missing::MrmOptions drop = missing::mrm_preset("none");
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("text", self.text);
    visit("width", self.width);
    visit("hidden", self.hidden);
    visit("num_heads", self.num_heads);
    visit("diff", self.diff);
    visit("similarity", self.similarity);
    visit("recon", self.recon);
    visit("adversarial", self.adversarial);
    visit("reversal", self.reversal);
    visit("dropout", self.dropout);
    visit("encoder_dropout", self.encoder_dropout);
    visit("published", self.published);
  }
};

template <class T = float, class D = Cpu>
struct MisaNetwork : SequenceNetwork<MisaNetwork<T, D>, T, D> {
  using Options = MisaOptions;
  using Rows = Variable<T, 2, D>;
  static constexpr const char* name = "MISA";

  /// The last states of two LSTMs: frames → (B, 4 · in).
  struct FrameEncoder {
    Lstm<T, D> rnn1, rnn2;
    LayerNorm<T, D> norm;

    FrameEncoder() = default;
    FrameEncoder(index_t in, Random& random)
        : rnn1({.in = in, .hidden = in, .bidirectional = true}, random),
          rnn2({.in = 2 * in, .hidden = in, .bidirectional = true}, random),
          norm({.num_features = 2 * in}) {}
    Rows operator()(const Sequence<T, D>& x) const {
      const auto lower = rnn1(x.frames, x.present);
      const auto upper = rnn2(norm(lower.y), x.present);
      return concat({select(lower.h, 0, 0), select(upper.h, 0, 0), select(lower.h, 0, 1), select(upper.h, 0, 1)}, -1);
    }
    static void reflect(auto& self, auto&& visit) {
      visit("rnn1", self.rnn1);
      visit("rnn2", self.rnn2);
      visit("layer_norm", self.norm);
    }
  };
  /// Everything that each of the three modalities has; text, first, second.
  struct Parts {
    Rows utterance, common, own, shared, rebuilt, domain;
    Mask<1, D> has;  ///< undefined: all
  };
  struct Forward {
    std::array<Parts, 3> parts;
    Variable<T, 3, D> encoded;
    Rows hidden, score;
  };
  struct Projection {
    Linear<T, D> linear, own, rebuild;
    LayerNorm<T, D> norm;
    static void reflect(auto& self, auto&& visit) {
      visit("project", self.linear);
      visit("project_norm", self.norm);
      visit("private", self.own);
      visit("recon", self.rebuild);
    }
  };

  Options options;
  FrameEncoder first, second;
  std::vector<Projection> modality;
  Linear<T, D> shared, fusion_1, fusion_3;
  std::optional<Linear<T, D>> domain_1, domain_2;
  TransformerEncoderLayer<T, D> encoder;

  MisaNetwork() = default;
  MisaNetwork(const Options& o, Random& random) : options(o) {
    const auto in = three_inputs(name, o);
    const index_t h = o.width;
    expect_sizes(name, {h, o.hidden});
    first = FrameEncoder(in[1], random);
    second = FrameEncoder(in[2], random);
    const auto layer = [&](index_t from, index_t to) {
      return Linear<T, D>({.in_features = from, .out_features = to}, random);
    };
    for (const index_t size : {in[0], 4 * in[1], 4 * in[2]})
      modality.push_back({layer(size, h), layer(h, h), layer(h, h), LayerNorm<T, D>({.num_features = h})});
    shared = layer(h, h);
    fusion_1 = layer(6 * h, 3 * h);
    fusion_3 = layer(3 * h, outputs_for(o.classes));
    if (o.adversarial) domain_1 = layer(h, h), domain_2 = layer(h, 3);
    encoder = TransformerEncoderLayer<T, D>({.embed_dim = h,
                                             .num_heads = o.num_heads,
                                             .hidden = o.hidden,
                                             .norm_first = false,
                                             .dropout = o.encoder_dropout,
                                             .attention_dropout = o.encoder_dropout,
                                             .hidden_dropout = o.encoder_dropout},
                                            random);
  }

  Forward forward(const Sequences<T, D>& x, const Context& context) const {
    Forward r;
    for (std::size_t m = 0; m < 3; ++m) {
      Parts& part = r.parts[m];
      if (!options.published) part.has = any_present(x[m].present);
      const auto kept = [&](const Rows& y) { return part.has.defined() ? apply_mask(y, part.has) : y; };
      const Projection& p = modality[m];
      part.utterance = m == 0 ? mean_pool(x[0].frames, x[0].present) : m == 1 ? first(x[1]) : second(x[2]);
      part.common = kept(p.norm(p.linear(part.utterance, Activation::relu)));
      part.own = kept(p.own(part.common, Activation::sigmoid));
      part.shared = kept(shared(part.common, Activation::sigmoid));
      part.rebuilt = p.rebuild(part.own + part.shared);
      if (domain_1)
        part.domain = (*domain_2)(lacuna::dropout(
            (*domain_1)(gradient_reversal(part.shared, options.reversal), Activation::relu), options.dropout, context));
    }
    const auto& [t, a, v] = r.parts;
    const auto tokens = stack<T, 2, D>({t.own, v.own, a.own, t.shared, v.shared, a.shared}, 1);
    r.encoded = encoder(tokens, options.published ? Mask<2, D>() : keys(r), context);
    const auto joined = reshape(r.encoded, r.encoded.extent(0), 6 * options.width);
    r.hidden = relu(lacuna::dropout(fusion_1(joined), options.dropout, context));
    r.score = fusion_3(r.hidden);
    return r;
  }

  LossTerms<T, D> losses(const Forward& r, const TrainingBatch<T, D>& batch) const {
    const auto& [t, a, v] = r.parts;
    Variable<T, 0, D> recon;
    for (const Parts& part : r.parts) {
      const auto term = mse_loss(part.rebuilt, part.common, part.has);
      recon = recon.defined() ? recon + term : term;
    }
    const auto diff = apart(t.own, t.shared, t, t) + apart(v.own, v.shared, v, v) + apart(a.own, a.shared, a, a) +
                      apart(a.own, t.own, a, t) + apart(a.own, v.own, a, v) + apart(t.own, v.own, t, v);
    const auto close = [](const Parts& x, const Parts& y) {
      return cmd_loss(x.shared, y.shared, {.moments = 5}, x.has, y.has);
    };
    Objective<T, D> objective;
    objective.add("task", 1, batch.task_loss(r.score)).add("diff", options.diff, diff);
    objective.add("recon", options.recon, (1.0 / 3) * recon);
    if (options.adversarial) return objective.add("domain", options.similarity, domain_loss(r)).result();
    return objective.add("cmd", options.similarity, (1.0 / 3) * (close(t, v) + close(t, a) + close(a, v))).result();
  }

  static void reflect(auto& self, auto&& visit) {
    visit("first", self.first);
    visit("second", self.second);
    visit("modality", self.modality);
    visit("shared", self.shared);
    visit("fusion_layer_1", self.fusion_1);
    visit("fusion_layer_3", self.fusion_3);
    visit("discriminator_layer_1", self.domain_1);
    visit("discriminator_layer_2", self.domain_2);
    visit("encoder", self.encoder);
  }

 private:
  /// Which of the six tokens are there (B, 6).
  static Mask<2, D> keys(const Forward& r) {
    const index_t batch = r.score.defined() ? r.score.extent(0) : r.parts[0].common.extent(0);
    std::vector<std::uint8_t> all(std::size_t(6 * batch));
    static constexpr std::size_t order[3] = {0, 2, 1};
    for (std::size_t i = 0; i < 6; ++i) {
      const auto column = flags(r.parts[order[i % 3]].has, batch);
      for (std::size_t b = 0; b < std::size_t(batch); ++b) all[b * 6 + i] = column[b];
    }
    return Mask<2, D>::from({batch, 6}, all);
  }
  Variable<T, 0, D> apart(const Rows& x, const Rows& y, const Parts& of_x, const Parts& of_y) const {
    if (!options.published) return orthogonality_loss(x, y, {.normalize = true}, both(of_x.has, of_y.has));
    const auto unit = [](const Rows& z) {
      const auto centred = z - mean(z, 0, keepdim);
      return centred / (norm(centred, 2, 1, keepdim).detach() + 1e-6);
    };
    return mean(square(matmul(unit(x), unit(y), {.transpose_a = true})));
  }
  Variable<T, 0, D> domain_loss(const Forward& r) const {
    static constexpr index_t order[3] = {0, 2, 1};  // classes: text 0, vision 1, audio 2
    std::vector<index_t> labels;
    std::vector<Rows> logits;
    for (std::size_t m = 0; m < 3; ++m) {
      const Parts& part = r.parts[m];
      for (const std::uint8_t has : flags(part.has, part.domain.extent(0))) labels.push_back(has ? order[m] : -1);
      logits.push_back(part.domain);
    }
    std::vector<std::uint8_t> takes_part;
    for (index_t& label : labels) takes_part.push_back(label >= 0), label = std::max<index_t>(label, 0);
    return cross_entropy(concat(logits, 0), Labels<D>(labels), {},
                         Present<D>::of(Mask<1>::from({index_t(takes_part.size())}, takes_part)));
  }
};

template <class T = float, class D = Cpu>
using Misa = Model<MisaNetwork<T, D>>;

}  // namespace lacuna::models
