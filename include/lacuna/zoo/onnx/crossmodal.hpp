/// MulT as nodes, and the crossmodal Transformers it is made of (nn/crossmodal.hpp).
#pragma once

#include "lacuna/models/baselines/mult.hpp"
#include "lacuna/zoo/onnx/streams.hpp"

namespace lacuna::detail {

struct OnnxCrossmodal {
  using Name = std::string;

  const zoo::OnnxNetwork& net;
  index_t heads;
  bool positions;
  index_t longest;

  /// √d x + pos(x), whose rows are 0 where x is absent.
  Name embedded(const Name& x, const Name& present, index_t width) const {
    Name y = net.scale(x, std::sqrt(double(width)));
    if (!positions) return y;
    const Variable<double, 3> rows(Tensor<double, 3>::full({1, longest, width}, 1.0));
    const Tensor<double, 3> table = crossmodal_positions(rows, Mask<2>());
    const std::vector<double> numbers = table.to_vector();
    const Name all = net.graph().numbers(numbers, {longest, width});
    const Name here = net.node("Gather", {all, net.places(x)});
    return net.add(y, net.keep(net.node("Expand", {here, net.node("Shape", {x})}), present));
  }
  /// key "": self-attention.
  Name operator()(const std::string& path, const Name& x, const Name& present, const Name& key,
                  const Name& key_present) const {
    const index_t width = net.shape(path + ".layer_norm.weight")[0];
    Name y = embedded(x, present, width);
    const Name memory = key.empty() ? "" : embedded(key, key_present, width);
    for (index_t i = 0; i < net.count(path + ".layers"); ++i) {
      const std::string layer = path + ".layers." + std::to_string(i);
      const Name q = net.layer_norm(layer + ".layer_norms.0", y);
      const Name u = key.empty() ? q : net.layer_norm(layer + ".layer_norms.0", memory);
      const auto part = [&](const Name& of, index_t n) {
        return net.affine(of,
                          net.slice(net.parameter(layer + ".self_attn.in_proj_weight"), 0, n * width, (n + 1) * width),
                          net.slice(net.parameter(layer + ".self_attn.in_proj_bias"), 0, n * width, (n + 1) * width));
      };
      const Name seen = net.attention(part(q, 0), part(u, 1), part(u, 2), key.empty() ? present : key_present, heads,
                                      1 / std::sqrt(double(width / heads)));
      y = net.add(y, net.linear(layer + ".self_attn.out_proj", seen));
      y = net.add(y, net.linear(layer + ".fc2",
                                net.linear(layer + ".fc1", net.layer_norm(layer + ".layer_norms.1", y), "Relu")));
    }
    return net.layer_norm(path + ".layer_norm", y);
  }
};

}  // namespace lacuna::detail

namespace lacuna::zoo {

inline std::string onnx_mult(const OnnxNetwork& net, const models::MultOptions& o, const OnnxStreams& x,
                             index_t longest) {
  using Streams = models::CrossmodalStreams<float>;
  static constexpr const char* projections[3] = {"network.proj_l", "network.proj_a", "network.proj_v"};
  const lacuna::detail::OnnxCrossmodal transformer{net, o.num_heads, o.positions, longest};
  OnnxNetwork::Names frames, pairs, last;
  for (std::size_t m = 0; m < 3; ++m) {
    const index_t reach = o.kernels[m] - 1;
    frames.push_back(net.keep(net.conv1d(projections[m], x[m].frames, reach / 2, reach - reach / 2), x[m].present));
  }
  for (std::size_t p = 0; p < 6; ++p) {
    const auto to = std::size_t(Streams::pair[p][0]), from = std::size_t(Streams::pair[p][1]);
    pairs.push_back(transformer(std::string("network.") + Streams::pair_names[p], frames[to], x[to].present,
                                frames[from], x[from].present));
  }
  for (std::size_t m = 0; m < 3; ++m) {
    const std::string both = net.concat({pairs[2 * m], pairs[2 * m + 1]}, -1);
    const std::string memory =
        transformer(std::string("network.") + Streams::memory_names[m], both, x[m].present, "", "");
    last.push_back(net.last(memory, x[m].present));
  }
  const std::string joined = net.concat(last, -1);
  const std::string hidden = net.add(net.linear("network.proj2", net.linear("network.proj1", joined, "Relu")), joined);
  return net.linear("network.out_layer", hidden);
}

}  // namespace lacuna::zoo
