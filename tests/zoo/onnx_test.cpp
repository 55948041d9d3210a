#include <doctest/doctest.h>

#include <set>

#include "lacuna/zoo/onnx/export.hpp"
#include "zoo/small_models.hpp"

namespace lacuna::onnx_tests {

/// A message of protocol buffers: its fields, numbers and texts.
struct Message {
  std::multimap<int, std::int64_t> numbers;
  std::multimap<int, std::string> texts;

  explicit Message(std::string_view bytes) {
    std::size_t at = 0;
    const auto varint = [&] {
      std::uint64_t value = 0;
      for (int shift = 0;; shift += 7) {
        REQUIRE(at < bytes.size());
        const auto byte = std::uint8_t(bytes[at++]);
        value |= std::uint64_t(byte & 127) << shift;
        if (byte < 128) return value;
      }
    };
    while (at < bytes.size()) {
      const std::uint64_t key = varint();
      const int field = int(key >> 3);
      if ((key & 7) == 0) {
        numbers.emplace(field, std::int64_t(varint()));
      } else {
        const std::size_t size = (key & 7) == 5 ? 4 : std::size_t(varint());
        REQUIRE(((key & 7) == 2 || (key & 7) == 5));
        REQUIRE(at + size <= bytes.size());
        texts.emplace(field, std::string(bytes.substr(at, size)));
        at += size;
      }
    }
  }
  std::vector<std::string> all(int field) const {
    std::vector<std::string> list;
    for (auto [i, end] = texts.equal_range(field); i != end; ++i) list.push_back(i->second);
    return list;
  }
  std::string text(int field) const {
    REQUIRE(texts.count(field) == 1);
    return texts.find(field)->second;
  }
  std::int64_t number(int field) const {
    REQUIRE(numbers.count(field) == 1);
    return numbers.find(field)->second;
  }
};

/// Every value of a graph and of those inside it is made once, before it is used. Returns the number of nodes.
int check_graph(const Message& graph, std::set<std::string> known) {
  const auto make = [&](const std::string& name) {
    INFO(name);
    CHECK(known.insert(name).second);
  };
  for (const std::string& input : graph.all(11)) make(Message(input).text(1));
  for (const std::string& tensor : graph.all(5)) make(Message(tensor).text(8));
  int nodes = 0;
  for (const std::string& bytes : graph.all(1)) {
    const Message node(bytes);
    ++nodes;
    for (const std::string& input : node.all(1)) {
      INFO(node.text(4) << " reads " << input);
      CHECK((input.empty() || known.count(input) == 1));
    }
    for (const std::string& attribute : node.all(5))
      for (const std::string& body : Message(attribute).all(6)) nodes += check_graph(Message(body), known);
    for (const std::string& output : node.all(2)) make(output);
  }
  for (const std::string& output : graph.all(12)) CHECK(known.count(Message(output).text(1)) == 1);
  return nodes;
}

TEST_CASE("onnx: a graph of one node has these bytes") {
  io::OnnxGraph graph(io::OnnxType::f32);
  const std::string x = graph.input("x", io::OnnxType::f32, {std::string("n"), index_t(3)});
  graph.output("y", graph.node("Relu", {x}), io::OnnxType::f32, {std::string("n"), index_t(3)});
  const Message model(io::onnx_bytes(graph, {{"key", "text"}}));
  CHECK(model.number(1) == 8);
  CHECK(model.text(2) == "lacuna");
  CHECK(Message(model.text(8)).number(2) == 17);
  CHECK(Message(model.text(14)).text(2) == "text");
  // a value: its name, then a tensor of type 1 (float) and shape (n, 3)
  const std::string shape("\x12\x0f\x0a\x0d\x08\x01\x12\x09\x0a\x03\x12\x01n\x0a\x02\x08\x03", 17);
  const std::string expected =
      "\x0a\x19\x0a\x01x\x12\x06Relu_1\x1a\x06Relu_1\"\x04Relu"
      "\x0a\x18\x0a\x06Relu_1\x12\x01y\x1a\x01y\"\x08Identity"
      "\x12\x06lacuna"
      "\x5a\x14\x0a\x01x" +
      shape + "\x62\x14\x0a\x01y" + shape;
  CHECK(model.text(7) == expected);
  CHECK(check_graph(Message(model.text(7)), {}) == 2);
}

TEST_CASE("onnx: the graphs of stored models are whole, and say what goes in and out") {
  const data::Dataset corpus = data::synthetic({.samples = 40, .seed = 7, .max_frames = 5});
  for (const char* name : {"constant", "ridge", "early-fusion", "sdumc", "corrkd", "mmin", "tfn", "mult"}) {
    INFO(name);
    const State state = test::train_small(name, corpus, "f32").state;
    const Message graph(Message(io::onnx_bytes(zoo::onnx_graph(state))).text(7));
    CHECK(check_graph(graph, {}) > 2);
    const auto inputs = graph.all(11);
    REQUIRE(inputs.size() == 6);
    CHECK(Message(inputs[0]).text(1) == corpus.modality_names()[0]);
    CHECK(Message(inputs[1]).text(1) == corpus.modality_names()[0] + "_present");
    REQUIRE(graph.all(12).size() == 1);
    CHECK(Message(graph.all(12)[0]).text(1) == "prediction");
    CHECK(io::onnx_bytes(zoo::onnx_graph(state)) == io::onnx_bytes(zoo::onnx_graph(state)));
  }
}

TEST_CASE("onnx: a model without a graph is refused by name") {
  zoo::Card card;
  card.model = "mine", card.streams = {"a"}, card.features = {1}, card.may_be_missing = {0}, card.prior = {0};
  CHECK_THROWS_WITH_AS(zoo::onnx_graph(zoo::with_card(State(), card)),
                       doctest::Contains("onnx: 'mine' has no graph; there are those of constant, ridge"), Error);
  CHECK_THROWS_AS(zoo::onnx_graph(State()), IoError);
}

}  // namespace lacuna::onnx_tests
