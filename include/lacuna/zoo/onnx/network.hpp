/// The layers of nn/ as nodes of an ONNX graph, their parameters taken from a stored model by their paths.
///
///     OnnxNetwork net(graph, state.under("parameters"));
///     const Name h = net.linear("network.head", net.mean(x, present), "Relu");
///
/// Formulas and treatment of what is absent are those of the layers of the same name; frames are (B, T, F), masks (B, T)
/// of type bool, "" for none. Parameters keep their paths as names of the graph's tensors, in the layout of PyTorch.
/// A path that the model does not have is an IoError.
#pragma once

#include <cmath>
#include <limits>

#include "lacuna/core/state.hpp"
#include "lacuna/io/onnx.hpp"

namespace lacuna::zoo {

class OnnxNetwork {
 public:
  using Name = std::string;
  using Names = std::vector<std::string>;

  /// parameters: of the model, by path.
  OnnxNetwork(io::OnnxGraph& graph, State parameters) : graph_(&graph), parameters_(std::move(parameters)) {}

  io::OnnxGraph& graph() const { return *graph_; }
  Name node(const std::string& op, const Names& inputs, const io::OnnxGraph::Attributes& attributes = {}) const {
    return graph_->node(op, inputs, attributes);
  }
  Name number(double value) const { return graph_->number(value); }
  bool has(const std::string& path) const { return parameters_.contains(path); }
  Name parameter(const std::string& path) const {
    return graph_->real() == io::OnnxType::f64 ? graph_->constant(path, parameters_.get<Array<double>>(path))
                                               : graph_->constant(path, parameters_.get<Array<float>>(path));
  }
  Shape shape(const std::string& path) const {
    return graph_->real() == io::OnnxType::f64 ? parameters_.get<Array<double>>(path).shape()
                                               : parameters_.get<Array<float>>(path).shape();
  }
  /// How many of prefix.0, prefix.1, ... there are.
  index_t count(const std::string& prefix) const {
    index_t found = 0;
    while (has_any(prefix + "." + std::to_string(found) + ".")) ++found;
    return found;
  }

  // --- shapes and elements
  Name add(const Name& a, const Name& b) const { return node("Add", {a, b}); }
  Name subtract(const Name& a, const Name& b) const { return node("Sub", {a, b}); }
  Name multiply(const Name& a, const Name& b) const { return node("Mul", {a, b}); }
  Name scale(const Name& a, double by) const { return multiply(a, number(by)); }
  Name concat(const Names& parts, index_t axis) const {
    return parts.size() == 1 ? parts[0] : node("Concat", parts, {{"axis", axis}});
  }
  /// 0 in a shape: as it was.
  Name reshape(const Name& x, const std::vector<index_t>& to) const {
    return node("Reshape", {x, graph_->integers(to)});
  }
  Name permute(const Name& x, const std::vector<index_t>& order) const {
    return node("Transpose", {x}, {{"perm", order}});
  }
  Name unsqueeze(const Name& x, index_t axis) const { return node("Unsqueeze", {x, graph_->integers({axis})}); }
  Name squeeze(const Name& x, index_t axis) const { return node("Squeeze", {x, graph_->integers({axis})}); }
  Name slice(const Name& x, index_t axis, index_t begin, index_t end) const {
    return node("Slice", {x, graph_->integers({begin}), graph_->integers({end}), graph_->integers({axis})});
  }
  /// The rank loses the axis.
  Name select(const Name& x, index_t axis, index_t at) const {
    return squeeze(slice(x, axis, at, at == -1 ? std::numeric_limits<index_t>::max() : at + 1), axis);
  }
  Name stack(const Names& parts, index_t axis) const {
    Names all;
    for (const Name& part : parts) all.push_back(unsqueeze(part, axis));
    return concat(all, axis);
  }
  Name sum(const Name& x, index_t axis, bool keep = false) const {
    return node("ReduceSum", {x, graph_->integers({axis})}, {{"keepdims", index_t(keep)}});
  }
  Name average(const Name& x, index_t axis) const {
    return node("ReduceMean", {x}, {{"axes", std::vector<index_t>{axis}}, {"keepdims", index_t(0)}});
  }
  /// The length of an axis, as a list of one.
  Name length(const Name& x, index_t axis) const {
    return slice(node("Shape", {x}), 0, axis, axis == -1 ? std::numeric_limits<index_t>::max() : axis + 1);
  }
  /// (...) → (B, ...), B the batch of `like`.
  Name each(const Name& x, const Name& like, index_t rank) const {
    Names lengths{length(like, 0)};
    if (rank > 1) lengths.push_back(graph_->integers(std::vector<index_t>(std::size_t(rank - 1), 1)));
    return node("Expand", {x, concat(lengths, 0)});
  }
  Name cast(const Name& x, io::OnnxType type) const { return node("Cast", {x}, {{"to", index_t(type)}}); }
  Name real(const Name& mask) const { return cast(mask, graph_->real()); }
  Name gelu(const Name& x) const {
    const Name phi = add(node("Erf", {scale(x, std::sqrt(0.5))}), number(1));
    return multiply(scale(x, 0.5), phi);
  }
  /// "", or an operator without arguments, or "Gelu" (exact).
  Name activate(const Name& x, const std::string& activation) const {
    return activation.empty() ? x : activation == "Gelu" ? gelu(x) : node(activation, {x});
  }
  /// slope 0..1; an attribute would round it to 32 bits.
  Name leaky(const Name& x, double slope) const { return node("Max", {x, scale(x, slope)}); }

