// compiles
// Every case beside this one without its mistake: what fails there fails for the reason it gives.
#include "lacuna/data/dataset.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/ops/elementwise.hpp"

void select_model(const lacuna::data::Split<lacuna::data::Role::validation>&);

struct Layer {
  lacuna::Parameter<float, 1> weight;

  static void reflect(auto& self, auto&& visit) { visit("weight", self.weight); }
};

auto use(const lacuna::data::Dataset& corpus, const lacuna::Tensor<float, 2>& matrix, const Layer& module,
         const lacuna::Linear<float>& layer, const lacuna::Variable<float, 2>& x) {
  select_model(corpus.validation);
  lacuna::Tensor<float, 2> other;
  other = matrix;
  lacuna::count_parameters(module);
  lacuna::sum(x).backward();
  static_assert(sizeof(lacuna::Kernels<lacuna::Cpu>) > 0);
  return lacuna::add(layer(x), x);
}
