/// CorrKD's parameters under the names of the PyTorch reference: conv.S, enc.S.L.{n1,n2,qkv,out,f1,f2}, enc.S.depth
/// (the last norm), head.0, head.3 of a network; net.0, net.2, ... of a critic. S counts modalities, L layers.
#pragma once

#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/core/path.hpp"
#include "lacuna/core/shape.hpp"

namespace lacuna::models {

/// Name of a parameter of `CorrkdNetwork`. Throws Error for a path that is none of the network's.
inline std::string corrkd_pytorch_name(const std::string& path, index_t depth) {
  const std::vector<std::string> part = lacuna::detail::split_path(path);
  const std::string tail = "." + part.back();
  if (part[0] == "convolution" && part.size() == 3) return "conv." + part[1] + tail;
  if (part[0] == "head_in") return "head.0" + tail;
  if (part[0] == "head_out") return "head.3" + tail;
  if ((part[0] == "fill" || part[0] == "unimodal") && part.size() == 3) return path;  // not in the reference
  if (part[0] == "pooling") return path;                                              // nor this
  if (part[0] == "encoder" && part.size() == 4 && part[2] == "norm")
    return "enc." + part[1] + "." + std::to_string(depth) + tail;
  if (part[0] == "encoder" && part.size() >= 6 && part[2] == "layers") {
    const std::string layer = "enc." + part[1] + "." + part[3], room = part[4] + "." + part[5];
    if (part[4] == "norm1") return layer + ".n1" + tail;
    if (part[4] == "norm2") return layer + ".n2" + tail;
    if (room == "attention.qkv") return layer + ".qkv" + tail;
    if (room == "attention.output") return layer + ".out" + tail;
    if (room == "feed_forward.in") return layer + ".f1" + tail;
    if (room == "feed_forward.out") return layer + ".f2" + tail;
  }
  throw Error("CorrKD: the parameter '" + path + "' has no name in the reference");
}

/// Name of a parameter of a `ResponseCritic` of kind mlp.
inline std::string corrkd_critic_pytorch_name(const std::string& path, index_t layers) {
  const std::string tail = path.substr(path.rfind('.'));
  if (path.starts_with("out.")) return "net." + std::to_string(2 * layers) + tail;
  if (path.starts_with("hidden.")) return "net." + std::to_string(2 * std::stoll(path.substr(7))) + tail;
  throw Error("CorrKD: the critic's parameter '" + path + "' has no name in the reference");
}

}  // namespace lacuna::models
