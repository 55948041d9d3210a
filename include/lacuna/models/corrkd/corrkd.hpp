/// CorrKD as a trainable model: correlation-decoupled knowledge distillation from a teacher that sees everything to a
/// student that does not.  (Li, Yang, Zhao, Wang et al., CVPR 2024, arXiv 2404.16456)
///
///     models::Corrkd<> model({.network = {.inputs = corpus.dimensions()}}, Random(7));
///     train::fit(model, corpus, {.epochs = 50, .batch = 64, .learning_rate = 4e-3, .gradient_clip = 0.8});
///
/// `prepare`, which the trainer calls, trains the teacher on complete data, keeps its best epoch on the validation
/// split and freezes it; then the trainer trains the student and the critics on what modality random missing leaves of
/// every batch. Only the student predicts. A sample that lacks modalities lacks them for teacher and student alike.
#pragma once

#include "lacuna/core/state.hpp"
#include "lacuna/data/batch.hpp"
#include "lacuna/data/standardize.hpp"
#include "lacuna/missing/condition.hpp"
#include "lacuna/models/corrkd/teacher.hpp"
#include "lacuna/models/preparation.hpp"

namespace lacuna::models {

template <class T = float, class D = Cpu>
struct Corrkd {
  using scalar = T;
  using device = D;
  using Options = CorrkdOptions;
  using Network = CorrkdNetwork<T, D>;

  Options options;
  Network student;
  std::vector<Network> teacher;  ///< options.teacher.count of them, frozen; none when `distill` is off
  CorrkdCritics<T, D> critics;   ///< none unless the response loss is RCD
  bool teacher_ready = false;    ///< trained, or given
  data::Standardizer standardizer;
  std::vector<PretrainRecord> teacher_record;  ///< of every teacher, of the last `prepare`; not stored

  Corrkd() = default;
  /// Throws OptionError for options that make no model.
  Corrkd(const Options& o, Random random) : options(o) {
    options.check();
    options.network.outputs = o.outputs();
    student = Network(options.network, random);
    if (!o.distill) return;
    for (index_t i = 0; i < o.teacher.count; ++i) teacher.emplace_back(options.network, random);
    freeze(teacher);
    if (o.labels != CorrkdLabels::regression && o.loss.response == ResponseLoss::rcd && o.loss.rcd != 0)
      critics = CorrkdCritics<T, D>(o.head_count(), o.one_vs_rest ? 2 : o.class_count(), o.critic, random);
  }

  /// The first phase. A model that has a teacher keeps it. Throws OptionError for other feature sizes. `watch` may end
  /// it.
  void prepare(const data::Dataset& data, Random& random, const Watch& watch = {}) {
    const std::vector<index_t> found = data.dimensions();
    if (found.size() < options.network.inputs.size() ||
        !std::equal(options.network.inputs.begin(), options.network.inputs.end(), found.begin()))
      throw OptionError(detail::cat("CorrKD: ", data.name, " has other feature sizes than the model was made for"));
    if (options.standardize) standardizer = data::Standardizer::fit(data.train, {.clip = options.feature_clip});
    if (options.network.frames.empty() && options.network.gap_mask == GapMask::none) {
      for (std::size_t m = 0; m < options.network.inputs.size(); ++m)
        options.network.frames.push_back(std::max<index_t>(1, data.train.modalities[m].frames.extent(1)));
      fix_lengths();
    }
    if (!options.distill || teacher_ready) return;
    freeze(teacher, false);
    teacher_record.clear();
    for (Network& network : teacher)
      teacher_record.push_back(fit_corrkd_teacher<T, D>(
          network, options, data.train.size(), data.validation.size(), random,
          watched(watch,
                  [&](std::span<const index_t> samples) { return standardized(data::gather<T>(data.train, samples)); }),
          [&](std::span<const index_t> samples) { return standardized(data::gather<T>(data.validation, samples)); }));
    set_teacher(std::vector<Network>(teacher));
  }
  /// A teacher that was trained elsewhere, or several. Throws OptionError when sizes differ.
  void set_teacher(const Network& network) { set_teacher(std::vector<Network>{network}); }
  void set_teacher(const std::vector<Network>& networks) {
    if (!options.distill) throw OptionError("CorrKD: distill is off, there is no place for a teacher");
    if (networks.empty()) throw OptionError("CorrKD: no teacher is given");
    for (const Network& network : networks)
      if (network.options.inputs != options.network.inputs || network.options.outputs != options.network.outputs)
        throw OptionError("CorrKD: the teacher has other inputs or outputs than the student");
    teacher = networks;  // copies
    options.teacher.count = index_t(networks.size());
    freeze(teacher);
    teacher_ready = true;
    if (options.student_init == StudentInit::random) return;
    student = teacher[0];
    freeze(student, false);
  }

