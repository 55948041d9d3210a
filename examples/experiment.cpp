// Compares models under missing modalities: models x seeds x protocols, with the same masks for all of them.
//
//   experiment --models sdumc,corrkd --protocols p1,p1-intra          on a synthetic corpus
//   experiment --data FILE.npz --ablation corrkd --seeds 1,2,3        the ablation table of a model
//   experiment --print FOLDER                                         its tables in the terminal
// All options: experiment --help; what the files hold: docs/experiments.md.

#include "support/experiment_data.hpp"
#include "support/experiment_jobs.hpp"
#include "support/experiment_results.hpp"
#include "support/program.hpp"

namespace {

using namespace support;
using namespace lacuna;

std::string default_folder(const data::Dataset& data) {
  const std::string stem = fs::path(data.name).stem().string();
  return "experiments/" + (stem.empty() ? std::string("data") : stem);
}

void show_models() {
  for (const SystemEntry& entry : system_entries()) {
    std::printf("%-32s %s\n", entry.name.c_str(), entry.what.c_str());
    for (const Variant& variant : entry.variants)
      std::printf("  %-30s %s\n", (entry.name + "-" + variant.name).c_str(), variant.what.c_str());
  }
}

std::vector<lab::System> make_systems(const ExperimentOptions& options, const data::Dataset& data, index_t classes) {
  SystemRequest request{data.modality_names(), data.dimensions(), classes, options.common()};
  std::vector<lab::System> systems;
  for (const std::string& name : options.models) {
    systems.push_back(make_model(parse_model(name), request));
    for (std::size_t i = 0; i + 1 < systems.size(); ++i)
      if (ExperimentFolder::safe(systems[i].name) == ExperimentFolder::safe(name))
        throw OptionError("--models: '" + systems[i].name + "' and '" + name + "' would share a folder");
  }
  return systems;
}

int compare(ExperimentOptions& options, int argc, char** argv) {
  const data::Dataset data = load_experiment_data(options);
  if (!options.quiet)
    for (const std::string& note : data.notes) std::fprintf(stderr, "experiment: note: %s\n", note.c_str());
  const train::Targets targets = experiment_targets(data);
  if (options.metrics.empty())
    options.metrics = targets.classes > 0 ? std::vector<std::string>{"accuracy", "f1_weighted"}
                                          : std::vector<std::string>{"mae", "acc2_non0", "f1_non0"};
  for (const std::string& metric : options.metrics) lab::check_metric(metric, targets.classes);
  lab::Plan plan = lab::make_plan(options.protocols, data.test, {.seed = options.mask_seed});
  if (!options.masks.empty()) lab::take_masks(plan, options.masks, data.test.ids);
  const std::vector<lab::System> systems = make_systems(options, data, targets.classes);

  ExperimentFolder folder(options.out.empty() ? default_folder(data) : options.out);
  folder.open();
  if (folder.has_runs() && !options.resume && !options.overwrite)
    throw OptionError(folder.path() + " holds an experiment; --resume goes on with it, --overwrite starts anew");
  folder.remove(!options.overwrite);
  if (!options.save_masks.empty()) missing::save_masks(options.save_masks, plan.masks);

  const data::Dataset learning = lab::without_test(data);
  const ExperimentSetting setting{data,
                                  learning,
                                  plan,
                                  targets,
                                  crc_text(data),
                                  lab::prior(data.train, targets.classes),
                                  options.save_seconds,
                                  options.quiet};
  const train::Interrupt interrupt;
  const std::vector<Job> jobs = jobs_of(systems, options.seeds);
  auto finished = train_all(jobs, options.jobs, setting, folder, interrupt);
  if (!finished) {
    std::fprintf(stderr, "experiment: interrupted; everything is in %s; to go on: %s%s\n", folder.path().c_str(),
                 quoted(argc, argv).c_str(), options.resume ? "" : " --resume");
    return interrupt.exit_status();
  }
  std::vector<lab::ModelRuns> runs;
  std::vector<lab::Record> records;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (i == 0 || jobs[i].system != jobs[i - 1].system)
      runs.push_back({jobs[i].system->name, jobs[i].system->recipe, {}});
    runs.back().runs.push_back(std::move((*finished)[i].run));
    records.push_back(std::move((*finished)[i].record));
  }
  lab::Results results =
      lab::make_results(runs, plan.protocols, targets, options.metrics, options.reference, {.draws = options.draws});
  results.config = options.record();
  results.data = describe_data(data, setting.crc);
  write_results(folder, results, records);
  std::printf("test split of %s, %lld samples\n\n%s\nresults in %s\n", data.name.c_str(),
              static_cast<long long>(data.test.size()), lab::terminal_text(results).c_str(), folder.path().c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  ExperimentOptions options;
  CLI::App app("Compares models under missing modalities: models x seeds x protocols, the same masks for all.",
               "experiment");
  app.set_version_flag("--version", support::version());
  declare(app, options);
  return run("experiment", app, argc, argv, [&] {
    if (options.list_models) return show_models(), 0;
    set_threads(std::max(0, options.threads));
    if (!options.print.empty()) {
      std::fputs(lab::terminal_text(load_results(ExperimentFolder(options.print))).c_str(), stdout);
      return 0;
    }
    if (!options.report.empty()) return report_again(ExperimentFolder(options.report)), 0;
    options.resolve();
    return compare(options, argc, argv);
  });
}