  // --- masks
  /// x (B, ...) with zeros where the mask, one axis shorter, is 0.
  Name keep(const Name& x, const Name& mask) const {
    return mask.empty() ? x : node("Where", {unsqueeze(mask, -1), x, number(0)});
  }
  /// (B, T) → (B): is a frame present?
  Name any(const Name& mask) const {
    const Name most = node("ReduceMax", {cast(mask, io::OnnxType::f32)},
                           {{"axes", std::vector<index_t>{1}}, {"keepdims", index_t(0)}});
    return node("Greater", {most, graph_->number(0, io::OnnxType::f32)});
  }
  /// 0 1 2 … T−1, T the length of axis 1 of x.
  Name places(const Name& x) const {
    const Name zero = squeeze(graph_->integers({0}), 0), one = squeeze(graph_->integers({1}), 0);
    return node("Range", {zero, squeeze(length(x, 1), 0), one});
  }
  /// (B, 1): 1 + the place of the last present frame, 0 where there is none.
  Name lengths(const Name& mask) const {
    const Name here = multiply(cast(mask, io::OnnxType::i64), add(places(mask), graph_->integers({1})));
    return node("ReduceMax", {here}, {{"axes", std::vector<index_t>{1}}, {"keepdims", index_t(1)}});
  }
  Name mean(const Name& x, const Name& mask) const {
    if (mask.empty()) return average(x, 1);
    const Name there = sum(real(mask), 1, true);
    return node("Div", {sum(keep(x, mask), 1), node("Max", {there, number(1)})});
  }
  Name maximum(const Name& x, const Name& mask) const {
    const Name low = node("Where", {unsqueeze(mask, -1), x, number(lowest())});
    return keep(node("ReduceMax", {low}, {{"axes", std::vector<index_t>{1}}, {"keepdims", index_t(0)}}), any(mask));
  }
  /// x (B, T, F) at the last present frame, 0 for a sample without one; without a mask the last row.
  Name last(const Name& x, const Name& mask) const {
    if (mask.empty()) return select(x, 1, -1);
    const Name at = node("Equal", {add(places(mask), graph_->integers({1})), lengths(mask)});
    return sum(keep(x, at), 1);
  }

