/// Published models as nodes, without their authors' treatment of padding: TFN, LMF, MISA, Self-MM, MMIM, MulT, LNLN.
/// Each function gives the scores (B, outputs) of three streams, the text first.
#pragma once

#include "lacuna/models/baselines/lmf.hpp"
#include "lacuna/models/baselines/misa.hpp"
#include "lacuna/models/baselines/mmim.hpp"
#include "lacuna/models/baselines/self_mm.hpp"
#include "lacuna/models/baselines/tfn.hpp"
#include "lacuna/zoo/onnx/crossmodal.hpp"
#include "lacuna/zoo/onnx/recurrent.hpp"
#include "lacuna/zoo/onnx/tokens.hpp"

namespace lacuna::detail {

/// AverageSubnet
inline std::string onnx_average_subnet(const zoo::OnnxNetwork& net, const std::string& path, const zoo::OnnxStream& x) {
  std::string y = net.batch_norm(path + ".norm", net.mean(x.frames, x.present));
  for (const char* layer : {".linear_1", ".linear_2", ".linear_3"}) y = net.linear(path + layer, y, "Relu");
  return net.keep(y, net.any(x.present));
}
/// LastStateSubnet
inline std::string onnx_last_state(const zoo::OnnxNetwork& net, const std::string& path, const zoo::OnnxStream& x,
                                   bool bidirectional = false) {
  const auto states = zoo::recurrent(net, path + ".rnn", true, x.frames, x.present, bidirectional);
  return net.keep(net.linear(path + ".linear_1", net.concat(states.h, -1)), net.any(x.present));
}
/// (B, n) → (B, n + 1): a one before each vector.
inline std::string onnx_prepend_one(const zoo::OnnxNetwork& net, const std::string& x) {
  return net.node("Pad", {x, net.graph().integers({0, 1, 0, 0}), net.number(1)});
}

}  // namespace lacuna::detail

namespace lacuna::zoo {

inline std::string onnx_tfn(const OnnxNetwork& net, const models::TfnOptions& o, const OnnxStreams& x) {
  const std::string parts[3] = {lacuna::detail::onnx_average_subnet(net, "network.audio_subnet", x[1]),
                                lacuna::detail::onnx_average_subnet(net, "network.video_subnet", x[2]),
                                lacuna::detail::onnx_last_state(net, "network.text_subnet", x[0])};
  std::string product = lacuna::detail::onnx_prepend_one(net, parts[0]);
  index_t size = o.first_hidden + 1;
  for (const std::size_t m : {1, 2}) {
    const std::string next = lacuna::detail::onnx_prepend_one(net, parts[m]);
    size *= (m == 1 ? o.second_hidden : o.text_out) + 1;
    product = net.reshape(net.multiply(net.unsqueeze(product, 2), net.unsqueeze(next, 1)), {-1, size});
  }
  std::string y = net.linear("network.post_fusion_layer_1", product, "Relu");
  y = net.linear("network.post_fusion_layer_3", net.linear("network.post_fusion_layer_2", y, "Relu"));
  return o.classes > 0 ? y : net.subtract(net.scale(net.node("Sigmoid", {y}), 6), net.number(3));
}

inline std::string onnx_lmf(const OnnxNetwork& net, const models::LmfOptions& o, const OnnxStreams& x) {
  const auto part = [&](const std::string& y, const std::string& factor) {
    const std::string one = net.unsqueeze(lacuna::detail::onnx_prepend_one(net, y), 0);
    return net.node("MatMul", {one, net.parameter("network." + factor)});  // (R, B, outputs)
  };
  std::string fused = part(lacuna::detail::onnx_average_subnet(net, "network.audio_subnet", x[1]), "audio_factor");
  fused =
      net.multiply(fused, part(lacuna::detail::onnx_average_subnet(net, "network.video_subnet", x[2]), "video_factor"));
  fused = net.multiply(fused, part(lacuna::detail::onnx_last_state(net, "network.text_subnet", x[0]), "text_factor"));
  const std::string w = net.reshape(net.parameter("network.fusion_weights"), {o.rank, 1, 1});
  return net.add(net.sum(net.multiply(fused, w), 0), net.parameter("network.fusion_bias"));
}

inline std::string onnx_misa(const OnnxNetwork& net, const models::MisaOptions& o, const OnnxStreams& x) {
  const auto frames = [&](const std::string& path, const OnnxStream& stream) {
    const OnnxStates lower = recurrent(net, path + ".rnn1", true, stream.frames, stream.present, true);
    const OnnxStates upper =
        recurrent(net, path + ".rnn2", true, net.layer_norm(path + ".layer_norm", lower.y), stream.present, true);
    return net.concat({lower.h[0], upper.h[0], lower.h[1], upper.h[1]}, -1);
  };
  const std::string utterance[3] = {net.mean(x[0].frames, x[0].present), frames("network.first", x[1]),
                                    frames("network.second", x[2])};
  OnnxNetwork::Names own(3), shared(3), has(3);
  for (std::size_t m = 0; m < 3; ++m) {
    const std::string path = "network.modality." + std::to_string(m), there = net.any(x[m].present);
    const std::string projected = net.linear(path + ".project", utterance[m], "Relu");
    const std::string common = net.keep(net.layer_norm(path + ".project_norm", projected), there);
    own[m] = net.keep(net.linear(path + ".private", common, "Sigmoid"), there);
    shared[m] = net.keep(net.linear("network.shared", common, "Sigmoid"), there);
    has[m] = there;
  }
  const std::string tokens = net.stack({own[0], own[2], own[1], shared[0], shared[2], shared[1]}, 1);
  const std::string keys = net.stack({has[0], has[2], has[1], has[0], has[2], has[1]}, 1);
  const std::string encoded = net.transformer_layer("network.encoder", tokens, keys, o.num_heads, false);
  const std::string joined = net.reshape(encoded, {-1, 6 * o.width});
  return net.linear("network.fusion_layer_3", net.linear("network.fusion_layer_1", joined, "Relu"));
}

inline std::string onnx_self_mm(const OnnxNetwork& net, const models::SelfMmOptions&, const OnnxStreams& x) {
  const std::string joined = net.concat(
      {net.mean(x[0].frames, x[0].present), lacuna::detail::onnx_last_state(net, "network.audio_model", x[1]),
       lacuna::detail::onnx_last_state(net, "network.video_model", x[2])},
      -1);
  const std::string hidden =
      net.linear("network.head.0.layer_2", net.linear("network.head.0.layer_1", joined, "Relu"), "Relu");
  return net.linear("network.head.0.layer_3", hidden);
}

inline std::string onnx_mmim(const OnnxNetwork& net, const models::MmimOptions&, const OnnxStreams& x) {
  const std::string joined = net.concat(
      {net.mean(x[0].frames, x[0].present), lacuna::detail::onnx_last_state(net, "network.acoustic_enc", x[1], true),
       lacuna::detail::onnx_last_state(net, "network.visual_enc", x[2], true)},
      -1);
  const std::string fused =
      net.linear("network.fusion_prj.linear_2", net.linear("network.fusion_prj.linear_1", joined, "Tanh"), "Tanh");
  return net.linear("network.fusion_prj.linear_3", fused);
}

}  // namespace lacuna::zoo
