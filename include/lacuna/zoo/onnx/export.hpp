/// A stored model as an ONNX graph: what it computes when it predicts, from raw features to labels.
///
///     zoo::save_onnx("mine.onnx", io::load_checkpoint("mine.lacuna"));
///
/// Inputs, per stream S: `S` (batch, S_frames, D) of 32-bit numbers and `S_present` (batch, S_frames), bool; batch and
/// frames are free. Outputs: `prediction` (batch), a real label or a class id, and of classes `probabilities` (batch, K).
/// Standardisation, the scale of the labels and the prior of samples of which nothing is present are part of the graph:
/// the numbers are those of `Predictor`. Models with positions hold those of `longest` frames, and longer sequences are
/// refused by whoever runs the graph. Throws Error for a model without a graph, and says which and why.
#pragma once

#include "lacuna/zoo/onnx/baselines.hpp"
#include "lacuna/zoo/onnx/cube.hpp"
#include "lacuna/zoo/onnx/published.hpp"
#include "lacuna/zoo/onnx/sdumc.hpp"

namespace lacuna::zoo {

struct OnnxOptions {
  index_t longest = 1024;  ///< frames of a stream, for models with positions
};

}  // namespace lacuna::zoo

namespace lacuna::detail {

template <class Options>
Options stored_options(const State& model) {
  Options o;
  model.get_fields(o);
  return o;
}

/// A graph and what is needed to add to it.
struct OnnxBuild {
  const State& model;
  const zoo::Card& card;
  const zoo::OnnxNetwork& net;
  const zoo::OnnxStreams& inputs;
  index_t longest;

  /// score(options, streams) → (B, outputs), inside what every models::Model has around its network.
  template <class Options, class F>
  void network(F&& score) const {
    const auto o = stored_options<Options>(model);
    models::Task task = models::task_of(o, card.model.c_str());
    model.get_fields(task);
    data::Standardizer standardizer;
    standardizer.load_state(model.under("standardizer"));
    zoo::OnnxStreams streams;
    for (std::size_t m = 0; m < models::inputs_of(o).size(); ++m)
      streams.push_back(zoo::onnx_stream(net, inputs.at(m), standardizer, m));
    if constexpr (requires { o.simulator.stream; })
      if (o.simulator.stream >= 0)
        streams.push_back(
            zoo::onnx_stream(net, inputs.at(std::size_t(o.simulator.stream)), standardizer, std::size_t(o.missing)));
    zoo::onnx_answer_scores(net, card, task, inputs, score(o, streams));
  }
  /// Of a published model: without its authors' treatment of padding.
  template <class Options, class F>
  void published(F&& score) const {
    network<Options>([&](const Options& o, const zoo::OnnxStreams& streams) {
      if (o.published)
        throw Error(detail::cat("onnx: '", card.model, "' with published=on has no graph; train it without"));
      return score(net, o, models::text_first(streams, o.text));
    });
  }
};

using OnnxWriter = void (*)(const OnnxBuild&);

/// By registered name.
inline const std::vector<std::pair<std::string, OnnxWriter>>& onnx_writers() {
  using namespace zoo;
  static constexpr OnnxWriter early = [](const OnnxBuild& b) {
    b.network<models::EarlyFusionOptions>(
        [&](const auto& o, const OnnxStreams& streams) { return onnx_early_fusion(b.net, o, streams); });
  };
  static constexpr OnnxWriter sdumc = [](const OnnxBuild& b) {
    b.network<models::SdumcOptions>(
        [&](const auto& o, const OnnxStreams& streams) { return onnx_sdumc(b.net, o, streams); });
  };
  static constexpr OnnxWriter corrkd = [](const OnnxBuild& b) {
    b.network<models::CorrkdOptions>(
        [&](const auto& o, const OnnxStreams& streams) { return onnx_corrkd(b.net, o.network, streams, b.longest); });
  };
  static constexpr OnnxWriter transformer = [](const OnnxBuild& b) {
    b.network<models::ModalityDropoutTransformerOptions>([&](const auto& o, const OnnxStreams& streams) {
      return onnx_dropout_transformer(b.net, o, streams, b.longest);
    });
  };
  static constexpr OnnxWriter mmin = [](const OnnxBuild& b) {
    b.network<models::MminOptions>([&](const auto& o, const OnnxStreams& streams) {
      if (o.published) throw Error("onnx: 'mmin' with published=on has no graph; train it without");
      return onnx_mmin(b.net, o, streams);
    });
  };
  static constexpr OnnxWriter ridge = [](const OnnxBuild& b) {
    onnx_answer(b.net, b.card, b.inputs, onnx_ridge(b.net, b.model, b.inputs), "");
  };
  static constexpr OnnxWriter constant = [](const OnnxBuild& b) {
    if (b.card.classes == 0)
      return onnx_answer(b.net, b.card, b.inputs, b.net.number(b.model.get<double>("value")), "");
    const auto best = index_t(b.model.get<double>("value"));
    onnx_answer(b.net, b.card, b.inputs, b.net.squeeze(b.net.graph().integers({best}), 0),
                b.net.graph().numbers(b.card.prior, {1, b.card.classes}));
  };
  static constexpr OnnxWriter tfn = [](const OnnxBuild& b) { b.published<models::TfnOptions>(onnx_tfn); };
  static constexpr OnnxWriter lmf = [](const OnnxBuild& b) { b.published<models::LmfOptions>(onnx_lmf); };
  static constexpr OnnxWriter misa = [](const OnnxBuild& b) { b.published<models::MisaOptions>(onnx_misa); };
  static constexpr OnnxWriter self_mm = [](const OnnxBuild& b) { b.published<models::SelfMmOptions>(onnx_self_mm); };
  static constexpr OnnxWriter mmim = [](const OnnxBuild& b) { b.published<models::MmimOptions>(onnx_mmim); };
  static constexpr OnnxWriter mult = [](const OnnxBuild& b) {
    b.published<models::MultOptions>([&](const auto& net, const auto& o, const OnnxStreams& streams) {
      return onnx_mult(net, o, streams, b.longest);
    });
  };
  static constexpr OnnxWriter cube = [](const OnnxBuild& b) { b.published<models::CubeMlpOptions>(onnx_cube_mlp); };
  static constexpr OnnxWriter lnln = [](const OnnxBuild& b) { b.published<models::LnlnOptions>(onnx_lnln); };
  static const std::vector<std::pair<std::string, OnnxWriter>> all{{"constant", constant},
                                                                   {"ridge", ridge},
                                                                   {"early-fusion", early},
                                                                   {"early-fusion-drop", early},
                                                                   {"modality-dropout-transformer", transformer},
                                                                   {"mmin", mmin},
                                                                   {"sdumc", sdumc},
                                                                   {"sdumc-any", sdumc},
                                                                   {"sdumc-published", sdumc},
                                                                   {"corrkd", corrkd},
                                                                   {"corrkd-robust", corrkd},
                                                                   {"tfn", tfn},
                                                                   {"lmf", lmf},
                                                                   {"misa", misa},
                                                                   {"self-mm", self_mm},
                                                                   {"mmim", mmim},
                                                                   {"mult", mult},
                                                                   {"cubemlp", cube},
                                                                   {"lnln", lnln}};
  return all;
}

}  // namespace lacuna::detail

