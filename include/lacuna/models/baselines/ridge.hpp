/// Ridge regression on time averages: the strongest simple model, and the yardstick of every network here.
///
/// x (N, F): of each chosen modality the average of its present frames, side by side, standardised with the training
/// split (mean and deviation over the samples that have the modality; a constant feature becomes 0). Then
///     (w, b) = argmin sum_n (y_n - b - w'x_n)^2 + lambda |w|^2,
/// b unpenalised, solved in double by LDLT of X'X + lambda I (F, F), or of X X' + lambda I (N, N) where F > N. lambda
/// is the one of the grid with the least MSE on the validation split, the larger one where two are equal.
///
/// Shapes: split of N samples -> (N) predictions, in label units.
/// Absent data: a sample that lacks a modality has zeros there, the average of the training split; its frames are not
/// read. Throws ShapeError for splits without real labels or with other modalities or feature sizes than in training,
/// OptionError for an unknown modality or a grid that is empty or not positive, Error when a label or a present feature
/// is not finite. Source: Hoerl & Kennard, Technometrics 12 (1970).
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/state.hpp"
#include "lacuna/models/baselines/frame_averages.hpp"
#include "lacuna/models/baselines/ridge_solutions.hpp"

namespace lacuna::models {

class Ridge {
 public:
  struct Options {
    std::vector<std::string> modalities = {};
    std::vector<double> grid = {};

    static void reflect(auto& self, auto&& visit) {
      visit("modalities", self.modalities, Facts{.help = "names to look at; empty: all"});
      visit("grid", self.grid,
            Facts{.help = "candidates for lambda; empty: 10^-2, 10^-1.5, ..., 10^6", .range = Range::above(0)});
    }
  };

  Ridge() = default;  ///< for load_state
  Ridge(const data::Split<data::Role::train>& train, const data::Split<data::Role::validation>& validation)
      : Ridge(train, validation, Options{}) {}
  Ridge(const data::Split<data::Role::train>& train, const data::Split<data::Role::validation>& validation,
        const Options& options) {
    check_fields("ridge", options);
    std::vector<double> grid = options.grid;
    if (grid.empty())
      for (int i = -4; i <= 12; ++i) grid.push_back(std::pow(10.0, 0.5 * i));
    choose(train, options.modalities);
    const Vector y = labels(train), y_validation = labels(validation);
    const FrameAverages table = frame_averages("ridge", train, inputs_);
    learn(table);
    Matrix x = standardised(table);
    const Matrix x_validation = standardised(frame_averages("ridge", validation, inputs_));

    const double y_mean = y.mean();
    const Vector centred = y.array() - y_mean;
    const Eigen::RowVectorXd x_mean = x.colwise().mean();  // 0 but for samples that lack a modality
    x.rowwise() -= x_mean;
    validation_mse_ = std::numeric_limits<double>::infinity();
    std::vector<Vector> solutions = ridge_solutions<double>(x, centred, grid);
    for (std::size_t i = 0; i < grid.size(); ++i) {
      const double lambda = grid[i];
      Vector& weights = solutions[i];
      const double intercept = y_mean - x_mean.dot(weights);
      const double mse = ((x_validation * weights).array() + intercept - y_validation.array()).square().mean();
      if (mse < validation_mse_ || (mse == validation_mse_ && lambda > lambda_)) {
        validation_mse_ = mse;
        lambda_ = lambda;
        weights_ = std::move(weights);
        intercept_ = intercept;
      }
    }
    if (!std::isfinite(validation_mse_)) throw Error("ridge: no lambda gives a finite error on the validation split");
  }

  template <data::Role role>
  std::vector<double> operator()(const data::Split<role>& split) const {
    if (inputs_.empty()) throw Error("ridge: was never fitted nor loaded, it has nothing to predict from");
    Vector predictions = standardised(frame_averages("ridge", split, inputs_)) * weights_;
    predictions.array() += intercept_;
    return std::vector<double>(predictions.data(), predictions.data() + predictions.size());
  }

  /// The chosen penalty.
  double lambda() const { return lambda_; }
  double validation_mse() const { return validation_mse_; }
  double intercept() const { return intercept_; }
  /// (F) weights of the standardised features, modality after modality in the order of `modalities`.
  std::vector<double> weights() const {
    return std::vector<double>(weights_.data(), weights_.data() + weights_.size());
  }
  std::vector<std::string> modalities() const {
    std::vector<std::string> names;
    for (const Input& input : inputs_) names.push_back(input.name);
    return names;
  }

