/// CorrKD as a trainable model: correlation-decoupled knowledge distillation from a teacher that sees everything to a
/// student that does not.  (Li, Yang, Zhao, Wang et al., CVPR 2024, arXiv 2404.16456)
///
///     models::Corrkd<> model({.network = {.inputs = corpus.dimensions()}}, Random(7));
///     train::fit(model, corpus, {.epochs = 50, .batch = 64, .learning_rate = 4e-3, .gradient_clip = 0.8});
///
/// First every teacher has a phase of its own on complete data, keeps its best epoch on the validation split and is
/// frozen; then student and critics are trained on what modality random missing leaves of every batch. Only the student
/// predicts. A sample that lacks modalities lacks them for teacher and student alike.
#pragma once

#include "lacuna/models/corrkd/objective.hpp"

namespace lacuna::models {

template <class T = float, class D = Cpu>
struct CorrkdDistillation {
  using scalar = T;
  using device = D;
  using Options = CorrkdOptions;
  using Network = CorrkdNetwork<T, D>;
  static constexpr const char* name = "CorrKD";
  static constexpr bool fixed_objective = true;

  CorrkdOptions options;
  Network student;
  std::vector<Network> teacher;             ///< options.teacher.count of them, frozen; none when `distill` is off
  CorrkdCritics<T, D> critics;              ///< none unless the response loss is RCD
  index_t taught = 0;                       ///< teachers that have had their phase, or were given
  std::vector<PhaseRecord> teacher_record;  ///< of every teacher's phase; not stored

  CorrkdDistillation() = default;
  /// Throws OptionError for options that make no model.
  CorrkdDistillation(const Options& o, Random& random) : options(o) {
    options.check();
    options.network.outputs = o.outputs();
    student = Network(options.network, random);
    if (!o.distill) return;
    for (index_t i = 0; i < o.teacher.count; ++i) teacher.emplace_back(options.network, random);
    freeze(teacher);
    if (o.labels != CorrkdLabels::regression && o.loss.response == ResponseLoss::rcd && o.loss.rcd != 0)
      critics = CorrkdCritics<T, D>(o.head_count(), o.one_vs_rest ? 2 : o.class_count(), o.critic, random);
  }

  bool teacher_ready() const { return options.distill && taught == index_t(teacher.size()); }
  /// A teacher that was trained elsewhere, or several. Throws OptionError when sizes differ.
  void set_teacher(const Network& network) { set_teacher(std::vector<Network>{network}); }
  void set_teacher(const std::vector<Network>& networks) {
    if (!options.distill) throw OptionError("CorrKD: distill is off, there is no place for a teacher");
    if (networks.empty()) throw OptionError("CorrKD: no teacher is given");
    for (const Network& network : networks)
      if (network.options.inputs != options.network.inputs || network.options.outputs != options.network.outputs)
        throw OptionError("CorrKD: the teacher has other inputs or outputs than the student");
    teacher = networks;  // copies
    freeze(teacher);
    taught = index_t(teacher.size());
    if (options.student_init == StudentInit::random) return;
    student = teacher[0];
    freeze(student, false);
  }

  /// Under GapMask::none padding takes part, so that lengths are fixed: those of the training split.
  void fit(Options& o, const data::Dataset& data, Random&) {
    auto& frames = options.network.frames;
    if (frames.empty() && options.network.gap_mask == GapMask::none)
      for (std::size_t m = 0; m < options.network.inputs.size(); ++m)
        frames.push_back(std::max<index_t>(1, data.train.modalities[m].frames.extent(1)));
    o.network.frames = student.options.frames = frames;
    for (Network& network : teacher) network.options.frames = frames;
  }
  /// The next teacher that is not ready: the task alone, on complete data.
  template <class Feed>
  std::optional<Phase<T, D>> next_phase(const Options& o, const Feed& feed, Random&) {
    if (!options.distill || teacher_ready()) return std::nullopt;
    Network& network = teacher[std::size_t(taught)];
    freeze(network, false);
    if (taught == 0) teacher_record.clear();
    return pretraining<T, D>(
        detail::cat("teacher ", taught + 1, " of ", teacher.size()),
        PretrainOptions{o.teacher.epochs, o.teacher.batch, o.teacher.learning_rate, o.teacher.gradient_clip}, feed,
        [this, &network](const TrainingBatch<T, D>& batch, const Context& context) {
          CorrkdOutput<T, D> output = network(batch.whole, context);
          if (!output.present.empty()) output.known = batch.had;
          const auto task = batch.task->loss(output.scores, batch.targets);
          return options.loss.unimodal != 0 && context.training()
                     ? task + options.loss.unimodal * corrkd_unimodal_loss(*batch.task, output, batch.targets)
                     : task;
        },
        [&network] { return pack<T, D>(network); },
        [this](const PhaseRecord& record) {
          teacher_record.push_back(record);
          freeze(teacher[std::size_t(taught)]);
          if (++taught == index_t(teacher.size())) set_teacher(std::vector<Network>(teacher));
        });
  }

