#include "lacuna/zoo/weights.hpp"

#include <doctest/doctest.h>

#include "io/temporary.hpp"
#include "lacuna/io/pytorch.hpp"

namespace lacuna::weights_tests {

/// A model of that name with these parameters, filled with 1, 2, 3, ...
State model_with(const std::string& name, const std::vector<std::pair<std::string, Shape>>& parameters) {
  State state;
  double next = 0;
  for (const auto& [path, shape] : parameters) {
    Array<float> array(shape);
    std::vector<float> numbers(std::size_t(shape.size()));
    for (float& number : numbers) number = float(++next) / 3;
    array.assign(numbers);
    state.put_value("parameters/" + path, array);
  }
  state.put("lacuna", "0.1.0");
  state.put("model/mean", std::vector<double>{0.1, -1.0 / 3, HUGE_VAL, std::nan("")});
  state.put("model/inputs", std::vector<index_t>{1, 2});
  state.put("history/none", std::vector<std::string>{});
  zoo::Card card;
  card.model = card.spec = name, card.streams = {"a", "b"}, card.features = {1, 2};
  card.may_be_missing = {0, 1}, card.prior = {0.25};
  return zoo::with_card(state, card);
}
State example() {
  return model_with("mine", {{"network.a.qkv.weight", {6, 2}},
                             {"network.a.qkv.bias", {6}},
                             {"network.a.output.weight", {2, 2}},
                             {"network.c.query.weight", {2, 2}},
                             {"network.c.key.weight", {2, 2}},
                             {"network.c.value.weight", {2, 2}},
                             {"network.c.output.weight", {2, 2}},
                             {"network.c.query.bias", {2}},
                             {"network.c.key.bias", {2}},
                             {"network.c.value.bias", {2}},
                             {"network.d.query.weight", {2, 2}},
                             {"network.d.key.weight", {2, 3}},
                             {"network.d.value.weight", {2, 3}},
                             {"network.d.output.weight", {2, 2}},
                             {"network.e.query.weight", {2, 2}},  // no attention: nothing else is there
                             {"network.l.0.norm1.weight", {2}},
                             {"network.l.0.attention.qkv.weight", {6, 2}},
                             {"network.l.0.attention.output.bias", {2}},
                             {"network.l.0.feed_forward.in.weight", {4, 2}},
                             {"network.l.0.feed_forward.out.weight", {2, 4}},
                             {"network.n.running_variance", {3}},
                             {"network.r.cells.0.weight_x", {8, 3}},
                             {"network.r.cells.1.weight_x", {8, 2}},
                             {"network.r.cells.1.bias_h", {8}},
                             {"network.cell.weight_x", {8, 3}},
                             {"network.s.cells.0.weight_h", {6, 2}},
                             {"network.s.cells.0.weight_x", {6, 3}},
                             {"network.s.cells.1.weight_x", {6, 3}}});
}
/// A file of tensors as the readers of programs give it.
io::Npz opened(const std::string& path) {
  std::vector<std::pair<std::string, io::NpzEntry>> entries;
  const auto add = [&](const std::string& name, const io::NpyArray& array) {
    io::NpyHeader header;
    header.dtype = array.dtype(), header.kind = array.kind(), header.item_size = array.item_size();
    header.shape = array.shape(), header.payload = array.bytes().size();
    entries.emplace_back(name, io::NpzEntry{header, [array] { return array; }});
  };
  if (path.ends_with(".pt")) {
    const io::PytorchFile file(path);
    for (const std::string& name : file.names()) add(name, file.tensor(name).array());
  } else {
    const io::Safetensors file(path);
    for (const std::string& name : file.names()) add(name, file.array(name));
  }
  return io::Npz(path, std::move(entries));
}
/// Equal names and bits.
bool equal(const State& a, const State& b) { return io::to_json(a) == io::to_json(b); }

TEST_CASE("weights: PyTorch's names of attention, Transformers, norms and recurrent networks") {
  std::map<std::string, std::vector<std::string>> found;
  for (const zoo::PytorchTensor& tensor : zoo::pytorch_tensors(example())) found[tensor.name] = tensor.paths;
  using Paths = std::vector<std::string>;
  CHECK(found.size() == 24);
  CHECK(found["a.in_proj_weight"] == Paths{"network.a.qkv.weight"});
  CHECK(found["a.in_proj_bias"] == Paths{"network.a.qkv.bias"});
  CHECK(found["a.out_proj.weight"] == Paths{"network.a.output.weight"});
  CHECK(found["c.in_proj_weight"] == Paths{"network.c.query.weight", "network.c.key.weight", "network.c.value.weight"});
  CHECK(found["c.in_proj_bias"] == Paths{"network.c.query.bias", "network.c.key.bias", "network.c.value.bias"});
  CHECK(found["d.k_proj_weight"] == Paths{"network.d.key.weight"});
  CHECK(found["e.query.weight"] == Paths{"network.e.query.weight"});
  CHECK(found["l.0.self_attn.in_proj_weight"] == Paths{"network.l.0.attention.qkv.weight"});
  CHECK(found["l.0.self_attn.out_proj.bias"] == Paths{"network.l.0.attention.output.bias"});
  CHECK(found["l.0.linear1.weight"] == Paths{"network.l.0.feed_forward.in.weight"});
  CHECK(found["l.0.linear2.weight"] == Paths{"network.l.0.feed_forward.out.weight"});
  CHECK(found["n.running_var"] == Paths{"network.n.running_variance"});
  CHECK(found["r.weight_ih_l1"] == Paths{"network.r.cells.1.weight_x"});  // a second layer
  CHECK(found["r.bias_hh_l1"] == Paths{"network.r.cells.1.bias_h"});
  CHECK(found["cell.weight_ih"] == Paths{"network.cell.weight_x"});
  CHECK(found["s.weight_ih_l0_reverse"] == Paths{"network.s.cells.1.weight_x"});  // the other direction
}

TEST_CASE("weights: numbers of what is said of a model: every bit, and none that are no numbers") {
  State state;
  Array<double> wide(Shape{7});
  wide.assign(std::vector<double>{0.1, -0.0, 5e-324, 1.7976931348623157e308, -INFINITY, NAN, 3});
  state.put_value("wide", wide);
  Array<float> narrow(Shape{3});
  narrow.assign(std::vector<float>{0.1f, 1e-45f, -3.4028234e38f});
  state.put_value("narrow", narrow);
  const State again = io::state_from_json(io::to_json(state), "text");
  const auto bits = [](const auto& array) {
    const auto numbers = array.to_vector();
    return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof numbers[0]);
  };
  CHECK(bits(std::get<Array<double>>(again.values().at("wide"))) == bits(wide));
  CHECK(bits(std::get<Array<float>>(again.values().at("narrow"))) == bits(narrow));
  for (const char* wrong :
       {"", "1.5", "0x", "0x1,8p+0", "0x1.8p+0 ", "0x-1p+0", "--0x1p+0", "0x1p+128", "0x1.000001p+0", "infinity"}) {
    CAPTURE(wrong);
    CHECK_THROWS_WITH_AS(
        io::state_from_json(R"({"x": {"f32": [")" + std::string(wrong) + R"("], "shape": [1]}})", "w.safetensors"),
        doctest::Contains("w.safetensors: 'x' has"), IoError);
  }
}

