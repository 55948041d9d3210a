/// What a network is given, and what is made of its scores, as nodes: standardisation in front, labels and classes behind.
///
/// Inputs of the graph, per stream S of the model: `S` (batch, S_frames, D) of 32-bit numbers, and `S_present`
/// (batch, S_frames), bool. What stands in absent frames is never read, NaN included. Scaling is done in double, as the
/// library does it, whatever the precision of the network.
#pragma once

#include <algorithm>

#include "lacuna/models/task.hpp"
#include "lacuna/zoo/card.hpp"
#include "lacuna/zoo/onnx/network.hpp"

namespace lacuna::zoo {

struct OnnxStream {
  std::string frames, present;  ///< (B, T, D) of the network's precision, 0 where absent; (B, T)
};
using OnnxStreams = std::vector<OnnxStream>;

/// Both inputs of every stream of the card, as they come.
inline OnnxStreams onnx_inputs(io::OnnxGraph& graph, const Card& card) {
  OnnxStreams streams;
  for (std::size_t m = 0; m < card.streams.size(); ++m) {
    const std::string& name = card.streams[m];
    streams.push_back(
        {graph.input(name, io::OnnxType::f32, {std::string("batch"), name + "_frames", card.features[m]}),
         graph.input(name + "_present", io::OnnxType::boolean, {std::string("batch"), name + "_frames"})});
  }
  return streams;
}

/// One stream, standardised as modality m of the stored standardiser, or as it is where there is none.
inline OnnxStream onnx_stream(const OnnxNetwork& net, const OnnxStream& input, const data::Standardizer& standardizer,
                              std::size_t m) {
  using io::OnnxType;
  io::OnnxGraph& graph = net.graph();
  const std::string there = net.unsqueeze(input.present, -1);
  std::string x = net.node("Where", {there, input.frames, graph.number(0, OnnxType::f32)});
  if (standardizer.modalities.empty()) return {net.cast(x, graph.real()), input.present};
  const data::FeatureStatistics& s = standardizer.modalities.at(m);
  const std::vector<index_t> shape{index_t(s.mean.size())};
  x = net.subtract(net.cast(x, OnnxType::f64), graph.numbers(s.mean, shape, OnnxType::f64));
  x = net.node("Div", {x, graph.numbers(s.deviation, shape, OnnxType::f64)});
  if (standardizer.feature_clip > 0)
    x = net.node("Clip", {x, graph.number(-standardizer.feature_clip, OnnxType::f64),
                          graph.number(standardizer.feature_clip, OnnxType::f64)});
  return {net.node("Where", {there, net.cast(x, graph.real()), net.number(0)}), input.present};
}

/// (B), true where a frame of any stream is present.
inline std::string onnx_anything(const OnnxNetwork& net, const OnnxStreams& inputs) {
  std::string found;
  for (const OnnxStream& input : inputs)
    found = found.empty() ? net.any(input.present) : net.node("Or", {found, net.any(input.present)});
  return found;
}

/// Outputs `prediction` (batch), a label or a class id, and of classes `probabilities` (batch, K); samples of which
/// nothing is present get the prior. value (B); probabilities (B, K), or "".
inline void onnx_answer(const OnnxNetwork& net, const Card& card, const OnnxStreams& inputs, std::string value,
                        const std::string& probabilities) {
  using io::OnnxType;
  io::OnnxGraph& graph = net.graph();
  const std::string known = onnx_anything(net, inputs);
  const std::vector<io::OnnxDim> batch{std::string("batch")};
  if (card.classes == 0) {
    value = net.node("Where", {known, value, net.number(card.prior[0])});
    graph.output("prediction", value, graph.real(), batch);
    return;
  }
  const auto best = std::max_element(card.prior.begin(), card.prior.end()) - card.prior.begin();
  value = net.node("Where", {known, value, net.squeeze(graph.integers({best}), 0)});
  graph.output("prediction", value, OnnxType::i64, batch);
  const std::string prior = graph.numbers(card.prior, {1, card.classes});
  graph.output("probabilities", net.node("Where", {net.unsqueeze(known, -1), probabilities, prior}), graph.real(),
               {std::string("batch"), card.classes});
}

/// The same of scores (B, outputs), by the task.
inline void onnx_answer_scores(const OnnxNetwork& net, const Card& card, const models::Task& task,
                               const OnnxStreams& inputs, const std::string& scores) {
  using io::OnnxType;
  using models::LabelKind;
  io::OnnxGraph& graph = net.graph();
  if (task.kind == LabelKind::regression) {
    const std::string wide = net.cast(net.squeeze(scores, 1), OnnxType::f64);
    const std::string label = net.add(net.multiply(wide, graph.number(task.labels.deviation, OnnxType::f64)),
                                      graph.number(task.labels.mean, OnnxType::f64));
    return onnx_answer(net, card, inputs, net.cast(label, graph.real()), "");
  }
  const io::OnnxGraph::Attributes last{{"axis", index_t(-1)}};
  const std::string rows = task.one_vs_rest ? net.reshape(scores, {-1, task.class_count(), 2}) : scores;
  std::string p = net.node("Softmax", {rows}, last);
  if (task.one_vs_rest) p = net.select(p, 2, 1);
  if (task.kind == LabelKind::classes) {
    const std::string best = net.node("ArgMax", {p}, {{"axis", index_t(-1)}, {"keepdims", index_t(0)}});
    return onnx_answer(net, card, inputs, best, p);
  }
  std::vector<double> centres;
  for (index_t k = 0; k < task.class_count(); ++k) centres.push_back(task.centre(k));
  const std::string expected = net.sum(net.multiply(p, graph.numbers(centres, {1, task.class_count()})), 1);
  onnx_answer(net, card, inputs, net.node("Div", {expected, net.sum(p, 1)}), "");
}

}  // namespace lacuna::zoo
