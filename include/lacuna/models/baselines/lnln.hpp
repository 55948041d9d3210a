/// LNLN: a noise-resistant network in which the text dominates, and a proxy stands in where it is incomplete.  (Zhang,
/// Wang & Yu, NeurIPS 2024, arXiv 2409.20012)
///
///   h_m = first 8 tokens of V(W x_m)                                             (B, 8, D), V a Transformer behind tokens
///   w   = σ(…(first token of V(h_l)))  how complete the text is
///   p   = first 8 tokens of V([h_p; h_a; h_v]) through a reversed gradient,  d = (1 − w) p + w h_l
///   D_0 = d + positions, D_1, D_2 = a Transformer's layers of it
///   y   ← norm y + W_o (attention(D_i; h_a) + attention(D_i; h_v)), from a learned y, i = 0, 1, 2
///   M   = W mean of the tokens of D_2 that asked [e; y]
///   L   = mean (M − label)² + 0.9 mean (w − completeness)² + 0.8 adversary + 0.1 mean (V h_m − h_m of complete data)²
/// The adversary tells tokens of d from those of the complete text. Completeness: the share of the text's frames that training
/// left.
///
/// Absent frames are no keys. Any lengths up to `stream_frames`. With `published` (github.com/Haoyu-ha/LNLN) absent frames
/// are zeros that are seen. Defaults: MOSI there. The reversal stands on p itself, so that the sentiment unteaches its
/// generator as well, there and here.
#pragma once

#include "lacuna/models/baselines/sequence_network.hpp"
#include "lacuna/models/baselines/token_transformer.hpp"
#include "lacuna/ops/gradient_reversal.hpp"

namespace lacuna::models {

struct LnlnOptions {
  std::vector<index_t> inputs = {};
  index_t text = 0;  ///< which of them
  index_t width = 128, num_heads = 8, head_width = 64;
  index_t layers = 2, proxy_layers = 2,
          fusion_layers = 2;                            ///< of the extractors; of proxy, check, reconstructors; last
  std::vector<index_t> stream_frames = {50, 375, 500};  ///< text, then the others
  index_t judge_hidden = 64;                            ///< of the adversary
  double completeness = 0.9, adversary = 0.8, recon = 0.1;  ///< weights
  bool published = false;
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::mse;
  missing::MrmOptions drop = missing::mrm_preset("lnln");
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("text", self.text);
    visit("width", self.width);
    visit("num_heads", self.num_heads);
    visit("head_width", self.head_width);
    visit("layers", self.layers);
    visit("proxy_layers", self.proxy_layers);
    visit("fusion_layers", self.fusion_layers);
    visit("stream_frames", self.stream_frames);
    visit("judge_hidden", self.judge_hidden);
    visit("completeness", self.completeness);
    visit("adversary", self.adversary);
    visit("recon", self.recon);
    visit("published", self.published);
  }
};

template <class T = float, class D = Cpu>
struct LnlnNetwork : SequenceNetwork<LnlnNetwork<T, D>, T, D> {
  using Options = LnlnOptions;
  using Rows = Variable<T, 2, D>;
  using Tokens = Variable<T, 3, D>;
  static constexpr const char* name = "LNLN";
  static constexpr index_t count = 8;  ///< tokens of every stream

  /// One step of the hyper-modality, keys of the other two.
  struct HyperLayer {
    LayerNorm<T, D> norm_1, norm_2, norm_3, norm_4;
    Linear<T, D> q, key_a, key_v, value_a, value_v, out;
    static void reflect(auto& self, auto&& visit) {
      visit("0.norm1", self.norm_1), visit("0.norm2", self.norm_2), visit("0.norm3", self.norm_3);
      visit("0.norm4", self.norm_4);
      visit("0.fn.to_q", self.q), visit("0.fn.to_k_ta", self.key_a), visit("0.fn.to_k_tv", self.key_v);
      visit("0.fn.to_v_ta", self.value_a), visit("0.fn.to_v_tv", self.value_v), visit("0.fn.to_out.0", self.out);
    }
  };
  struct Extractor {
    Linear<T, D> input;
    TokenTransformer<T, D> transformer;
    static void reflect(auto& self, auto&& visit) {
      visit("0", self.input);
      visit("1", self.transformer);
    }
  };
  struct Forward {
    std::array<Tokens, 3> h;  ///< text, first, second
    Tokens proxy = {}, dominant = {}, hyper = {}, fused = {};
    std::vector<Tokens> language = {};
    Rows w = {}, joined = {}, score = {};
  };

