/// A stored model, ready to answer: any registered one, float or double.
///
///     #include <lacuna/zoo/predictor.hpp>                                // and link lacuna::zoo
///     const auto predictor = lacuna::Predictor::load("mosi.lacuna");
///     for (const auto& input : predictor.inputs()) ...                   // name, features, may_be_missing
///     const auto answer = predictor({{"audio", audio}, {"text", text}}); // video is left out: absent
///     answer.value;  answer.probabilities;  answer.used;
///     const auto sure = predictor(sample, {.coverage = 0.9});            // sure.lower .. sure.upper holds 90 % of labels
///     for (const auto& effect : predictor.explain(sample)) ...           // input, and how the answer changes without it
///
/// What was found on the validation split and is stored with the model is applied: temperature and shares of class
/// probabilities, errors for intervals (zoo/calibration.hpp). An ensemble (zoo/ensemble.hpp) says how far its members disagree.
/// A sample is frames by the names of their streams: an Eigen matrix of any order (T, D), a lacuna::Tensor<T, 2> (T, D)
/// or <T, 1> (D), or a span of numbers (D), which is one frame. What is left out, and what has no frame, is absent. A
/// sample of which nothing is present is answered by the prior of the training data.
/// Shapes: value is a real label in label units, or a class id; probabilities (K); embedding (E).
/// Const calls may come from any number of threads at once; nothing is locked. Weights are laid out for products when
/// the model is loaded. A server that wants no allocation per call, once warm, keeps an Answer and passes Views:
///     predictor.predict(std::array{Predictor::View{audio, 40}, Predictor::View{}, Predictor::View{text, 12}}, answer);
/// Errors, one line each: IoError for a file that is not such a model; OptionError for a name that the model does not
/// have or that is given twice; ShapeError for another number of features; Error for a number that is not finite.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <span>

#include "lacuna/io/checkpoint.hpp"
#include "lacuna/zoo/ensemble.hpp"

namespace lacuna {

/// The frames (T, D) of one stream of one sample, copied from whatever holds them.
class Frames {
 public:
  template <class Derived>
  Frames(const Eigen::DenseBase<Derived>& matrix) : Frames(index_t(matrix.rows()), index_t(matrix.cols())) {
    for (index_t t = 0; t < rows_; ++t)
      for (index_t d = 0; d < features_; ++d) numbers_[std::size_t(t * features_ + d)] = float(matrix.derived()(t, d));
  }
  template <class T>
  Frames(const Tensor<T, 2>& tensor) : Frames(tensor.extent(0), tensor.extent(1)) {
    std::copy_n(tensor.data(), tensor.size(), numbers_.begin());
  }
  template <class T>
  Frames(const Tensor<T, 1>& tensor) : Frames(std::span<const T>(tensor.data(), std::size_t(tensor.size()))) {}
  template <class T>
  Frames(std::span<const T> numbers) : Frames(1, index_t(numbers.size())) {
    std::copy(numbers.begin(), numbers.end(), numbers_.begin());
  }
  Frames(const std::vector<float>& numbers) : Frames(std::span<const float>(numbers)) {}
  /// numbers: T · features, frame after frame.
  Frames(const float* numbers, index_t frames, index_t features) : Frames(frames, features) {
    std::copy_n(numbers, numbers_.size(), numbers_.begin());
  }

  index_t rows() const { return rows_; }
  index_t features() const { return features_; }
  const std::vector<float>& numbers() const { return numbers_; }

