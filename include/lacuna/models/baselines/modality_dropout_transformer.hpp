/// One Transformer over the frames of all modalities, trained with modalities dropped at random.
///
///   tokens  a_m,t = W_m x_m,t + e_m + p_t       of every frame of every modality; e_m, the bias of its own projection,
///                                               says which modality it is, p_t (sines and cosines) which frame
///   [c'; A'] = norm(layers([c; A]))             pre-norm encoder, c a learned class token, absent frames are no keys
///   z = W dropout(c') + b                       (B, outputs)
///
/// Any number of modalities of unaligned lengths. What is absent is no token at all: with nothing present the class
/// token sees itself alone, and the prediction is a constant. No sample sees its batch mates.
/// Dropping: ModDrop (Neverova, Wolf, Taylor & Nebout, TPAMI 2016). The Transformer that loses modalities: Ma, Ren,
/// Zhao, Testuggine & Peng, "Are Multimodal Transformers Robust to Missing Modality?", CVPR 2022. What differs from the
/// latter: trained from the start instead of a pretrained ViLT; modalities are dropped at random instead of the search
/// for a fusion strategy and the masked multi-task objective; sines and cosines for positions. From the former: absent
/// modalities are masked instead of zero.
#pragma once

#include "lacuna/models/model.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/nn/position.hpp"
#include "lacuna/nn/transformer.hpp"
#include "lacuna/ops/manipulation.hpp"
#include "lacuna/ops/shape.hpp"
#include "lacuna/ops/slice.hpp"

namespace lacuna::models {

struct ModalityDropoutTransformerOptions {
  std::vector<index_t> inputs = {};
  index_t width = 64;
  index_t num_heads = 4;
  index_t layers = 2;
  index_t hidden = 128;  ///< of the feed-forward parts
  double dropout = 0.1;  ///< on tokens, branches, hidden layers and the class token; attention weights have none
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::mse;
  missing::MrmOptions drop = modality_dropping();
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("width", self.width);
    visit("num_heads", self.num_heads);
    visit("layers", self.layers);
    visit("hidden", self.hidden);
    visit("dropout", self.dropout);
  }
};

template <class T = float, class D = Cpu>
struct ModalityDropoutTransformerNetwork {
  using scalar = T;
  using device = D;
  using Options = ModalityDropoutTransformerOptions;
  static constexpr const char* name = "modality-dropout Transformer";

  double dropout = 0;
  std::vector<Linear<T, D>> projection;
  SinusoidalPositions<T, D> positions;
  Parameter<T, 2, D> class_token;  ///< (1, width)
  TransformerEncoder<T, D> encoder;
  Linear<T, D> head;

  ModalityDropoutTransformerNetwork() = default;
  ModalityDropoutTransformerNetwork(const Options& o, Random& random) : dropout(o.dropout) {
    for (const index_t in : o.inputs)
      projection.emplace_back(typename Linear<T, D>::Options{.in_features = in, .out_features = o.width}, random);
    positions = SinusoidalPositions<T, D>({.embed_dim = o.width});
    class_token = Parameter<T, 2, D>(init::normal<T, 2, D>({1, o.width}, 0.02, random));
    encoder = TransformerEncoder<T, D>({.embed_dim = o.width,
                                        .num_heads = o.num_heads,
                                        .hidden = o.hidden,
                                        .layers = o.layers,
                                        .dropout = o.dropout,
                                        .hidden_dropout = o.dropout},
                                       random);
    head = Linear<T, D>({.in_features = o.width, .out_features = outputs_for(o.classes)}, random);
  }

  /// c' (B, width)
  Variable<T, 2, D> embed(const Streams<T, D>& streams, const Context& context) const {
    if (streams.empty() || streams.size() != projection.size())
      throw ShapeError(detail::cat(name, ": ", streams.size(), " streams for ", projection.size(), " modalities"));
    const index_t batch = streams[0].frames.extent(0), width = class_token.extent(1);
    std::vector<Variable<T, 2, D>> rows;  // (B, frames · width): joined along time
    const auto add = [&](const Variable<T, 3, D>& tokens) {
      rows.push_back(reshape(tokens, std::array<index_t, 2>{batch, tokens.extent(1) * width}));
    };
    add(expand<T, 2, D>(class_token, {batch, 1, width}));
    for (std::size_t m = 0; m < streams.size(); ++m)
      add(lacuna::dropout(positions(projection[m](Variable<T, 3, D>(streams[m].frames))), dropout, context));
    const auto present = keys(streams);
    const auto tokens = reshape(concat(rows, -1), std::array<index_t, 3>{batch, present.extent(1), width});
    const auto first = slice(encoder(tokens, present, context), 1, 0, 1);
    return reshape(first, std::array<index_t, 2>{batch, width});
  }
  Variable<T, 2, D> operator()(const Streams<T, D>& streams, const Context& context) const {
    return head(lacuna::dropout(embed(streams, context), dropout, context));
  }
  static void reflect(auto& self, auto&& visit) {
    visit("projection", self.projection);
    visit("class_token", self.class_token);
    visit("encoder", self.encoder);
    visit("head", self.head);
  }

 private:
  /// (B, 1 + Σ T_m): the class token, then what is present.
  static Mask<2, D> keys(const Streams<T, D>& streams) {
    const index_t batch = streams[0].present.extent(0);
    index_t width = 1;
    for (const auto& stream : streams) width += stream.present.extent(1);
    std::vector<std::uint8_t> all(std::size_t(batch * width), 1);
    index_t column = 1;
    for (const auto& stream : streams) {
      const std::vector<std::uint8_t> own = stream.present.to_vector();
      const index_t frames = stream.present.extent(1);
      for (index_t b = 0; b < batch; ++b)
        std::copy_n(own.begin() + b * frames, frames, all.begin() + b * width + column);
      column += frames;
    }
    return Mask<2, D>::from({batch, width}, all);
  }
};

template <class T = float, class D = Cpu>
using ModalityDropoutTransformer = Model<ModalityDropoutTransformerNetwork<T, D>>;

}  // namespace lacuna::models
