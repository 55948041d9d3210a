/// LNLN as nodes, and the Transformers behind learned tokens that it is made of (models/baselines/token_transformer.hpp).
#pragma once

#include "lacuna/models/baselines/lnln.hpp"
#include "lacuna/zoo/onnx/streams.hpp"

namespace lacuna::detail {

struct OnnxTokens {
  using Name = std::string;
  using Names = std::vector<std::string>;

  const zoo::OnnxNetwork& net;
  index_t heads;

  Name attend(const Name& q, const Name& k, const Name& v, const Name& present, index_t inner) const {
    return net.attention(q, k, v, present, heads, 1 / std::sqrt(double(inner / heads)));
  }
  /// models::TokenLayer
  Name layer(const std::string& path, const Name& x, const Name& from, const Name& present) const {
    const auto part = [&](const char* norm, const char* to, const Name& of) {
      return net.linear(path + to, net.layer_norm(path + norm, of));
    };
    const Name seen = attend(part(".0.norm_q", ".0.fn.to_q", x), part(".0.norm_k", ".0.fn.to_k", from),
                             part(".0.norm_v", ".0.fn.to_v", from), present, net.shape(path + ".0.fn.to_q.weight")[0]);
    const Name y = net.add(x, net.linear(path + ".0.fn.to_out.0", seen));
    const Name inner = net.linear(path + ".1.fn.net.0", net.layer_norm(path + ".1.norm", y), "Gelu");
    return net.add(y, net.linear(path + ".1.fn.net.3", inner));
  }
  /// The sequence after its positions, and after every layer.
  Names stack(const std::string& path, Name x, Name present = {}) const {
    if (net.has(path + ".extra_token")) {
      const Name tokens = net.parameter(path + ".extra_token");
      if (!present.empty()) {
        const Name yes = net.node("Expand", {net.cast(net.graph().integers({1}), io::OnnxType::boolean),
                                             net.graph().integers({1, net.shape(path + ".extra_token")[1]})});
        const Name shape = net.concat({net.length(x, 0), net.graph().integers({1})}, 0);
        present = net.concat({net.node("Expand", {yes, shape}), present}, 1);
      }
      x = net.concat({net.each(tokens, x, 3), x}, 1);
    }
    Names all{net.positions(x, net.squeeze(net.parameter(path + ".pos_embedding"), 0))};
    for (index_t i = 0; i < net.count(path + ".encoder.layers"); ++i)
      all.push_back(layer(path + ".encoder.layers." + std::to_string(i), all.back(), all.back(), present));
    return all;
  }
};

}  // namespace lacuna::detail

namespace lacuna::zoo {

inline std::string onnx_lnln(const OnnxNetwork& net, const models::LnlnOptions& o, const OnnxStreams& x) {
  using Name = OnnxNetwork::Name;
  const index_t count = models::LnlnNetwork<float>::count;
  static constexpr const char* extractor[3] = {"network.proj_l", "network.proj_a", "network.proj_v"};
  const lacuna::detail::OnnxTokens tokens{net, o.num_heads};
  OnnxNetwork::Names h;
  for (std::size_t m = 0; m < 3; ++m) {
    const std::string path = extractor[m];
    const Name in = net.linear(path + ".0", x[m].frames);
    h.push_back(net.slice(tokens.stack(path + ".1", in, x[m].present).back(), 1, 0, count));
  }
  const Name check = net.select(tokens.stack("network.completeness_check.0", h[0]).back(), 1, 0);
  const Name inner = net.leaky(net.linear("network.completeness_check.1.0", check), 0.1);
  const Name w = net.unsqueeze(net.linear("network.completeness_check.1.2", inner, "Sigmoid"), -1);
  const auto each = [&](const std::string& parameter) { return net.each(net.parameter(parameter), h[0], 3); };
  const Name generated =
      tokens.stack("network.proxy_dominate_modality_generator", net.concat({each("network.h_p"), h[1], h[2]}, 1))
          .back();
  const Name proxy = net.slice(generated, 1, 0, count);
  const Name dominant = net.add(net.multiply(net.subtract(net.number(1), w), proxy), net.multiply(w, h[0]));
  const auto language = tokens.stack("network.dmml.0", dominant);
  Name y = each("network.h_hyper");
  for (index_t i = 0; i < net.count("network.dmml.1.layers"); ++i) {
    const std::string path = "network.dmml.1.layers." + std::to_string(i) + ".0";
    const auto part = [&](const char* norm, const char* to, const Name& of) {
      return net.linear(path + to, net.layer_norm(path + norm, of));
    };
    const Name query = part(".norm1", ".fn.to_q", language[std::size_t(i)]);
    const auto asked = [&](const char* norm, const char* key, const char* value, const Name& of) {
      return tokens.attend(query, part(norm, key, of), part(norm, value, of), "", o.width);
    };
    const Name found = net.add(asked(".norm2", ".fn.to_k_ta", ".fn.to_v_ta", h[1]),
                               asked(".norm3", ".fn.to_k_tv", ".fn.to_v_tv", h[2]));
    y = net.add(net.layer_norm(path + ".norm4", y), net.linear(path + ".fn.to_out.0", found));
  }
  const auto behind_token = [&](const Name& of, const char* positions) {
    return net.add(net.concat({each("network.dmml.2.extra_token"), of}, 1), net.parameter(positions));
  };
  const Name source = behind_token(y, "network.dmml.2.pos_embedding_s");
  Name fused = behind_token(language[2], "network.dmml.2.pos_embedding_t");
  for (index_t i = 0; i < o.fusion_layers; ++i)
    fused = tokens.layer("network.dmml.2.CrossTransformerEncoder.layers." + std::to_string(i), fused, source, "");
  return net.linear("network.dmml.3", net.average(net.slice(fused, 1, 1, count + 1), 1));
}

}  // namespace lacuna::zoo
