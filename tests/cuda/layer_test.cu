// A linear layer, forward and backward, on the GPU and on the host. Without a GPU: compiled, not run.
#include <cmath>
#include <cstdio>

#include "lacuna/cuda.cuh"

namespace {

using namespace lacuna;

/// Value, and gradients to input, weight and bias.
template <class T, class D>
std::vector<double> layer() {
  Random random(1);
  const Linear<T, D> linear({.in_features = 37, .out_features = 29}, random);
  const Variable<T, 2, D> x(init::normal<T, 2, D>({53, 37}, 1, random), true);
  const auto y = sum(linear(x, Activation::tanh));
  y.backward();
  std::vector<double> numbers{double(y.item())};
  for (const auto& part : {x.grad().to_vector(), linear.weight.grad().to_vector(), linear.bias.grad().to_vector()})
    numbers.insert(numbers.end(), part.begin(), part.end());
  return numbers;
}

template <class T>
bool agrees(const char* type, double tolerance) {
  const auto host = layer<T, Cpu>(), device = layer<T, Cuda>();
  double worst = 0;
  for (std::size_t i = 0; i < host.size(); ++i) worst = std::fmax(worst, std::abs(host[i] - device[i]));
  std::printf("linear layer, %s: largest difference %.1e\n", type, worst);
  return worst <= tolerance && host.size() == device.size();
}

}  // namespace

int main() {
  if (!Cuda::available()) {
    std::puts("compiled, not run: no GPU can be used here");
    return 77;
  }
  std::puts(Cuda::description().c_str());
  return agrees<double>("double", 1e-9) && agrees<float>("float", 1e-3) ? 0 : 1;
}