  /// What is one number.
  static void reflect(auto& self, auto&& visit) {
    visit("intercept", self.intercept_);
    visit("lambda", self.lambda_);
    visit("validation_mse", self.validation_mse_);
  }
  /// Everything that predicting needs; load_state is the inverse.
  void save_state(State& state) const {
    const auto list = [](const Vector& v) { return std::vector<double>(v.data(), v.data() + v.size()); };
    std::vector<index_t> positions;
    for (const Input& input : inputs_) {
      positions.push_back(index_t(input.position));
      state.put(input.name + "/mean", list(input.mean));
      state.put(input.name + "/scale", list(input.scale));
    }
    state.put("modalities", modalities());
    state.put("positions", positions);
    state.put("weights", weights());
    state.put_fields(*this);
  }
  void load_state(const State& state) {
    const auto vector = [&](const std::string& name) {
      const auto numbers = state.get<std::vector<double>>(name);
      return Vector(Eigen::Map<const Vector>(numbers.data(), Eigen::Index(numbers.size())));
    };
    Ridge loaded;
    const auto names = state.get<std::vector<std::string>>("modalities");
    const auto positions = state.get<std::vector<index_t>>("positions");
    if (positions.size() != names.size()) state.fail("positions", "does not fit the modalities");
    index_t features = 0;
    for (std::size_t m = 0; m < names.size(); ++m) {
      Input input{names[m], std::size_t(positions[m]), 0, vector(names[m] + "/mean"), vector(names[m] + "/scale")};
      input.features = input.mean.size();
      if (positions[m] < 0 || input.scale.size() != input.mean.size())
        state.fail(names[m] + "/scale", "does not fit the mean");
      features += input.features;
      loaded.inputs_.push_back(std::move(input));
    }
    loaded.weights_ = vector("weights");
    if (loaded.weights_.size() != features)
      state.fail("weights", detail::cat("has ", loaded.weights_.size(), " numbers for ", features, " features"));
    state.get_fields(loaded);
    *this = std::move(loaded);
  }

 private:
  using Matrix = Eigen::MatrixXd;
  using Vector = Eigen::VectorXd;

  struct Input {
    std::string name;
    std::size_t position;  ///< among the modalities of the split
    index_t features;
    Vector mean, scale;  ///< scale = 1 / deviation, 0 for a constant feature
  };

  void choose(const data::Split<data::Role::train>& train, const std::vector<std::string>& names) {
    std::vector<bool> wanted(train.modalities.size(), names.empty());
    for (const std::string& name : names) {
      std::size_t m = 0;
      while (m < train.modalities.size() && train.modalities[m].name != name) ++m;
      if (m == train.modalities.size()) throw OptionError(detail::cat("ridge: the data have no modality '", name, "'"));
      wanted[m] = true;
    }
    for (std::size_t m = 0; m < wanted.size(); ++m)
      if (wanted[m]) {
        const index_t features = train.modalities[m].features();
        inputs_.push_back({train.modalities[m].name, m, features, Vector::Zero(features), Vector::Zero(features)});
      }
    if (inputs_.empty()) throw ShapeError("ridge: the data have no modality");
  }

  template <data::Role role>
  static Vector labels(const data::Split<role>& split) {
    if (split.labels.empty() || index_t(split.labels.size()) != split.size())
      throw ShapeError(detail::cat("ridge: ", split.labels.size(), " real labels for ", split.size(), " samples of ",
                                   data::to_string(role)));
    Vector y(split.size());
    for (index_t n = 0; n < split.size(); ++n) {
      y(n) = double(split.labels[std::size_t(n)]);
      if (!std::isfinite(y(n)))
        throw Error(detail::cat("ridge: label ", n, " of ", data::to_string(role), " is ", y(n)));
    }
    return y;
  }

  /// Means and scales over the samples that have the input.
  void learn(const FrameAverages& table) {
    index_t column = 0;
    for (std::size_t m = 0; m < inputs_.size(); ++m) {
      Input& input = inputs_[m];
      for (index_t f = 0; f < input.features; ++f, ++column) {
        double count = 0, sum = 0, squares = 0;
        for (index_t n = 0; n < table.x.rows(); ++n)
          if (table.has[m][std::size_t(n)]) ++count, sum += table.x(n, column);
        if (count == 0) continue;
        const double mean = sum / count;
        for (index_t n = 0; n < table.x.rows(); ++n)
          if (table.has[m][std::size_t(n)]) squares += std::pow(table.x(n, column) - mean, 2);
        const double deviation = std::sqrt(squares / count);
        input.mean(f) = mean;
        input.scale(f) = deviation > 1e-10 * std::abs(mean) ? 1 / deviation : 0;  // below: rounding of a constant
      }
    }
  }

  Matrix standardised(FrameAverages table) const {
    index_t column = 0;
    for (std::size_t m = 0; m < inputs_.size(); ++m) {
      const Input& input = inputs_[m];
      for (index_t f = 0; f < input.features; ++f, ++column)
        for (index_t n = 0; n < table.x.rows(); ++n)
          if (table.has[m][std::size_t(n)]) table.x(n, column) = (table.x(n, column) - input.mean(f)) * input.scale(f);
    }
    return std::move(table.x);
  }

  std::vector<Input> inputs_;
  Vector weights_;
  double intercept_ = 0, lambda_ = 0, validation_mse_ = 0;
};

}  // namespace lacuna::models