TEST_CASE("weights: there and back to the same bits, as safetensors alone and as .pt beside a model") {
  const test::TemporaryFolder folder;
  const State state = example();
  zoo::save_weights(folder / "w.safetensors", state);
  const io::Safetensors file(folder / "w.safetensors");
  CHECK(file.shape("c.in_proj_weight") == Shape{6, 2});
  CHECK(equal(zoo::load_weights(file, opened(folder / "w.safetensors")), state));

  zoo::save_weights(folder / "w.pt", state);
  State other = state;  // the same model, other numbers
  for (const auto& [name, value] : state.values())
    if (name.starts_with("parameters/")) {
      Array<float> zeros(std::get<Array<float>>(value).shape());
      zeros.assign(std::vector<float>(std::size_t(zeros.size()), 0));
      other.put_value(name, zeros);
    }
  const auto loaded = zoo::load_weights(other, opened(folder / "w.pt"), zoo::pytorch_tensors(other));
  CHECK(equal(loaded.state, state));
  CHECK(loaded.unused.empty());

  // names of one's own, in both directions
  const zoo::NamePatterns names{{"l.*.self_attn.*", "layer*.attn.*"}, {"*.in_proj_weight", "*.qkv"}};
  zoo::save_weights(folder / "n.safetensors", state, names);
  const io::Npz renamed = opened(folder / "n.safetensors");
  CHECK(renamed.contains("layer0.attn.in_proj_weight"));
  CHECK(renamed.contains("a.qkv"));
  auto tensors = zoo::pytorch_tensors(other);
  zoo::rename_tensors(tensors, names);
  CHECK(equal(zoo::load_weights(other, renamed, tensors).state, state));
  CHECK(equal(zoo::load_weights(io::Safetensors(folder / "n.safetensors"), renamed), state));
  CHECK_THROWS_WITH_AS(zoo::rename_tensors(tensors, {{"*", "x"}}), doctest::Contains("are both 'x'"), OptionError);
  CHECK_THROWS_WITH_AS(zoo::rename_tensors(tensors, {{"a*", "*.*"}}), doctest::Contains("more stars"), OptionError);
}

