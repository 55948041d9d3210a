/// SDUMC as nodes. Both flows are computed, and each sample takes the one that its own presence asks for.
#pragma once

#include "lacuna/models/sdumc/options.hpp"
#include "lacuna/zoo/onnx/streams.hpp"

namespace lacuna::detail {

struct OnnxSdumc {
  using Name = std::string;
  using Names = std::vector<std::string>;

  const zoo::OnnxNetwork& net;
  const models::SdumcOptions& o;
  const std::string at = "network.flows.";

  std::size_t modalities() const { return o.inputs.size(); }
  static std::string number(std::size_t i) { return "." + std::to_string(i); }
  Name visible(const zoo::OnnxStream& stream) const {
    if (o.padding == models::Padding::masked) return stream.present;
    return net.node("Expand", {net.unsqueeze(net.any(stream.present), 1), net.node("Shape", {stream.present})});
  }
  /// Σ_m w_m x_m over the modalities of a view. w (B, M).
  Name weighted(const Name& w, const Names& x, const std::vector<std::uint8_t>& view, index_t rank) const {
    Name total;
    for (std::size_t m = 0; m < x.size(); ++m) {
      if (!view[m]) continue;
      Name gate = net.slice(w, 1, index_t(m), index_t(m) + 1);
      if (rank == 3) gate = net.unsqueeze(gate, -1);
      const Name term = net.multiply(gate, x[m]);
      total = total.empty() ? term : net.add(total, term);
    }
    return total;
  }
  Name imagined(std::size_t which, const Names& x) const {
    const std::string path = at + "imagination" + number(which);
    const Name joined =
        net.linear(path + ".transition_out", net.linear(path + ".transition_in", net.concat(x, -1), "Relu"));
    const Name decoded = net.linear(path + ".decoder", net.linear(path + ".encoder", joined));
    return net.add(decoded, o.imagination == models::Imagination::input ? x[std::size_t(o.missing)] : joined);
  }

  /// ŷ (B, outputs) of one flow.
  Name flow(const zoo::OnnxStreams& streams, bool missing) const {
    const std::size_t m = modalities();
    const bool imagine = missing && o.imagination != models::Imagination::off;
    const auto lost = std::size_t(o.missing);
    Names frames, present, vectors;
    for (std::size_t i = 0; i < m; ++i) {
      frames.push_back(net.linear(at + "projection" + number(i), streams[i].frames));
      present.push_back(visible(streams[i]));
      const std::string path = at + "pooling" + number(i);
      const Name query = net.reshape(net.parameter(path + ".query"), {1, 1, -1});
      const Name key = net.linear(path + ".key", frames[i], "Tanh");
      const Name pooled = net.squeeze(net.attention(query, key, frames[i], present[i], 1, o.scale), 1);
      vectors.push_back(net.mlp(at + "hidden" + number(i), pooled));
    }
    if (imagine) vectors[lost] = imagined(0, vectors);
    const Name gates = net.linear(at + "gate", net.mlp(at + "gate_mlp", net.concat(vectors, -1)));
    const auto views = models::sdumc_views(index_t(m));
    Names queries;
    for (std::size_t i = 0; i < views.size(); ++i) {
      const bool single = i + m >= views.size();
      const Name mix = single ? vectors[i + m - views.size()] : weighted(gates, vectors, views[i], 2);
      queries.push_back(net.mlp(at + "view_query" + number(i), mix));
    }
    const Name all = net.stack(queries, 1);
    Names contents;
    for (std::size_t i = 0; i < m; ++i) {
      const std::string path = at + "cross_attention" + number(i);
      const Name key = net.linear(path + ".key", frames[i], "Tanh");
      const Name attended = net.attention(net.linear(path + ".query", all), key, frames[i], present[i], 1, o.scale);
      contents.push_back(net.mlp(at + "content" + number(i), attended));
    }
    if (imagine) contents[lost] = imagined(1, contents);
    const Name fused = weighted(gates, contents, views[0], 3);  // (B, V, h)
    const index_t wide = index_t(views.size()) * o.fused;
    const Name u = net.linear(at + "view_gate", net.mlp(at + "view_mlp", net.reshape(fused, {-1, wide})));
    return net.linear(at + "regression", net.sum(net.multiply(net.unsqueeze(u, -1), fused), 1));
  }
  /// What the decoder makes of the other modalities.
  zoo::OnnxStream decoded(const zoo::OnnxStreams& streams) const {
    const std::string path = "network.decoder.0";
    const Shape query = net.shape(path + ".query");
    const Name queries = net.reshape(net.parameter(path + ".query"), {1, query[0], query[1]});
    const index_t heads = o.simulator.num_heads;
    Names seen;
    Name made;
    for (std::size_t m = 0, i = 0; m < modalities(); ++m) {
      if (index_t(m) == o.missing) continue;
      const auto layer = [&](const char* part, const Name& x) { return net.linear(path + part + number(i), x); };
      const Name e = layer(".embed", streams[m].frames);
      seen.push_back(net.attention(queries, layer(".key", e), layer(".value", e), streams[m].present, heads,
                                   1 / std::sqrt(double(query[1] / heads))));
      const Name here = net.any(streams[m].present);
      made = made.empty() ? here : net.node("Or", {made, here});
      ++i;
    }
    const Name joined = net.concat(seen, -1);
    const Name frames = net.add(net.linear(path + ".skip", joined),
                                net.linear(path + ".outer", net.linear(path + ".inner", joined, "Relu")));
    const Name slots = net.concat({net.length(frames, 0), net.graph().integers({query[0]})}, 0);
    const Name present = net.node("Expand", {net.unsqueeze(made, 1), slots});
    return {net.keep(frames, present), present};
  }
};

}  // namespace lacuna::detail

namespace lacuna::zoo {

/// streams: the modalities, and behind them the stream that stands in where the model has one. Throws Error where
/// nothing stands in.
inline std::string onnx_sdumc(const OnnxNetwork& net, const models::SdumcOptions& o, const OnnxStreams& streams) {
  const lacuna::detail::OnnxSdumc model{net, o};
  const auto lost = std::size_t(o.missing);
  const std::string complete = model.flow(streams, false);
  OnnxStreams others = streams;
  if (o.simulator.stream >= 0)
    others[lost] = streams.at(o.inputs.size());
  else if (net.has("network.decoder.0.query"))
    others[lost] = model.decoded(streams);
  else
    throw Error("SDUMC: nothing stands in for the missing modality, neither a decoder nor a stream of the data");
  const std::string has = net.unsqueeze(net.any(streams[lost].present), -1);
  return net.node("Where", {has, complete, model.flow(others, true)});
}

}  // namespace lacuna::zoo
