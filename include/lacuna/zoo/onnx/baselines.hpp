/// The models that others are compared with, as nodes: early fusion, the modality-dropout Transformer, MMIN, ridge
/// regression. Each function gives the scores (B, outputs); ridge labels (B).
#pragma once

#include "lacuna/models/baselines/early_fusion.hpp"
#include "lacuna/models/baselines/mmin.hpp"
#include "lacuna/models/baselines/modality_dropout_transformer.hpp"
#include "lacuna/zoo/onnx/corrkd.hpp"
#include "lacuna/zoo/onnx/recurrent.hpp"

namespace lacuna::zoo {

inline std::string onnx_early_fusion(const OnnxNetwork& net, const models::EarlyFusionOptions&,
                                     const OnnxStreams& streams) {
  OnnxNetwork::Names averages;
  for (const auto& [frames, present] : streams) averages.push_back(net.mean(frames, present));
  return net.linear("network.head", net.mlp("network.body", net.concat(averages, -1)));
}

inline std::string onnx_dropout_transformer(const OnnxNetwork& net, const models::ModalityDropoutTransformerOptions& o,
                                            const OnnxStreams& streams, index_t longest) {
  const std::string positions = onnx_positions(net, o.width, longest);
  const std::string token = net.reshape(net.parameter("network.class_token"), {1, 1, o.width});
  const std::string yes = net.reshape(net.cast(net.graph().integers({1}), io::OnnxType::boolean), {1, 1});
  OnnxNetwork::Names tokens{net.each(token, streams[0].frames, 3)};
  OnnxNetwork::Names keys{net.each(yes, streams[0].present, 2)};
  for (std::size_t m = 0; m < streams.size(); ++m) {
    const std::string x = net.linear("network.projection." + std::to_string(m), streams[m].frames);
    tokens.push_back(net.positions(x, positions));
    keys.push_back(streams[m].present);
  }
  const std::string h = net.transformer("network.encoder", net.concat(tokens, 1), net.concat(keys, 1), o.num_heads);
  return net.linear("network.head", net.select(h, 1, 0));
}

inline std::string onnx_mmin(const OnnxNetwork& net, const models::MminOptions& o, const OnnxStreams& streams) {
  OnnxNetwork::Names h, codes;
  for (std::size_t m = 0; m < streams.size(); ++m) {
    const auto& [frames, present] = streams[m];
    h.push_back(
        net.maximum(recurrent(net, "network.encoders.lstm." + std::to_string(m), true, frames, present).y, present));
  }
  std::string sum = net.concat(h, -1);
  for (index_t block = 0; block < o.blocks; ++block) {
    const auto run = [&](const std::string& half, std::string x) {
      const std::string path = "network.forward.blocks." + std::to_string(block) + half;
      for (index_t i = 0; i < net.count(path); ++i)
        x = net.linear(path + "." + std::to_string(i), i == 0 ? x : net.leaky(x, AutoencoderOptions().slope));
      return x;
    };
    codes.push_back(run(".encoder", sum));
    sum = net.add(sum, run(".decoder", codes.back()));
  }
  return net.linear("network.classifier.head", net.mlp("network.classifier.body", net.concat(codes, -1)));
}

/// Averages, scales and weights in double, whatever the card says.
inline std::string onnx_ridge(const OnnxNetwork& net, const State& stored, const OnnxStreams& inputs) {
  using io::OnnxType;
  io::OnnxGraph& graph = net.graph();
  const auto names = stored.get<std::vector<std::string>>("modalities");
  const auto positions = stored.get<std::vector<index_t>>("positions");
  const auto weights = stored.get<std::vector<double>>("weights");
  std::string total = graph.number(stored.get<double>("intercept"), OnnxType::f64);
  index_t begin = 0;
  for (std::size_t m = 0; m < names.size(); ++m) {
    const OnnxStream& input = inputs.at(std::size_t(positions[m]));
    const auto mean = stored.get<std::vector<double>>(names[m] + "/mean");
    auto slope = stored.get<std::vector<double>>(names[m] + "/scale");
    for (double& one : slope) one *= weights.at(std::size_t(begin++));
    const std::string there = net.unsqueeze(input.present, -1), zero = graph.number(0, OnnxType::f64);
    const std::string x = net.node("Where", {there, net.cast(input.frames, OnnxType::f64), zero});
    const std::string count =
        net.node("Max", {net.sum(net.cast(input.present, OnnxType::f64), 1, true), graph.number(1, OnnxType::f64)});
    const auto size = index_t(mean.size());
    const std::string off =
        net.subtract(net.node("Div", {net.sum(x, 1), count}), graph.numbers(mean, {size}, OnnxType::f64));
    const std::string term = net.sum(net.multiply(off, graph.numbers(slope, {size}, OnnxType::f64)), 1);
    total = net.add(total, net.node("Where", {net.any(input.present), term, zero}));
  }
  return net.cast(total, graph.real());
}

}  // namespace lacuna::zoo