  Variable<T, 2, D> operator()(const Streams<T, D>& streams, const Context& context) const {
    return student(streams, context).scores;
  }
  /// H of the student (B, M d).
  Variable<T, 2, D> embed(const Streams<T, D>& streams, const Context& context) const {
    return student(streams, context).joint;
  }
  /// What the teacher says: the first one's representation, all teachers' mean response.
  CorrkdOutput<T, D> teacher_output(const Streams<T, D>& streams) const {
    if (!teacher_ready()) throw Error("CorrKD: there is no trained teacher yet; its phases come first");
    const NoGrad off;
    CorrkdOutput<T, D> output = teacher[0](streams);
    if (teacher.size() == 1) return output;
    std::vector<std::vector<Tensor<T, 2, D>>> responses(1 + output.unimodal.size());
    for (std::size_t i = 0; i < teacher.size(); ++i) {
      const CorrkdOutput<T, D> one = i == 0 ? output : teacher[i](streams);
      responses[0].push_back(one.scores.value());
      for (std::size_t m = 0; m < output.unimodal.size(); ++m) responses[1 + m].push_back(one.unimodal[m].value());
    }
    const Task task = options.task();
    output.scores = Variable<T, 2, D>(task.mean_response(responses[0]));
    for (std::size_t m = 0; m < output.unimodal.size(); ++m)
      output.unimodal[m] = Variable<T, 2, D>(task.mean_response(responses[1 + m]));
    return output;
  }
  /// The second phase's.
  LossTerms<T, D> objective(const TrainingBatch<T, D>& batch, const Context& context) const {
    CorrkdOutput<T, D> goal;
    if (options.distill) goal = teacher_output(batch.whole);
    CorrkdOutput<T, D> output = student(batch.seen, context);
    if (!output.present.empty()) output.known = batch.has;
    return corrkd_objective(options, output, goal, batch.targets, critics, context, *batch.task).terms();
  }

  bool replayable() const { return true; }
  std::vector<index_t> lengths() const {
    return student.options.gap_mask == GapMask::none ? student.options.frames : std::vector<index_t>();
  }

  /// What is stored besides options and parameters.
  struct Stored {
    std::size_t teachers = 0;
    index_t taught = 0;
    static void reflect(auto& self, auto&& visit) {
      visit("teachers", self.teachers);
      visit("teachers_ready", self.taught);
    }
  };
  void save_state(State& state) const { state.put_fields(Stored{teacher.size(), taught}); }
  void load_state(const State& state) {
    Stored stored;
    state.get_fields(stored);
    taught = stored.taught;
    if (stored.teachers > 0 && teacher.empty()) state.fail("teachers", "are stored of a model without distillation");
    teacher.resize(stored.teachers, teacher.empty() ? Network() : Network(teacher[0]));
    freeze(teacher);
  }
  static void reflect(auto& self, auto&& visit) {
    visit("student", self.student);
    visit("teacher", self.teacher);
    visit("critics", self.critics);
  }
};

template <class T = float, class D = Cpu>
using Corrkd = Model<CorrkdDistillation<T, D>>;

}  // namespace lacuna::models
