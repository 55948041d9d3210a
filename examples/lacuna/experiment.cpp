// lacuna experiment: models x seeds x protocols, with the same masks for all of them.
//
//   lacuna experiment --models sdumc,corrkd --protocols p1,p1-intra          on a synthetic corpus
//   lacuna experiment --data FILE.npz --models all                           every model that can take the data
//   lacuna experiment --data FILE.npz --ablation corrkd --seeds 1,2,3        the ablation table of a model
//   lacuna experiment --folds 3 --models corrkd,corrkd:scd=0                 which options to choose, without the test split
// What the files hold: docs/experiments.md.
#include "compare.hpp"
#include "folds.hpp"
#include "statistics.hpp"

namespace program {
namespace {

using namespace lacuna;

/// `all` becomes every model of the registry that is not named already: those take part if they can. Returns them.
std::vector<std::string> volunteers(RunOptions& o) {
  std::vector<std::string> all;
  if (std::erase(o.models, "all") == 0) return all;
  const auto named = [&](const std::string& name) {
    return std::any_of(o.models.begin(), o.models.end(),
                       [&](const std::string& text) { return zoo::parse_model(text).name == name; });
  };
  for (const zoo::Entry& entry : zoo::registry().entries())
    if (!named(entry.name)) all.push_back(entry.name);
  return all;
}

/// Fills in what follows from others. Throws OptionError.
void resolve(RunOptions& o) {
  if (!o.ablation.empty()) {
    const auto table = zoo::registry().ablation(o.ablation);
    o.models.insert(o.models.begin(), table.begin(), table.end());
    if (o.reference.empty()) o.reference = o.ablation;
  }
  o.volunteers = volunteers(o);
  std::erase(o.volunteers, "constant");
  if (o.models.empty() && o.volunteers.empty()) o.models = {"sdumc", "corrkd"};
  if (std::find(o.models.begin(), o.models.end(), "constant") == o.models.end())
    o.models.insert(o.models.begin(), "constant");
  for (std::size_t i = 0; i < o.models.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (o.models[i] == o.models[j]) throw OptionError("--models: '" + o.models[i] + "' is named twice");
  if (o.reference.empty()) o.reference = "constant";
  if (std::find(o.models.begin(), o.models.end(), o.reference) == o.models.end() &&
      std::find(o.volunteers.begin(), o.volunteers.end(), o.reference) == o.volunteers.end())
    throw OptionError("--reference: '" + o.reference + "' is not one of the models");
}

/// One comparison. title: what its tables are of. The results, where it came to an end, go to `kept` too.
int compare(RunOptions options, Data data, const Call& call, const std::string& title,
            std::vector<lab::Results>* kept = nullptr) {
  Work work{.program = "lacuna experiment", .data = std::move(data)};
  const data::Dataset& set = *work.data.set;
  for (const auto& [split, samples] :
       {std::pair("training", set.train.size()), std::pair("validation", set.validation.size()),
        std::pair("test", set.test.size())})
    if (samples == 0) throw Error(detail::cat(set.name, ": the ", split, " split has no samples"));
  look_at(work.data, options.data, work.program.c_str(), options.quiet);
  work.targets = work.data.targets();
  if (index_t(work.targets.values.size()) != set.test.size())
    throw Error(set.name + ": the test split has no labels, there is nothing to compare");
  work.metrics = options.metrics = metrics_of(options, work.targets, work.program);
  work.plan = lab::make_plan(options.protocols, set.test, {.seed = options.mask_seed});
  if (!options.masks.empty()) lab::take_masks(work.plan, options.masks, set.test.ids);
  const std::vector<std::string> data_names = set.modality_names();
  zoo::Request request = request_of(options, work.data);
  std::sort(options.settings.begin(), options.settings.end());  // wherever they came from: equal runs, equal records
  request.common = options.settings;
  for (const std::string& name : options.models)
    work.systems.push_back(zoo::registry().make(zoo::parse_model(name), request));
  for (const std::string& name : options.volunteers) {
    try {
      work.systems.push_back(zoo::registry().make(zoo::parse_model(name), request));
      options.models.push_back(name);
    } catch (const OptionError& why) {
      std::fprintf(stderr, "lacuna experiment: note: %s is left out: %s\n", name.c_str(), why.what());
    }
  }
  expect_own_folders(work.systems);
  for (const lab::System& system : work.systems)  // a first model of each: what is wrong with it is known now
    if (system.conditions) (void)system.conditions(data_names);
  say_decisions(work);
  work.reference = options.reference;
  if (options.dry_run) return rehearse(work, options);

  work.data.statistics = statistics_lines(set);
  Folder folder(options.out.empty() ? default_folder(set) : options.out);
  auto done = perform(work, options, folder, call);
  if (const int* status = std::get_if<int>(&done)) return *status;
  if (kept != nullptr) kept->push_back(*std::get<Done>(done).results);
  std::printf("%s of %s, %lld samples\n\n%s", title.c_str(), support::printable(set.name).c_str(),
              static_cast<long long>(set.test.size()), terminal_text(*std::get<Done>(done).results).c_str());
  return settle(folder, std::get<Done>(done), work);
}

/// The comparison on every fold, each in a folder of its own, and what all of them say.
int choose(const RunOptions& options, const Data& data, const Call& call) {
  const std::string root = options.out.empty() ? default_folder(*data.set) + "-folds" : options.out;
  FoldTable table;
  int status = 0;
  for (index_t k = 0; k < options.folds; ++k) {
    RunOptions own = options;
    own.out = root + "/fold-" + std::to_string(k + 1);
    const std::string title = detail::cat(k > 0 ? "\n" : "", "fold ", k + 1, " of ", options.folds);
    const int ended = compare(own, fold_of(data, k, options.folds), call, title, &table.folds);
    if (options.dry_run || index_t(table.folds.size()) <= k) return ended;  // rehearsed, or interrupted
    status = std::max(status, ended);
  }
  train::write_text(root + "/folds.csv", table.csv());
  std::printf("\n%lld folds of %s\n\n%s", static_cast<long long>(options.folds),
              support::printable(data.set->name).c_str(), table.text().c_str());
  return status;
}

/// `--folds 3` is a number of folds, `--folds FILE` says which sample is in which split.
void take_folds(RunOptions& options) {
  std::string& text = options.data.format.import.folds;
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) return;
  options.folds = text.size() > 3 ? 1000 : index_t(std::stoll(text));
  if (options.folds < 2 || options.folds > 100)
    throw OptionError("--folds: '" + text + "' folds, expected 2 to 100, or the name of a file");
  text.clear();
}

}  // namespace

int experiment(const Call& call) {
  RunOptions options;
  options.seeds = {1, 2, 3};
  options.protocols = {"p1"};
  CLI::App app("Compares models under missing modalities: models x seeds x protocols, the same masks for all.",
               "lacuna experiment");
  const auto declare_all = [&] {
    declare(app, options, false);
    std::vector<zoo::OptionInfo> training = zoo::registry().options("sdumc");
    std::erase_if(training, [](const zoo::OptionInfo& option) { return !option.training; });
    declare_settings(app, training, options.settings, "");
  };
  return support::run("lacuna experiment", app, call.argc, call.argv, declare_all, [&] {
    options.config = app.get_config_ptr()->as<std::string>();
    options.check();
    take_folds(options);
    if (options.folds > 0 && !(options.masks.empty() && options.save_masks.empty()))
      throw OptionError("--folds K has masks of its own for every fold: --masks and --save-masks do not go with it");
    expect_device(options.device);
    set_threads(options.threads);
    resolve(options);
    Data data = load(options.data);
    if (options.folds > 0) return choose(options, data, call);
    return compare(options, std::move(data), call, "test split");
  });
}

}  // namespace program
