/// SDUMC's parameters under the names of the authors' PyTorch module: brings their checkpoints in, and ours out.
#pragma once

#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/core/path.hpp"

namespace lacuna::models {

/// Name in the authors' state dict of a parameter of `SdumcNetwork` with three modalities (audio, text, video).
/// Throws Error for a path that is none of the network's.
inline std::string sdumc_pytorch_name(const std::string& path) {
  static constexpr const char* modality[] = {"audio", "text", "video"};
  static constexpr const char* view[] = {"fused", "at", "tv", "av", "audio", "text", "video"};
  const std::vector<std::string> part = lacuna::detail::split_path(path);
  const std::string& room = part[0];
  const auto number = [&](std::size_t limit) {
    const std::size_t i = part.size() > 1 ? std::size_t(part[1][0] - '0') : limit;
    if (part.size() < 3 || part[1].size() != 1 || i >= limit)
      throw Error("SDUMC: the parameter '" + path + "' has no name in the authors' module");
    return i;
  };
  const auto tail = [&] { return "." + part.back(); };
  // a dropout and a ReLU stand between the linear layers of a block: they are numbers 0 and 3
  const auto layer = [&](std::size_t at) { return std::string(part.at(at) == "0" ? ".0" : ".3") + tail(); };
  if (room == "projection") return "frame_dim_reshape_" + std::to_string(number(3)) + tail();
  if (room == "pooling") {
    const std::string prefix = "fra2utt_" + std::to_string(number(3));
    return part[2] == "query" ? prefix + ".attention_context_vector" : prefix + ".input_proj" + tail();
  }
  if (room == "hidden") return std::string(modality[number(3)]) + "_mlp" + layer(3);
  if (room == "gate_mlp") return "attention_mlp" + layer(2);
  if (room == "gate") return "fc_att" + tail();
  if (room == "view_query") return std::string("cross_") + view[number(7)] + "_query_mlp" + layer(3);
  if (room == "cross_attention")
    return "cross_att_fra2utt_" + std::to_string(number(3)) + (part[2] == "query" ? ".query_proj" : ".input_proj") +
           tail();
  if (room == "content") return std::string("cross_") + modality[number(3)] + "_mlp" + layer(3);
  if (room == "view_mlp") return "cross_attention_mlp" + layer(2);
  if (room == "view_gate") return "cross_fc_att" + tail();
  if (room == "regression") return "fc_out_v" + tail();
  if (room == "contrast_in") return "orgin_linear_change.0" + tail();
  if (room == "contrast_out") return "orgin_linear_change.2" + tail();
  if (room == "imagination") {
    const std::string prefix =
        number(2) == 0 ? "missing_text_imagination_mlp" : "missing_cross_text_query_imagination_mlp";
    const std::string& net = part[2];
    return prefix +
           (net == "transition_in"    ? ".transition.0"
            : net == "transition_out" ? ".transition.2"
            : net == "encoder"        ? ".encoder_0.0"
                                      : ".decoder_0.0") +
           tail();
  }
  throw Error("SDUMC: the parameter '" + path + "' has no name in the authors' module");
}

}  // namespace lacuna::models
