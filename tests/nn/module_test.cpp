#include "lacuna/nn/module.hpp"

#include <doctest/doctest.h>

#include "lacuna/nn/linear.hpp"
#include "lacuna/nn/pack.hpp"

using namespace lacuna;

namespace {

/// A module of every kind of member that reflection knows.
struct Mixed {
  Linear<double> head;
  std::vector<Linear<double>> layers;
  std::vector<Parameter<double, 1>> scales;
  Parameter<double, 0> temperature;
  Parameter<double, 2> unused;  // never defined

  explicit Mixed(Random& random)
      : head({.in_features = 2, .out_features = 3}, random), temperature(Tensor<double, 0>::full({}, 1.5)) {
    layers.emplace_back(Linear<double>::Options{3, 2, false}, random);
    layers.emplace_back(Linear<double>::Options{2, 1, true}, random);
    scales.emplace_back(Tensor<double, 1>::full({4}, 1));
  }
  static void reflect(auto& self, auto&& visit) {
    visit("head", self.head);
    visit("layers", self.layers);
    visit("scales", self.scales);
    visit("temperature", self.temperature);
    visit("unused", self.unused);
  }
};
static_assert(Module<Mixed>);
static_assert(Module<const Mixed>);
static_assert(!Module<int>);

template <class M>
std::vector<std::string> paths(M& module) {
  std::vector<std::string> list;
  for_each_parameter(module, [&](const std::string& path, const auto&) { list.push_back(path); });
  return list;
}

}  // namespace

TEST_CASE("module: parameters are visited by path, in the order of reflection, undefined ones not at all") {
  Random random(1);
  Mixed module(random);
  const std::vector<std::string> expected{"head.weight",     "head.bias",       "layers.0.weight", "layers.1.weight",
                                          "layers.1.bias",   "scales.0",        "temperature"};
  CHECK(paths(module) == expected);
  CHECK(paths(std::as_const(module)) == expected);
  CHECK(count_parameters(module) == 6 + 3 + 6 + 2 + 1 + 4 + 1);
  std::vector<Mixed> list(2, module);
  CHECK(paths(list).front() == "0.head.weight");
  CHECK(paths(list).back() == "1.temperature");
}

TEST_CASE("module: a copy is a separate model; freezing and forgetting reach every parameter") {
  Random random(1);
  Mixed student(random);
  Mixed teacher = student;
  const auto loss = [](const Mixed& m) {
    const Variable<double, 2> x(Tensor<double, 2>::full({2, 2}, 0.5));
    return m.layers[1](m.layers[0](m.head(x)));
  };
  CHECK(loss(teacher).value().to_vector() == loss(student).value().to_vector());
  student.head.weight.mutable_data()[0] += 1;
  CHECK(loss(teacher).value().to_vector() != loss(student).value().to_vector());
  freeze(teacher);
  CHECK_FALSE(loss(teacher).requires_grad());
  loss(student).backward(Tensor<double, 2>::full({2, 1}, 1));
  CHECK(student.head.weight.has_grad());
  CHECK_FALSE(teacher.head.weight.has_grad());
  zero_grad(student);
  for_each_parameter(student, [](const std::string& path, const auto& p) { CHECK_MESSAGE(!p.has_grad(), path); });
  freeze(teacher, false);
  CHECK(loss(teacher).requires_grad());
  freeze(student.head);  // a part
  CHECK_FALSE(student.head.bias.requires_grad());
  CHECK(student.layers[0].weight.requires_grad());
}
