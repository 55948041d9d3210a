/// Writing ONNX: a graph of named values, nodes that make them of others, and numbers that are part of the file.
///
///     io::OnnxGraph graph(io::OnnxType::f32);
///     const std::string x = graph.input("x", io::OnnxType::f32, {"batch", 3});
///     graph.output("y", graph.node("Relu", {x}), io::OnnxType::f32, {"batch", 3});
///     io::save_onnx("relu.onnx", graph, {{"made by", "me"}});
///
/// Opset 17, IR 8 (onnx.ai). Values are used after they were made, so that nodes are in the order the format wants. Whether
/// operators get what they are made for is not checked here: `onnx.checker` does, and onnxruntime when it loads.
#pragma once

#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "lacuna/core/tensor.hpp"
#include "lacuna/io/atomic_file.hpp"
#include "lacuna/io/protobuf.hpp"
#include "lacuna/version.hpp"

namespace lacuna::io {

/// Numbers of TensorProto.DataType.
enum class OnnxType { f32 = 1, i64 = 7, boolean = 9, f64 = 11 };

/// The length of an axis, or a name for one that is known when the graph runs.
using OnnxDim = std::variant<index_t, std::string>;

class OnnxGraph;

/// An argument of a node that is part of the graph.
using OnnxAttribute = std::variant<index_t, float, std::string, std::vector<index_t>, std::shared_ptr<OnnxGraph>>;

class OnnxGraph {
 public:
  using Attributes = std::vector<std::pair<std::string, OnnxAttribute>>;

  /// real: the type of the numbers that `number` and `constant` put in.
  explicit OnnxGraph(OnnxType real) : real_(real) {}
  /// A graph inside another one: it sees the values of the outer one, and its own have names of their own.
  static std::shared_ptr<OnnxGraph> inside(OnnxGraph& outer) {
    const auto inner = std::make_shared<OnnxGraph>(outer.real_);
    inner->outer_ = &outer;
    return inner;
  }

  OnnxType real() const { return real_; }

  std::string input(const std::string& name, OnnxType type, const std::vector<OnnxDim>& shape) {
    graph_inputs_.message(11, value_info(name, type, &shape));
    return name;
  }
  /// Of an inner graph: whatever the node hands over.
  std::string argument(OnnxType type) {
    const std::string name = fresh("argument");
    graph_inputs_.message(11, value_info(name, type, nullptr));
    return name;
  }
  void output(const std::string& name, const std::string& value, OnnxType type, const std::vector<OnnxDim>& shape) {
    nodes_.message(1, node_proto("Identity", {value}, {name}, {}));
    graph_outputs_.message(12, value_info(name, type, &shape));
  }
  /// Of an inner graph.
  void result(const std::string& value, OnnxType type) {
    const std::string name = node("Identity", {value});
    graph_outputs_.message(12, value_info(name, type, nullptr));
  }

  /// The value of the one output of a node. An input "" is one that is left out.
  std::string node(const std::string& op, const std::vector<std::string>& inputs, const Attributes& attributes = {}) {
    return nodes(op, inputs, 1, attributes)[0];
  }
  std::vector<std::string> nodes(const std::string& op, const std::vector<std::string>& inputs, std::size_t outputs,
                                 const Attributes& attributes = {}) {
    std::vector<std::string> made;
    for (std::size_t i = 0; i < outputs; ++i) made.push_back(fresh(op));
    nodes_.message(1, node_proto(op, inputs, made, attributes));
    return made;
  }

  /// Numbers of the file under a name; the same name twice is the same value.
  template <class T>
  std::string constant(const std::string& name, const Array<T>& array) {
    std::vector<index_t> shape;
    for (int axis = 0; axis < array.shape().rank(); ++axis) shape.push_back(array.shape()[axis]);
    return tensor(name, sizeof(T) == 8 ? OnnxType::f64 : OnnxType::f32, shape, std::as_const(array).data(),
                  std::size_t(array.size()) * sizeof(T));
  }
  /// A list of numbers, of this graph's type or of another one.
  std::string numbers(const std::vector<double>& values, const std::vector<index_t>& shape) {
    return numbers(values, shape, real_);
  }
  std::string numbers(const std::vector<double>& values, const std::vector<index_t>& shape, OnnxType type) {
    if (type == OnnxType::f64) return tensor(fresh("numbers"), type, shape, values.data(), values.size() * 8);
    const std::vector<float> narrow(values.begin(), values.end());
    return tensor(fresh("numbers"), type, shape, narrow.data(), narrow.size() * 4);
  }
  /// One number. Equal ones are one value.
  std::string number(double value) { return number(value, real_); }
  std::string number(double value, OnnxType type) {
    if (outer_ != nullptr) return outer_->number(value, type);
    std::string& name = scalars_[{value, type}];
    if (name.empty()) name = numbers({value}, {}, type);
    return name;
  }
  /// A list of whole numbers, such as axes and shapes. Equal ones are one value.
  std::string integers(const std::vector<index_t>& values) {
    if (outer_ != nullptr) return outer_->integers(values);
    std::string& name = lists_[values];
    if (!name.empty()) return name;
    const std::vector<std::int64_t> wide(values.begin(), values.end());
    return name = tensor(fresh("integers"), OnnxType::i64, {index_t(wide.size())}, wide.data(), wide.size() * 8);
  }

