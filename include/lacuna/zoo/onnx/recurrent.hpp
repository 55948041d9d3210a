/// GRU and LSTM as nodes: a Scan over time, whose body is one step.
///
/// ONNX's own operators know lengths alone; here an absent frame, wherever it stands, leaves the state as it is and gives 0,
/// as in nn/recurrent.hpp. Scan runs in both precisions, in either direction.
#pragma once

#include "lacuna/zoo/onnx/network.hpp"

namespace lacuna::zoo {

struct OnnxStates {
  std::string y;                       ///< (B, T, dirs · hidden)
  std::vector<std::string> h, c = {};  ///< last states of the last layer, by direction; c of an LSTM
};

}  // namespace lacuna::zoo

namespace lacuna::detail {

/// One direction of one layer. x (B, T, in), 0 at absent frames.
inline zoo::OnnxStates onnx_cell(const zoo::OnnxNetwork& net, const std::string& path, bool lstm, const std::string& x,
                                 const std::string& present, bool reverse) {
  using zoo::OnnxNetwork;
  using Name = OnnxNetwork::Name;
  io::OnnxGraph& graph = net.graph();
  const index_t hidden = net.shape(path + ".weight_h")[1];
  const bool biased = net.has(path + ".bias_x");
  const Name gates = net.affine(x, net.parameter(path + ".weight_x"), biased ? net.parameter(path + ".bias_x") : "");
  const Name weight = net.permute(net.parameter(path + ".weight_h"), {1, 0});
  const Name start = net.node("Expand", {net.number(0), net.concat({net.length(x, 0), graph.integers({hidden})}, 0)});

  const auto body = io::OnnxGraph::inside(graph);
  const OnnxNetwork step(*body, State());
  const Name h = body->argument(graph.real()), c = lstm ? body->argument(graph.real()) : "";
  const Name given = body->argument(graph.real());
  const Name there = present.empty() ? "" : step.unsqueeze(body->argument(io::OnnxType::boolean), -1);
  const Name bias = biased ? net.parameter(path + ".bias_h") : "";
  const Name product = step.node("MatMul", {h, weight}), own = biased ? step.add(product, bias) : product;
  const auto part = [&](const Name& of, index_t i) { return step.slice(of, 1, i * hidden, (i + 1) * hidden); };
  Name next, cell;
  if (lstm) {
    const Name sum = step.add(given, own);
    const auto gate = [&](index_t i, const char* with) { return step.node(with, {part(sum, i)}); };
    cell = step.add(step.multiply(gate(1, "Sigmoid"), c), step.multiply(gate(0, "Sigmoid"), gate(2, "Tanh")));
    next = step.multiply(gate(3, "Sigmoid"), step.node("Tanh", {cell}));
  } else {
    const auto gate = [&](index_t i) { return step.node("Sigmoid", {step.add(part(given, i), part(own, i))}); };
    const Name r = gate(0), z = gate(1);
    const Name n = step.node("Tanh", {step.add(part(given, 2), step.multiply(r, part(own, 2)))});
    next = step.add(step.multiply(step.subtract(step.number(1), z), n), step.multiply(z, h));
  }
  const auto kept = [&](const Name& fresh, const Name& before) {
    return there.empty() ? fresh : step.node("Where", {there, fresh, before});
  };
  body->result(kept(next, h), graph.real());
  if (lstm) body->result(kept(cell, c), graph.real());
  body->result(there.empty() ? next : step.node("Where", {there, next, step.number(0)}), graph.real());

  OnnxNetwork::Names inputs{start};
  if (lstm) inputs.push_back(start);
  inputs.push_back(gates);
  if (!present.empty()) inputs.push_back(present);
  const auto scanned = std::size_t(present.empty() ? 1 : 2);
  const auto made = graph.nodes("Scan", inputs, lstm ? 3 : 2,
                                {{"body", body},
                                 {"num_scan_inputs", index_t(scanned)},
                                 {"scan_input_axes", std::vector<index_t>(scanned, 1)},
                                 {"scan_input_directions", std::vector<index_t>(scanned, index_t(reverse))},
                                 {"scan_output_axes", std::vector<index_t>{1}},
                                 {"scan_output_directions", std::vector<index_t>{index_t(reverse)}}});
  return {made.back(), {made[0]}, lstm ? OnnxNetwork::Names{made[1]} : OnnxNetwork::Names{}};
}

}  // namespace lacuna::detail

namespace lacuna::zoo {

/// All layers of a recurrent network. present: "" for all frames.
inline OnnxStates recurrent(const OnnxNetwork& net, const std::string& path, bool lstm, const std::string& x,
                            const std::string& present, bool bidirectional = false) {
  OnnxStates states{net.keep(x, present), {}, {}};
  const index_t directions = bidirectional ? 2 : 1, cells = net.count(path + ".cells");
  for (index_t i = 0; i < cells; i += directions) {
    OnnxNetwork::Names parts;
    states.h.clear(), states.c.clear();
    for (index_t d = 0; d < directions; ++d) {
      const OnnxStates one =
          lacuna::detail::onnx_cell(net, path + ".cells." + std::to_string(i + d), lstm, states.y, present, d == 1);
      parts.push_back(one.y);
      states.h.push_back(one.h[0]);
      if (lstm) states.c.push_back(one.c[0]);
    }
    states.y = net.concat(parts, 2);
  }
  return states;
}

}  // namespace lacuna::zoo
