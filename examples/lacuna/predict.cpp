// lacuna predict: a trained model on a data set, whichever modalities it has.
//
//   lacuna predict --checkpoint runs/mosi/sdumc/seed-1/model.lacuna --data mosi.npz --missing text --export predictions.csv
#include "commands.hpp"
#include "compare.hpp"
#include "lacuna/data/oddities.hpp"
#include "lacuna/io/npz_writer.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/train/calibration.hpp"
#include "lacuna/zoo/balance.hpp"
#include "lacuna/zoo/predictor.hpp"
#include "streams.hpp"

namespace program {
namespace {

using namespace lacuna;

struct PredictOptions {
  std::string checkpoint, data, split = "test", out, label, device = "cpu", explain, prior;
  std::vector<std::string> missing, metrics;
  index_t batch = 96;
  int threads = 0;
  double intervals = 0;
  bool infer_padding = false, probabilities = false, embedding = false, attention = false;
  FormatOptions format;
};

/// All of a split, batch after batch.
template <data::Role role>
zoo::Outputs outputs(const Predictor& predictor, const data::Split<role>& split, const missing::MissingSpec& spec,
                     const zoo::Wanted& wanted, index_t size) {
  zoo::Outputs all;
  std::vector<double> probabilities, embedding;
  index_t width = 0;
  const missing::MaskSet masks[] = {missing::sample_masks(spec, split)};
  train::under_masks<float>(split, masks, size, [&](index_t, index_t, const data::Batch<float>& batch) {
    zoo::Outputs some = predictor.outputs(batch, wanted);
    all.attention = std::move(some.attention);  // of one batch
    all.values.insert(all.values.end(), some.values.begin(), some.values.end());
    all.deviation.insert(all.deviation.end(), some.deviation.begin(), some.deviation.end());
    if (some.probabilities.defined())
      probabilities.insert(probabilities.end(), some.probabilities.data(),
                           some.probabilities.data() + some.probabilities.size());
    if (!some.embedding.defined()) return;
    embedding.insert(embedding.end(), some.embedding.data(), some.embedding.data() + some.embedding.size());
    width = some.embedding.extent(1);
  });
  if (!probabilities.empty())
    all.probabilities = Tensor<double, 2>::from({split.size(), predictor.classes()}, probabilities);
  if (width > 0) all.embedding = Tensor<double, 2>::from({split.size(), width}, embedding);
  return all;
}

/// (N, 2): below and above the predictions, by the streams that every sample has left. Says where it is nothing.
template <data::Role role>
Tensor<double, 2> intervals(const Predictor& predictor, const data::Split<role>& split,
                            const missing::MissingSpec& spec, const List<double>& values, double coverage) {
  std::vector<Mask<1>> has;
  for (const data::Modality& modality : split.modalities) has.push_back(any_present(modality.present));
  Tensor<double, 2> result({split.size(), 2});
  std::vector<std::uint8_t> present(has.size());
  index_t unknown = 0;
  for (index_t n = 0; n < split.size(); ++n) {
    for (std::size_t m = 0; m < has.size(); ++m)
      present[m] = std::uint8_t(has[m](n) && (spec.absent.empty() || !spec.absent[m]));
    const double half = predictor.half_width(present, coverage);
    unknown += std::isinf(half);
    result(n, 0) = values[std::size_t(n)] - half;
    result(n, 1) = values[std::size_t(n)] + half;
  }
  if (unknown > 0)
    std::fprintf(
        stderr,
        "lacuna predict: note: %lld of %lld intervals are infinite: the valid split of the training had too few "
        "samples with their modalities\n",
        static_cast<long long>(unknown), static_cast<long long>(split.size()));
  return result;
}

/// One row per sample and modality that it has: the prediction, what it is without this modality, and the change: of real
/// labels their difference, of classes by how much the probability of the predicted class falls.
template <data::Role role>
void write_explanation(const PredictOptions& options, const Predictor& predictor, const data::Split<role>& split,
                       const missing::MissingSpec& spec) {
  const auto& streams = predictor.card().streams;
  const bool classes = predictor.classes() > 0;
  const zoo::Wanted wanted{.probabilities = classes};
  const zoo::Outputs whole = outputs(predictor, split, spec, wanted, options.batch);
  std::string text = "id,modality,prediction,without,change\n";
  for (std::size_t m = 0; m < streams.size(); ++m) {
    if (!spec.absent.empty() && spec.absent[m]) continue;
    missing::MissingSpec less = spec;
    less.absent.resize(streams.size(), 0);
    less.absent[m] = 1;
    const zoo::Outputs without = outputs(predictor, split, less, wanted, options.batch);
    const Mask<1> has = any_present(split.modalities[m].present);
    double sum = 0;
    index_t count = 0;
    for (index_t n = 0; n < split.size(); ++n) {
      if (!has(n)) continue;
      const double with = whole.values[std::size_t(n)], then = without.values[std::size_t(n)];
      const double change =
          classes ? whole.probabilities(n, index_t(with)) - without.probabilities(n, index_t(with)) : with - then;
      sum += std::abs(change);
      ++count;
      text += train::csv_field(split.ids[std::size_t(n)]) + ',' + train::csv_field(streams[m]) + ',' +
              train::csv_number(with) + ',' + train::csv_number(then) + ',' + train::csv_number(change) + '\n';
    }
    if (count > 0)
      std::fprintf(stderr, "lacuna predict: note: without %s %s changes by %.4g on average (%lld samples)\n",
                   support::printable(streams[m]).c_str(), classes ? "the probability of the class" : "the prediction",
                   sum / double(count), static_cast<long long>(count));
  }
  train::write_text(options.explain, text);
}

/// Whose shares of the classes the answers are to assume; says which they are.
template <data::Role role>
void assume(const PredictOptions& options, Predictor& predictor, const data::Split<role>& split,
            const missing::MissingSpec& spec) {
  if (options.prior.empty()) return;
  if (predictor.classes() == 0) throw OptionError("--prior: the model predicts real labels, there are no classes");
  std::vector<double> shares;
  if (options.prior != "estimated") {
    shares = zoo::shares_from(options.prior, predictor.card().prior);
  } else {
    const auto& assumed = predictor.calibration().assumed;
    if (assumed.empty() || std::any_of(assumed.begin(), assumed.end(), [](double share) { return !(share > 0); }))
      throw OptionError(
          "--prior estimated: the file does not say which shares of the classes its probabilities assume");
    predictor.assume(assumed);  // so that probabilities are those of the training
    const auto p = outputs(predictor, split, spec, {.probabilities = true}, options.batch).probabilities;
    shares = train::estimated_prior(p, assumed);
    for (double& share : shares) share = std::max(share, 1e-6);
  }
  std::string text;
  for (const double share : shares) text += (text.empty() ? "" : " / ") + detail::general_text(share, 3);
  std::fprintf(stderr, "lacuna predict: note: answers assume classes with the shares %s\n", text.c_str());
  predictor.assume(shares);
}

/// id, condition, label, prediction, and as columns what else was asked for.
std::string table(const Predictor& predictor, const train::Evaluation& evaluation, const zoo::Outputs& out,
                  const Tensor<double, 2>& limits) {
  const bool named = !predictor.class_names().empty();
  std::string text = "id,condition,label,prediction";
  if (named) text += ",class";
  const auto columns = [&](const Tensor<double, 2>& numbers, const char* name, bool of_classes) {
    if (!numbers.defined()) return;
    for (index_t k = 0; k < numbers.extent(1); ++k)
      text +=
          "," + train::csv_field(std::string(name) + "_" +
                                 (of_classes && named ? predictor.class_names()[std::size_t(k)] : std::to_string(k)));
  };
  if (limits.defined()) text += ",lower,upper";
  if (!out.deviation.empty()) text += ",deviation";
  columns(out.probabilities, "p", true);
  columns(out.embedding, "e", false);
  text += '\n';
  const auto row = [&](const Tensor<double, 2>& numbers, index_t n) {
    if (!numbers.defined()) return;
    for (index_t k = 0; k < numbers.extent(1); ++k) text += ',' + train::csv_number(numbers(n, k));
  };
  for (std::size_t i = 0; i < out.values.size(); ++i) {
    text += train::csv_field(evaluation.ids[i]) + ',' + train::csv_field(evaluation.conditions[0].condition) + ',' +
            (evaluation.labels.empty() ? std::string() : train::csv_number(float(evaluation.labels[i]))) + ',' +
            train::csv_number(out.values[i]);
    if (named) text += ',' + train::csv_field(predictor.class_names()[std::size_t(out.values[i])]);
    row(limits, index_t(i));
    if (!out.deviation.empty()) text += ',' + train::csv_number(out.deviation[i]);
    row(out.probabilities, index_t(i));
    row(out.embedding, index_t(i));
    text += '\n';
  }
  return text;
}

void write_npz(const std::string& path, const Predictor& predictor, const train::Evaluation& evaluation,
               const zoo::Outputs& out, const Tensor<double, 2>& limits) {
  io::NpzWriter file(path);
  file.add("ids", evaluation.ids);
  file.add("condition", std::vector<std::string>{evaluation.conditions[0].condition});
  file.add("predictions", evaluation.conditions[0].predictions);
  if (!evaluation.labels.empty()) file.add("labels", evaluation.labels);
  if (!predictor.class_names().empty()) file.add("class_names", predictor.class_names());
  if (limits.defined()) file.add("intervals", limits);
  if (!out.deviation.empty()) file.add("deviation", std::vector<double>(out.deviation.begin(), out.deviation.end()));
  if (out.probabilities.defined()) file.add("probabilities", out.probabilities);
  if (out.embedding.defined()) file.add("embedding", out.embedding);
  for (const auto& [name, weights] : out.attention) file.add("attention_" + name, weights);
  file.close();
}

/// What was inferred of the data, left out or looks odd; for a model, a table of vectors may be one sample's frames.
void say_notes(const data::Dataset& set) {
  const auto say = [](const data::Note& note) {
    if (note.always) std::fprintf(stderr, "lacuna predict: note: %s\n", support::printable(note.text).c_str());
  };
  for (const data::Note& note : set.notes) say(note);
  for (const data::Note& note : data::oddities(set)) say(note);
}

/// The scales of the features that a model was trained on; none where it keeps none of its own.
data::Standardizer scales_of(const State& state) {
  data::Standardizer scales;
  for (const char* where : {"model/standardizer", "member-0/model/standardizer"})
    if (state.contains(where + std::string("/feature_clip"))) scales.load_state(state.under(where));
  return scales;
}

/// Says where most features lie far from those that the model was trained on: raw here and scaled there, or other units.
template <data::Role role>
void say_scales(const data::Standardizer& scales, const data::Split<role>& split) {
  for (std::size_t m = 0; m < scales.modalities.size() && m < split.modalities.size(); ++m) {
    const data::FeatureStatistics& known = scales.modalities[m];
    const data::Modality& modality = split.modalities[m];
    if (index_t(known.mean.size()) != modality.features()) continue;
    const data::odd::FeatureMoments here(modality);
    index_t off = 0;
    for (std::size_t f = 0; f < known.mean.size() && here.count > 0; ++f) {
      const double spread = std::hypot(here.deviation[f], here.mean[f] - known.mean[f]) / known.deviation[f];
      off += spread > 10 || (here.count >= 10 && 20 * spread < 1);
    }
    if (2 * off > modality.features())
      std::fprintf(
          stderr,
          "lacuna predict: note: %lld of %lld features of %s lie elsewhere than those the model was trained on, "
          "or are spread otherwise: are they on one scale?\n",
          static_cast<long long>(off), static_cast<long long>(modality.features()),
          support::printable(modality.name).c_str());
  }
}

/// Real labels, or class ids that the model knows: whether predictions can be judged by them. Says where they cannot.
template <data::Role role>
bool judged_by(const PredictOptions& options, const data::Split<role>& split, const train::Targets& targets) {
  const char* const known = targets.classes > 0 ? "classes" : "real labels";
  if (targets.values.empty()) {
    if (!split.labels.empty() || !split.classes.empty())
      std::fprintf(stderr,
                   "lacuna predict: note: the %s split has %s alone, the model predicts %s: there are no scores\n",
                   options.split.c_str(), targets.classes > 0 ? "real labels" : "classes", known);
    return false;
  }
  const double most = *std::max_element(targets.values.begin(), targets.values.end());
  if (targets.classes == 0 || most < double(targets.classes)) return true;
  std::fprintf(stderr,
               "lacuna predict: note: the %s split has the class %.0f, the model knows 0..%lld: there are no scores\n",
               options.split.c_str(), most, static_cast<long long>(targets.classes - 1));
  return false;
}

int predict_and_write(const PredictOptions& options) {
  const bool npz = options.out.size() > 4 && options.out.substr(options.out.size() - 4) == ".npz";
  if (options.attention && !npz)
    throw OptionError("--attention: weights are matrices; write them with --export FILE.npz");
  expect_other_file("--out", options.out, {options.checkpoint, options.data});
  expect_other_file("--explain", options.explain, {options.checkpoint, options.data, options.out});
  expect_writable(options.out);
  expect_writable(options.explain);
  data::Standardizer scales;
  Predictor predictor = [&] {
    const State state = io::load_checkpoint(options.checkpoint);
    scales = scales_of(state);
    return Predictor(state, options.device);
  }();
  for (const std::string& metric : options.metrics) lab::check_metric(metric, predictor.classes());
  if (options.probabilities && predictor.classes() == 0)
    throw OptionError("--probabilities: the model predicts real labels, which have none");
  data::LoadOptions load;
  load.label = options.label;
  load.infer_padding = options.infer_padding;
  load.labels = data::LabelUse::optional;
  if (options.format.non_finite == "zero") load.non_finite = data::NonFinite::zero;
  load.splits = {options.split == "train"   ? data::Role::train
                 : options.split == "valid" ? data::Role::validation
                                            : data::Role::test};
  const data::Dataset set =
      load_streams(options.data, predictor.card().streams, predictor.card().features, load, options.format.import);
  say_notes(set);
  const auto condition = missing::without(options.missing, predictor.card().streams);
  const zoo::Wanted wanted{
      .probabilities = options.probabilities, .embedding = options.embedding, .attention = options.attention};
  Tensor<double, 2> limits;
  const auto on = [&](const auto& split) {
    if (split.size() == 0) throw IoError(options.data + ": has no " + options.split + " split");
    say_scales(scales, split);
    assume(options, predictor, split, condition);
    zoo::Outputs out = outputs(predictor, split, condition, wanted, options.attention ? split.size() : options.batch);
    if (options.intervals > 0) limits = intervals(predictor, split, condition, out.values, options.intervals);
    if (!options.explain.empty()) write_explanation(options, predictor, split, condition);
    const train::Targets targets = train::targets_of(split, predictor.classes());
    train::Evaluation evaluation{
        split.ids, targets.values, targets.classes, {{condition.name, {out.values.begin(), out.values.end()}, {}}}};
    if (judged_by(options, split, targets))
      evaluation.conditions[0].metrics = train::scores(targets, evaluation.conditions[0].predictions);
    return std::pair(std::move(evaluation), std::move(out));
  };
  const auto [evaluation, out] = options.split == "train"   ? on(set.train)
                                 : options.split == "valid" ? on(set.validation)
                                                            : on(set.test);
  if (npz) {
    write_npz(options.out, predictor, evaluation, out, limits);
  } else {
    const std::string text = table(predictor, evaluation, out, limits);
    if (options.out.empty())
      std::fwrite(text.data(), 1, text.size(), stdout);
    else
      train::write_text(options.out, text);
  }
  if (evaluation.conditions[0].metrics.empty()) return 0;
  if (options.metrics.empty()) {
    train::print(evaluation, stderr);
    return 0;
  }
  for (const std::string& metric : options.metrics)
    for (const auto& [name, value] : evaluation.conditions[0].metrics)
      if (name == metric) std::fprintf(stderr, "%s %.6g\n", name.c_str(), value);
  return 0;
}

}  // namespace

int predict(const Call& call) {
  PredictOptions options;
  CLI::App app("Predictions of a trained model for a data set, whichever modalities it has.", "lacuna predict");
  app.get_formatter()->column_width(32);
  app.add_option("--checkpoint", options.checkpoint,
                 "model, as train and experiment write it: MODEL/seed-N/model.lacuna")
      ->required();
  app.add_option(
         "--data", options.data,
         "data set of any form that train takes; modalities that it lacks count as missing, labels are not needed")
      ->required();
  app.add_option("--split", options.split, "which part of it")
      ->capture_default_str()
      ->check(CLI::IsMember(std::vector<std::string>{"train", "valid", "test"}));
  support::list_option(app, "--missing", options.missing, "modalities to take away, as a,b; without it none");
  app.add_option("--label", options.label, "array of the labels, as label2 for test_label2; without it label");
  app.add_flag("--infer-padding", options.infer_padding, "without lengths and masks, frames of zeros are absent");
  declare(app, options.format);
  app.add_option("--export,--out", options.out, "file to write, .csv or .npz; without it CSV on standard output");
  app.add_flag("--probabilities", options.probabilities, "write the probability of every class too");
  app.add_flag("--embedding", options.embedding, "write the joint representation too, where the model has one");
  app.add_flag(
      "--attention", options.attention,
      "write the weights of attention too, to .npz, where the model has them: attention_NAME, a row per sample; all\n"
      "samples are one batch then");
  support::number_option(app, "--intervals", options.intervals,
                         "coverage of intervals around real labels, as 0.9: columns lower and upper", {0, 0.9999});
  app.add_option("--explain", options.explain,
                 "file to write, .csv: how every prediction changes without each modality that its sample has");
  app.add_option(
      "--prior", options.prior,
      "shares of the classes that answers assume: training, uniform, one per class divided by /, or estimated "
      "(from these samples, without their labels); without it what the file says");
  support::list_option(app, "--metrics", options.metrics,
                       "metrics to show where there are labels, as uar,accuracy; without it the usual ones");
  support::number_option(app, "--batch", options.batch,
                         "samples at once; with --padding published predictions depend on it", {1, 1 << 24});
  support::number_option(app, "--threads", options.threads, "threads; 0 = all cores. Results do not depend on it",
                         {0, support::most_threads});
  app.add_option("--device", options.device, "where to compute; cuda: a GPU, in lacuna_cuda")
      ->capture_default_str()
      ->check(CLI::IsMember(std::vector<std::string>{"cpu", "cuda"}));
  return support::run(
      "lacuna predict", app, call.argc, call.argv, [] {},
      [&] {
        expect_device(options.device);
        set_threads(options.threads);
        return predict_and_write(options);
      });
}

}  // namespace program
