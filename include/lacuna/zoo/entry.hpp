/// From a model to an entry of the registry.
///
///     zoo::add<LowRankModel>("low-rank", "low-rank fusion of averages");          // one line, one dtype
///     zoo::add<Model<float>, Model<double>>("mine", "what it is", {.fit = {.epochs = 40}});
///
/// M is a train::Learner with `M::Options`, whose `reflect(self, visit)` names all options (core/fields.hpp), and a
/// constructor M(const Options&, Random). Where Options has members `inputs` and `classes`, they are filled in from the
/// data. The rest can be set by name: in texts (zoo/spec.hpp), on command lines, in configuration files. The defaults
/// of training are those of the last argument.
///
/// Errors are OptionError: a name that is taken, an option that the model does not have, a size that makes no model.
#pragma once

#include "lacuna/core/function.hpp"
#include "lacuna/lab/statistic.hpp"
#include "lacuna/lab/system.hpp"
#include "lacuna/missing/sampler.hpp"
#include "lacuna/nn/pack_weights.hpp"
#include "lacuna/zoo/balance.hpp"
#include "lacuna/zoo/calibrated.hpp"
#include "lacuna/zoo/registry.hpp"
#include "lacuna/zoo/training.hpp"

namespace lacuna::zoo {

/// Options before the user's settings, and how some options of the model follow those of training.
template <class Options>
struct Draft {
  Options model;
  Training training = {};
  Function<void(Options&, Training&)> couple = {};
  std::vector<std::string> notes = {};  ///< what was decided by looking at the data
};
template <class Options>
using DraftOf = Function<Draft<Options>(const std::string& variant, const Request&, const Settings& own)>;

/// A stored or trained learner as AnyModel.
template <train::Learner M>
class LearnerModel : public AnyModel {
 public:
  M model;

  explicit LearnerModel(M trained) : model(std::move(trained)) {}

  Outputs operator()(const data::Batch<float>& batch, const Wanted& wanted) const override {
    const NoGrad off;
    const auto& own = detail::batch_as<typename M::scalar>(batch);
    Outputs out;
    if constexpr (requires { model.task.predictions(model.scores(own)); }) {
      const auto scores = model.scores(own);
      out.values = model.task.predictions(scores);
      if (wanted.probabilities && classes() > 0) out.probabilities = model.task.probabilities(scores);
    } else {
      const std::vector<double> answers = model.predict(own);
      out.values.assign(answers.begin(), answers.end());
    }
    if (wanted.probabilities && classes() > 0 && !out.probabilities.defined()) {
      if constexpr (requires { model.probabilities(own); })
        out.probabilities = model.probabilities(own);
      else
        throw Error("this model has no probabilities");
    }
    if (wanted.embedding) {
      if constexpr (requires { model.embedding(own); })
        out.embedding = in_double(model.embedding(own));
      else
        throw Error("this model has no embedding");
    }
    if (wanted.attention) {
      if constexpr (requires { model.attention(own); }) {
        const auto all = model.attention(own);
        for (std::size_t m = 0; m < all.size(); ++m) {
          std::string name = std::to_string(m);
          if constexpr (requires { model.names; })
            if (m < model.names.size()) name = model.names[m];
          out.attention.emplace_back(name, in_double(all[m]));
        }
      } else {
        throw Error("this model has no attention weights");
      }
    }
    return out;
  }
  index_t classes() const override {
    if constexpr (requires { model.predicts_classes(); }) return model.predicts_classes();
    return 0;
  }
  std::vector<missing::MissingSpec> conditions(const std::vector<std::string>& names) const override {
    return train::conditions_of(model, names);
  }
  bool attends() const override {
    return requires(const data::Batch<typename M::scalar>& batch) { model.attention(batch); };
  }
  index_t parameters() const override { return detail::trained_numbers(model); }

 private:
  template <class T, int R, class D>
  static Tensor<double, 2> in_double(const Tensor<T, R, D>& x) {
    const List<T> numbers = x.to_list();
    Tensor<double, 2> result({x.extent(0), x.extent(0) > 0 ? x.size() / x.extent(0) : 0});
    std::copy(numbers.begin(), numbers.end(), result.data());
    return result;
  }
};

}  // namespace lacuna::zoo

