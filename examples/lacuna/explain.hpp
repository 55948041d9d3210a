// What a report shows of why a model answers so: what each modality is worth to it, and to which frames of one sample it
// attends. Stored with the predictions of a run, in predictions.npz.
#pragma once

#include "lacuna/io/npz.hpp"
#include "lacuna/io/npz_writer.hpp"
#include "lacuna/lab/predictions.hpp"
#include "lacuna/ops/mask.hpp"
#include "lacuna/zoo/any_model.hpp"
#include "report_data.hpp"

namespace program {

/// Of every modality, over the test samples that have it and another one: the mean of |prediction − prediction without it|, or
/// of classes the share of predictions that become another. predict: one number per sample.
template <class Predict, lacuna::data::Role role>
std::vector<std::pair<std::string, double>> effects_of(const Predict& predict, const lacuna::data::Split<role>& split,
                                                       double prior, bool classes) {
  using namespace lacuna;
  const std::vector<std::string> names = split.modality_names();
  std::vector<missing::MaskSet> masks{missing::sample_masks(missing::without({}, names), split)};
  for (const std::string& name : names) masks.push_back(missing::sample_masks(missing::without({name}, names), split));
  const auto answers = train::unchecked_predictions<float>(
      [&](const data::Batch<float>& part) { return lab::predict_or_prior(predict, part, prior); }, split, masks,
      lab::batch_for(split));
  std::vector<Mask<1>> has;
  for (const data::Modality& modality : split.modalities) has.push_back(any_present(modality.present));
  std::vector<std::pair<std::string, double>> effects;
  for (std::size_t m = 0; m < names.size(); ++m) {
    double sum = 0, count = 0;
    for (index_t n = 0; n < split.size(); ++n) {
      index_t others = 0;
      for (std::size_t other = 0; other < has.size(); ++other) others += other != m && has[other](n);
      if (!has[m](n) || others == 0) continue;
      const double with = answers(0, n), without = answers(index_t(m) + 1, n);
      sum += classes ? double(with != without) : std::abs(with - without);
      ++count;
    }
    if (count > 0) effects.emplace_back(names[m], sum / count);
  }
  return effects;
}

/// Weights over the frames of the first test sample that has the most modalities, the mean over queries and heads; nothing for a
/// model without attention, and where no modality has a second frame.
template <lacuna::data::Role role>
void take_attention(Record& record, const lacuna::zoo::AnyModel& model, const lacuna::data::Split<role>& split) {
  using namespace lacuna;
  if (!model.attends() || split.size() == 0) return;
  std::vector<index_t> streams(std::size_t(split.size()), 0);
  index_t longest = 0;
  for (const data::Modality& modality : split.modalities) {
    const Mask<1> any = any_present(modality.present);
    for (index_t n = 0; n < split.size(); ++n) streams[std::size_t(n)] += any(n);
    longest = std::max(longest, modality.present.extent(1));
  }
  if (longest < 2) return;
  const index_t sample = std::max_element(streams.begin(), streams.end()) - streams.begin();
  const data::Batch<float> batch = data::gather<float>(split, std::span(&sample, 1));
  const zoo::Outputs out = model(batch, {.attention = true});
  record.attention_sample = split.ids[std::size_t(sample)];
  for (std::size_t m = 0; m < out.attention.size() && m < batch.streams.size(); ++m) {
    const auto& [name, weights] = out.attention[m];
    const Mask<2>& present = batch.streams[m].present;
    const index_t frames = present.extent(1), rows = weights.extent(1) / frames;
    if (rows == 0 || rows * frames != weights.extent(1)) continue;  // its last axis is another one
    std::vector<double> mean;
    for (index_t t = 0; t < frames; ++t) {
      if (!present(0, t)) continue;
      mean.push_back(0);
      for (index_t r = 0; r < rows; ++r) mean.back() += weights(0, r * frames + t) / double(rows);
    }
    if (!mean.empty()) record.attention.emplace_back(name, std::move(mean));
  }
}

inline void save_explanation(lacuna::io::NpzWriter& file, const Record& record) {
  const auto split = [&](const auto& pairs, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& one : pairs) names.push_back(one.first);
    if (!names.empty()) file.add(name, names);
  };
  split(record.effects, "effects_of");
  std::vector<double> effects;
  for (const auto& one : record.effects) effects.push_back(one.second);
  if (!effects.empty()) file.add("effects", effects);
  split(record.attention, "attention_of");
  if (!record.attention.empty()) file.add("attention_sample", std::vector<std::string>{record.attention_sample});
  for (std::size_t m = 0; m < record.attention.size(); ++m)
    file.add("attention_" + std::to_string(m), record.attention[m].second);
}

/// Throws IoError.
inline void load_explanation(const lacuna::io::Npz& file, Record& record) {
  record.effects.clear();
  record.attention.clear();
  if (file.contains("effects_of")) {
    const auto names = file.get("effects_of").strings();
    const auto numbers = file.get("effects").as<double>();
    for (std::size_t m = 0; m < names.size() && m < numbers.size(); ++m)
      record.effects.emplace_back(names[m], numbers[m]);
  }
  if (!file.contains("attention_of")) return;
  const auto names = file.get("attention_of").strings(), sample = file.get("attention_sample").strings();
  if (!sample.empty()) record.attention_sample = sample[0];
  for (std::size_t m = 0; m < names.size(); ++m)
    record.attention.emplace_back(names[m], file.get("attention_" + std::to_string(m)).as<double>());
}

}  // namespace program
