/// The options of CorrKD. What the paper leaves open is an option here; the defaults are those of the specification
/// that the library follows (arXiv 2404.16456 and the code of its sources).
#pragma once

#include <vector>

#include "lacuna/losses/contrastive.hpp"
#include "lacuna/losses/distillation.hpp"
#include "lacuna/losses/mutual_information.hpp"
#include "lacuna/losses/prototype.hpp"
#include "lacuna/missing/sampler.hpp"
#include "lacuna/models/model.hpp"

namespace lacuna::models {

/// Which frames take part in attention and in the mean over time. none: all, padding and erased ones included, as
/// published. valid: up to the last present frame, erased ones before it included; all where nothing is present.
/// present: present ones only, so that an absent modality gives a zero vector.
enum class GapMask { none, valid, present };

/// What is predicted, by its name in CorrKD's options.
using CorrkdLabels = LabelKind;

/// What pulls the responses: RCD, or in its place an ordinary divergence ("w/o RCD" of the paper is kl), IIC, nothing.
enum class ResponseLoss { rcd, kl, dkd, iic, none };

enum class CriticKind { mlp, bilinear };
/// Which pairs stand for the product of the marginals: all i ≠ j, or one random derangement per step.
enum class Negatives { all, shuffle };
enum class StudentInit { random, teacher };

/// Scores of every modality's own head, from its h_m alone, added to those of the joint head: the sum over the present
/// modalities (evidence for classes adds up) or their mean (for a regression). none: the joint head alone, as
/// published.
enum class Evidence { none, sum, mean };

/// What becomes one vector of the frames of a modality that take part. mean: their mean, as published. attention: their
/// sum under weights that a learned query gives them (nn/attention_pooling.hpp), so that few telling frames are not
/// thinned by the others. Of a single frame both are the frame.
enum class FramePooling { mean, attention };

struct CorrkdNetworkOptions {
  std::vector<index_t> inputs = {};  ///< feature size of every modality
  index_t outputs = 2;               ///< K scores; the model sets it
  index_t width = 40;                ///< d of every stream
  index_t num_heads = 0;             ///< 0: the largest of 10, 8, 5, 4, 2, 1 that divides the width
  index_t depth = 4;
  index_t hidden = 0;          ///< of the feed-forward parts; 0 = 4 · width
  index_t kernel = 3;          ///< of the convolution over time, same padding, no bias
  double embedding_scale = 1;  ///< factor of the convolution before positions are added; √width in Transformers
  double embedding_dropout = 0.25, attention_dropout = 0.1, hidden_dropout = 0.1, residual_dropout = 0.1,
         head_dropout = 0;
  FramePooling pooling = FramePooling::mean;
  GapMask gap_mask = GapMask::none;
  missing::Fill fill = missing::Fill::zeros;  ///< zeros before or after the encoder, or a learned vector before it
  Evidence evidence = Evidence::none;
  bool presence = false;  ///< the joint head also reads which modalities are present: M flags beside H
  std::vector<index_t> frames =
      {};  ///< with GapMask::none: shorter batches are padded to these lengths; empty: as they come

  index_t head_count() const {
    if (num_heads > 0) return num_heads;
    for (const index_t count : {10, 8, 5, 4, 2})
      if (width % count == 0) return count;
    return 1;
  }
};

struct CorrkdCriticOptions {
  CriticKind kind = CriticKind::mlp;
  index_t hidden = 64, layers = 2;
};

/// total = task + scd · L_SCD + cpd · L_CPD + rcd · L_response. A term of weight 0 is not computed.
struct CorrkdLossOptions {
  double scd = 1, cpd = 1, rcd = 1;
  double unimodal = 0;  ///< weight of the task loss of every present modality's head, averaged; needs evidence
  double unimodal_response =
      0;                 ///< weight of KL from the teacher's heads of modalities to the student's, averaged likewise
  double smoothing = 0;  ///< of the labels in every cross-entropy, 0..1
  ScdOptions sample = {.margin = 1.2};
  CpdOptions prototype = {};
  ResponseLoss response = ResponseLoss::rcd;
  RcdOptions information = {};
  Negatives negatives = Negatives::all;
  KlOptions divergence = {};
  DkdOptions decoupled = {};
  IicOptions clustering = {};
};

/// The teacher is trained on complete data; the epoch with the least task loss on the validation split is kept.
struct CorrkdTeacherOptions {
  index_t epochs = 50, batch = 64;
  double learning_rate = 4e-3;
  double gradient_clip = 0.8;  ///< largest norm of the gradient; 0 = no limit
  index_t count = 1;           ///< of teachers, from different starts; responses are those of their mean probability
};

struct CorrkdOptions {
  CorrkdNetworkOptions network = {};
  CorrkdLabels labels = CorrkdLabels::binary_non0;
  index_t classes = 0;  ///< of CorrkdLabels::classes
  bool one_vs_rest =
      false;  ///< a two-way head for every class in the place of one K-way head; losses averaged over heads
  CorrkdLossOptions loss = {};
  CorrkdCriticOptions critic = {};
  missing::MrmOptions mrm = {};
  CorrkdTeacherOptions teacher = {};
  bool distill = true;  ///< false: the student alone, trained on its task under MRM
  StudentInit student_init = StudentInit::random;
  bool standardize = false;         ///< every feature to mean 0 and deviation 1 of the training split
  bool standardize_labels = false;  ///< the same for the real labels of a regression
  double feature_clip = 0;          ///< of standardised features, in deviations; 0 = never

