// Trains a model that keeps working when a modality is missing, and shows how it does with and without it.
//
//   train                                   on a synthetic corpus whose best attainable errors are known
//   train --data FILE.npz --seeds 1,2,3     on a data set; all options: train --help

#include <filesystem>

#include "lacuna/models/baselines/constant.hpp"
#include "lacuna/models/baselines/ridge.hpp"
#include "support/device.hpp"
#include "support/program.hpp"
#include "support/train_seed.hpp"

namespace {

using namespace support;
using namespace lacuna;

std::string default_folder(const Data& data) {
  const std::string stem = fs::path(data.dataset->name).stem().string();
  return "runs/" + (stem.empty() ? std::string("data") : stem);
}

/// An earlier run in the same folder: resumed on demand; replaced when it is finished and had the same options; else
/// refused.
void make_room(const RunFolder& folder, const TrainOptions& options, const nlohmann::ordered_json& about) {
  folder.remove_temporaries();
  if (options.resume) return;
  for (const std::uint64_t seed : folder.seeds()) {
    if (options.overwrite) break;
    if (RunFolder::exists(folder.unfinished(seed)))
      throw OptionError(folder.path() + " holds an unfinished run; --resume goes on with it, --overwrite starts anew");
    if (!RunFolder::exists(folder.checkpoint(seed))) continue;
    if (std::find(options.seeds.begin(), options.seeds.end(), seed) == options.seeds.end())
      throw OptionError(detail::cat(folder.path(), " holds seed ", seed,
                                    " of another run; choose another folder with --out, or --overwrite"));
    expect_same_run(io::load_checkpoint(folder.checkpoint(seed)), options, about);
  }
  folder.clear();
}

/// What a condition leaves.
std::vector<std::string> left(const Data& data, const missing::Condition& condition) {
  std::vector<std::string> names;
  for (std::size_t m = 0; m < data.modalities.size(); ++m)
    if (!condition.absent[m]) names.push_back(data.modalities[m]);
  return names;
}

/// Constant and, of real labels, ridge, trained on the modalities that are there.
std::vector<train::BaselineReport> baselines(const Data& data, const std::vector<missing::Condition>& conditions) {
  const data::Dataset& set = *data.dataset;
  const train::Targets targets = train::targets_of(set.test, data.classes);
  train::BaselineReport constant{"constant", {}}, ridge{"ridge", {}};
  const auto same = models::Constant(set.train)(set.test);
  for (const auto& condition : conditions) {
    constant.test.push_back({condition.name, train::scores(targets, same)});
    if (data.classes > 0) continue;
    const models::Ridge fitted(set.train, set.validation, {.modalities = left(data, condition)});
    ridge.test.push_back({condition.name, train::scores(targets, fitted(set.test))});
  }
  if (data.classes > 0) return {constant};
  return {constant, ridge};
}

/// For the synthetic corpus: how close the mean MAE of the seeds comes to the best there is.
std::vector<train::AttainableReport> attainable(const Data& data, const std::vector<missing::Condition>& conditions,
                                                const std::vector<train::SeedReport>& seeds) {
  std::vector<train::AttainableReport> all;
  if (data.synthetic == nullptr) return all;
  const auto mean = train::mean_over_seeds(seeds);
  for (std::size_t c = 0; c < conditions.size(); ++c) {
    const auto subset = left(data, conditions[c]);
    const auto& test = data.synthetic->test;
    all.push_back({conditions[c].name, data.synthetic->best(test, subset).mae,
                   data.synthetic->coverage(mean.at(c).values.at(0).second, test, subset)});
  }
  return all;
}

template <class T, class D>
int train_all(const TrainOptions& options, const Data& data, int argc, char** argv) {
  const nlohmann::ordered_json about = describe(data);
  using Model = models::Sdumc<T, D>;
  const std::function<Model(std::uint64_t)> make = [&](std::uint64_t seed) {
    models::SdumcOptions sizes = options.sdumc;
    sizes.inputs = data.dataset->dimensions();
    sizes.inputs.resize(data.modalities.size());
    sizes.missing = data.missing;
    sizes.classes = data.classes;
    sizes.drop = missing::mrm_preset(options.drop, index_t(data.modalities.size()));
    if (!options.simulated_text.empty()) sizes.simulator.stream = index_t(data.modalities.size());
    return Model(sizes, Random(seed));
  };
  // made here, it refuses impossible sizes before anything is written
  const auto conditions = make(options.seeds[0]).conditions(data.dataset->modality_names());

  RunFolder folder(options.out.empty() ? default_folder(data) : options.out);
  folder.open();
  make_room(folder, options, about);
  const train::Interrupt interrupt;
  train::Report report;
  for (const std::uint64_t seed : options.seeds) {
    auto result =
        interrupt.signal() ? std::nullopt : train_seed<Model>(options, data, about, folder, seed, interrupt, make);
    if (!result) {
      std::fprintf(stderr, "train: interrupted; everything is in %s; to go on: %s%s\n", folder.path().c_str(),
                   quoted(argc, argv).c_str(), options.resume ? "" : " --resume");
      return interrupt.exit_status();
    }
    report.seeds.push_back(std::move(*result));
  }
  report.model = options.model;
  report.classes = data.classes;
  report.config = options.record();
  report.data = about;
  if (!train::targets_of(data.dataset->test, data.classes).values.empty()) {
    report.baselines = baselines(data, conditions);
    report.attainable = attainable(data, conditions, report.seeds);
    std::printf("test split of %s, %lld samples\n\n", data.dataset->name.c_str(),
                static_cast<long long>(data.dataset->test.size()));
    train::print(report);
  } else {
    std::printf("the test split of %s has no labels: predictions only\n", data.dataset->name.c_str());
  }
  train::write_text(folder.metrics(), train::to_json(report).dump(2) + "\n");
  std::printf("\nresults in %s\n", folder.path().c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  TrainOptions options;
  CLI::App app(
      "Trains a model that keeps working when a modality is missing, and shows how it does with and without it.",
      "train");
  app.set_version_flag("--version", support::version());
  declare(app, options);
  std::string device = "cpu";
  declare_device(app, device);
  return run("train", app, argc, argv, [&] {
    apply_preset(app, options);
    options.resolve();
    set_threads(options.threads);
    return on_device(device, [&]<class D>() {
      const Data data = load(options);
      if (!options.quiet)
        for (const std::string& note : data.dataset->notes) std::fprintf(stderr, "train: note: %s\n", note.c_str());
      return options.dtype == "f64" ? train_all<double, D>(options, data, argc, argv)
                                    : train_all<float, D>(options, data, argc, argv);
    });
  });
}
