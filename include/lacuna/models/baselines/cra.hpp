/// CRA and AE: an autoencoder that sees what is present, and rebuilds everything beside the task.  (Cascaded residual
/// autoencoder: Tran, Liu, Zhou & Jin, CVPR 2017; plain: Hinton & Salakhutdinov, Science 2006. Both as utterance-level
/// systems in the comparison of GCNet, Lian et al., TPAMI 2023)
///
///   f = [FC_1(x_1), …, FC_M(x_M)]                                                  (utterance_encoders.hpp)
///   CRA  y = cascaded residual autoencoder of f, and a transition          AE  y = relu decoder(leaky encoder f)
///   z = FC(y),  x̂_m = FC_m(y)
///   L = task + recon · mean over samples Σ_m ‖x̂_m − x_m‖² / D_m, over the modalities that were taken away
///
/// Any number of modalities, vectors or the means of sequences. An absent modality is 0 in f; with `published`
/// (github.com/zeroQiaoba/GCNet) it is FC(0), and the reconstruction is summed over the batch. Defaults: there.
#pragma once

#include "lacuna/models/baselines/utterance_encoders.hpp"
#include "lacuna/models/model.hpp"
#include "lacuna/nn/cascade.hpp"

namespace lacuna::models {

struct CraOptions {
  std::vector<index_t> inputs = {};
  bool residual = true;                          ///< CRA; off: AE
  index_t width = 128;                           ///< of every FC_m
  std::vector<index_t> cls_layers = {128, 128};  ///< of every FC
  std::vector<index_t> layers = {256, 128};      ///< of an autoencoder, the last one is its code
  index_t blocks = 2;                            ///< of CRA
  double recon = 0.8;
  double dropout = 0;  ///< in the perceptron of the task
  bool published = false;
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::mse;
  missing::MrmOptions drop = missing::mrm_preset("gcnet");
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("residual", self.residual);
    visit("width", self.width);
    visit("cls_layers", self.cls_layers);
    visit("ae_layers", self.layers);
    visit("blocks", self.blocks);
    visit("recon", self.recon);
    visit("dropout", self.dropout);
    visit("published", self.published);
  }
};

template <class T = float, class D = Cpu>
struct CraNetwork {
  using scalar = T;
  using device = D;
  using Options = CraOptions;
  using Rows = Variable<T, 2, D>;
  static constexpr const char* name = "CRA";

  struct Forward {
    Rows features, fused, score;
    std::vector<Rows> rebuilt;
  };

  Options options;
  UtteranceEncoders<T, D> encoders;
  CascadedResidualAutoencoder<T, D> cascade;
  Autoencoder<T, D> plain;
  std::vector<UtterancePerceptron<T, D>> rebuild;
  UtterancePerceptron<T, D> judge;

  CraNetwork() = default;
  CraNetwork(const Options& o, Random& random) : options(o) {
    if (o.width < 1 || o.layers.empty()) throw OptionError(detail::cat(name, ": width and ae_layers make no network"));
    if (!(o.recon >= 0 && o.recon < 1e300)) throw OptionError(detail::cat(name, ": recon is ", o.recon));
    const index_t joint = o.width * index_t(o.inputs.size());
    encoders = UtteranceEncoders<T, D>(o.inputs, o.cls_layers, o.width, random);
    AutoencoderOptions block{.sizes = {joint}, .decoder_slope = o.residual ? 0.0 : -1.0};
    block.sizes.insert(block.sizes.end(), o.layers.begin(), o.layers.end());
    if (o.residual)
      cascade = CascadedResidualAutoencoder<T, D>({block, o.blocks, true}, random);
    else
      plain = Autoencoder<T, D>(block, random);
    for (const index_t in : o.inputs) rebuild.emplace_back(joint, o.cls_layers, in, 0.0, random);
    judge = UtterancePerceptron<T, D>(joint, o.cls_layers, outputs_for(o.classes), o.dropout, random);
  }

  /// Without `all`: no reconstruction.
  Forward forward(const Streams<T, D>& streams, const Context& context, bool all = true) const {
    Forward r;
    r.features = encoders(streams, options.published);
    r.fused = options.residual ? cascade(r.features).y
                               : relu(plain.decode(leaky_relu(plain.encode(r.features), plain.slope)));
    r.score = judge(r.fused, context);
    if (all)
      for (const auto& one : rebuild) r.rebuilt.push_back(one(r.fused, Context{}));
    return r;
  }
  LossTerms<T, D> losses(const Forward& r, const TrainingBatch<T, D>& batch) const {
    const auto taken = batch.taken().to_vector();
    const std::size_t modalities = r.rebuilt.size();
    const index_t samples = r.score.extent(0);
    Variable<T, 0, D> recon;
    for (std::size_t m = 0; m < modalities; ++m) {
      std::vector<std::uint8_t> here;
      for (std::size_t b = 0; b < std::size_t(samples); ++b) here.push_back(taken[b * modalities + m]);
      const auto error = mse_loss(r.rebuilt[m], utterance_of(batch.whole[m]), {.reduction = Reduction::sum},
                                  Mask<1, D>::from({samples}, here));
      const auto term = scale(error, 1.0 / double(r.rebuilt[m].extent(1)));
      recon = m == 0 ? term : recon + term;
    }
    if (!options.published) recon = scale(recon, samples > 0 ? 1.0 / double(samples) : 0.0);
    return Objective<T, D>().add("task", 1, batch.task_loss(r.score)).add("recon", options.recon, recon).result();
  }
  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context& context) const {
    return losses(forward(batch.seen, context), batch);
  }

  /// y (B, M · width).
  Rows embed(const Streams<T, D>& streams, const Context& context) const {
    return forward(streams, context, false).fused;
  }
  Rows operator()(const Streams<T, D>& streams, const Context& context) const {
    return forward(streams, context, false).score;
  }
  static void reflect(auto& self, auto&& visit) {
    visit("encoders", self.encoders);
    visit("cascade", self.cascade);
    visit("plain", self.plain);
    visit("rebuild", self.rebuild);
    visit("judge", self.judge);
  }
};

template <class T = float, class D = Cpu>
using Cra = Model<CraNetwork<T, D>>;

}  // namespace lacuna::models