  Task task() const { return task_of(*this, "CorrKD"); }
  index_t class_count() const { return task().class_count(); }
  /// Two-way heads, or the one head.
  index_t head_count() const { return task().head_count(); }
  index_t outputs() const { return task().outputs(); }
  /// Throws OptionError for what cannot be trained.
  void check() const {
    for (const double weight : {loss.scd, loss.cpd, loss.rcd, loss.unimodal, loss.unimodal_response})
      if (!(weight >= 0 && weight < 1e300)) throw OptionError(detail::cat("CorrKD: a loss weight is ", weight));
    if (loss.response == ResponseLoss::rcd && loss.information.renormalize && (one_vs_rest || class_count() == 2))
      throw OptionError(
          "CorrKD: with two classes the renormalised non-target response is the constant 1 and holds no information; "
          "set information.renormalize = false");
    if (!(network.embedding_scale > 0 && network.embedding_scale < 1e300))
      throw OptionError(
          detail::cat("CorrKD: embedding_scale is ", network.embedding_scale, ", expected a number above 0"));
    if (critic.hidden < 1 || critic.layers < 0) throw OptionError("CorrKD: the critic needs hidden >= 1, layers >= 0");
    if (network.fill == missing::Fill::substitute)
      throw OptionError(
          "CorrKD: a substitute stream is put in by missing::apply; fill is zeros, encoded_zeros or learned");
    if ((loss.unimodal != 0 || loss.unimodal_response != 0) && network.evidence == Evidence::none)
      throw OptionError("CorrKD: the losses of every modality's own head need evidence = sum or mean");
    if (distill && (teacher.count < 1 || teacher.epochs < 1 || teacher.batch < 1 || !(teacher.learning_rate > 0) ||
                    !(teacher.gradient_clip >= 0)))
      throw OptionError(
          "CorrKD: teacher count, epochs, batch and learning_rate must be positive, gradient_clip not negative");
  }

  static void reflect(auto& self, auto&& visit) {
    auto& n = self.network;
    visit("inputs", n.inputs);
    visit("width", n.width);
    visit("num_heads", n.num_heads);
    visit("depth", n.depth);
    visit("hidden", n.hidden);
    visit("kernel", n.kernel);
    visit("embedding_scale", n.embedding_scale);
    visit("embedding_dropout", n.embedding_dropout);
    visit("attention_dropout", n.attention_dropout);
    visit("hidden_dropout", n.hidden_dropout);
    visit("residual_dropout", n.residual_dropout);
    visit("head_dropout", n.head_dropout);
    visit("pooling", n.pooling);
    visit("gap_mask", n.gap_mask);
    visit("fill", n.fill);
    visit("evidence", n.evidence);
    visit("presence", n.presence);
    visit("frames", n.frames);
    visit("labels", self.labels);
    visit("classes", self.classes);
    visit("one_vs_rest", self.one_vs_rest);
    auto& l = self.loss;
    visit("scd", l.scd);
    visit("cpd", l.cpd);
    visit("rcd", l.rcd);
    visit("unimodal", l.unimodal);
    visit("unimodal_response", l.unimodal_response);
    visit("smoothing", l.smoothing);
    visit("scd_margin", l.sample.margin);
    visit("scd_normalize", l.sample.normalize);
    visit("scd_reduction", l.sample.reduction);
    visit("cpd_power", l.prototype.power);
    visit("cpd_mean", l.prototype.mean);
    visit("cpd_detach", l.prototype.detach_prototypes);
    visit("cpd_epsilon", l.prototype.epsilon);
    visit("response", l.response);
    visit("rcd_temperature", l.information.temperature);
    visit("rcd_space", l.information.space);
    visit("rcd_renormalize", l.information.renormalize);
    visit("rcd_negatives", l.negatives);
    visit("kl_temperature", l.divergence.temperature);
    visit("dkd_temperature", l.decoupled.temperature);
    visit("dkd_alpha", l.decoupled.alpha);
    visit("dkd_beta", l.decoupled.beta);
    visit("iic_symmetric", l.clustering.symmetric);
    visit("critic", self.critic.kind);
    visit("critic_hidden", self.critic.hidden);
    visit("critic_layers", self.critic.layers);
    missing::MrmOptions::reflect(self.mrm, visit);
    visit("teacher_epochs", self.teacher.epochs);
    visit("teacher_batch", self.teacher.batch);
    visit("teacher_learning_rate", self.teacher.learning_rate);
    visit("teacher_gradient_clip", self.teacher.gradient_clip);
    visit("teacher_count", self.teacher.count);
    visit("distill", self.distill);
    visit("student_init", self.student_init);
    visit("standardize", self.standardize);
    visit("standardize_labels", self.standardize_labels);
    visit("feature_clip", self.feature_clip);
  }
};

}  // namespace lacuna::models
