// A step that is replayed from a CUDA graph: the bits of one that is run, dropout included.
#include "device_check/rows.cuh"
#include "lacuna/losses/regression.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/nn/pack.hpp"
#include "lacuna/ops/elementwise.hpp"
#include "lacuna/optim/adam.hpp"

namespace {

using namespace lacuna;

template <class T>
struct Trained {
  Random source{3};
  Mlp<T, Cuda> network{{.sizes = {24, 64, 64, 8}, .dropout = 0.3}, source};
  Packed<T, Cuda> packed = pack<T, Cuda>(network);
  optim::Adam<T, Cuda> adam{packed, {.learning_rate = 1e-2}};
  Random random{5};
  Tensor<T, 2, Cuda> x{{40, 24}};
  Variable<T, 2, Cuda> target{Tensor<T, 2, Cuda>::full({40, 8}, T(3))};
  Variable<T, 0, Cuda> loss;

  /// The batch of a step, in the memory of the one before.
  void fill(int step) {
    std::vector<T> numbers(std::size_t(x.size()));
    const RandomStream stream{11, std::uint64_t(step)};
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = T(stream.uniform(i) - 0.5);
    x.assign(numbers);
  }
  void forward_and_back() {
    packed.zero_grad();
    const auto y = network(Variable<T, 2, Cuda>(x), Context::train(random));
    loss = mse_loss(y, target) + mse_loss(y, scale(y, 0.5));
    loss.backward();
  }
};

template <class T>
void check_replay() {
  Trained<T> plain, replayed;
  Replay<Cuda> replay;
  for (int step = 0; step < 6; ++step) {
    CAPTURE(step);
    plain.fill(step), replayed.fill(step);
    plain.forward_and_back();
    replay(replayed.random, [&] { replayed.forward_and_back(); });
    CHECK(replay.recorded() == (step > 0));
    CHECK(plain.loss.item() == replayed.loss.item());
    CHECK(plain.packed.gradients.to_vector() == replayed.packed.gradients.to_vector());
    CHECK(plain.random.next() == replayed.random.next());
    plain.adam.step_scaled(clip_factor(plain.packed, 0.5));
    replayed.adam.step_scaled(clip_factor(replayed.packed, 0.5));
    CHECK(plain.packed.values.to_vector() == replayed.packed.values.to_vector());
  }
  // work in between takes none of the recording's memory
  const auto before = replayed.packed.gradients.to_vector();
  {
    std::vector<Array<T, Cuda>> others;
    for (int i = 0; i < 50; ++i)
      others.push_back(Array<T, Cuda>(Shape{40, 64})), others.back().assign(std::vector<T>(40 * 64, T(NAN)));
  }
  plain.forward_and_back();
  replay(replayed.random, [&] { replayed.forward_and_back(); });
  CHECK(plain.packed.gradients.to_vector() == replayed.packed.gradients.to_vector());
  CHECK(before != replayed.packed.gradients.to_vector());
}

}  // namespace

TEST_CASE("a replayed step, double: the bits of one that is run") {
  if (std::getenv("LACUNA_CUDA_CHECK") != nullptr) return;  // nothing is recorded then
  check_replay<double>();
}
TEST_CASE("a replayed step, float: the bits of one that is run") {
  if (std::getenv("LACUNA_CUDA_CHECK") != nullptr) return;
  check_replay<float>();
}
TEST_CASE("a recorded step that reads the host is refused, float") {
  if (std::getenv("LACUNA_CUDA_CHECK") != nullptr) return;
  Random random(1);
  Replay<Cuda> replay;
  Array<float, Cuda> x(Shape{4});
  const std::vector<float> numbers{1, 2, 3, 4};
  const auto step = [&] { x.assign(numbers); };
  replay(random, step);
  CHECK_THROWS_AS(replay(random, step), DeviceError);
  x.assign(numbers);  // and afterwards everything works as before
  CHECK(x.to_vector() == numbers);
  CHECK_FALSE(replay.recorded());
}
