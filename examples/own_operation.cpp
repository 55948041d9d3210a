/// An operation of one's own: a value, a backward, and the check that they belong together.
///
/// The operation is the absolute error with a dead zone, y = max(|x| - width, 0) elementwise (the epsilon-insensitive
/// loss of support vector regression); the program checks its gradient by finite differences and trains a layer with
/// it.
#include <cmath>
#include <cstdio>
#include <lacuna/autograd/anomaly.hpp>
#include <lacuna/autograd/dot.hpp>
#include <lacuna/autograd/recompute.hpp>
#include <lacuna/lacuna.hpp>

using namespace lacuna;

/// Templates over type and rank cost nothing here and make it serve everywhere; `Variable<float, 2>` alone would do.
template <class T, int R>
Variable<T, R> dead_zone(const Variable<T, R>& x, double width) {
  Tensor<T, R> y(x.value().extents());  // 1. compute the value
  for (index_t i = 0; i < y.size(); ++i) y.data()[i] = std::max(std::abs(x.data()[i]) - T(width), T(0));
  return record(  // 2. say how a gradient comes back
      "dead_zone", y,
      [x, width](const Tensor<T, R>& dy) {
        const auto slot = x.gradient_slot();  // nothing when x wants no gradient
        if (!slot) return;
        for (index_t i = 0; i < dy.size(); ++i) {
          const T slope = std::abs(x.data()[i]) <= T(width) ? T(0) : x.data()[i] > T(0) ? T(1) : T(-1);
          slot.put(i, slope * dy.data()[i]);  // writes or adds, as the slot knows
        }
      },
      x);  // 3. name its inputs
}

int main() {
  Random random(7);
  const Variable<double, 2> x(init::normal<double, 2>({5, 4}, 1.0, random), true);
  const auto check = check_gradients([&] { return sum(dead_zone(x, 0.3)); }, 1e-6, 0.01, x);
  std::printf("gradient: %lld entries, largest error %.1e\n", static_cast<long long>(check.compared), check.worst);

  Linear<float> layer({.in_features = 4, .out_features = 1}, random);
  const Variable<float, 2> inputs(init::normal<float, 2>({64, 4}, 1.0, random));
  const Variable<float, 2> targets(Linear<float>({.in_features = 4, .out_features = 1}, random)(inputs).value());
  const auto packed = pack(layer);
  Adam<float> adam(packed);
  const auto loss = [&] {  // recomputed in the backward, only to show how
    return recompute([&](const auto& h) { return mean(dead_zone(layer(h) - targets, 0.01)); }, inputs);
  };
  const float first = loss().item();
  const Anomaly<float> anomaly(layer);
  for (int step = 0; step < 300; ++step) {
    packed.zero_grad();
    anomaly.backward(loss());
    adam.step(0.02);
  }
  std::printf("loss: %.4f at the start, %.4f after 300 steps\n", double(first), double(loss().item()));
  std::printf("%s", to_dot(mean(dead_zone(layer(inputs) - targets, 0.01)), parameter_names(layer)).c_str());
  return check.worst < 1e-6 && loss().item() < 0.01f ? 0 : 1;
}
