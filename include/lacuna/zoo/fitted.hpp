/// Models without epochs and seeds as entries: the constant predictor and ridge regression.
#pragma once

#include <cmath>

#include "lacuna/lab/prior.hpp"
#include "lacuna/models/baselines/ridge.hpp"
#include "lacuna/zoo/entry.hpp"

namespace lacuna::zoo {

/// The training prior, whatever is present.
struct PriorModel : AnyModel {
  double value = 0;
  index_t class_count = 0;
  std::vector<double> prior;  ///< shares of the classes

  template <data::Role role>
  std::vector<double> operator()(const data::Split<role>& split) const {
    return std::vector<double>(std::size_t(split.size()), value);
  }
  Outputs operator()(const data::Batch<float>& batch, const Wanted& wanted) const override {
    if (wanted.embedding || wanted.attention) throw Error("this model has no embedding and no attention weights");
    Outputs out{.values = List<double>(std::size_t(batch.size()), value)};
    if (!wanted.probabilities || class_count == 0) return out;
    out.probabilities = Tensor<double, 2>({batch.size(), class_count});
    for (index_t b = 0; b < batch.size(); ++b)
      for (index_t k = 0; k < class_count; ++k) out.probabilities(b, k) = prior[std::size_t(k)];
    return out;
  }
  index_t classes() const override { return class_count; }
  std::vector<missing::MissingSpec> conditions(const std::vector<std::string>& names) const override {
    return missing::subset_specs(names, names.size());
  }
  index_t parameters() const override { return 1; }
  static void reflect(auto& self, auto&& visit) {
    visit("value", self.value);
    visit("classes", self.class_count);
    visit("prior", self.prior);
  }
  void save_state(State& state) const { state.put_fields(*this); }
  /// Throws IoError for shares or a class that do not fit the number of classes.
  void load_state(const State& state) {
    PriorModel loaded;
    state.get_fields(loaded);
    const index_t count = loaded.class_count;
    if (count < 0 || (count > 0 && index_t(loaded.prior.size()) != count))
      state.fail("prior", detail::cat("has ", loaded.prior.size(), " shares for ", count, " classes"));
    if (count > 0 && !(loaded.value >= 0 && loaded.value < double(count) && loaded.value == std::floor(loaded.value)))
      state.fail("value", detail::cat("is ", loaded.value, ", expected a class of ", count));
    *this = std::move(loaded);
  }
};

/// Ridge regression as AnyModel: it wants to know the names of the streams.
struct RidgeModel : AnyModel {
  models::Ridge ridge;
  std::vector<std::string> streams;

  Outputs operator()(const data::Batch<float>& batch, const Wanted& wanted) const override {
    if (wanted.embedding || wanted.attention) throw Error("this model has no embedding and no attention weights");
    if (batch.streams.size() != streams.size())
      throw ShapeError(detail::cat("ridge: the batch has ", batch.streams.size(),
                                   " streams, the model was trained with ", streams.size()));
    data::Split<data::Role::test> split;
    for (std::size_t m = 0; m < streams.size(); ++m)
      split.modalities.push_back({streams[m], batch.streams[m].frames, batch.streams[m].present});
    split.ids.resize(std::size_t(batch.size()));
    const std::vector<double> answers = ridge(split);
    return {.values = List<double>(answers.begin(), answers.end())};
  }
  index_t classes() const override { return 0; }
  std::vector<missing::MissingSpec> conditions(const std::vector<std::string>& names) const override {
    return missing::subset_specs(names, names.size());
  }
  index_t parameters() const override { return index_t(ridge.weights().size()) + 1; }
};

}  // namespace lacuna::zoo

namespace lacuna::detail {

inline void zoo_no_options(const zoo::ModelSpec& spec) {
  if (!spec.settings.empty())
    throw OptionError("model '" + spec.name + "' has no option '" + spec.settings[0].first + "'; it has none");
}
inline std::vector<zoo::OptionInfo> zoo_none(const std::string&, const zoo::Request&) { return {}; }

}  // namespace lacuna::detail

namespace lacuna::zoo {

inline void add_constant(Registry& to) {
  Entry entry{.name = "constant", .what = "the training prior, whatever is present; always there"};
  entry.options = detail::zoo_none;
  std::vector<Backend> backends;
  for (const char* device : {"cpu", "cuda"})
    for (const char* dtype : {"f32", "f64"}) {
      Backend backend{dtype, device, {}, {}};
      backend.make = [](const ModelSpec& spec, const std::string&, const Request& request) {
        detail::zoo_no_options(spec);
        return lab::make_fitted(spec.text, request.classes > 0 ? "most frequent class" : "mean label", 1,
                                [classes = request.classes](const data::Dataset& data) {
                                  PriorModel model;
                                  model.value = lab::prior(data.train, classes);
                                  model.class_count = classes;
                                  model.prior = prior_of(data.train, classes);
                                  return model;
                                });
      };
      backend.load = [](const State& state) -> std::shared_ptr<const AnyModel> {
        auto model = std::make_shared<PriorModel>();
        model->load_state(state.under("model"));
        return model;
      };
      backends.push_back(std::move(backend));
    }
  to.add(std::move(entry), std::move(backends));
}

inline void add_ridge(Registry& to) {
  Entry entry{.name = "ridge",
              .what = "ridge regression on time averages, complete data",
              .paper = "Hoerl & Kennard, Technometrics 12 (1970)"};
  entry.class_ids = false;
  entry.options = detail::zoo_none;
  std::vector<Backend> backends;
  for (const char* device : {"cpu", "cuda"})
    for (const char* dtype : {"f32", "f64"}) {
      Backend backend{dtype, device, {}, {}};
      backend.make = [](const ModelSpec& spec, const std::string&, const Request& request) {
        detail::zoo_no_options(spec);
        index_t numbers = 1;
        for (const index_t in : request.inputs) numbers += in;
        return lab::make_fitted(spec.text, "trained on complete data; an absent modality is its mean", numbers,
                                [](const data::Dataset& data) { return models::Ridge(data.train, data.validation); });
      };
      backend.load = [](const State& state) -> std::shared_ptr<const AnyModel> {
        auto model = std::make_shared<RidgeModel>();
        model->ridge.load_state(state.under("model"));
        model->streams = card_of(state).streams;
        return model;
      };
      backends.push_back(std::move(backend));
    }
  to.add(std::move(entry), std::move(backends));
}

}  // namespace lacuna::zoo
