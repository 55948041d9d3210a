// A loss of one's own: a function of Variables that returns a scalar Variable, written with the small operations. Its
// gradient comes with it, is checked by finite differences, and trains a network.
#include <cstdio>
#include <lacuna/lacuna.hpp>

using namespace lacuna;

/// 1 - the concordance correlation coefficient, the field's metric for arousal and valence. Both (B, 1). The template
/// over the number type lets the check run in double.
template <class T>
Variable<T, 0> ccc_loss(const Variable<T, 2>& prediction, const Variable<T, 2>& target) {
  const auto p = prediction - mean(prediction), t = target - mean(target);
  const auto apart = mean(prediction) - mean(target);
  return 1 - 2 * mean(p * t) / (mean(square(p)) + mean(square(t)) + square(apart));
}

/// log cosh of the error over the samples that are there; absent ones are left out first and computed with afterwards,
/// so that NaN in them reaches neither the value nor the gradient. present (B).
template <class T>
Variable<T, 0> log_cosh_loss(const Variable<T, 2>& prediction, const Variable<T, 2>& target, const Mask<1>& present) {
  const auto there = present.reshape(std::array{present.extent(0), index_t(1)});
  const auto error = abs(where(there, prediction - target, 0.0));
  double count = 0;
  for (const auto one : present.to_vector()) count += one;
  return sum(error + softplus(-2.0 * error) - std::log(2.0)) / std::max(count, 1.0);
}

struct Network {
  Linear<float> hidden, out;
  Variable<float, 2> operator()(const Variable<float, 2>& in) const { return out(hidden(in, Activation::tanh)); }
  static void reflect(auto& self, auto&& visit) { visit("hidden", self.hidden), visit("out", self.out); }
};

int main() {
  Random random(7);
  const auto normal = [&](std::array<index_t, 2> shape) { return init::normal<double, 2>(shape, 1.0, random); };
  const Variable<double, 2> a(normal({9, 1}), true), b(normal({9, 1}), true);
  auto present = Mask<1>::full({9}, 1);
  present(4) = 0;
  const double worst[] = {check_gradients([&] { return ccc_loss(a, b); }, 1e-5, 0.01, a, b).worst,
                          check_gradients([&] { return log_cosh_loss(a, b, present); }, 1e-5, 0.01, a, b).worst};
  std::printf("largest error of a gradient: ccc %.1e, log cosh %.1e\n", worst[0], worst[1]);

  auto damaged = b.value().clone();
  damaged(4, 0) = std::numeric_limits<double>::quiet_NaN();  // absent: of no interest
  const auto same =
      log_cosh_loss(a, Variable<double, 2>(damaged), present).item() == log_cosh_loss(a, b, present).item();
  std::printf("what an absent sample holds changes nothing: %s\n", same ? "yes" : "no");

  // Trained with both: the correlation asks for the shape of the answer, log cosh for its size.
  const Variable<float, 2> x(init::normal<float, 2>({256, 3}, 1.0, random));
  const auto y = unsqueeze(sin(select(x, 1, 0)) * select(x, 1, 1), 1);
  const Network network{{{.in_features = 3, .out_features = 32}, random},
                        {{.in_features = 32, .out_features = 1}, random}};
  optim::AdamW optimizer(network, {.learning_rate = 1e-2});
  const auto all = Mask<1>::full({256}, 1);
  const float before = 1 - ccc_loss(network(x), y).item();
  for (int step = 0; step < 300; ++step) {
    optimizer.zero_grad();
    (ccc_loss(network(x), y) + log_cosh_loss(network(x), y, all)).backward();
    optimizer.step();
  }
  const float after = 1 - ccc_loss(network(x), y).item();
  std::printf("concordance: %.3f before, %.3f after 300 steps\n", double(before), double(after));
  return worst[0] < 1e-6 && worst[1] < 1e-6 && same && after > 0.9f ? 0 : 1;
}
