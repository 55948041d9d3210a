/// MMIN, the Missing Modality Imagination Network.  (Zhao, Li & Jin, ACL 2021; cascaded residual autoencoder: Tran,
/// Liu, Zhou & Jin, CVPR 2017)
///
///   h_m = max over the present frames of LSTM_m(X_m)      (B, d), 0 where nothing is present
///   ĥ, c = forward([h_1; …; h_M])                         CRA: imagined (B, M d), codes c (B, blocks · code)
///   h', · = backward(ĥ)                                   CRA of its own
///   z = head(MLP(c))                                      (B, outputs), two layers with dropout
/// A first phase trains the encoders, with a perceptron on [h_1; …; h_M], on complete data, and keeps a frozen copy t of
/// them.
/// Then, under random missing patterns,
///   L = task + imagination · L_imagine + cycle · L_cycle
///   L_imagine = mean (ĥ_m − t_m)²      over the modalities m that were taken away, t_m what the copy says of them
///   L_cycle   = mean (h'_m − sg h_m)²  over the modalities m that are present
/// A sample that never had a modality teaches nothing about it. Prediction: any subset, by forward and head alone.
///
/// With `published`, what the code in GCNet's comparison does (github.com/zeroQiaoba/GCNet; utterance_encoders.hpp):
/// vectors through perceptrons, an absent one as zeros; relu in the decoders, a transition behind the cascades; t of the
/// part that was taken away, where an available modality counts as zeros that are encoded; both losses over everything.
/// Its clipping of every network's gradient by itself is one norm here.
///
/// What differs otherwise from the paper and its authors' code (github.com/AIM3-RUC/MMIN): any number of modalities; an LSTM with
/// maximum for every one of them, text too (there TextCNN); a share of the samples stays complete, as `drop` says
/// (there each is given one of the incomplete patterns); an absent modality is 0 after its encoder, not an encoded
/// sequence of zeros; targets of the imagination are absent modalities only, and the cycle's are present ones only
/// (there all, with encoded zeros in the other places); no transition layers behind the cascade; smaller by default (d
/// 128, five blocks of 256-128-64, dropout 0.5 there); one gradient norm for all parts. Weights 4 and 2 as in their
/// scripts for IEMOCAP. Real labels besides classes are ours.
#pragma once

#include "lacuna/models/baselines/utterance_encoders.hpp"
#include "lacuna/models/model.hpp"
#include "lacuna/nn/cascade.hpp"
#include "lacuna/nn/recurrent.hpp"
#include "lacuna/ops/pooling.hpp"

namespace lacuna::models {

struct MminOptions {
  std::vector<index_t> inputs = {};
  index_t width = 64;                           ///< d of every modality
  std::vector<index_t> layers = {128, 64, 32};  ///< of one autoencoder, the last one is its code
  index_t blocks = 3;                           ///< of either cascade
  index_t hidden = 128;                         ///< of the perceptrons before the heads
  double dropout = 0.3;                         ///< in them
  bool published = false;
  std::vector<index_t> cls_layers = {128, 128};  ///< published: of all perceptrons
  double imagination = 4, cycle = 2;             ///< weights
  PretrainOptions pretraining = {};
  index_t classes = 0;
  RegressionLoss loss = RegressionLoss::mse;
  missing::MrmOptions drop = modality_dropping();
  bool standardize = true;
  double feature_clip = 5;

  static void reflect(auto& self, auto&& visit) {
    ModelOptions::reflect(self, visit);
    visit("width", self.width);
    visit("ae_layers", self.layers);
    visit("blocks", self.blocks);
    visit("hidden", self.hidden);
    visit("dropout", self.dropout);
    visit("published", self.published);
    visit("cls_layers", self.cls_layers);
    visit("imagination", self.imagination);
    visit("cycle", self.cycle);
    PretrainOptions::reflect(self.pretraining, visit);
  }
};

/// One LSTM per modality: streams → h_m (B, d) each; published: a perceptron.
template <class T = float, class D = Cpu>
struct MminEncoders {
  std::vector<Lstm<T, D>> lstm;
  UtteranceEncoders<T, D> utterance;

  MminEncoders() = default;
  MminEncoders(const MminOptions& o, Random& random) {
    if (o.published)
      utterance = UtteranceEncoders<T, D>(o.inputs, o.cls_layers, o.width, random);
    else
      for (const index_t in : o.inputs) lstm.emplace_back(RecurrentOptions{.in = in, .hidden = o.width}, random);
  }
  /// [h_1; …; h_M] (B, M d)
  Variable<T, 2, D> operator()(const Streams<T, D>& streams) const {
    if (lstm.empty()) return utterance(streams, true);
    std::vector<Variable<T, 2, D>> all;
    for (std::size_t m = 0; m < lstm.size(); ++m)
      all.push_back(max_pool(lstm[m](Variable<T, 3, D>(streams[m].frames), streams[m].present).y, streams[m].present));
    return concat(all, -1);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("lstm", self.lstm);
    visit("utterance", self.utterance);
  }
};

template <class T = float, class D = Cpu>
struct MminNetwork {
  using scalar = T;
  using device = D;
  using Options = MminOptions;
  static constexpr const char* name = "MMIN";

  using Classifier = UtterancePerceptron<T, D>;  ///< of the pretraining, and of the joint codes
  struct Forward {
    Variable<T, 2, D> features, imagined, codes, recalled, score;
  };