 private:
  Frames(index_t rows, index_t features)
      : rows_(rows), features_(features), numbers_(std::size_t(std::max<index_t>(0, rows * features))) {}
  index_t rows_, features_;
  std::vector<float> numbers_;
};

struct NamedFrames {
  std::string name;
  Frames frames;
};
using Sample = std::vector<NamedFrames>;

struct Answer {
  double value = 0;                    ///< a real label, or a class id
  std::vector<double> probabilities;   ///< (K); empty for real labels
  std::string class_name;              ///< of the value, where the model knows names
  std::vector<std::string> used;       ///< streams that were present
  std::vector<double> embedding = {};  ///< (E), where it was asked for
  std::vector<std::pair<std::string, std::vector<double>>> attention = {};  ///< where it was asked for
  /// Of a real label, where a coverage was asked for: infinite where the validation split was too small for it.
  double lower = std::numeric_limits<double>::quiet_NaN(), upper = lower;
  /// Of the members of an ensemble: standard deviation of the value, or of the probability of its class; else NaN.
  double deviation = std::numeric_limits<double>::quiet_NaN();
};

/// What the answer is without one of the inputs of a sample.
struct Effect {
  std::string input;
  double without = 0;  ///< the value then
  double change = 0;  ///< real label: value − without; classes: by how much the probability of the answered class falls
};

class Predictor {
 public:
  struct Input {
    std::string name;
    index_t features = 0;
    bool may_be_missing = false;  ///< it may be left out in any case; this says whether the model was trained for it
  };
  struct Options {
    bool embedding = false, attention = false;
    double coverage = 0;  ///< of intervals around real labels, above 0 and below 1; 0: none
  };

  /// Throws IoError.
  static Predictor load(const std::string& path, const std::string& device = "cpu") {
    return Predictor(io::load_checkpoint(path), device);
  }
  explicit Predictor(const State& state, const std::string& device = "cpu")
      : card_(zoo::card_of(state)), model_(zoo::load_model(state, device)) {
    if (model_->classes() != card_.classes) state.fail("about/classes", "does not fit the model");
    calibration_ = zoo::calibration_of(state, card_.streams.size(), card_.classes);
    for (std::size_t m = 0; m < card_.streams.size(); ++m)
      inputs_.push_back({card_.streams[m], card_.features[m], card_.may_be_missing[m] != 0});
  }

  const std::vector<Input>& inputs() const { return inputs_; }
  /// K of class ids, 0 for real labels.
  index_t classes() const { return card_.classes; }
  /// K names, or none.
  const std::vector<std::string>& class_names() const { return card_.class_names; }
  /// Everything that the file says of the model.
  const zoo::Card& card() const { return card_; }
  const zoo::AnyModel& model() const { return *model_; }
  const zoo::Calibration& calibration() const { return calibration_; }
  /// Answers assume these shares of the classes from here on, not those that the file says. Throws OptionError where they
  /// are not K positive numbers, or the file does not say which its probabilities assume.
  void assume(const std::vector<double>& shares) {
    const auto good = [](double share) { return share > 0 && std::isfinite(share); };
    const auto& assumed = calibration_.assumed;
    if (index_t(shares.size()) != classes() || classes() == 0 || !std::all_of(shares.begin(), shares.end(), good))
      throw OptionError(
          detail::cat("predictor: ", shares.size(), " shares for ", classes(), " classes, expected that many above 0"));
    if (assumed.empty() || !std::all_of(assumed.begin(), assumed.end(), good))
      throw OptionError("predictor: the file does not say which shares of the classes its probabilities assume");
    calibration_.prior = shares;
  }

  /// Frames of one input where they lie, frame after frame; null or no frame: absent.
  struct View {
    const float* numbers = nullptr;
    index_t frames = 0;
  };
  /// One sample, a view per input in the order of inputs(). `answer` is written over and keeps its memory.
  void predict(std::span<const View> sample, Answer& answer) const { predict(sample, answer, Options{}); }
  void predict(std::span<const View> sample, Answer& answer, const Options& options) const {
    if (sample.size() != inputs_.size())
      throw ShapeError(detail::cat("predictor: ", sample.size(), " views for ", inputs_.size(), " inputs"));
    answer_all(batch_of(sample), {&answer, 1}, options);
  }

  Answer operator()(const Sample& sample) const { return (*this)(sample, Options{}); }
  Answer operator()(const Sample& sample, const Options& options) const {
    return std::move(batch(std::span<const Sample>(&sample, 1), options).front());
  }
  /// Several samples at once: the same answers, in less time.
  std::vector<Answer> batch(std::span<const Sample> samples) const { return batch(samples, Options{}); }
  std::vector<Answer> batch(std::span<const Sample> samples, const Options& options) const {
    if (samples.empty()) return {};
    std::vector<Answer> answers(samples.size());
    answer_all(batch_of(views_of(samples)), answers, options);
    return answers;
  }