  // --- layers
  Name linear(const std::string& path, const Name& x, const std::string& activation = {}) const {
    return activate(affine(x, parameter(path + ".weight"), has(path + ".bias") ? parameter(path + ".bias") : ""),
                    activation);
  }
  /// x Wᵀ + b.
  Name affine(const Name& x, const Name& weight, const Name& bias) const {
    const Name product = node("MatMul", {x, permute(weight, {1, 0})});
    return bias.empty() ? product : add(product, bias);
  }
  /// Every layer and a relu.
  Name mlp(const std::string& path, Name x) const {
    for (index_t i = 0; i < count(path + ".layers"); ++i) x = linear(path + ".layers." + std::to_string(i), x, "Relu");
    return x;
  }
  Name layer_norm(const std::string& path, const Name& x, double epsilon = 1e-5) const {
    const Name weight = parameter(path + ".weight"), bias = parameter(path + ".bias");
    if (graph_->real() == io::OnnxType::f32)
      return node("LayerNormalization", {x, weight, bias}, {{"axis", index_t(-1)}, {"epsilon", float(epsilon)}});
    // the operator's epsilon has 32 bits, which is seen in double
    const auto centre = [&](const Name& of) {
      return node("ReduceMean", {of}, {{"axes", std::vector<index_t>{-1}}, {"keepdims", index_t(1)}});
    };
    const Name off = subtract(x, centre(x));
    const Name spread = node("Sqrt", {add(centre(multiply(off, off)), number(epsilon))});
    return add(multiply(node("Div", {off, spread}), weight), bias);
  }
  /// With the statistics of training. x (B, F).
  Name batch_norm(const std::string& path, const Name& x, double epsilon = 1e-5) const {
    const Name spread = node("Sqrt", {add(parameter(path + ".running_variance"), number(epsilon))});
    const Name y = node("Div", {subtract(x, parameter(path + ".running_mean")), spread});
    return has(path + ".weight") ? add(multiply(y, parameter(path + ".weight")), parameter(path + ".bias")) : y;
  }
  /// Over time, stride 1; frames outside are 0. As a product per tap: onnxruntime has no convolution of doubles.
  Name conv1d(const std::string& path, const Name& x, index_t left, index_t right) const {
    const Shape sizes = shape(path + ".weight");
    const index_t taps = sizes[2];
    const Name padded = left + right > 0 ? node("Pad", {x, graph_->integers({0, left, 0, 0, right, 0})}) : x;
    const Name frames = add(length(padded, 1), graph_->integers({1 - taps}));
    Name total;
    for (index_t tap = 0; tap < taps; ++tap) {
      const Name part =
          node("Slice", {padded, graph_->integers({tap}), add(frames, graph_->integers({tap})), graph_->integers({1})});
      const Name weight = select(parameter(path + ".weight"), 2, tap);
      const Name product = affine(part, weight, "");
      total = total.empty() ? product : add(total, product);
    }
    return has(path + ".bias") ? add(total, parameter(path + ".bias")) : total;
  }
  /// query (B or 1, Q, H d), key and value (B, K, H d) → (B, Q, H d). bias, of the scores, broadcasts to (B, H, Q, K).
  Name attention(const Name& query, const Name& key, const Name& value, const Name& present, index_t heads,
                 double factor, const Name& bias = {}) const {
    const auto split = [&](const Name& x) { return permute(reshape(x, {0, 0, heads, -1}), {0, 2, 1, 3}); };
    const Name keys = permute(reshape(key, {0, 0, heads, -1}), {0, 2, 3, 1});
    Name scores = scale(node("MatMul", {split(query), keys}), factor);
    if (!bias.empty()) scores = add(scores, bias);
    Name mask;
    if (!present.empty()) {
      mask = unsqueeze(unsqueeze(present, 1), 1);
      scores = node("Where", {mask, scores, number(lowest())});
    }
    Name weights = node("Softmax", {scores}, {{"axis", index_t(-1)}});
    if (!present.empty()) weights = node("Where", {mask, weights, number(0)});
    return reshape(permute(node("MatMul", {weights, split(value)}), {0, 2, 1, 3}), {0, 0, -1});
  }
  /// The width of a self-attention whose projection of queries, keys and values is packed.
  index_t packed_width(const std::string& weight) const { return shape(weight)[1]; }
  Name self_attention(const std::string& path, const Name& x, const Name& present, index_t heads) const {
    const index_t width = packed_width(path + ".qkv.weight");
    const Name packed = linear(path + ".qkv", x);
    const auto part = [&](index_t i) { return slice(packed, 2, i * width, (i + 1) * width); };
    return linear(path + ".output",
                  attention(part(0), part(1), part(2), present, heads, 1 / std::sqrt(double(width / heads))));
  }
  /// One layer of a Transformer.
  Name transformer_layer(const std::string& path, const Name& x, const Name& present, index_t heads,
                         bool norm_first) const {
    const auto branch = [&](const std::string& norm, const Name& from, auto&& f) {
      if (norm_first) return add(from, f(layer_norm(path + norm, from)));
      return layer_norm(path + norm, add(from, f(from)));
    };
    const Name attended =
        branch(".norm1", x, [&](const Name& h) { return self_attention(path + ".attention", h, present, heads); });
    return branch(".norm2", attended, [&](const Name& h) {
      return linear(path + ".feed_forward.out", linear(path + ".feed_forward.in", h, "Relu"));
    });
  }
  /// An encoder, norm first.
  Name transformer(const std::string& path, Name x, const Name& present, index_t heads) const {
    for (index_t i = 0; i < count(path + ".layers"); ++i)
      x = transformer_layer(path + ".layers." + std::to_string(i), x, present, heads, true);
    return layer_norm(path + ".norm", x);
  }
  /// x + the rows of a table, one for every frame. More frames than rows: an error of whoever runs the graph.
  Name positions(const Name& x, const Name& table) const { return add(x, node("Gather", {table, places(x)})); }

  static constexpr double lowest() { return -1e30; }

 private:
  bool has_any(const std::string& prefix) const {
    const auto next = parameters_.values().lower_bound(prefix);
    return next != parameters_.values().end() && next->first.compare(0, prefix.size(), prefix) == 0;
  }

  io::OnnxGraph* graph_;
  State parameters_;
};

}  // namespace lacuna::zoo
