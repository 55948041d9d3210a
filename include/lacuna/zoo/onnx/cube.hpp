/// CubeMLP as nodes. The cube has `mixer_frames` frames; longer sequences are refused by whoever runs the graph.
#pragma once

#include "lacuna/models/baselines/cube_mlp.hpp"
#include "lacuna/zoo/onnx/recurrent.hpp"
#include "lacuna/zoo/onnx/streams.hpp"

namespace lacuna::detail {

/// AxisMixer over the last axis.
inline std::string onnx_mixer(const zoo::OnnxNetwork& net, const std::string& path, const std::string& axis,
                              const std::string& x, bool norm_first) {
  const std::string mlp = path + ".mlp_" + axis, norm = path + ".ln_" + axis;
  const std::string in = norm_first ? net.layer_norm(norm, x, 1e-6) : x;
  const std::string mixed = net.linear(mlp + ".fc2", net.linear(mlp + ".fc1", in, "Gelu"));
  const std::string residual = path + ".res_projection_" + axis;
  const std::string sum = net.add(net.has(residual + ".weight") ? net.linear(residual, x) : x, mixed);
  return norm_first ? sum : net.layer_norm(norm, sum, 1e-6);
}

}  // namespace lacuna::detail

namespace lacuna::zoo {

inline std::string onnx_cube_mlp(const OnnxNetwork& net, const models::CubeMlpOptions& o, const OnnxStreams& x) {
  io::OnnxGraph& graph = net.graph();
  OnnxNetwork::Names encoded{net.linear("network.W_t", x[0].frames)};
  for (std::size_t m = 1; m < 3; ++m) {
    const std::string number = "." + std::to_string(m - 1);
    std::string y;
    if (o.encoder == models::CubeEncoder::conv) {
      y = net.keep(net.conv1d("network.conv" + number, x[m].frames, 1, 1), x[m].present);
    } else {
      const bool lstm = o.encoder == models::CubeEncoder::lstm;
      const std::string both = recurrent(net, "network.recurrent" + number, lstm, x[m].frames, x[m].present, true).y;
      y = net.add(net.slice(both, 2, 0, o.width), net.slice(both, 2, o.width, 2 * o.width));
    }
    encoded.push_back(net.keep(net.activate(net.layer_norm("network.norm" + number, y, 1e-6), "Relu"), x[m].present));
  }
  for (std::string& e : encoded) {
    const std::string more = net.subtract(graph.integers({o.frames}), net.length(e, 1));
    e = net.node("Pad", {e, net.concat({graph.integers({0, 0, 0, 0}), more, graph.integers({0})}, 0)});
  }
  std::string cube = net.stack(encoded, 2);  // (B, T, 3, D)
  index_t frames = o.frames, count = 3, width = o.width;
  for (std::size_t b = 0; b < o.projected.size(); ++b) {
    const std::string path = "network.blocks." + std::to_string(b);
    const auto mixed = [&](const char* axis, const std::string& of) {
      return lacuna::detail::onnx_mixer(net, path, axis, of, o.norm_first);
    };
    cube = net.permute(mixed("l", net.permute(cube, {0, 2, 3, 1})), {0, 3, 1, 2});
    cube = net.permute(mixed("k", net.permute(cube, {0, 1, 3, 2})), {0, 1, 3, 2});
    cube = mixed("d", cube);
    frames = o.mixer_out[3 * b], count = o.mixer_out[3 * b + 1], width = o.mixer_out[3 * b + 2];
  }
  const bool mean = o.over_time == models::CubeCompose::mean;
  const std::string over_time =
      mean ? net.average(cube, 1) : net.reshape(net.permute(cube, {0, 2, 1, 3}), {-1, count, frames * width});
  const index_t wide = mean ? width : frames * width;
  const std::string joined = o.over_modalities == models::CubeCompose::mean
                                 ? net.average(over_time, 1)
                                 : net.reshape(over_time, {-1, count * wide});
  if (net.count("network.head") == 1) return net.linear("network.head.0", joined);
  return net.linear("network.head.1", net.linear("network.head.0", joined, "Relu"));
}

}  // namespace lacuna::zoo