  /// How the answer changes without each input that the sample has: one entry for each, in the order of inputs().
  std::vector<Effect> explain(const Sample& sample) const {
    std::vector<Sample> all{sample};
    std::vector<Effect> effects;
    const Answer whole = (*this)(sample);
    for (const std::string& input : whole.used) {
      Sample less;
      for (const NamedFrames& one : sample)
        if (one.name != input) less.push_back(one);
      all.push_back(std::move(less));
      effects.push_back({input});
    }
    const std::vector<Answer> answers = batch(all);
    const auto k = std::size_t(whole.value);
    for (std::size_t i = 0; i < effects.size(); ++i) {
      const Answer& less = answers[i + 1];
      effects[i].without = less.value;
      effects[i].change = classes() > 0 ? whole.probabilities[k] - less.probabilities[k] : whole.value - less.value;
    }
    return effects;
  }

  /// Half the width of the interval around a real label. present: 1 for every input that the sample has. Throws OptionError for
  /// a model of classes, or one that was stored without the errors of its validation split.
  double half_width(std::span<const std::uint8_t> present, double coverage) const {
    if (classes() > 0) throw OptionError("predictor: intervals are of real labels, the model answers with classes");
    if (!calibration_.has_errors())
      throw OptionError(
          "predictor: the file holds no errors of a validation split, from which intervals follow; train it again");
    return calibration_.half_width(present, coverage);
  }

  /// Of a batch whose streams are the inputs, in their order; where nothing is present the prior.
  zoo::Outputs outputs(const data::Batch<float>& batch, const zoo::Wanted& wanted = {}) const {
    zoo::Wanted all = wanted;
    all.probabilities = wanted.probabilities || (classes() > 0 && !calibration_.prior.empty());
    zoo::Outputs out = (*model_)(batch, all);
    if (all.probabilities && classes() > 0 && calibration_.changes_probabilities()) {
      calibration_.apply(out.probabilities);
      for (index_t b = 0; b < batch.size() && !calibration_.prior.empty(); ++b) {
        const double* row = out.probabilities.data() + b * classes();
        out.values[std::size_t(b)] = double(std::max_element(row, row + classes()) - row);
      }
      if (!wanted.probabilities) out.probabilities = {};
    }
    for (index_t b = 0; b < batch.size(); ++b) {
      bool any = false;
      for (const auto& stream : batch.streams)
        for (index_t t = 0; t < stream.present.extent(1) && !any; ++t) any = stream.present(b, t);
      if (any) continue;
      out.values[std::size_t(b)] = prior();
      if (!out.deviation.empty()) out.deviation[std::size_t(b)] = 0;
      if (wanted.probabilities && classes() > 0)
        std::copy(card_.prior.begin(), card_.prior.end(), out.probabilities.data() + b * classes());
    }
    return out;
  }

