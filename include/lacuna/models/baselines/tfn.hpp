/// TFN, the Tensor Fusion Network.  (Zadeh, Chen, Poria, Cambria & Morency, EMNLP 2017, arXiv 1707.07250)
///
///   a, v = perceptrons of the time averages, t = LSTM of the text                (nn/subnetwork.hpp)
///   z    = vec([1; a] ⊗ [1; v] ⊗ [1; t])                                         (B, (A+1)(V+1)(T+1))
///   y    = W₃ relu W₂ relu W₁ z,  of a real label  M = 6 σ(y) − 3                (B, outputs)
///   L    = mean |M − label|
///
/// A modality that is absent is 0 behind its encoder, and z then holds the products without it. Three modalities: the
/// size of z is the product of all of theirs. With `published` the averages and the LSTM go over padding as well. Where
/// labels are standardised (the default) the range ±3 is in deviations. Defaults: MOSI of MMSA (github.com/thuiar/MMSA).
#pragma once

#include "lacuna/models/baselines/sequence_network.hpp"
#include "lacuna/nn/subnetwork.hpp"
#include "lacuna/ops/fusion.hpp"

namespace lacuna::models {

struct TfnOptions {
  std::vector<index_t> inputs = {};
  index_t text = 0;                                                   ///< which of them
  index_t text_hidden = 128, first_hidden = 32, second_hidden = 128;  ///< of the text's LSTM and the two perceptrons
  index_t text_out = 32;                                              ///< of the text's encoder
  index_t hidden = 64;                                                ///< behind the product
  double dropout = 0.3, head_dropout = 0.5;                           ///< of the averages, of the product
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
    visit("text_out", self.text_out);
    visit("hidden", self.hidden);
    visit("dropout", self.dropout);
    visit("head_dropout", self.head_dropout);
    visit("published", self.published);
  }
};

template <class T = float, class D = Cpu>
struct TfnNetwork : SequenceNetwork<TfnNetwork<T, D>, T, D> {
  using Options = TfnOptions;
  static constexpr const char* name = "TFN";

  struct Forward {
    Variable<T, 2, D> text = {}, first = {}, second = {}, fused = {}, hidden = {}, score = {};
  };

  Options options;
  AverageSubnet<T, D> first, second;
  LastStateSubnet<T, D> text;
  Linear<T, D> layer_1, layer_2, layer_3;

  TfnNetwork() = default;
  TfnNetwork(const Options& o, Random& random) : options(o) {
    const auto in = three_inputs(name, o);
    expect_sizes(name, {o.text_hidden, o.first_hidden, o.second_hidden, o.text_out, o.hidden});
    first = AverageSubnet<T, D>({in[1], o.first_hidden, o.dropout}, random);
    second = AverageSubnet<T, D>({in[2], o.second_hidden, o.dropout}, random);
    text = LastStateSubnet<T, D>({in[0], o.text_hidden, o.text_out}, random);
    const index_t product = (o.first_hidden + 1) * (o.second_hidden + 1) * (o.text_out + 1);
    layer_1 = Linear<T, D>({.in_features = product, .out_features = o.hidden}, random);
    layer_2 = Linear<T, D>({.in_features = o.hidden, .out_features = o.hidden}, random);
    layer_3 = Linear<T, D>({.in_features = o.hidden, .out_features = outputs_for(o.classes)}, random);
  }

  Forward forward(const Sequences<T, D>& x, const Context& context) const {
    const auto seen = [&](std::size_t m) { return x[m].seen(options.published); };
    Forward r{.text = text(x[0].frames, seen(0)),
              .first = first(x[1].frames, seen(1), context),
              .second = second(x[2].frames, seen(2), context)};
    r.fused = tensor_fusion<T, D>({r.first, r.second, r.text});
    const auto dropped = lacuna::dropout(r.fused, options.head_dropout, context);
    r.hidden = layer_2(layer_1(dropped, Activation::relu), Activation::relu);
    const auto y = layer_3(r.hidden);
    r.score = options.classes > 0 ? y : sigmoid(y) * 6.0 - 3.0;
    return r;
  }

  static void reflect(auto& self, auto&& visit) {
    visit("audio_subnet", self.first);
    visit("video_subnet", self.second);
    visit("text_subnet", self.text);
    visit("post_fusion_layer_1", self.layer_1);
    visit("post_fusion_layer_2", self.layer_2);
    visit("post_fusion_layer_3", self.layer_3);
  }
};

template <class T = float, class D = Cpu>
using Tfn = Model<TfnNetwork<T, D>>;

}  // namespace lacuna::models
