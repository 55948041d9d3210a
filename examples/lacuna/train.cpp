// lacuna train: one model from one or more seeds, and how it does with and without each modality.
//
//   lacuna train                                        sdumc-robust, of which any subset of modalities may be missing, on a
//                                                       synthetic corpus whose best errors are known
//   lacuna train --data FILE.npz --model corrkd --seeds 1,2,3
// All options, those of the model too: lacuna train --model corrkd --help.
#include <numeric>

#include "compare.hpp"
#include "lacuna/lab/prior.hpp"
#include "lacuna/models/baselines/ridge.hpp"
#include "statistics.hpp"
#include "together.hpp"
#include "train_report.hpp"

namespace program {
namespace {

using namespace lacuna;

/// What a condition leaves.
std::vector<std::string> left(const Data& data, const missing::MissingSpec& condition) {
  std::vector<std::string> names;
  for (std::size_t m = 0; m < data.modalities.size(); ++m)
    if (condition.absent.empty() || !condition.absent[m]) names.push_back(data.modalities[m]);
  return names;
}

/// Constant and, of real labels, ridge, trained on the modalities that are there: another one for every subset, which
/// the model `ridge` is not.
std::vector<Baseline> baselines(const Data& data, const train::Targets& targets,
                                const std::vector<missing::MissingSpec>& conditions, const std::string& model) {
  const data::Dataset& set = *data.set;
  Baseline constant{"constant", {}}, ridge{model == "ridge" ? "ridge, one per subset" : "ridge", {}};
  const auto same = models::Constant(set.train)(set.test);
  for (const auto& condition : conditions) {
    constant.test.push_back({condition.name, train::scores(targets, same)});
    const auto names = left(data, condition);
    if (data.classes > 0 || names.empty()) continue;
    const models::Ridge fitted(set.train, set.validation, {.modalities = names});
    ridge.test.push_back({condition.name, train::scores(targets, fitted(set.test))});
  }
  if (ridge.test.empty()) return {constant};
  return {constant, ridge};
}

/// Averages over frames and a perceptron, with modalities dropped in training: beside models of the synthetic corpus, to
/// show what attention is worth there.
Baseline averages(const Work& work, const std::vector<missing::MissingSpec>& conditions, const zoo::Request& request) {
  const char* name = "early-fusion-drop";
  const data::Dataset learning = lab::without_test(*work.data.set);
  const auto trained = zoo::registry().make(zoo::parse_model(name), request).train({.data = learning});
  Baseline report{name, {}};
  const auto& test = work.data.set->test;
  std::vector<index_t> all(std::size_t(test.size()));
  std::iota(all.begin(), all.end(), index_t(0));
  const auto batch = data::gather<float>(test, all);
  const double prior = lab::prior(learning.train, work.data.classes);
  for (const auto& condition : conditions) {
    const auto answers = lab::predict_or_prior(trained->predict, missing::apply(condition, batch), prior);
    report.test.push_back({condition.name, train::scores(work.targets, answers)});
  }
  return report;
}

/// For a synthetic corpus: how close MAEs, that of the model as the mean over its seeds, come to the best there is.
std::vector<Attainable> attainable(const Data& data, const std::vector<missing::MissingSpec>& conditions,
                                   const std::vector<lab::Summary>& over, const std::vector<Baseline>& baselines) {
  std::vector<Attainable> all;
  if (!data.known) return all;
  for (std::size_t c = 0; c < conditions.size(); ++c) {
    const auto subset = left(data, conditions[c]);
    if (subset.empty()) continue;
    const auto share = [&](const train::Scores& scores) {
      return data.known->share_of_way(train::score_of(scores, "mae"), subset);
    };
    all.push_back({conditions[c].name, data.known->best_mae(subset), share(over.at(c).mean), {}});
    for (const auto& baseline : baselines)
      if (baseline.name != "constant")
        for (const auto& [condition, scores] : baseline.test)
          if (condition == conditions[c].name) all.back().of_baselines.emplace_back(baseline.name, share(scores));
  }
  return all;
}

/// The conditions of the plan that take away whole modalities; empty: it has others, of which no such table is made.
std::vector<missing::MissingSpec> whole_conditions(const std::vector<missing::Protocol>& protocols) {
  std::vector<missing::MissingSpec> conditions;
  for (const missing::Protocol& protocol : protocols)
    for (const missing::MissingSpec& spec : protocol.conditions) {
      if (spec.rate != 0) return {};
      conditions.push_back(spec);
      if (protocols.size() > 1) conditions.back().name = protocol.name + "/" + spec.name;
    }
  return conditions;
}

/// All seeds of the model as one, stored beside them, and how it does.
Baseline ensemble_of_seeds(const Work& work, const Folder& folder, const lab::ModelRuns& model) {
  std::vector<State> members;
  for (const lab::Run& run : model.runs)
    members.push_back(io::load_checkpoint(folder.run_file(model.name, run.seed, "model.lacuna")));
  const data::Dataset& set = *work.data.set;
  const State state = calibrated_ensemble(members, &set.validation);
  io::save_checkpoint(folder.ensemble_file(model.name), state);
  const Predictor predictor(state);
  const auto answers =
      lab::predictions(answers_of(predictor), set.test, work.plan, lab::prior(set.train, work.data.classes));
  Baseline report{detail::cat("ensemble of ", members.size()), {}};
  if (work.targets.values.empty()) return report;
  const auto names = condition_names(work.plan);
  for (std::size_t c = 0; c < names.size(); ++c)
    report.test.push_back({names[c], train::scores(work.targets, {answers.data() + index_t(c) * answers.extent(1),
                                                                  std::size_t(answers.extent(1))})});
  return report;
}

int train_model(RunOptions& options, const Call& call) {
  Work work{.program = "lacuna train", .data = load(options.data), .replaces = true};
  const data::Dataset& set = *work.data.set;
  look_at(work.data, options.data, work.program.c_str(), options.quiet);
  work.targets = work.data.targets();
  work.metrics = options.metrics = metrics_of(options, work.targets, work.program);
  work.reference = options.reference = "constant";
  const zoo::Request request = request_of(options, work.data);
  std::sort(options.settings.begin(), options.settings.end());  // wherever they came from: equal runs, equal records
  zoo::ModelSpec spec = zoo::parse_model(options.model);
  for (const auto& setting : options.settings) spec.settings.push_back(setting);
  if (!options.data.simulated_text.empty())
    spec.settings.emplace_back("simulated_stream", std::to_string(work.data.modalities.size()));
  const zoo::ModelSpec constant = zoo::parse_model("constant");
  work.systems.push_back(zoo::registry().make(spec, request));  // first: where it fails nothing is left behind
  if (spec.name != "constant") work.systems.push_back(zoo::registry().make(constant, request));
  const lab::System& system = work.systems.front();
  say_decisions(work);

  std::vector<missing::Protocol> protocols;
  for (const std::string& name : options.protocols) {
    if (std::count(options.protocols.begin(), options.protocols.end(), name) > 1)
      throw OptionError("protocol '" + name + "' is named twice");
    if (name == "meant") {
      protocols.push_back({"meant", system.conditions(set.modality_names()), {}});
    } else {
      protocols.push_back(lab::protocol_by_name(name, set.modality_names(), options.mask_seed));
      protocols.back().name = name;
    }
  }
  work.plan = lab::plan_of(protocols, set.test);
  if (!options.masks.empty()) lab::take_masks(work.plan, options.masks, set.test.ids);
  options.models = {options.model};
  if (options.dry_run) return rehearse(work, options);

  work.data.statistics = statistics_lines(set);
  Folder folder(options.out.empty() ? default_folder(set) : options.out);
  auto performed = perform(work, options, folder, call);
  if (const int* status = std::get_if<int>(&performed)) return *status;
  const Done& done = std::get<Done>(performed);

  if (done.runs.front().runs.empty()) throw Error("no seed has come to its end, there is nothing to show");
  Cpu::trim();  // what training worked in is not held beside the matrices of the ridge below
  TrainReport report = train_report(done.runs.front(), work.plan, work.targets, condition_names(work.plan));
  report.model.name = options.model;
  for (const auto& [name, value] : options.record()) report.config[name] = value;
  report.config["options"] = system.recipe;
  for (const auto& [name, value] : describe_data(work.data)) report.data[name] = value;
  const auto conditions = whole_conditions(protocols);
  std::optional<Baseline> together;
  if (options.ensemble && done.runs.front().runs.size() > 1)
    together = ensemble_of_seeds(work, folder, done.runs.front());
  if (together) report.baselines.push_back(*together);
  if (work.targets.values.empty()) {
    std::printf("the test split of %s has no labels: predictions only\n", support::printable(set.name).c_str());
  } else {
    std::printf("test split of %s, %lld samples\n\n", support::printable(set.name).c_str(),
                static_cast<long long>(set.test.size()));
    if (!conditions.empty()) {
      auto simple = baselines(work.data, work.targets, conditions, spec.name);
      report.baselines.insert(report.baselines.begin(), simple.begin(), simple.end());
      if (work.data.known && zoo::parse_model(options.model).name != "early-fusion-drop")
        report.baselines.push_back(averages(work, conditions, request));
      report.attainable = attainable(work.data, conditions, report.over, report.baselines);
      print(report);
    } else {
      std::fputs(terminal_text(*done.results).c_str(), stdout);
    }
  }
  for (const lab::Failure& failure : report.model.failures)
    std::printf("  not among them: seed %s, %s\n", std::to_string(failure.seed).c_str(), failure.what.c_str());
  train::write_text(folder.file("metrics.json"), json_text(metrics_json(report)));
  return settle(folder, done, work);
}

}  // namespace

int train(const Call& call) {
  RunOptions options;
  options.protocols = {"meant"};
  CLI::App app(
      "Trains a model that keeps working when a modality is missing, and shows how it does with and without it.",
      "lacuna train");
  const auto declare_all = [&] {
    const std::string model = model_of(call.argc, call.argv, options.model);
    declare(app, options, true);
    const std::string name = zoo::parse_model(model).name;
    declare_settings(app, zoo::registry().options(name), options.settings, name);
  };
  return support::run("lacuna train", app, call.argc, call.argv, declare_all, [&] {
    options.config = app.get_config_ptr()->as<std::string>();
    options.check();
    expect_device(options.device);
    set_threads(options.threads);
    return train_model(options, call);
  });
}

}  // namespace program
