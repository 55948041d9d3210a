// Any learner whose options are visited, as a system that is named and set by text.
#pragma once

#include "systems.hpp"

namespace support {

/// A learner whose options are visited. `couple(options, fit, is_set)` lets options follow those of training.
template <class Model, class Options, class Couple>
lacuna::lab::System learner(const ModelSpec& spec, const SystemRequest& request, Options options,
                            lacuna::train::FitOptions fit, const std::string& schedule, Couple&& couple) {
  using namespace lacuna;
  // the options of training first: some options of models follow them
  apply_settings(request.common, [&](auto&& f) { visit_training(fit, f); });
  const Settings own = apply_settings(spec.settings, [&](auto&& f) {
    visit_training(fit, f);
    f("average", fit.average);
  });
  couple(options, fit);
  Settings unknown = apply_settings(own, [&](auto&& f) { Options::visit(options, f); });
  std::string recipe, known;
  const auto note = [&](const std::string& name, const auto& value) {
    recipe += name + "=" + value_text(name, value) + " ";
    known += (known.empty() ? "" : ", ") + name;
  };
  visit_training(fit, note);
  if (fit.average > 0) note("average", fit.average);
  recipe += "schedule=" + schedule + " ";
  Options::visit(options, note);
  recipe.pop_back();
  if (!unknown.empty())
    throw OptionError("model '" + spec.text + "' has no option '" + unknown[0].first + "'; it has " + known);
  fit.check();
  (void)Model(options, Random(0));  // refuses impossible sizes now
  return lab::make_system<Model>(spec.text, std::move(recipe), fit,
                                 [options](std::uint64_t seed) { return Model(options, Random(seed)); });
}

}  // namespace support
