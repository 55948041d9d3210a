// Every optimizer on the same problem, a small network that learns y = sin 3x, and learning rates that change: the loss
// after 500 steps with a constant rate, and with a warm-up and a cosine. Then groups, clipping, averages and plateaus.
#include <cstdio>
#include <lacuna/lacuna.hpp>

using namespace lacuna;
using Var = Variable<float, 2>;

struct Network {
  Linear<float> hidden, out;
  explicit Network(Random random) : hidden({.in_features = 1, .out_features = 32}, random), out({32, 1}, random) {}
  Var operator()(const Var& x) const { return out(hidden(x, Activation::tanh)); }
  static void reflect(auto& self, auto&& visit) { visit("hidden", self.hidden), visit("out", self.out); }
};

int main() {
  Random random(7);
  const Var x(init::uniform<float, 2>({128, 1}, 1.0, random)), y = sin(3.0 * x);
  const auto loss = [&](const Network& network) { return mse_loss(network(x), y); };

  const auto shape = optim::warmup(20) * optim::cosine(500);  // factors: of the rate in every step
  std::printf("%-10s %8s  %8s\n", "", "constant", "schedule");
  bool all_learn = true;
  const auto compare = [&](const char* name, const auto& make) {
    double ends[2];
    for (const bool scheduled : {false, true}) {
      const Network network(Random(1));
      auto optimizer = make(network);
      const double rate = optimizer.learning_rate();
      for (index_t step = 0; step < 500; ++step) {
        if (scheduled) optimizer.set_learning_rate(rate * shape(step));
        optimizer.zero_grad();
        loss(network).backward();
        optimizer.step();
      }
      ends[scheduled] = double(loss(network).item());
    }
    all_learn = all_learn && ends[1] < 0.1;  // saying 0: about 0.5
    std::printf("%-10s %8.4f  %8.4f\n", name, ends[0], ends[1]);
  };
  compare("Sgd", [](auto& m) { return optim::Sgd(m, {.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}); });
  compare("Adam", [](auto& m) { return optim::Adam(m, {.learning_rate = 4e-2}); });
  compare("AdamW", [](auto& m) { return optim::AdamW(m, {.learning_rate = 4e-2, .weight_decay = 1e-2}); });
  compare("AMSGrad", [](auto& m) { return optim::Adam(m, {.learning_rate = 4e-2, .amsgrad = true}); });
  compare("RAdam", [](auto& m) { return optim::RAdam(m, {.learning_rate = 4e-2}); });
  compare("NAdam", [](auto& m) { return optim::NAdam(m, {.learning_rate = 4e-2}); });
  compare("Lamb", [](auto& m) { return optim::Lamb(m, {.learning_rate = 5e-2}); });
  compare("Lion", [](auto& m) { return optim::Lion(m, {.learning_rate = 1e-2}); });
  compare("RmsProp", [](auto& m) { return optim::RmsProp(m, {.learning_rate = 1e-2}); });
  compare("Adagrad", [](auto& m) { return optim::Adagrad(m, {.learning_rate = 2e-1}); });
  compare("Adadelta", [](auto& m) { return optim::Adadelta(m, {.learning_rate = 3.0}); });

  // Groups by name; clipping; an average of the weights; a rate that falls when the loss no longer does.
  const Network network(Random(1));
  optim::AdamW optimizer(
      network, {.learning_rate = 4e-2, .weight_decay = 1e-2},
      {{.pattern = "*.bias", .weight_decay_factor = 0}, {.pattern = "out.*", .learning_rate_factor = 0.5}});
  optim::Ema average(network, {.decay = 0.95});
  optim::ReduceOnPlateau plateau(optimizer.learning_rate(), {.factor = 0.5, .patience = 5});
  double largest = 0;
  for (int step = 0; step < 500; ++step) {
    optimizer.zero_grad();
    const auto now = loss(network);
    now.backward();
    largest = std::max(largest, clip_gradient_norm(network, 1.0));  // gives the norm before
    optimizer.step();
    average.update();
    optimizer.set_learning_rate(plateau.observe(double(now.item())));
  }
  std::printf("largest norm of a gradient %.2f, rate at the end %.5f\n", largest, optimizer.learning_rate());
  const double plain = double(loss(network).item());
  average.swap();
  std::printf("loss %.4f, with averaged weights %.4f\n", plain, double(loss(network).item()));
  return all_learn ? 0 : 1;
}
