// What is written beside a trained model for people and for other programs: predictions.csv and model.json.
#pragma once

#include <nlohmann/json.hpp>

#include "lacuna/lab/results.hpp"
#include "lacuna/lab/system.hpp"
#include "lacuna/zoo/ensemble.hpp"
#include "setting.hpp"
#include "support/program.hpp"

namespace program {

/// Two blanks deep; bytes of names that are no UTF-8 become U+FFFD: JSON has no other place for them.
inline std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// CONDITION, or PROTOCOL/CONDITION where there are several protocols; in the order of the plan.
inline std::vector<std::string> condition_names(const lacuna::lab::Plan& plan) {
  std::vector<std::string> names;
  for (const auto& protocol : plan.protocols)
    for (const auto& condition : protocol.conditions)
      names.push_back((plan.protocols.size() > 1 ? protocol.name + "/" : "") + condition.name);
  return names;
}

/// One condition of a finished run: a prediction per test sample.
inline std::span<const double> predictions_of(const lacuna::lab::Run& run, std::size_t condition) {
  const index_t samples = run.predictions.extent(1);
  return {run.predictions.data() + index_t(condition) * samples, std::size_t(samples)};
}

/// One row per sample and condition: id, condition, label (empty when there is none), prediction.
inline std::string predictions_csv(const lacuna::lab::Run& run, const Setting& setting) {
  lacuna::train::Evaluation evaluation{setting.data.set->test.ids, setting.targets.values, setting.targets.classes, {}};
  const auto names = condition_names(setting.plan);
  for (std::size_t c = 0; c < names.size(); ++c) {
    const auto numbers = predictions_of(run, c);
    evaluation.conditions.push_back({names[c], {numbers.begin(), numbers.end()}, {}});
  }
  return lacuna::train::predictions_csv(evaluation);
}

/// What is stored of the validation split: temperature and shares of class probabilities; of real labels the half width of
/// intervals of 90 %, by the streams that are present, null where the split is too small.
inline nlohmann::ordered_json calibration_json(const zoo::Calibration& kept, const std::vector<std::string>& streams) {
  using Json = nlohmann::ordered_json;
  if (!kept.has_errors()) {
    Json json{{"temperature", kept.temperature}, {"assumed_shares", kept.assumed}};
    if (!kept.prior.empty()) json["shares_of_answers"] = kept.prior;
    return json;
  }
  Json widths = Json::object();
  for (std::size_t g = 0; g < kept.counts.size(); ++g) {
    const std::span<const std::uint8_t> present(kept.subsets.data() + g * streams.size(), streams.size());
    std::string name;
    for (std::size_t m = 0; m < streams.size(); ++m)
      if (present[m]) name += (name.empty() ? "" : "+") + streams[m];
    const double half = kept.half_width(present, 0.9);
    widths[name.empty() ? "nothing" : name] = std::isfinite(half) ? Json(half) : Json(nullptr);
  }
  return {{"half_width_of_90_percent", widths}};
}

/// The card of the model: what it is, what it was trained and tested on, how well it did, and who made it. stored: the model
/// as its file holds it; null: there is none.
inline std::string model_json(const lacuna::lab::System& system, const lacuna::lab::Run& run, const Setting& setting,
                              const lacuna::State* stored = nullptr) {
  using Json = nlohmann::ordered_json;
  const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); };
  Json json{{"model", system.name},
            {"dtype", setting.dtype},
            {"seed", run.seed},
            {"options", system.recipe},
            {"parameters", run.parameters},
            {"epochs", run.epochs},
            {"best_epoch", run.best_epoch},
            {"validation_score", number(run.validation_score)}};
  json["data"] = Json::object();
  for (const auto& [name, value] : describe_data(setting.data)) json["data"][name] = value;
  if (!setting.data.class_names.empty()) json["class_names"] = setting.data.class_names;
  json["test"] = Json::array();
  const auto names = condition_names(setting.plan);
  std::size_t at = 0;
  for (const auto& protocol : setting.plan.protocols)
    for (const auto& condition : protocol.conditions) {
      Json row{{"condition", names[at]}, {"masks", condition.masks}, {"metrics", Json::object()}};
      if (!setting.targets.values.empty())
        for (const auto& [name, value] : lacuna::train::scores(setting.targets, predictions_of(run, at)))
          row["metrics"][name] = number(value);
      json["test"].push_back(std::move(row));
      ++at;
    }
  if (stored != nullptr && stored->contains("calibration/temperature")) {
    const zoo::Card card = zoo::card_of(*stored);
    json["calibration"] =
        calibration_json(zoo::calibration_of(*stored, card.streams.size(), card.classes), card.streams);
  }
  json["command"] = support::printable(setting.command);
  json["versions"] = zoo::versions();
  return json_text(json);
}

}  // namespace program
