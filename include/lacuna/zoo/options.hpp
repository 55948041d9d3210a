/// What every option of the models means: the help of command lines, and the names of enumerations.
///
///     zoo::help_of("corrkd", "scd")     "weight of the sample-level contrast (SCD)"
///     zoo::choices_of("padding")        masked, published
///
/// The options themselves are the members that a model's `Options::visit` names; a default is what the member holds.
/// Only words are kept here, once for all models; "MODEL/NAME" stands before "NAME" where two models mean different
/// things.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lacuna::zoo {

/// The values of an enumeration by name, in their order; empty for an option that is none.
inline std::vector<std::string> choices_of(std::string_view option) {
  struct Row {
    std::string_view option;
    std::vector<std::string> names;
  };
  static const std::vector<Row> rows{
      {"response", {"rcd", "kl", "dkd", "iic", "none"}},
      {"imagination", {"off", "transition", "input"}},
      {"padding", {"masked", "published"}},
      {"gap_mask", {"none", "valid", "present"}},
      {"labels", {"classes", "binary_non0", "binary_has0", "ternary", "five", "seven", "regression"}},
      {"fill", {"zeros", "encoded_zeros", "learned", "substitute"}},
      {"evidence", {"none", "sum", "mean"}},
      {"student_init", {"random", "teacher"}},
      {"critic", {"mlp", "bilinear"}},
      {"loss", {"mse", "l1"}},
      {"scd_reduction", {"mean", "sum"}},
      {"cpd_mean", {"present_classes", "all_classes"}},
      {"rcd_space", {"probability", "log_probability"}},
      {"rcd_negatives", {"all", "shuffle"}},
      {"mrm_rate_law", {"uniform", "shared", "tenths", "fixed"}},
      {"mrm_sampling", {"exact", "bernoulli"}},
      {"mrm_unit", {"batch", "sample"}},
      {"schedule", {"constant", "staircase", "cosine", "flat_cosine"}},
      {"order", {"shuffled", "published"}},
      {"encoder", {"gru", "lstm", "conv"}},
      {"over_time", {"mean", "concat"}},
      {"over_modalities", {"mean", "concat"}},
  };
  for (const Row& row : rows)
    if (row.option == option) return row.names;
  return {};
}