  Options options;
  Parameter<T, 3, D> hyper_start, proxy_start;  ///< (1, 8, D)
  std::vector<Extractor> extractor;
  TokenTransformer<T, D> proxy, check, language;
  Linear<T, D> check_1, check_2, judge_1, judge_2, out;
  std::vector<TokenTransformer<T, D>> rebuild;  ///< first, second, text
  std::vector<HyperLayer> hyper;
  Parameter<T, 3, D> source_positions, target_positions, fusion_token;
  std::vector<TokenLayer<T, D>> fusion;

  LnlnNetwork() = default;
  LnlnNetwork(const Options& o, Random& random) : options(o) {
    const auto in = three_inputs(name, o);
    const index_t d = o.width;
    expect_sizes(name,
                 {d, o.num_heads, o.head_width, o.layers, o.proxy_layers, o.fusion_layers, o.judge_hidden, d / 2});
    if (o.stream_frames.size() != 3 || d % o.num_heads)
      throw OptionError(detail::cat(name, ": stream_frames needs 3 numbers, and width ", d, " must divide into ",
                                    o.num_heads, " heads"));
    const auto layer = [&](index_t i, index_t to, bool bias = true) {
      return Linear<T, D>({.in_features = i, .out_features = to, .bias = bias}, random);
    };
    const auto learned = [&](index_t n) { return Parameter<T, 3, D>(init::normal<T, 3, D>({1, n, d}, 1.0, random)); };
    const auto transformer = [&](index_t frames, index_t tokens, index_t depth) {
      return TokenTransformer<T, D>({frames, tokens, depth, d, o.num_heads, o.head_width}, random);
    };
    hyper_start = learned(count), proxy_start = learned(count);
    for (std::size_t m = 0; m < 3; ++m)
      extractor.push_back({layer(in[m], d), transformer(o.stream_frames[m], count, o.layers)});
    proxy = transformer(3 * count, count, o.proxy_layers);
    check = transformer(count, 1, o.proxy_layers);
    language = transformer(count, 0, 2);
    check_1 = layer(d, d / 2), check_2 = layer(d / 2, 1);
    judge_1 = layer(d, o.judge_hidden), judge_2 = layer(o.judge_hidden, 2);
    for (int m = 0; m < 3; ++m) rebuild.push_back(transformer(count, 0, o.proxy_layers));
    const LayerNorm<T, D> norm({.num_features = d});
    for (int i = 0; i < 3; ++i)
      hyper.push_back({norm, norm, norm, norm, layer(d, d, false), layer(d, d, false), layer(d, d, false),
                       layer(d, d, false), layer(d, d, false), layer(d, d)});
    source_positions = learned(count + 1), target_positions = learned(count + 1), fusion_token = learned(1);
    for (index_t i = 0; i < o.fusion_layers; ++i) fusion.emplace_back(d, o.num_heads, o.head_width, random);
    out = layer(d, outputs_for(o.classes));
  }

  std::array<Tokens, 3> extract(const Sequences<T, D>& x) const {
    std::array<Tokens, 3> h;
    for (std::size_t m = 0; m < 3; ++m)
      h[m] =
          slice(extractor[m].transformer(extractor[m].input(x[m].frames), x[m].seen(options.published)), 1, 0, count);
    return h;
  }
  Forward forward(const Sequences<T, D>& x, const Context& = {}) const {
    Forward r{.h = extract(x)};
    const auto& [l, a, v] = r.h;
    const index_t batch = l.extent(0), d = options.width;
    const auto each = [&](const Tokens& one) { return expand(one, {batch, one.extent(1), d}); };
    r.w = sigmoid(check_2(leaky_relu(check_1(select(check(l), 1, 0)), 0.1)));
    const auto generated = proxy(concat<T, 3, D>({each(proxy_start), a, v}, 1));
    r.proxy = gradient_reversal(slice(generated, 1, 0, count));
    const auto w = reshape(r.w, batch, 1, 1);
    r.dominant = (1.0 - w) * r.proxy + w * l;
    r.language = language.stack(r.dominant);
    Tokens y = each(hyper_start);
    for (std::size_t i = 0; i < 3; ++i) {
      const HyperLayer& s = hyper[i];
      const auto query = s.q(s.norm_1(r.language[i])), from_a = s.norm_2(a), from_v = s.norm_3(v);
      const auto asked = [&](const Tokens& key, const Tokens& value) {
        return attention(query, key, value, {}, {.num_heads = options.num_heads, .need_weights = false}).output;
      };
      y = s.norm_4(y) + s.out(asked(s.key_a(from_a), s.value_a(from_a)) + asked(s.key_v(from_v), s.value_v(from_v)));
    }
    r.hyper = y;
    const Tokens &at_source = source_positions, &at_target = target_positions;
    const auto source = concat({each(fusion_token), y}, 1) + at_source;
    r.fused = concat({each(fusion_token), r.language[2]}, 1) + at_target;
    for (const auto& layer : fusion) r.fused = layer(r.fused, source, {});
    r.joined = mean(slice(r.fused, 1, 1, count), 1);
    r.score = out(r.joined);
    return r;
  }

