/// A state dict of SDUMC's PyTorch module as a stored model of ours.  (Weng et al., arXiv 2410.15029)
///
///     const State state = zoo::sdumc_from_pytorch(tensors, zoo::parse_model("sdumc-published:imagination=transition"));
///
/// Sizes are those of the tensors. The modalities are audio, text and video; the fourth stream, simulated_text, stands in
/// for an absent text, as in the authors' runs, and shares its projection. Nothing is standardised. Options of the network
/// that no tensor tells are those of the registered name and of the settings behind it: `padding`, `scale`, and `imagination`,
/// of which the tensors tell only whether it may be there. Tensors that the network does not use come back as `unused`.
/// Throws IoError for tensors that are missing or of other sizes, OptionError for settings.
#pragma once

#include "lacuna/models/sdumc/sdumc.hpp"
#include "lacuna/zoo/entry.hpp"
#include "lacuna/zoo/weights.hpp"

namespace lacuna::detail {

/// The same arrays without what all their names begin with; empty where one does not. Refers to `file`.
inline io::Npz without_prefix(const io::Npz& file, const std::string& prefix) {
  std::vector<std::pair<std::string, io::NpzEntry>> entries;
  for (const std::string& name : file.names()) {
    if (!name.starts_with(prefix)) return {file.path(), {}};
    entries.push_back({name.substr(prefix.size()), {file.header(name), [&file, name] { return file.get(name); }}});
  }
  return {file.path(), std::move(entries)};
}

}  // namespace lacuna::detail

namespace lacuna::zoo {

inline LoadedWeights sdumc_from_pytorch(const io::Npz& given, const ModelSpec& spec) {
  const io::Npz own_names =
      lacuna::detail::without_prefix(given, "model.");  // the authors' checkpoints wrap the module
  const io::Npz& file = own_names.names().empty() ? given : own_names;
  const auto [entry, variant] = registry().find(spec.name);
  if (!entry->name.starts_with("sdumc"))
    throw OptionError("--model: '" + spec.name +
                      "' has no sizes in its tensors' names; give a stored model of that kind with --like");
  const auto length = [&](const std::string& name, int axis) {
    if (!file.contains(name))
      throw IoError(file.path() + ": tensor '" + name +
                    "' is missing, by which SDUMC's module is known; the file has '" +
                    lacuna::detail::printable(file.names().empty() ? "nothing" : file.names()[0]) + "'");
    const Shape shape = file.get(name).shape();
    if (shape.rank() != 2)
      throw IoError(
          lacuna::detail::cat(file.path(), ": tensor '", name, "' has shape ", shape, ", expected (out, in)"));
    return shape[axis];
  };
  Request request{{"audio", "text", "video"}, {}, 0, {}, "f32", "cpu"};
  for (int m = 0; m < 3; ++m) request.inputs.push_back(length("frame_dim_reshape_" + std::to_string(m) + ".weight", 1));
  if (const index_t out = length("fc_out_v.weight", 0); out > 1) request.classes = out;

  models::SdumcOptions o;
  Settings settings;
  for (const OptionInfo& option : entry->options(variant, request))
    if (!option.training && !option.value.empty()) settings.emplace_back(option.name, option.value);
  for (const auto& setting : spec.settings) settings.push_back(setting);
  const Settings unknown = apply_settings(lacuna::detail::zoo_positions(settings, request.modalities), o);
  if (!unknown.empty()) throw OptionError("model '" + spec.name + "' has no option '" + unknown[0].first + "'");
  o.inputs = request.inputs, o.classes = request.classes;
  o.width = length("frame_dim_reshape_0.weight", 0), o.fused = length("fc_out_v.weight", 1);
  o.contrast = length("orgin_linear_change.0.weight", 0);
  if (!file.contains("missing_text_imagination_mlp.transition.0.weight")) {
    o.imagination = models::Imagination::off;
  } else if (o.imagination != models::Imagination::off) {
    o.bottleneck = length("missing_text_imagination_mlp.encoder_0.0.weight", 0);
    o.fused_bottleneck = length("missing_cross_text_query_imagination_mlp.encoder_0.0.weight", 0);
  }
  o.simulator.stream = 3, o.standardize = o.standardize_labels = false;

  models::Sdumc<float> model(o, Random(0));
  Card card;
  card.model = entry->name, card.spec = spec.text;
  card.streams = {"audio", "text", "video", "simulated_text"};
  card.features = {o.inputs[0], o.inputs[1], o.inputs[2], o.inputs[std::size_t(o.missing)]};
  card.may_be_missing = {0, 0, 0, 0};
  card.may_be_missing[std::size_t(o.missing)] = 1;
  card.classes = o.classes;
  card.prior.assign(std::size_t(std::max<index_t>(1, o.classes)), o.classes > 0 ? 1 / double(o.classes) : 0.0);
  card.data = file.path(), card.versions = versions();
  model.names = card.streams;
  const State state = with_card(train::model_state(model), card);
  return load_weights(state, file, pytorch_tensors(state));
}

}  // namespace lacuna::zoo