 private:
  /// The mean training label, or the most frequent class, the first of equals.
  double prior() const {
    if (classes() == 0) return card_.prior[0];
    return double(std::max_element(card_.prior.begin(), card_.prior.end()) - card_.prior.begin());
  }
  std::size_t position(const std::string& name) const {
    std::string known;
    for (std::size_t m = 0; m < inputs_.size(); ++m) {
      if (inputs_[m].name == name) return m;
      known += (m ? ", " : "") + inputs_[m].name;
    }
    throw OptionError("predictor: there is no input '" + name + "'; the model has " + known);
  }
  /// A view per sample and input.
  List<View> views_of(std::span<const Sample> samples) const {
    const std::size_t count = inputs_.size();
    List<View> views(samples.size() * count);
    for (std::size_t b = 0; b < samples.size(); ++b) {
      List<std::uint8_t> given(count, 0);
      for (const auto& [name, frames] : samples[b]) {
        const std::size_t m = position(name);
        if (given[m]++) throw OptionError("predictor: input '" + name + "' is given twice");
        if (frames.rows() > 0 && frames.features() != inputs_[m].features)
          throw ShapeError(detail::cat("predictor: '", name, "' has ", frames.features(),
                                       " features, the model expects ", inputs_[m].features, " (frames x features)"));
        views[b * count + m] = {frames.numbers().data(), frames.rows()};
      }
    }
    return views;
  }
  data::Batch<float> batch_of(std::span<const View> views) const {
    const std::size_t inputs = inputs_.size();
    const auto count = index_t(views.size() / inputs);
    data::Batch<float> batch;
    batch.streams.reserve(inputs);
    for (std::size_t m = 0; m < inputs; ++m) {
      const auto view = [&](index_t b) -> const View& { return views[std::size_t(b) * inputs + m]; };
      const index_t features = inputs_[m].features;
      index_t longest = 1;
      for (index_t b = 0; b < count; ++b) longest = std::max(longest, check(inputs_[m], view(b)));
      data::Stream<float> stream{Tensor<float, 3>::zeros({count, longest, features}), Mask<2>::zeros({count, longest})};
      for (index_t b = 0; b < count; ++b) {
        if (view(b).numbers == nullptr) continue;
        std::copy_n(view(b).numbers, view(b).frames * features, stream.frames.data() + b * longest * features);
        std::fill_n(stream.present.data() + b * longest, view(b).frames, std::uint8_t(1));
      }
      batch.streams.push_back(std::move(stream));
    }
    for (index_t b = 0; b < count; ++b) batch.samples.push_back(b);
    return batch;
  }
  /// How many frames there are. Throws ShapeError, and Error for a number that is not finite.
  static index_t check(const Input& input, const View& view) {
    if (view.frames < 0)
      throw ShapeError(detail::cat("predictor: '", input.name, "' has ", view.frames, " frames, expected 0 or more"));
    if (view.numbers == nullptr) return 0;
    for (index_t i = 0; i < view.frames * input.features; ++i)
      if (!std::isfinite(view.numbers[i]))
        throw Error(detail::cat("predictor: '", input.name, "' holds a number that is not finite in frame ",
                                i / input.features, ", feature ", i % input.features));
    return view.frames;
  }
  void answer_all(const data::Batch<float>& all, std::span<Answer> answers, const Options& options) const {
    const zoo::Outputs out =
        outputs(all, {.probabilities = classes() > 0, .embedding = options.embedding, .attention = options.attention});
    const auto row = [](const Tensor<double, 2>& table, std::size_t b, std::vector<double>& to) {
      const double* const from = table.data() + index_t(b) * table.extent(1);
      to.assign(from, from + table.extent(1));
    };
    for (std::size_t b = 0; b < answers.size(); ++b) {
      Answer& answer = answers[b];
      answer.value = out.values[b];
      answer.probabilities.clear(), answer.embedding.clear(), answer.attention.clear(), answer.class_name.clear();
      if (classes() > 0) row(out.probabilities, b, answer.probabilities);
      if (!class_names().empty()) answer.class_name = class_names()[std::size_t(answer.value)];
      std::size_t used = 0;
      answer.used.resize(inputs_.size());
      for (std::size_t m = 0; m < inputs_.size(); ++m)
        if (all.streams[m].present(index_t(b), 0)) answer.used[used++] = inputs_[m].name;
      answer.used.resize(used);
      answer.deviation = out.deviation.empty() ? std::numeric_limits<double>::quiet_NaN() : out.deviation[b];
      answer.lower = answer.upper = std::numeric_limits<double>::quiet_NaN();
      if (options.coverage != 0) {
        std::vector<std::uint8_t> present;
        for (const auto& stream : all.streams) present.push_back(stream.present(index_t(b), 0));
        const double half = half_width(present, options.coverage);
        answer.lower = answer.value - half;
        answer.upper = answer.value + half;
      }
      if (options.embedding) row(out.embedding, b, answer.embedding);
      if (options.attention)
        for (const auto& [name, weights] : out.attention)
          row(weights, b, answer.attention.emplace_back(name, std::vector<double>()).second);
    }
  }

  zoo::Card card_;
  std::shared_ptr<const zoo::AnyModel> model_;
  zoo::Calibration calibration_;
  std::vector<Input> inputs_;
};

}  // namespace lacuna
