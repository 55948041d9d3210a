// Predictions of a trained model for a data set, whichever modalities it has.
//
//   predict --checkpoint runs/mosi/seed-1/checkpoint.lacuna --data mosi.npz --missing text --out predictions.csv

#include "lacuna/io/checkpoint.hpp"
#include "lacuna/models/sdumc/sdumc.hpp"
#include "lacuna/train/evaluate.hpp"
#include "support/device.hpp"
#include "support/predict_data.hpp"
#include "support/program.hpp"

namespace {

using namespace lacuna;

struct Options {
  std::string checkpoint, data, split = "test", out, label, device = "cpu";
  std::vector<std::string> missing;
  index_t batch = 96;
  int threads = 0;
  bool infer_padding = false;
};

template <class T, class D>
train::Evaluation predict(const State& state, const Options& options) {
  const auto model = train::model_from<models::Sdumc<T, D>>(state);
  const auto streams = state.get<std::vector<std::string>>("program/streams");
  std::vector<index_t> features = model.options.inputs;
  if (model.options.simulator.stream >= 0) features.push_back(features.at(std::size_t(model.options.missing)));
  if (streams.size() != features.size())
    state.fail("program/streams", detail::cat("names ", streams.size(), " streams, the model has ", features.size()));

  data::LoadOptions load;
  load.label = options.label;
  load.infer_padding = options.infer_padding;
  const data::Dataset set = support::load_streams(options.data, streams, features, load);
  const auto condition = missing::without(options.missing, streams);
  const auto on = [&](const auto& split) {
    if (split.size() == 0) throw IoError(options.data + ": has no " + options.split + " split");
    return train::evaluate(model, split, {condition}, options.batch);
  };
  return options.split == "train" ? on(set.train) : options.split == "valid" ? on(set.validation) : on(set.test);
}

template <class D>
int predict_and_write(const Options& options) {
  const State state = io::load_checkpoint(options.checkpoint);
  const auto kind = state.get<std::string>("program/model"), dtype = state.get<std::string>("program/dtype");
  if (kind != "sdumc") state.fail("program/model", "is '" + kind + "', which this program does not know");
  const train::Evaluation result =
      dtype == "f64" ? predict<double, D>(state, options) : predict<float, D>(state, options);
  const std::string table = train::predictions_csv(result);
  if (options.out.empty())
    std::fwrite(table.data(), 1, table.size(), stdout);
  else
    train::write_text(options.out, table);
  if (!result.labels.empty()) train::print(result, stderr);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Predictions of a trained model for a data set, whichever modalities it has.", "predict");
  app.get_formatter()->column_width(32);
  app.set_version_flag("--version", support::version());
  app.add_option("--checkpoint", options.checkpoint, "model, as train has written it")->required();
  app.add_option("--data", options.data,
                 "data set (.npz); modalities that it lacks count as missing, labels are not needed")
      ->required();
  app.add_option("--split", options.split, "which part of it")
      ->capture_default_str()
      ->check(CLI::IsMember(std::vector<std::string>{"train", "valid", "test"}));
  app.add_option("--missing", options.missing, "modalities to take away, as a,b; without it none")->delimiter(',');
  app.add_option("--label", options.label, "array of the labels, as label2 for test_label2; without it label");
  app.add_flag("--infer-padding", options.infer_padding, "without lengths and masks, frames of zeros are absent");
  app.add_option("--out", options.out, "table to write (CSV); without it standard output");
  app.add_option("--batch", options.batch, "samples at once; with --padding published predictions depend on it")
      ->capture_default_str();
  app.add_option("--threads", options.threads, "threads; 0 = all cores. Results do not depend on it")
      ->capture_default_str();
  support::declare_device(app, options.device);
  return support::run("predict", app, argc, argv, [&] {
    if (options.batch < 1) throw OptionError(detail::cat("--batch: ", options.batch, ", expected at least 1"));
    set_threads(options.threads);
    return support::on_device(options.device, [&]<class D>() { return predict_and_write<D>(options); });
  });
}