namespace lacuna::detail {

inline constexpr const char* zoo_dtype(float) { return "f32"; }
inline constexpr const char* zoo_dtype(double) { return "f64"; }

/// What training takes away, wherever the options keep it; null: nowhere.
template <class Options>
missing::MrmOptions* zoo_dropping(Options& o) {
  if constexpr (requires { o.drop.frame_probability; })
    return &o.drop;
  else if constexpr (requires { o.mrm.frame_probability; })
    return &o.mrm;
  else
    return nullptr;
}

/// What a user may set of a model's options: not what follows from the data.
template <class Options>
struct ZooSettable {
  Options& options;
  static void reflect(auto& self, auto&& visit) {
    for_each_field(self.options, [&](const char* name, auto& member, const Facts& facts) {
      const std::string_view field = name;
      if (field != "inputs" && field != "classes") visit(name, member, facts);
    });
  }
};

/// A modality by its name where an option wants its position.
inline zoo::Settings zoo_positions(zoo::Settings settings, const std::vector<std::string>& modalities) {
  for (auto& [option, value] : settings) {
    if (option != "missing" && option != "text") continue;
    const auto at = std::find(modalities.begin(), modalities.end(), value) - modalities.begin();
    if (at < std::ptrdiff_t(modalities.size())) {
      value = std::to_string(at);
    } else if (value.find_first_not_of("0123456789") != std::string::npos) {
      std::string known;
      for (const auto& name : modalities) known += (known.empty() ? "" : ", ") + name;
      throw OptionError("model option " + option + ": '" + value + "' is no modality of the data; they have " + known);
    }
  }
  return settings;
}

/// The draft with everything that the user has set. Throws OptionError.
template <class Options>
zoo::Draft<Options> zoo_settle(const zoo::DraftOf<Options>& draft, const zoo::ModelSpec& spec,
                               const std::string& variant, const zoo::Request& request) {
  const zoo::Settings given = zoo_positions(spec.settings, request.modalities);
  zoo::Draft<Options> result = draft(variant, request, given);
  // the options of training first: some options of models follow them
  zoo::apply_settings(request.common, result.training);
  const zoo::Settings own = zoo::apply_settings(given, result.training);
  zoo::Settings named = request.common;
  named.insert(named.end(), given.begin(), given.end());
  if (auto note = zoo::settle_balance(result.training, request.prior, named); !note.empty())
    result.notes.push_back(std::move(note));
  if (result.couple) result.couple(result.model, result.training);
  zoo::Settings unknown;
  for (const auto& [option, value] : own) {
    missing::MrmOptions* dropping = zoo_dropping(result.model);
    if (option == "drop" && dropping != nullptr)
      *dropping = missing::mrm_preset(value, index_t(request.inputs.size()));
    else
      unknown.emplace_back(option, value);
  }
  unknown = zoo::apply_settings(unknown, ZooSettable<Options>{result.model});
  if (!unknown.empty()) {
    std::string known;
    const auto note = [&](const std::string& name, const auto&) { known += (known.empty() ? "" : ", ") + name; };
    for_each_field(result.training, note);
    if (zoo_dropping(result.model) != nullptr) known += ", drop";
    for_each_field(ZooSettable<Options>{result.model}, note);
    throw OptionError("model '" + spec.text + "' has no option '" + unknown[0].first + "'; it has " + known);
  }
  return result;
}

/// Every option as text: equal recipes, data and seeds make equal models.
template <class Options>
std::string zoo_recipe(zoo::Draft<Options> draft) {
  std::string recipe;
  const auto note = [&](const std::string& name, const auto& value, const Facts& facts) {
    recipe += (recipe.empty() ? "" : " ") + name + "=" + zoo::value_text(name, value, facts);
  };
  for_each_field(draft.training, note);
  for_each_field(ZooSettable<Options>{draft.model}, note);
  return recipe;
}

}  // namespace lacuna::detail

