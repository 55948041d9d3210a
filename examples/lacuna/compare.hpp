// One run: models x seeds, trained, evaluated under the same masks, and written to one folder. `train` and `experiment`
// differ in what they ask for and in the table they print.
#pragma once

#include "commands.hpp"
#include "foresight.hpp"
#include "jobs.hpp"
#include "lacuna/lab/prior.hpp"
#include "options.hpp"
#include "rehearse.hpp"
#include "results.hpp"
#include "support/program.hpp"

namespace program {

/// What it has done.
struct Done {
  std::vector<lacuna::lab::ModelRuns> runs;
  std::vector<Record> records;
  std::optional<lacuna::lab::Results> results;  ///< none where the test split has no labels
  std::size_t failed = 0;                       ///< trainings
};

/// The end of a run: it takes the place of an earlier one, or stays beside it where not all of it could be trained. Says where
/// it is. The exit status.
inline int settle(Folder& folder, const Done& done, const Work& work) {
  const bool beside = folder.root() != folder.path();
  if (done.failed == 0) {
    folder.settle();
    std::printf("\nresults in %s\n", folder.path().c_str());
    return 0;
  }
  std::printf("\nresults in %s\n", folder.root().c_str());
  std::fprintf(stderr, "%s: %zu of %zu trainings failed%s; --resume tries them again\n", work.program.c_str(),
               done.failed, done.failed + done.records.size(),
               beside ? (", so that " + folder.path() + " keeps its finished run").c_str() : "");
  return 1;
}

inline std::string default_folder(const lacuna::data::Dataset& data) {
  const std::string stem = fs::path(data.name).stem().string();
  return "runs/" + (stem.empty() ? std::string("data") : stem);
}

/// The metrics of a run, checked: the user's, or the usual ones. Throws OptionError.
inline std::vector<std::string> metrics_of(const RunOptions& options, const lacuna::train::Targets& targets,
                                           const std::string& program) {
  std::vector<std::string> metrics = options.metrics;
  const bool signs = targets.classes > 0 || lacuna::train::has_signs(targets.values);
  if (!signs && metrics.empty() && !targets.values.empty())
    std::fprintf(
        stderr,
        "%s: note: no test label is below zero: scores for labels around zero (acc2, f1, acc5, acc7) are left out\n",
        program.c_str());
  if (!signs && metrics.empty()) metrics = {"mae", "pearson"};
  if (metrics.empty())
    metrics = targets.classes > 0 ? std::vector<std::string>{"accuracy", "f1_weighted"}
                                  : std::vector<std::string>{"mae", "acc2_non0", "f1_non0"};
  for (const std::string& metric : metrics) {
    lacuna::lab::check_metric(metric, targets.classes);
    if (std::count(metrics.begin(), metrics.end(), metric) > 1)
      throw lacuna::OptionError("--metrics: '" + metric + "' is named twice");
  }
  return metrics;
}

inline zoo::Request request_of(const RunOptions& options, const Data& data) {
  zoo::Request request{data.modalities, data.inputs(), data.classes, {}, options.dtype, options.device};
  if (data.classes > 0) request.prior = zoo::prior_of(data.set->train, data.classes);
  for (const auto& modality : data.set->train.modalities)
    request.frames = std::max(request.frames, modality.frames.extent(1));
  request.samples = data.set->train.size();
  return request;
}

/// What recipes have decided by looking at the data, also under --quiet.
inline void say_decisions(const Work& work) {
  for (const lacuna::lab::System& system : work.systems)
    for (const std::string& note : system.notes)
      std::fprintf(stderr, "%s: note: %s: %s\n", work.program.c_str(), support::printable(system.name).c_str(),
                   note.c_str());
}

/// Throws DeviceError where this program does not know the device.
inline void expect_device(const std::string& device) {
  if (device == "cpu") return;
  for (const zoo::Entry& entry : zoo::registry().entries())
    for (const char* dtype : {"f32", "f64"})
      if (entry.name != "constant" && entry.name != "ridge" && zoo::registry().has(entry.name, device, dtype)) return;
  throw lacuna::DeviceError("--device " + device +
                            ": this program was built for the CPU alone; lacuna_cuda knows both");
}

/// Folders of models must differ.
inline void expect_own_folders(const std::vector<lacuna::lab::System>& systems) {
  for (std::size_t i = 0; i < systems.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (Folder::safe(systems[i].name) == Folder::safe(systems[j].name))
        throw lacuna::OptionError("--models: '" + systems[j].name + "' and '" + systems[i].name +
                                  "' would share a folder");
}

/// What earlier trainings have left is of these options and data. Throws OptionError, IoError.
inline void expect_same_trainings(const Folder& folder, const std::vector<Job>& jobs, const Setting& setting) {
  for (const Job& job : jobs) {
    const std::string who = identity(*job.system, job.seed, setting);
    const auto path = [&](const char* name) { return folder.run_file(job.system->name, job.seed, name); };
    if (const std::string file = path("predictions.npz"); Folder::exists(file)) {
      const auto stored = lacuna::io::Npz(file).get("identity").strings();
      expect_identity(file, stored.empty() ? "" : stored[0], who);
    } else if (const std::string begun = path("unfinished.lacuna"); Folder::exists(begun)) {
      expect_identity(begun, lacuna::io::load_checkpoint(begun).get<std::string>("identity"), who);
    }
  }
}

/// An earlier run in the same folder: resumed, or replaced on demand; else refused, but for a finished one with the same
/// options where that is wanted. A finished run stays where it is until the new one, which is made beside it, is finished.
inline void make_room(Folder& folder, const RunOptions& options, const std::vector<Job>& jobs, const Setting& setting,
                      bool replaces) {
  using lacuna::OptionError;
  const NewRun beside = folder.beside();
  if (options.resume) {
    if (beside.exists()) folder.write_beside();
    return;
  }
  if (options.overwrite) {
    beside.discard();
    folder.has_finished() ? folder.write_beside() : folder.remove(false);
    return;
  }
  const std::vector<std::string> found = folder.runs();
  bool unfinished = beside.exists();
  for (const std::string& run : found)
    unfinished = unfinished || Folder::exists(folder.path() + "/" + run + "/unfinished.lacuna");
  if (unfinished)
    throw OptionError(folder.path() + " holds an unfinished run; --resume goes on with it, --overwrite starts anew");
  if (found.empty()) return;
  if (!replaces)
    throw OptionError(folder.path() + " holds an experiment; --resume goes on with it, --overwrite starts anew");
  for (const std::string& run : found) {
    const std::string file = folder.path() + "/" + run + "/predictions.npz";
    if (!Folder::exists(file)) continue;
    const Job* same = nullptr;
    for (const Job& job : jobs)
      if (Folder::safe(job.system->name) + "/seed-" + std::to_string(job.seed) == run) same = &job;
    if (same == nullptr)
      throw OptionError(folder.path() + " holds " + run +
                        " of another run; choose another folder with --out, or --overwrite");
  }
  expect_same_trainings(folder, jobs, setting);
  folder.write_beside();
}

/// No output replaces what is read. Throws OptionError.
inline void expect_other_files(const Folder& folder, const RunOptions& options) {
  const std::string& data = options.data.data;
  expect_other_file("--save-masks", options.save_masks, {data, options.masks, options.config});
  for (const auto& [option, input] :
       {std::pair("--data", data), std::pair("--masks", options.masks), std::pair("--config", options.config)})
    if (!input.empty() && folder.replaces(input))
      throw lacuna::OptionError(std::string(option) + ": " + input + " lies in " + folder.path() +
                                ", where the results go, and would be replaced; choose another folder with --out");
}

/// What can be known of the outputs before anything is trained. Throws IoError.
inline void expect_outputs(const Folder& folder, const std::vector<Job>& jobs, const Setting& setting) {
  expect_writable(folder.file("results.json"));
  for (const Job& job : jobs) {
    folder.make_run(job.system->name, job.seed);
    for (const char* name : {"model.lacuna", "predictions.npz", "predictions.csv", "history.csv", "model.json",
                             "timing.csv", "unfinished.lacuna"})
      expect_writable(folder.run_file(job.system->name, job.seed, name));
  }
  // numbers in predictions.npz, and their rows in predictions.csv; models come on top
  const auto numbers = std::uint64_t(setting.plan.size()) * std::uint64_t(setting.data.set->test.size());
  expect_room(folder.path(), std::uint64_t(jobs.size()) * numbers * (sizeof(double) + 40));
}

/// The command line that goes on with a run.
inline std::string resuming(std::string command) {
  const std::string anew = " --overwrite", on = " --resume";
  for (std::size_t at; (at = (command + " ").find(anew + " ")) != std::string::npos;) command.erase(at, anew.size());
  return (command + " ").find(on + " ") == std::string::npos ? command + on : command;
}

/// Trains, evaluates, writes. The exit status where it ends early: interrupted.
inline std::variant<Done, int> perform(const Work& work, const RunOptions& options, Folder& folder, const Call& call) {
  using namespace lacuna;
  const data::Dataset learning = lab::without_test(*work.data.set);
  const Setting setting{.data = work.data,
                        .learning = learning,
                        .plan = work.plan,
                        .targets = work.targets,
                        .prior = lab::prior(work.data.set->train, work.data.classes),
                        .save_seconds = options.save_seconds,
                        .quiet = options.quiet,
                        .tensorboard = options.tensorboard,
                        .dtype = options.dtype,
                        .command = call.whole};
  const std::vector<Job> jobs = jobs_of(work.systems, options.seeds);
  expect_other_files(folder, options);
  folder.open();
  make_room(folder, options, jobs, setting, work.replaces);
  expect_outputs(folder, jobs, setting);
  if (options.resume) expect_same_trainings(folder, jobs, setting);
  if (!options.save_masks.empty()) missing::save_masks(options.save_masks, work.plan.masks);
  const train::Interrupt interrupt;
  auto finished = train_all(work.program, jobs, options.jobs, setting, folder, interrupt,
                            work.replaces && options.seeds.size() == 1 ? &work.systems.front() : nullptr);
  if (!finished) {
    std::fprintf(stderr, "%s: interrupted; everything is in %s; to go on: %s\n", work.program.c_str(),
                 folder.path().c_str(), resuming(call.whole).c_str());
    return interrupt.exit_status();
  }
  Done done;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (i == 0 || jobs[i].system != jobs[i - 1].system)
      done.runs.push_back({jobs[i].system->name, jobs[i].system->recipe, {}});
    Outcome& outcome = (*finished)[i];
    if (!outcome.finished) {
      done.runs.back().failures.push_back({jobs[i].seed, outcome.failure});
      ++done.failed;
      continue;
    }
    done.runs.back().runs.push_back(std::move(outcome.finished->run));
    done.records.push_back(std::move(outcome.finished->record));
  }
  if (done.records.empty()) throw Error("no training has come to its end");  // each has said why
  if (work.targets.values.empty()) return done;
  std::string reference = work.reference;
  if (!lab::has_runs(done.runs, reference)) {
    reference = done.runs.front().name;
    for (const auto& model : done.runs)
      if (!lab::has_runs(done.runs, reference)) reference = model.name;
    std::fprintf(stderr, "%s: %s has failed: differences are taken from %s\n", work.program.c_str(),
                 work.reference.c_str(), reference.c_str());
  }
  done.results = lab::make_results(done.runs, work.plan.protocols, work.targets, work.metrics, reference,
                                   {.draws = options.draws});
  done.results->config = options.record();
  done.results->data = describe_data(work.data);
  write_results(folder, *done.results, done.records);
  return done;
}

}  // namespace program
