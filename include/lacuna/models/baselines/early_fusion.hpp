/// Early fusion: the time averages of all modalities side by side, and a perceptron.
///
///   v_m = mean of the present frames of X_m (B, T_m, D_m)                 (B, D_m), 0 where nothing is present
///   h   = dropout(relu(W₁ [v_1; …; v_M] + b₁)), `layers` times            (B, hidden)
///   z   = W h + b                                                         (B, outputs)
///
/// The baseline of most papers of this field; the name as in Baltrušaitis, Ahuja & Morency, "Multimodal Machine
/// Learning: A Survey and Taxonomy", TPAMI 2019. An absent modality is its mean (0 after standardisation): nothing says
/// that it is missing. As it is, it trains on complete data. With `drop = modality_dropping()` it is the same
/// network under random dropping of modalities, as in ModDrop (Neverova, Wolf, Taylor & Nebout, TPAMI 2016), from which
/// differ: no pretraining per modality, no gradual widening of the fusion layer, and one modality of a sample always
/// stays.
#pragma once

#include "lacuna/models/model.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/pooling.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna::models {

struct EarlyFusionOptions {
  std::vector<index_t> inputs = {};
  index_t hidden = 128;
  index_t layers = 1;
  double dropout = 0.2;
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::mse;
  missing::MrmOptions drop = missing::mrm_preset("none");
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("hidden", self.hidden);
    visit("layers", self.layers);
    visit("dropout", self.dropout);
  }
};

template <class T = float, class D = Cpu>
struct EarlyFusionNetwork {
  using scalar = T;
  using device = D;
  using Options = EarlyFusionOptions;
  static constexpr const char* name = "early fusion";

  Mlp<T, D> body;
  Linear<T, D> head;

  EarlyFusionNetwork() = default;
  EarlyFusionNetwork(const Options& o, Random& random) {
    if (o.hidden < 1 || o.layers < 1)
      throw OptionError(detail::cat(name, ": ", o.layers, " layers of ", o.hidden, ", expected at least one"));
    std::vector<index_t> sizes{0};
    for (const index_t in : o.inputs) sizes[0] += in;
    sizes.insert(sizes.end(), std::size_t(o.layers), o.hidden);
    body = Mlp<T, D>({sizes, o.dropout}, random);
    head = Linear<T, D>({.in_features = o.hidden, .out_features = outputs_for(o.classes)}, random);
  }

  /// h (B, hidden)
  Variable<T, 2, D> embed(const Streams<T, D>& streams, const Context& context) const {
    std::vector<Variable<T, 2, D>> averages;
    for (const auto& stream : streams) averages.push_back(mean_pool(Variable<T, 3, D>(stream.frames), stream.present));
    return body(concat(averages, -1), context);
  }
  Variable<T, 2, D> operator()(const Streams<T, D>& streams, const Context& context) const {
    return head(embed(streams, context));
  }
  static void reflect(auto& self, auto&& visit) {
    visit("body", self.body);
    visit("head", self.head);
  }
};

template <class T = float, class D = Cpu>
using EarlyFusion = Model<EarlyFusionNetwork<T, D>>;

}  // namespace lacuna::models