/// One line; empty for an option that nobody has described (a model of the user's own may have such).
inline std::string help_of(std::string_view model, std::string_view option) {
  struct Row {
    std::string_view option, help;
  };
  static constexpr Row rows[] = {
      // training
      {"epochs", "passes over the training samples"},
      {"batch", "samples per step"},
      {"learning_rate", "learning rate of Adam"},
      {"schedule",
       "of the rate: constant; staircase (warm-up, then decays); cosine to 0; flat_cosine to 2 %, the last fifth flat"},
      {"warmup", "of the staircase: epochs in which the rate rises; 0 = none"},
      {"decay", "of the staircase: factor of the rate after the warm-up"},
      {"decay_every", "of the staircase: epochs between two of these decays"},
      {"weight_decay", "coupled weight decay of Adam"},
      {"gradient_clip", "largest norm of the gradient; 0 = no limit"},
      {"average", "decay per step of an average of the weights, which then is kept; 0 = none"},
      {"patience", "epochs without a better validation score before it stops; 0 = never"},
      {"order", "order of the samples; published: that of the file, every epoch"},
      // what all models share
      {"loss", "of real labels: squared or absolute error"},
      {"standardize", "features to mean 0 and deviation 1 of the training split"},
      {"standardize_labels",
       "real labels to mean 0 and deviation 1 of the training split; predictions come back in their units"},
      {"feature_clip", "standardised features are clipped to this many deviations; 0 = never"},
      {"drop",
       "what training takes away besides, by a preset of modality random missing: none, uniform, lnln, mplmm, cmad or "
       "gcnet"},
      {"mrm_frame_probability", "training: probability that frames of a sample go"},
      {"mrm_rate_law", "training: how the share of frames that go is drawn"},
      {"mrm_frame_rate", "training: the share of frames of rate law fixed"},
      {"mrm_sampling", "training: frames by an exact count, or each by itself"},
      {"mrm_untouched", "training: probability that a stream keeps all its frames"},
      {"mrm_stream_probability", "training: probability that whole modalities of a sample go"},
      {"mrm_pattern_weights", "training: weights of the subsets that stay, divided by /; empty: equal"},
      {"mrm_stream_rate", "training: rate at which single modalities go, in the place of subsets; -1 = not used"},
      {"mrm_unit", "training: modalities go from a whole batch or from each sample"},
      {"mrm_keep_one", "training: something of every sample stays"},
      {"width", "common size of all modalities"},
      {"num_heads", "attention heads; CorrKD: 0 = as many as divide the width"},
      {"layers", "layers of the network"},
      {"hidden", "size of the hidden layers; 0 = what the width suggests"},
      {"dropout", "dropout of the network"},
      // SDUMC
      {"missing", "the modality that may be missing, by name"},
      {"fused", "size of the fused representation"},
      {"contrast", "size of the contrastive head"},
      {"bottleneck", "of the first imagination autoencoder; 0 = half the width"},
      {"fused_bottleneck", "of the second imagination autoencoder; 0 = half the fused size"},
      {"imagination", "residual of the imagination autoencoder (MIA), or off"},
      {"padding", "masked: attention sees true frames only; published: padded frames too, as the authors ran it"},
      {"frame_dropout", "dropout of the attention stages"},
      {"scale", "factor of the attention scores"},
      {"weight_full", "loss weight of the complete flow"},
      {"weight_missing", "loss weight of the flow without the modality"},
      {"weight_text", "loss weight of the distance between queries"},
      {"weight_query", "loss weight of the distance between contents"},
      {"weight_feature", "loss weight of the distance between fused features"},
      {"weight_contrast", "loss weight of the contrast"},
      {"normalize_gates", "gates are a softmax over what is present; off: raw numbers"},
      {"own_heads", "heads of single modalities, whose mean is added to the joint one"},
      {"imagine", "an absent modality is imagined from the others; off: it is zero"},
      {"detach", "the complete flow teaches and is not pulled; off: both flows move"},
      {"weight_own", "loss weight of the heads of single modalities"},
      {"weight_imagined", "loss weight of the distance between imagined and real modalities"},
      {"ranking_temperature", "temperature of Rank-N-Contrast"},
      {"ranking_slack", "slack of Rank-N-Contrast"},
      {"classes_temperature", "temperature of the contrast of classes"},
      {"classes_normalize", "the contrast of classes compares directions"},
      {"simulated_stream", "stream that stands in for the missing modality, by position; -1 = a trained decoder"},
      {"simulator_width", "inner size of the decoder that stands in for the missing modality"},
      {"simulator_num_heads", "attention heads of that decoder"},
      {"simulator_slots", "frames that the decoder makes at most"},
      {"simulator_epochs", "epochs that the decoder is trained at most"},
      {"simulator_dropout", "dropout of that decoder"},
      {"simulator_patience", "epochs without a better loss before its training stops; 0 = never"},
      {"simulator_batch", "samples per step of its training"},
      {"simulator_learning_rate", "learning rate of its training"},
      // CorrKD
      {"depth", "Transformer layers of every modality"},
      {"kernel", "size of the convolution over time"},
      {"embedding_scale", "factor of the embedded frames before positions are added"},
      {"embedding_dropout", "dropout of the embedded frames"},
      {"attention_dropout", "dropout of the attention weights"},
      {"hidden_dropout", "dropout of the hidden layers"},
      {"residual_dropout", "dropout of the branches"},
      {"head_dropout", "dropout before the head"},
      {"gap_mask", "frames that take part: all, up to the last present one, or present ones only"},
      {"fill", "what stands where something is missing"},
      {"evidence", "heads of single modalities, whose scores are added to the joint ones: none, their sum or mean"},
      {"presence", "the joint head is told which modalities are present"},
      {"frames", "lengths to which shorter batches are padded, divided by /"},
      {"labels", "what is made of real labels: classes of them, or a regression"},
      {"one_vs_rest", "a two-way head for every class"},
      {"scd", "weight of the sample-level contrast (SCD)"},
      {"cpd", "weight of the distance to prototypes (CPD)"},
      {"rcd", "weight of what pulls the responses (RCD)"},
      {"unimodal", "weight of the task loss of every modality's own head"},
      {"unimodal_response", "weight of the teacher's own heads"},
      {"smoothing", "of the labels in every cross-entropy, 0..1"},
      {"scd_margin", "margin of SCD"},
      {"scd_normalize", "SCD compares directions"},
      {"scd_reduction", "SCD: mean or sum over pairs"},
      {"cpd_power", "power of the distances of CPD"},
      {"cpd_mean", "CPD: mean over the classes of the batch, or over all"},
      {"cpd_detach", "CPD: prototypes have no gradient"},
      {"cpd_epsilon", "CPD: added to norms"},
      {"response", "what pulls the responses together"},
      {"rcd_temperature", "temperature of RCD"},
      {"rcd_space", "critics see probabilities or their logarithms"},
      {"rcd_renormalize", "RCD: non-target probabilities sum to 1"},
      {"rcd_negatives", "pairs that stand for independence: all, or one random derangement"},
      {"kl_temperature", "temperature of response kl"},
      {"dkd_temperature", "temperature of response dkd"},
      {"dkd_alpha", "weight of the target part of dkd"},
      {"dkd_beta", "weight of the other part of dkd"},
      {"iic_symmetric", "response iic: the joint table is made symmetric"},
      {"critic", "form of the critics"},
      {"critic_hidden", "size of their hidden layers"},
      {"critic_layers", "their number"},
      {"teacher_epochs", "epochs of the teacher"},
      {"teacher_batch", "samples per step of the teacher"},
      {"teacher_learning_rate", "learning rate of the teacher"},
      {"teacher_gradient_clip", "largest norm of the teacher's gradient; 0 = no limit"},
      {"teacher_count", "teachers, whose mean probability is taught"},
      {"distill", "a teacher is trained and teaches; 0: the student alone"},
      {"student_init", "the student starts at random, or as the teacher"},
      // MMIN
      {"ae_layers", "layers of every residual autoencoder"},
      {"blocks", "residual autoencoders in a row"},
      {"mmin/imagination", "weight of the loss of what was imagined"},
      {"cycle", "weight of the way back"},
      // the published models
      {"text", "the modality that is the text, by name or position"},
      {"published", "what the authors' code does where it departs from the paper: padding, defects"},
      {"text_hidden", "size of the text's LSTM"},
      {"first_hidden", "inner size of the encoder of the first modality besides the text"},
      {"second_hidden", "inner size of the encoder of the second modality besides the text"},
      {"text_out", "size of the encoded text"},
      {"first_out", "size of the encoded first modality besides the text"},
      {"second_out", "size of the encoded second modality besides the text"},
      {"text_post", "size of the text's own representation"},
      {"first_post", "size of the representation of the first modality besides the text"},
      {"second_post", "size of the representation of the second modality besides the text"},
      {"rank", "rank of the fusion"},
      {"kernels", "sizes of the convolutions over time: text, then the others, divided by /"},
      {"stream_frames", "frames of the streams at most: text, then the others, divided by /"},
      {"source_dropout", "dropout of attention weights by the stream that is asked, divided by /"},
      {"input_dropout", "dropout of the text's frames"},
      {"positions", "positions are added to frames"},
      {"encoder_dropout", "dropout of the Transformer layer"},
      {"diff", "weight of what keeps the parts apart"},
      {"similarity", "weight of what brings the shared parts together"},
      {"recon", "weight of the reconstruction"},
      {"adversarial", "an adversary in the place of the moments"},
      {"reversal", "factor of the reversed gradient"},
      {"memory", "size of the memory"},
      {"attention_hidden", "hidden size of the attention over cells"},
      {"update_hidden", "hidden size of what is proposed to the memory"},
      {"keep_hidden", "hidden size of the gate of the old memory"},
      {"write_hidden", "hidden size of the gate of the new memory"},
      {"inner", "size of the vertices of the graph"},
      {"graph", "the memory reads a graph of all subsets"},
      {"mixer_frames", "frames that are mixed; shorter sequences are padded, longer ones refused"},
      {"mixer_hidden", "hidden sizes of every block: time/modalities/features"},
      {"mixer_out", "sizes behind every block: time/modalities/features"},
      {"projected", "of every block: its residual is a matrix, divided by /"},
      {"encoder", "of the streams besides the text"},
      {"over_time", "what is made of the time axis"},
      {"over_modalities", "what is made of the axis of modalities"},
      {"mixer_bias", "the mixing layers have biases"},
      {"norm_first", "norms stand before the mixing layers, not behind"},
      {"translation", "weight of every translation"},
      {"alpha", "weight of the information between modalities and fusion"},
      {"beta", "weight of the information between modalities"},
      {"low_hidden", "hidden size of the graph of common parts"},
      {"high_hidden", "hidden size of the graph of private parts"},
      {"head_width", "size of one attention head"},
      {"proxy_layers", "layers of proxy, completeness check and reconstructors"},
      {"fusion_layers", "layers of the last Transformer"},
      {"judge_hidden", "hidden size of the adversary"},
      {"completeness", "weight of the loss of the estimated completeness"},
      {"adversary", "weight of the adversary"},
      {"pretrain_epochs", "epochs of the pretraining on complete data"},
      {"pretrain_batch", "samples per step of it"},
      {"pretrain_learning_rate", "learning rate of it"},
      {"pretrain_gradient_clip", "largest norm of its gradient; 0 = no limit"},
  };
  const std::string own = std::string(model.substr(0, model.find(':'))) + "/" + std::string(option);
  for (const Row& row : rows)
    if (row.option == own) return std::string(row.help);
  for (const Row& row : rows)
    if (row.option == option) return std::string(row.help);
  return {};
}

}  // namespace lacuna::zoo
