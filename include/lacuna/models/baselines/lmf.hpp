/// LMF, Low-rank Multimodal Fusion.  (Liu, Shen, Lakshminarasimhan, Liang, Zadeh & Morency, ACL 2018, arXiv 1806.00064)
///
///   a, v, t  as in TFN; t has half the size of its LSTM                          (nn/subnetwork.hpp)
///   z[r]     = [1; a] F_a[r] ∘ [1; v] F_v[r] ∘ [1; t] F_t[r],  r = 1..R          (R, B, outputs)
///   M        = Σ_r w_r z[r] + b,  L = mean |M − label|
///
/// The tensor of TFN with weights of rank R. An absent modality is 0 behind its encoder. With `published` averages and
/// LSTM go over padding as well, and w and b stay at their start: the authors' optimizer leaves them out. Start of F and
/// w: Xavier normal as PyTorch reads a tensor of rank 3. Defaults: MOSI of MMSA (github.com/thuiar/MMSA), where F has a
/// learning rate of its own on some sets; here all have one.
#pragma once

#include "lacuna/models/baselines/sequence_network.hpp"
#include "lacuna/nn/subnetwork.hpp"
#include "lacuna/ops/fusion.hpp"
#include "lacuna/ops/matmul.hpp"

namespace lacuna::models {

struct LmfOptions {
  std::vector<index_t> inputs = {};
  index_t text = 0;                                                   ///< which of them
  index_t text_hidden = 128, first_hidden = 16, second_hidden = 128;  ///< of the text's LSTM and the two perceptrons
  index_t rank = 3;
  double dropout = 0.3;  ///< of the averages
  bool published = false;
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::l1;
  missing::MrmOptions drop = missing::mrm_preset("none");
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("text", self.text);
    visit("text_hidden", self.text_hidden);
    visit("first_hidden", self.first_hidden);
    visit("second_hidden", self.second_hidden);
    visit("rank", self.rank);
    visit("dropout", self.dropout);
    visit("published", self.published);
  }
};

template <class T = float, class D = Cpu>
struct LmfNetwork : SequenceNetwork<LmfNetwork<T, D>, T, D> {
  using Options = LmfOptions;
  static constexpr const char* name = "LMF";

  struct Forward {
    Variable<T, 2, D> text = {}, first = {}, second = {};
    Variable<T, 3, D> fused = {};  ///< (R, B, outputs)
    Variable<T, 2, D> score = {};
  };

  Options options;
  AverageSubnet<T, D> first, second;
  LastStateSubnet<T, D> text;
  Parameter<T, 3, D> first_factor, second_factor, text_factor;  ///< (R, size + 1, outputs)
  Parameter<T, 2, D> rank_weight, bias;                         ///< (1, R), (1, outputs)

  LmfNetwork() = default;
  LmfNetwork(const Options& o, Random& random) : options(o) {
    const auto in = three_inputs(name, o);
    const index_t text_out = o.text_hidden / 2, out = outputs_for(o.classes);
    expect_sizes(name, {text_out, o.first_hidden, o.second_hidden, o.rank});
    first = AverageSubnet<T, D>({in[1], o.first_hidden, o.dropout}, random);
    second = AverageSubnet<T, D>({in[2], o.second_hidden, o.dropout}, random);
    text = LastStateSubnet<T, D>({in[0], o.text_hidden, text_out}, random);
    const auto factor = [&](index_t size) {
      const double deviation = std::sqrt(2.0 / double((o.rank + size + 1) * out));
      return Parameter<T, 3, D>(init::normal<T, 3, D>({o.rank, size + 1, out}, deviation, random));
    };
    first_factor = factor(o.first_hidden);
    second_factor = factor(o.second_hidden);
    text_factor = factor(text_out);
    const double deviation = std::sqrt(2.0 / double(1 + o.rank));
    rank_weight = Parameter<T, 2, D>(init::normal<T, 2, D>({1, o.rank}, deviation, random));
    bias = Parameter<T, 2, D>(Tensor<T, 2, D>::zeros({1, out}));
    if (o.published) rank_weight.freeze(), bias.freeze();
  }

  Forward forward(const Sequences<T, D>& x, const Context& context) const {
    const auto seen = [&](std::size_t m) { return x[m].seen(options.published); };
    Forward r{.text = text(x[0].frames, seen(0)),
              .first = first(x[1].frames, seen(1), context),
              .second = second(x[2].frames, seen(2), context)};
    const auto part = [](const Variable<T, 2, D>& y, const Parameter<T, 3, D>& factor) {
      return rank_products<T, D>(prepend_one(y), factor);
    };
    r.fused = part(r.first, first_factor) * part(r.second, second_factor) * part(r.text, text_factor);
    const index_t ranks = options.rank, batch = r.fused.extent(1), out = bias.extent(1);
    const auto rows = reshape(r.fused, std::array<index_t, 2>{ranks, batch * out});
    const Variable<T, 2, D>&w = rank_weight, &b = bias;
    r.score = reshape(matmul(w, rows), std::array<index_t, 2>{batch, out}) + b;
    return r;
  }

  /// The products of all ranks (B, R · outputs).
  Variable<T, 2, D> embed(const Streams<T, D>& streams, const Context& context) const {
    const auto fused = this->pass(streams, context).fused;
    return reshape(permute(fused, {1, 0, 2}),
                   std::array<index_t, 2>{fused.extent(1), fused.extent(0) * fused.extent(2)});
  }
  static void reflect(auto& self, auto&& visit) {
    visit("audio_factor", self.first_factor);
    visit("video_factor", self.second_factor);
    visit("text_factor", self.text_factor);
    visit("fusion_weights", self.rank_weight);
    visit("fusion_bias", self.bias);
    visit("audio_subnet", self.first);
    visit("video_subnet", self.second);
    visit("text_subnet", self.text);
  }
};

template <class T = float, class D = Cpu>
using Lmf = Model<LmfNetwork<T, D>>;

}  // namespace lacuna::models
