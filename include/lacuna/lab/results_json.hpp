/// Results as JSON and back. JSON has no NaN: a number that is not defined is null. The text depends on the numbers
/// alone. Reading checks names and kinds: errors are IoError, with the file.
#pragma once

#include <nlohmann/json.hpp>

#include "lacuna/lab/results.hpp"

namespace lacuna::detail {

using LabJson = nlohmann::ordered_json;

inline LabJson json_number(double value) { return std::isfinite(value) ? LabJson(value) : LabJson(nullptr); }
inline double number_of(const LabJson& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}
inline LabJson json_scores(const train::Scores& scores) {
  LabJson json = LabJson::object();
  for (const auto& [name, value] : scores) json[name] = json_number(value);
  return json;
}
inline train::Scores scores_of(const LabJson& json) {
  train::Scores scores;
  for (const auto& [name, value] : json.items()) scores.emplace_back(name, number_of(value));
  return scores;
}

}  // namespace lacuna::detail

namespace lacuna::lab {

inline nlohmann::ordered_json to_json(const Results& results) {
  using Json = nlohmann::ordered_json;
  using detail::json_number, detail::json_scores;
  Json json;
  json["format"] = 1;
  json["lacuna"] = detail::cat(LACUNA_VERSION_MAJOR, ".", LACUNA_VERSION_MINOR, ".", LACUNA_VERSION_PATCH);
  for (const auto& [key, list] : {std::pair("config", &results.config), std::pair("data", &results.data)}) {
    json[key] = Json::object();
    for (const auto& [name, value] : *list) json[key][name] = value;
  }
  json["classes"] = results.classes;
  json["samples"] = results.samples;
  json["metrics"] = results.metrics;
  json["reference"] = results.reference;
  json["models"] = Json::array();
  for (const auto& model : results.models) {
    Json runs = Json::array();
    for (const auto& run : model.runs)
      runs.push_back({{"seed", run.seed},
                      {"epochs", run.epochs},
                      {"best_epoch", run.best_epoch},
                      {"validation_score", json_number(run.validation_score)}});
    json["models"].push_back(
        {{"name", model.name}, {"recipe", model.recipe}, {"parameters", model.parameters}, {"runs", runs}});
    for (const Failure& failure : model.failures)
      json["models"].back()["failed"].push_back({{"seed", failure.seed}, {"error", failure.what}});
  }
  json["protocols"] = Json::array();
  for (const auto& protocol : results.protocols) {
    Json conditions = Json::array(), averages = Json::array();
    for (const auto& one : protocol.conditions)
      conditions.push_back({{"name", one.name}, {"rate", one.rate}, {"present", one.present}, {"masks", one.masks}});
    for (const auto& one : protocol.averages) averages.push_back({{"name", one.name}, {"of", one.of}});
    json["protocols"].push_back(
        {{"name", protocol.name}, {"rates", protocol.rates}, {"conditions", conditions}, {"averages", averages}});
  }
  json["rows"] = Json::array();
  for (const Row& row : results.rows)
    json["rows"].push_back({{"model", row.model},
                            {"seed", row.seed},
                            {"protocol", row.protocol},
                            {"condition", row.condition},
                            {"present", row.present},
                            {"rate", row.rate},
                            {"masks", row.masks},
                            {"values", json_scores(row.values)}});
  json["means"] = Json::array();
  for (const Summary& one : results.summaries)
    json["means"].push_back({{"model", one.model},
                             {"protocol", one.protocol},
                             {"condition", one.name},
                             {"average", one.average},
                             {"seeds", one.seeds},
                             {"mean", json_scores(one.mean)},
                             {"deviation", json_scores(one.deviation)}});
  json["differences"] = Json::array();
  for (const Difference& one : results.differences)
    json["differences"].push_back({{"model", one.model},
                                   {"reference", one.reference},
                                   {"protocol", one.protocol},
                                   {"condition", one.name},
                                   {"average", one.average},
                                   {"metric", one.metric},
                                   {"difference", json_number(one.value)},
                                   {"low", json_number(one.interval.low)},
                                   {"high", json_number(one.interval.high)}});
  json["curves"] = Json::array();
  for (const Curve& one : results.curves)
    json["curves"].push_back({{"model", one.model},
                              {"protocol", one.protocol},
                              {"metric", one.metric},
                              {"from", one.from},
                              {"to", one.to},
                              {"gain", json_number(one.gain)},
                              {"low", json_number(one.interval.low)},
                              {"high", json_number(one.interval.high)},
                              {"falls", one.falls},
                              {"end", int(one.end)}});
  return json;
}

/// Bytes of names that are no UTF-8 become U+FFFD: JSON has no other place for them.
inline std::string results_text(const Results& results) {
  return to_json(results).dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// `origin` is the file name of messages. Throws IoError.
inline Results results_from_json(const std::string& text, const std::string& origin = "results") {
  using Json = nlohmann::ordered_json;
  using detail::number_of, detail::scores_of;
  try {
    const Json json = Json::parse(text);
    if (const int format = json.at("format"); format != 1)
      throw IoError(detail::cat(origin, ": has format ", format, ", this library reads format 1"));
    Results results;
    for (const auto& [key, list] : {std::pair("config", &results.config), std::pair("data", &results.data)})
      for (const auto& [name, value] : json.at(key).items())
        list->emplace_back(name, value.template get<std::string>());
    json.at("classes").get_to(results.classes);
    json.at("samples").get_to(results.samples);
    json.at("metrics").get_to(results.metrics);
    json.at("reference").get_to(results.reference);
    for (const Json& model : json.at("models")) {
      ModelInfo info{model.at("name"), model.at("recipe"), model.at("parameters"), {}};
      for (const Json& run : model.at("runs"))
        info.runs.push_back(
            {run.at("seed"), run.at("epochs"), run.at("best_epoch"), number_of(run.at("validation_score"))});
      for (const Json& failure : model.value("failed", Json::array()))
        info.failures.push_back({failure.at("seed"), failure.at("error")});
      results.models.push_back(std::move(info));
    }
    for (const Json& protocol : json.at("protocols")) {
      ProtocolInfo info{protocol.at("name"), protocol.at("rates"), {}, {}};
      for (const Json& one : protocol.at("conditions"))
        info.conditions.push_back({one.at("name"), one.at("rate"), one.at("present"), one.at("masks")});
      for (const Json& one : protocol.at("averages")) {
        info.averages.push_back({one.at("name"), one.at("of")});
        for (const std::size_t c : info.averages.back().of)
          if (c >= info.conditions.size())
            throw IoError(detail::cat(origin, ": average '", info.averages.back().name, "' of ", info.name,
                                      " is over condition ", c, " of ", info.conditions.size()));
      }
      results.protocols.push_back(std::move(info));
    }
    for (const Json& row : json.at("rows"))
      results.rows.push_back({row.at("model"), row.at("seed"), row.at("protocol"), row.at("condition"),
                              row.at("present"), row.at("rate"), row.at("masks"), scores_of(row.at("values"))});
    for (const Json& one : json.at("means"))
      results.summaries.push_back({one.at("model"), one.at("protocol"), one.at("condition"), one.at("average"),
                                   one.at("seeds"), scores_of(one.at("mean")), scores_of(one.at("deviation"))});
    for (const Json& one : json.at("differences"))
      results.differences.push_back({one.at("model"),
                                     one.at("reference"),
                                     one.at("protocol"),
                                     one.at("condition"),
                                     one.at("average"),
                                     one.at("metric"),
                                     number_of(one.at("difference")),
                                     {number_of(one.at("low")), number_of(one.at("high"))}});
    for (const Json& one : json.value("curves", Json::array())) {  // files of before have none
      const int end = one.at("end");
      if (end < 0 || end > 2) throw IoError(detail::cat(origin, ": a curve ends in ", end, ", expected 0..2"));
      results.curves.push_back({one.at("model"),
                                one.at("protocol"),
                                one.at("metric"),
                                one.at("from"),
                                one.at("to"),
                                number_of(one.at("gain")),
                                {number_of(one.at("low")), number_of(one.at("high"))},
                                one.at("falls"),
                                CurveEnd(end)});
    }
    return results;
  } catch (const nlohmann::json::exception& error) {
    throw IoError(origin + ": holds no results: " + error.what());
  }
}

}  // namespace lacuna::lab