namespace lacuna::zoo {

inline lab::System Registry::make(const ModelSpec& spec, const Request& request) const {
  const auto [entry, variant] = find(spec.name);
  if (request.classes > 0 && !entry->class_ids)
    throw OptionError("model '" + entry->name + "' predicts real labels, the data have class ids");
  if (request.classes == 0 && !entry->real_labels)
    throw OptionError("model '" + entry->name + "' predicts class ids, the data have real labels");
  const Backend& with = backend(entry->name, request.device, request.dtype);
  return calibrated(with.make(spec, variant, request), request.classes, with.load);
}

/// The list of options of an entry whose options are Options.
template <class Options>
Function<std::vector<OptionInfo>(const std::string&, const Request&)> options_of(std::string model,
                                                                                 DraftOf<Options> draft) {
  return [model, draft](const std::string& variant, const Request& request) {
    auto settled = detail::zoo_settle<Options>(draft, {model, model, {}}, variant, request);
    std::vector<OptionInfo> all;
    bool training = true;
    const auto note = [&](const std::string& name, const auto& value, const Facts& facts) {
      std::string text = value_text(name, value, facts);
      if ((name == "missing" || name == "text") && !request.modalities.empty())
        text = request.modalities.at(std::size_t(number_from<int>(name, text)));
      std::vector<std::string> choices;
      if constexpr (std::is_enum_v<std::decay_t<decltype(value)>>) choices = choices_of(name, facts);
      if constexpr (std::is_same_v<std::decay_t<decltype(value)>, bool>) choices = {"0", "1", "off", "on"};
      std::string help = *facts.help ? facts.help : help_of(model, name);
      all.push_back({name, std::move(text), std::move(help), std::move(choices), training});
    };
    for_each_field(settled.training, note);
    training = false;
    if (detail::zoo_dropping(settled.model) != nullptr)
      all.push_back({"drop", "", help_of(model, "drop"), {"none", "uniform", "lnln", "mplmm", "cmad", "gcnet"}, false});
    for_each_field(detail::ZooSettable<Options>{settled.model}, note);
    return all;
  };
}

/// What can be done with M, whose options are drafted so.
template <train::Learner M>
Backend backend_of(DraftOf<typename M::Options> draft) {
  Backend backend{detail::zoo_dtype(typename M::scalar()), device_of<M>::name, {}, {}};
  backend.make = [draft](const ModelSpec& spec, const std::string& variant, const Request& request) {
    const auto settled = detail::zoo_settle<typename M::Options>(draft, spec, variant, request);
    const train::FitOptions fit = settled.training.resolved(request.prior);
    if (!fit.select_on.empty()) (void)lab::check_metric(fit.select_on, request.classes);
    const auto options = settled.model;
    M probe(options, Random(0));  // refuses impossible sizes now, and weights that its objective has no place for
    if constexpr (requires { probe.set_class_weights(fit.class_weights); })
      if (!fit.class_weights.empty()) probe.set_class_weights(fit.class_weights);
    lab::System system = lab::make_system<M>(spec.text, detail::zoo_recipe(settled), fit,
                                             [options](std::uint64_t seed) { return M(options, Random(seed)); });
    system.calibration = calibration_options(settled.training, request);
    system.notes = settled.notes;
    return system;
  };
  backend.load = [](const State& state) -> std::shared_ptr<const AnyModel> {
    auto loaded = std::make_shared<LearnerModel<M>>(train::model_from<M>(state));
    pack_weights(loaded->model);
    return loaded;
  };
  return backend;
}

/// Options as they are by default, inputs and classes from the data.
template <class Options>
DraftOf<Options> plain_draft(Options defaults, Training training) {
  return [defaults, training](const std::string&, const Request& request, const Settings&) {
    Draft<Options> draft{defaults, training, {}};
    if constexpr (requires { draft.model.inputs; }) draft.model.inputs = request.inputs;
    if constexpr (requires { draft.model.classes; }) draft.model.classes = request.classes;
    return draft;
  };
}

/// Registers a model, in as many dtypes as are given. Throws OptionError when the name is taken.
template <train::Learner M, train::Learner... Others>
void add(const std::string& name, const std::string& what, const Training& training = {}) {
  using Options = typename M::Options;
  const auto draft = plain_draft(Options{}, training);
  Entry entry;
  entry.name = name;
  entry.what = what;
  entry.options = options_of<Options>(name, draft);
  registry().add(std::move(entry), {backend_of<M>(draft), backend_of<Others>(draft)...});
}

/// The card of a model of the user's own, and the file of it: what Predictor loads. Throws IoError.
template <train::Learner M>
State stored(const std::string& name, const M& model, const data::Dataset& data) {
  const LearnerModel<M> any(model);
  return with_card(train::model_state(model), make_card(name, detail::zoo_dtype(typename M::scalar()), data, any));
}

}  // namespace lacuna::zoo