  /// GraphProto
  Protobuf proto(const std::string& name) const {
    Protobuf graph;
    return graph.append(nodes_).text(2, name).append(tensors_).append(graph_inputs_).append(graph_outputs_);
  }

 private:
  static Protobuf value_info(const std::string& name, OnnxType type, const std::vector<OnnxDim>* shape) {
    Protobuf tensor_type, type_proto, info, dims;
    tensor_type.integer(1, int(type));
    if (shape != nullptr) {
      for (const OnnxDim& length : *shape) {
        Protobuf dim;
        if (const index_t* fixed = std::get_if<index_t>(&length))
          dim.integer(1, *fixed);
        else
          dim.text(2, std::get<std::string>(length));
        dims.message(1, dim);
      }
      tensor_type.message(2, dims);
    }
    type_proto.message(1, tensor_type);
    return info.text(1, name).message(2, type_proto);
  }
  static Protobuf node_proto(const std::string& op, const std::vector<std::string>& inputs,
                             const std::vector<std::string>& outputs, const Attributes& attributes) {
    Protobuf made;
    for (const std::string& value : inputs) made.text(1, value);
    for (const std::string& value : outputs) made.text(2, value);
    made.text(3, outputs[0]).text(4, op);
    for (const auto& [name, value] : attributes) made.message(5, attribute(name, value));
    return made;
  }
  static Protobuf attribute(const std::string& name, const OnnxAttribute& value) {
    Protobuf made;
    made.text(1, name);
    if (const auto* number = std::get_if<index_t>(&value)) return made.integer(3, *number).integer(20, 2);
    if (const auto* real = std::get_if<float>(&value)) return made.number(2, *real).integer(20, 1);
    if (const auto* text = std::get_if<std::string>(&value)) return made.text(4, *text).integer(20, 3);
    if (const auto* graph = std::get_if<std::shared_ptr<OnnxGraph>>(&value))
      return made.message(6, (*graph)->proto("body")).integer(20, 5);
    for (const index_t one : std::get<std::vector<index_t>>(value)) made.integer(8, one);
    return made.integer(20, 7);
  }
  std::string tensor(const std::string& name, OnnxType type, const std::vector<index_t>& shape, const void* data,
                     std::size_t bytes) {
    if (outer_ != nullptr) return outer_->tensor(name, type, shape, data, bytes);
    if (!names_.emplace(name, true).second) return name;
    const std::vector<std::int64_t> dims(shape.begin(), shape.end());
    Protobuf made;
    if (!dims.empty()) made.integers(1, dims);
    made.integer(2, int(type)).text(8, name).text(9, {static_cast<const char*>(data), bytes});
    tensors_.message(5, made);
    return name;
  }
  std::string fresh(const std::string& what) {
    return outer_ != nullptr ? outer_->fresh(what) : what + "_" + std::to_string(++count_);
  }

  OnnxType real_;
  OnnxGraph* outer_ = nullptr;
  std::size_t count_ = 0;
  Protobuf nodes_, tensors_, graph_inputs_, graph_outputs_;
  std::map<std::string, bool> names_;
  std::map<std::pair<double, OnnxType>, std::string> scalars_;
  std::map<std::vector<index_t>, std::string> lists_;
};

/// The bytes of an .onnx file. about: texts beside the graph.
inline std::string onnx_bytes(const OnnxGraph& graph,
                              const std::vector<std::pair<std::string, std::string>>& about = {}) {
  Protobuf model, opset;
  opset.text(1, "").integer(2, 17);
  model.integer(1, 8).text(2, "lacuna");
  model.text(3, detail::cat(LACUNA_VERSION_MAJOR, ".", LACUNA_VERSION_MINOR, ".", LACUNA_VERSION_PATCH));
  model.message(7, graph.proto("lacuna")).message(8, opset);
  for (const auto& [key, text] : about) {
    Protobuf entry;
    model.message(14, entry.text(1, key).text(2, text));
  }
  return model.bytes();
}
/// Replaces the file whole. Throws IoError, the old file then stays.
inline void save_onnx(const std::string& path, const OnnxGraph& graph,
                      const std::vector<std::pair<std::string, std::string>>& about = {}) {
  static_assert(std::endian::native == std::endian::little, "the format is little endian");
  AtomicFile file(path);
  file.write(onnx_bytes(graph, about));
  file.commit();
}

}  // namespace lacuna::io
