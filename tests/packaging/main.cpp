#include <lacuna/lacuna.hpp>

/// A layer, a sum and its gradient: enough to need Eigen and, where it was found, OpenMP. The bias of y = W x + b has
/// gradient 1 per sample.
int main() {
  lacuna::Random random(1);
  const lacuna::Linear<> layer({.in_features = 3, .out_features = 2}, random);
  const lacuna::Variable<float, 2> x(lacuna::Tensor<float, 2>::full({4, 3}, 0.5f));
  lacuna::sum(layer(x)).backward();
  return layer.bias.grad().to_vector() == std::vector<float>{4.0f, 4.0f} ? 0 : 1;
}