  Options options;
  MminEncoders<T, D> encoders, pretrained;  ///< the latter frozen
  CascadedResidualAutoencoder<T, D> forward, backward;
  Classifier classifier;
  bool ready = false;           ///< the encoders have had their own phase
  PhaseRecord pretrain_record;  ///< of that phase; not stored

  MminNetwork() = default;
  MminNetwork(const Options& o, Random& random) : options(o) {
    if (o.width < 1 || o.layers.empty() || o.blocks < 1 || o.hidden < 1)
      throw OptionError(detail::cat(name, ": width ", o.width, ", ", o.layers.size(), " layers, ", o.blocks,
                                    " blocks, hidden ", o.hidden, " make no network"));
    for (const double weight : {o.imagination, o.cycle})
      if (!(weight >= 0 && weight < 1e300)) throw OptionError(detail::cat(name, ": a loss weight is ", weight));
    o.pretraining.check(name);
    encoders = MminEncoders<T, D>(o, random);
    pretrained = encoders;
    freeze(pretrained);
    AutoencoderOptions block{.sizes = {joint_width()}};
    block.sizes.insert(block.sizes.end(), o.layers.begin(), o.layers.end());
    if (o.published) block.decoder_slope = 0;
    forward = CascadedResidualAutoencoder<T, D>({block, o.blocks, o.published}, random);
    backward = CascadedResidualAutoencoder<T, D>({block, o.blocks, o.published}, random);
    classifier = perceptron(o, o.blocks * o.layers.back(), random);
  }

  /// The encoders on complete data.
  template <class Feed>
  std::optional<Phase<T, D>> next_phase(const Options& o, const Feed& feed, Random& random) {
    if (ready) return std::nullopt;
    const auto plain = std::make_shared<Plain>(Plain{encoders, perceptron(o, joint_width(), random)});
    return pretraining<T, D>(
        "encoders", o.pretraining, feed,
        [plain](const TrainingBatch<T, D>& batch, const Context& context) {
          return batch.task_loss(plain->classifier(plain->encoders(batch.whole), context));
        },
        [plain] { return pack<T, D>(*plain); },
        [this, plain](const PhaseRecord& record) {
          encoders = plain->encoders;
          pretrained = plain->encoders;
          freeze(pretrained);
          pretrain_record = record;
          ready = true;
        });
  }
  void save_state(State& state) const { state.put("encoders_ready", ready); }
  void load_state(const State& state) { state.get("encoders_ready", ready); }

  /// The codes behind their perceptron (B, hidden).
  Variable<T, 2, D> embed(const Streams<T, D>& streams, const Context& context) const {
    return classifier.body(forward(encoders(streams)).z, context);
  }
  Variable<T, 2, D> operator()(const Streams<T, D>& streams, const Context& context) const {
    return classifier.head(embed(streams, context));
  }

  Forward run(const Streams<T, D>& seen, const Context& context) const {
    const auto h = encoders(seen);
    const auto imagined = forward(h);
    return {h, imagined.y, imagined.z, backward(imagined.y).y, classifier(imagined.z, context)};
  }
  /// What the frozen encoders say of it.
  Variable<T, 2, D> told(const Streams<T, D>& streams) const {
    const NoGrad off;
    return pretrained(streams);
  }
  /// target: `told` of the whole; published: of what was taken away.
  LossTerms<T, D> losses(const Forward& r, const Variable<T, 2, D>& target, const TrainingBatch<T, D>& batch) const {
    const bool all = options.published;
    const auto here = r.features.detach();
    return Objective<T, D>()
        .add("task", 1, batch.task_loss(r.score))
        .add("imagination", options.imagination,
             mse_loss(by_modality(r.imagined), by_modality(target), all ? Mask<2, D>() : batch.taken()))
        .add("cycle", options.cycle,
             mse_loss(by_modality(r.recalled), by_modality(here), all ? Mask<2, D>() : batch.here()))
        .result();
  }
  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context& context) const {
    return losses(run(batch.seen, context), told(options.published ? streams_taken(batch) : batch.whole), batch);
  }

  static void reflect(auto& self, auto&& visit) {
    visit("encoders", self.encoders);
    visit("pretrained", self.pretrained);
    visit("forward", self.forward);
    visit("backward", self.backward);
    visit("classifier", self.classifier);
  }

 private:
  static Classifier perceptron(const Options& o, index_t in, Random& random) {
    const auto layers = o.published ? o.cls_layers : std::vector<index_t>{o.hidden, o.hidden};
    return Classifier(in, layers, outputs_for(o.classes), o.dropout, random);
  }
  /// What is trained before the rest.
  struct Plain {
    MminEncoders<T, D> encoders;
    Classifier classifier;
    static void reflect(auto& self, auto&& visit) {
      visit("encoders", self.encoders);
      visit("classifier", self.classifier);
    }
  };

  index_t joint_width() const { return index_t(options.inputs.size()) * options.width; }
  Variable<T, 3, D> by_modality(const Variable<T, 2, D>& x) const {
    return reshape(x, std::array<index_t, 3>{x.extent(0), index_t(options.inputs.size()), options.width});
  }
};

template <class T = float, class D = Cpu>
using Mmin = Model<MminNetwork<T, D>>;

}  // namespace lacuna::models
