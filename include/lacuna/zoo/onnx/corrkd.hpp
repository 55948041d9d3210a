/// CorrKD's student as nodes. `longest`: frames for which the positions are part of the file.
#pragma once

#include "lacuna/models/corrkd/options.hpp"
#include "lacuna/nn/position.hpp"
#include "lacuna/zoo/onnx/streams.hpp"

namespace lacuna::zoo {

/// Sines and cosines of so many frames, as a constant.
inline std::string onnx_positions(const OnnxNetwork& net, index_t width, index_t longest) {
  return net.graph().real() == io::OnnxType::f64
             ? net.graph().constant("positions",
                                    static_cast<const Array<double>&>(sinusoidal_table<double>(longest, width)))
             : net.graph().constant("positions",
                                    static_cast<const Array<float>&>(sinusoidal_table<float>(longest, width)));
}

}  // namespace lacuna::zoo

namespace lacuna::detail {

struct OnnxCorrkd {
  using Name = std::string;
  using Names = std::vector<std::string>;

  const zoo::OnnxNetwork& net;
  const models::CorrkdNetworkOptions& o;
  index_t longest;
  const std::string at = "network.student.";

  bool fixed() const { return o.gap_mask == models::GapMask::none && !o.frames.empty(); }
  Name whole(index_t value) const { return net.graph().integers({value}); }
  /// Zeros behind frames or flags up to the length that is fixed.
  Name lengthened(const Name& x, std::size_t m, index_t rank) const {
    const Name more = net.node("Max", {net.subtract(whole(o.frames[m]), net.length(x, 1)), whole(0)});
    Names pads{net.graph().integers(std::vector<index_t>(std::size_t(rank + 1), 0)), more};
    if (rank == 3) pads.push_back(whole(0));
    return net.node("Pad", {x, net.concat(pads, 0)});
  }
  /// Which frames count, or "" for all.
  Name counted(std::size_t m, const Name& present) const {
    if (o.gap_mask == models::GapMask::present) return present;
    if (o.gap_mask == models::GapMask::none && o.frames.empty()) return "";
    const Name found = net.lengths(present);
    const Name length = fixed()
                            ? net.node("Max", {found, whole(o.frames[m])})
                            : net.node("Where", {net.node("Equal", {found, whole(0)}), net.length(present, 1), found});
    return net.node("Less", {net.places(present), length});
  }
  /// h_m
  Name encode(std::size_t m, const zoo::OnnxStream& stream, const Name& positions) const {
    const std::string number = "." + std::to_string(m);
    Name x = stream.frames, present = stream.present;
    if (fixed()) {
      x = lengthened(x, m, 3);
      present = net.cast(lengthened(net.cast(present, io::OnnxType::f32), m, 2), io::OnnxType::boolean);
    }
    const Name seen = counted(m, present);
    if (o.fill == missing::Fill::learned) {
      const Name gone = net.node("Not", {present});
      const Name absent = seen.empty() ? gone : net.node("And", {gone, seen});
      x = net.add(x, net.linear(at + "fill" + number, net.unsqueeze(net.real(absent), -1)));
    }
    x = net.conv1d(at + "convolution" + number, x, (o.kernel - 1) / 2, o.kernel - 1 - (o.kernel - 1) / 2);
    if (o.embedding_scale != 1) x = net.scale(x, o.embedding_scale);
    x = net.transformer(at + "encoder" + number, net.positions(x, positions), seen, o.head_count());
    if (o.fill == missing::Fill::encoded_zeros) x = net.keep(x, present);
    if (o.pooling == models::FramePooling::mean) return net.mean(x, seen);
    const std::string path = at + "pooling" + number;
    const Name query = net.reshape(net.parameter(path + ".query"), {1, 1, -1});
    return net.squeeze(net.attention(query, net.linear(path + ".key", x, "Tanh"), x, seen, 1, 1), 1);
  }
};

}  // namespace lacuna::detail

namespace lacuna::zoo {

/// z (B, K).
inline std::string onnx_corrkd(const OnnxNetwork& net, const models::CorrkdNetworkOptions& o,
                               const OnnxStreams& streams, index_t longest) {
  const lacuna::detail::OnnxCorrkd model{net, o, longest};
  const std::size_t count = o.inputs.size();
  for (const index_t frames : o.frames) longest = std::max(longest, frames);
  const std::string positions = onnx_positions(net, o.width, longest);
  OnnxNetwork::Names h, present, flags;
  for (std::size_t m = 0; m < count; ++m) {
    h.push_back(model.encode(m, streams[m], positions));
    present.push_back(net.any(streams[m].present));
    flags.push_back(net.unsqueeze(net.real(present[m]), -1));
  }
  auto joint = h;
  if (o.presence) joint.insert(joint.end(), flags.begin(), flags.end());
  std::string scores =
      net.linear(model.at + "head_out", net.linear(model.at + "head_in", net.concat(joint, -1), "Relu"));
  if (o.evidence == models::Evidence::none) return scores;
  std::string said, here;
  for (std::size_t m = 0; m < count; ++m) {
    const std::string own = net.keep(net.linear(model.at + "unimodal." + std::to_string(m), h[m]), present[m]);
    said = said.empty() ? own : net.add(said, own);
    here = here.empty() ? flags[m] : net.add(here, flags[m]);
  }
  if (o.evidence == models::Evidence::mean) said = net.node("Div", {said, net.node("Max", {here, net.number(1)})});
  return net.add(scores, said);
}

}  // namespace lacuna::zoo