  struct Judged {
    Tokens rebuilt, complete;  ///< (B, 24, D): first, second, text
    Rows verdict;              ///< (16 B, 2): tokens of d, then those of the complete text
  };
  Judged judge(const Forward& r, const std::array<Tokens, 3>& complete) const {
    const index_t rows = r.dominant.extent(0) * count;
    const auto flat = [&](const Tokens& x) { return reshape(x, rows, options.width); };
    const auto verdict = [&](const Tokens& x) { return judge_2(leaky_relu(judge_1(flat(x)), 0.1)); };
    return {concat<T, 3, D>({rebuild[0](r.h[1]), rebuild[1](r.h[2]), rebuild[2](r.h[0])}, 1),
            concat<T, 3, D>({complete[1], complete[2], complete[0]}, 1),
            concat<T, 2, D>({verdict(r.dominant), verdict(complete[0])}, 0)};
  }
  /// completeness (B, 1).
  LossTerms<T, D> losses(const Forward& r, const Judged& j, const Tensor<T, 2, D>& completeness,
                         const TrainingBatch<T, D>& batch) const {
    std::vector<index_t> labels(std::size_t(j.verdict.extent(0)), 0);
    std::fill_n(labels.begin(), labels.size() / 2, index_t(1));
    return Objective<T, D>()
        .add("l_cc", options.completeness, mse_loss(r.w, Rows(completeness)))
        .add("l_adv", options.adversary, cross_entropy(j.verdict, Labels<D>(labels)))
        .add("l_rec", options.recon, mse_loss(j.rebuilt, j.complete))
        .add("l_sp", 1, batch.task_loss(r.score))
        .result();
  }
  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context&) const {
    const Forward r = forward(sequences(batch.seen, options.text));
    const auto whole = extract(sequences(batch.whole, options.text));
    const auto text = std::size_t(options.text);
    const auto left = batch.seen[text].present.to_vector(), all = batch.whole[text].present.to_vector();
    const std::size_t size = std::size_t(batch.size()), frames = all.size() / std::max<std::size_t>(size, 1);
    std::vector<T> share;
    for (std::size_t b = 0; b < size; ++b) {
      index_t kept = 0, had = 0;
      for (std::size_t t = b * frames; t < (b + 1) * frames; ++t) kept += left[t], had += all[t];
      share.push_back(had > 0 ? T(kept) / T(had) : T(0));
    }
    return losses(r, judge(r, whole), Tensor<T, 2, D>::from({index_t(size), 1}, share), batch);
  }

  static void reflect(auto& self, auto&& visit) {
    static constexpr const char* names[3] = {"proj_l", "proj_a", "proj_v"};
    visit("h_hyper", self.hyper_start), visit("h_p", self.proxy_start);
    for (std::size_t m = 0; m < self.extractor.size(); ++m) visit(names[m], self.extractor[m]);
    visit("proxy_dominate_modality_generator", self.proxy);
    visit("effective_discriminator.0", self.judge_1), visit("effective_discriminator.2", self.judge_2);
    visit("completeness_check.0", self.check);
    visit("completeness_check.1.0", self.check_1), visit("completeness_check.1.2", self.check_2);
    visit("reconstructor", self.rebuild);
    visit("dmml.0", self.language);
    visit("dmml.1.layers", self.hyper);
    visit("dmml.2.pos_embedding_s", self.source_positions), visit("dmml.2.pos_embedding_t", self.target_positions);
    visit("dmml.2.extra_token", self.fusion_token);
    visit("dmml.2.CrossTransformerEncoder.layers", self.fusion);
    visit("dmml.3", self.out);
  }
};

template <class T = float, class D = Cpu>
using Lnln = Model<LnlnNetwork<T, D>>;

}  // namespace lacuna::models