TEST_CASE("weights: what does not fit is refused in one line, with what was found and what was expected") {
  const test::TemporaryFolder folder;
  const State state = model_with("mine", {{"network.a.weight", {2, 3}}, {"network.b.weight", {4}}});
  const auto refused = [&](const State& written, const std::string& what) {
    zoo::save_weights(folder / "w.pt", written);
    CHECK_THROWS_WITH_AS(zoo::load_weights(state, opened(folder / "w.pt"), zoo::pytorch_tensors(state)),
                         doctest::Contains(what.c_str()), IoError);
  };
  refused(model_with("mine", {{"network.a.weight", {2, 3}}, {"network.c.weight", {4}}}),
          "w.pt: tensor 'b.weight' is missing; the file has 'c.weight', expected (4) of f32 for network.b.weight");
  refused(model_with("mine", {{"network.a.weight", {3, 2}}, {"network.b.weight", {4}}}),
          "w.pt: tensor 'a.weight' has shape (3, 2), expected (2, 3) of f32 for network.a.weight");
  State wide = state;
  wide.put_value("parameters/network.a.weight", Array<double>(Shape{2, 3}));
  wide.put_value("parameters/network.b.weight", Array<double>(Shape{4}));
  wide.put("about/dtype", "f64");
  refused(wide, "w.pt: tensor 'a.weight' has numbers of 64 bits, which the model would round, expected (2, 3) of f32");
  // more than is needed is named
  zoo::save_weights(folder / "more.pt",
                    model_with("mine", {{"network.a.weight", {2, 3}}, {"network.b.weight", {4}}, {"network.z", {1}}}));
  CHECK(zoo::load_weights(state, opened(folder / "more.pt"), zoo::pytorch_tensors(state)).unused ==
        std::vector<std::string>{"z"});
  CHECK_THROWS_WITH_AS(zoo::save_weights(folder / "w.bin", state), doctest::Contains("ends in none of"), OptionError);
  // a file of another program says nothing of a model
  io::SafetensorsWriter writer;
  writer.add("a", Tensor<float, 1>::zeros({2}));
  writer.save(folder / "plain.safetensors");
  CHECK_THROWS_WITH_AS(
      zoo::load_weights(io::Safetensors(folder / "plain.safetensors"), opened(folder / "plain.safetensors")),
      doctest::Contains("does not say which model it belongs to"), IoError);
}

}  // namespace lacuna::weights_tests