namespace lacuna::zoo {

/// Names of the models that have a graph.
inline std::vector<std::string> onnx_models() {
  std::vector<std::string> names;
  for (const auto& [name, writer] : lacuna::detail::onnx_writers()) names.push_back(name);
  return names;
}

/// The graph of a stored model. Throws Error for one that has none, IoError for a state that is no model.
inline io::OnnxGraph onnx_graph(const State& state, const OnnxOptions& options = {}) {
  const Card card = card_of(state);
  for (const auto& [name, write] : lacuna::detail::onnx_writers()) {
    if (name != card.model) continue;
    io::OnnxGraph graph(card.dtype == "f64" ? io::OnnxType::f64 : io::OnnxType::f32);
    const OnnxNetwork net(graph, state.under("parameters"));
    const OnnxStreams inputs = onnx_inputs(graph, card);
    write({state.under("model"), card, net, inputs, options.longest});
    return graph;
  }
  std::string known;
  for (const std::string& name : onnx_models()) known += (known.empty() ? "" : ", ") + name;
  throw Error(lacuna::detail::cat("onnx: '", card.model, "' has no graph; there are those of ", known));
}

inline void save_onnx(const std::string& path, const State& state, const OnnxOptions& options = {}) {
  const Card card = card_of(state);
  std::vector<std::pair<std::string, std::string>> about{
      {"model", card.spec}, {"data", card.data}, {"versions", card.versions}, {"lacuna_dtype", card.dtype}};
  std::string classes;
  for (const std::string& name : card.class_names) classes += (classes.empty() ? "" : "\n") + name;
  if (!classes.empty()) about.emplace_back("class_names", classes);
  io::save_onnx(path, onnx_graph(state, options), about);
}

}  // namespace lacuna::zoo