  struct Loss {
    Variable<T, 0, D> total;
    LossNumbers terms;  ///< of a device: read when somebody asks for them
  };
  /// The second phase: complete batches in; in training MRM takes away from what the student sees.
  Loss loss(const data::Batch<T>& given, const Context& context) const {
    if (options.distill && !teacher_ready) throw Error("CorrKD: there is no trained teacher yet; call prepare first");
    const data::Batch<T> host = standardized(given);
    const Streams streams = data::to_device<D>(host.streams);
    const auto target = corrkd_target<D>(options, host);
    CorrkdOutput<T, D> from_teacher;
    if (options.distill) {
      const NoGrad off;
      from_teacher = teacher_output(streams);
    }
    data::Batch<T> left = host;
    if (context.training())
      left = missing::drop_modalities(options.mrm, host, options.network.inputs.size(), context, "CorrKD");
    CorrkdOutput<T, D> output = student(left_on_device(streams, left), context);
    for (std::size_t m = 0; m < output.present.size(); ++m)
      output.known.push_back(Present<D>::of(any_present(left.streams[m].present)));
    const auto losses = corrkd_objective(options, output, from_teacher, target, critics, context);
    LossRecord<T, D> record;
    const auto note = [&](const char* name, const Variable<T, 0, D>& term) {
      if (term.defined()) record.note(name, term);
    };
    note("task", losses.task);
    note("unimodal", losses.unimodal);
    note("unimodal_response", losses.unimodal_response);
    note("scd", losses.sample);
    note("cpd", losses.prototype);
    note("response", losses.response);
    note("mi_target", losses.target_information);
    note("mi_rest", losses.rest_information);
    return {losses.total, record.numbers()};
  }

  /// One real number per sample, see corrkd_predictions.
  std::vector<double> predict(const data::Batch<T>& batch) const {
    const NoGrad off;
    return corrkd_predictions(options, student(there(batch).streams).scores.value());
  }
  /// (B, K).
  Tensor<double, 2> probabilities(const data::Batch<T>& batch) const {
    const NoGrad off;
    return corrkd_probabilities(options, student(there(batch).streams).scores.value());
  }
  /// What the teacher would say of the same batch.
  std::vector<double> predict_as_teacher(const data::Batch<T>& batch) const {
    if (!teacher_ready) throw Error("CorrKD: there is no trained teacher");
    const NoGrad off;
    return corrkd_predictions(options, teacher_output(there(batch).streams).scores.value());
  }

  /// Complete, and every subset of up to four modalities; of more, each one missing and each one alone.
  std::vector<missing::Condition> conditions(const std::vector<std::string>& names) const {
    return missing::subset_conditions(names, options.network.inputs.size());
  }
  /// K of class ids, or 0 where the labels are real.
  index_t predicts_classes() const { return options.labels == CorrkdLabels::classes ? options.classes : 0; }
  /// Selection looks at the weighted F1 of the classes it is trained on, at the MAE of a regression.
  const char* selects_on() const {
    switch (options.labels) {
      case CorrkdLabels::classes:
        return "f1_weighted";
      case CorrkdLabels::binary_non0:
        return "f1_non0";
      case CorrkdLabels::binary_has0:
        return "f1_has0";
      case CorrkdLabels::ternary:
        return "acc3";
      case CorrkdLabels::five:
        return "acc5";
      case CorrkdLabels::seven:
        return "acc7";
      default:
        return "mae";
    }
  }

  void save_state(State& state) const {
    CorrkdOptions::visit(options, [&](const char* name, const auto& value) { state.put(name, value); });
    state.put("teacher_ready", teacher_ready);
    State standard;
    standardizer.save_state(standard);
    state.put("standardizer", standard);
  }
  void load_state(const State& state) {
    Options o;
    CorrkdOptions::visit(o, [&](const char* name, auto& value) { state.get(name, value); });
    *this = Corrkd(o, Random(0));
    state.get("teacher_ready", teacher_ready);
    standardizer.load_state(state.under("standardizer"));
  }

  static void reflect(auto& self, auto&& visit) {
    visit("student", self.student);
    visit("teacher", self.teacher);
    visit("critics", self.critics);
  }

 private:
  using Streams = std::vector<data::Stream<T, D>>;

  /// What MRM left of a batch whose complete streams are on the device: masks alone are uploaded. The frames that went
  /// are still there; networks clear what is absent before they read it.
  static Streams left_on_device(const Streams& complete, const data::Batch<T>& left) {
    if constexpr (std::is_same_v<D, Cpu>) return left.streams;
    Streams seen = complete;
    for (std::size_t m = 0; m < seen.size(); ++m) seen[m].present = to_device<D>(left.streams[m].present);
    return seen;
  }
  /// The first teacher's representation, all teachers' response.
  CorrkdOutput<T, D> teacher_output(const Streams& streams) const {
    CorrkdOutput<T, D> mean = teacher[0](streams);
    if (teacher.size() == 1) return mean;
    std::vector<std::vector<Tensor<T, 2, D>>> scores(1 + mean.unimodal.size());
    for (std::size_t i = 0; i < teacher.size(); ++i) {
      const CorrkdOutput<T, D> each = i == 0 ? mean : teacher[i](streams);
      scores[0].push_back(each.scores.value());
      for (std::size_t m = 0; m < mean.unimodal.size(); ++m) scores[1 + m].push_back(each.unimodal[m].value());
    }
    mean.scores = Variable<T, 2, D>(corrkd_mean_response(options, scores[0]));
    for (std::size_t m = 0; m < mean.unimodal.size(); ++m)
      mean.unimodal[m] = Variable<T, 2, D>(corrkd_mean_response(options, scores[1 + m]));
    return mean;
  }
  void fix_lengths() {
    student.options.frames = options.network.frames;
    for (Network& network : teacher) network.options.frames = options.network.frames;
  }
  data::Batch<T, D> there(const data::Batch<T>& batch) const { return data::to_device<D>(standardized(batch)); }
  /// On the host, where batches come from.
  data::Batch<T> standardized(data::Batch<T> batch) const {
    if (standardizer.modalities.empty()) return batch;
    for (std::size_t m = 0; m < options.network.inputs.size(); ++m)
      batch.streams[m].frames = standardizer.apply(m, batch.streams[m].frames, batch.streams[m].present);
    return batch;
  }
};

}  // namespace lacuna::models
