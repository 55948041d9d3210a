/// One epoch of training on both devices: the same losses, on the GPU the same bits twice, its steps run or replayed, and
/// no memory that the driver is asked for once a training whose steps are run is in its stride.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>

#include "lacuna/cuda.cuh"
#include "lacuna/data/synthetic.hpp"
#include "lacuna/train/trainer.hpp"

namespace lacuna::test {

/// How often the driver was asked for memory.
template <class D>
std::size_t memory_requests() {
  if constexpr (std::is_same_v<D, Cuda>) return lacuna::detail::CudaPool::instance().system_calls();
  return 0;
}

struct Epoch {
  std::vector<double> numbers;    ///< the score, and every loss term
  std::size_t late_requests = 0;  ///< for memory, in the steps from the second to the last but one
  index_t recordings = 0, replays = 0;
};

/// The last step is left out of the count: its batch is smaller, and the validation comes with it.
template <class M>
Epoch epoch(const char* what, const typename M::Options& options, const data::Corpus& corpus,
            train::ReplaySteps replay = train::ReplaySteps::off) {
  M model(options, Random(3));
  train::Observer quiet;
  train::Trainer<M> trainer(model, corpus, {.epochs = 1, .gradient_clip = 0.8, .replay = replay});
  Epoch found;
  for (int step = 0; !trainer.finished(); ++step) {
    const std::size_t before = memory_requests<typename M::device>();
    trainer.step(quiet);
    if (step > 0 && !trainer.finished()) found.late_requests += memory_requests<typename M::device>() - before;
  }
  const auto& record = trainer.history().epochs[0];
  found.recordings = trainer.recordings(), found.replays = trainer.replays();
  std::printf("%s: %.2f s, %lld steps recorded, %lld replayed\n", what, record.seconds,
              static_cast<long long>(found.recordings), static_cast<long long>(found.replays));
  found.numbers.push_back(record.score);
  for (const auto& [name, value] : record.losses) found.numbers.push_back(value);
  return found;
}

template <template <class, class> class Model, class T, class Device = Cuda>
void check_epoch(const char* name, const typename Model<T, Cpu>::Options& options, const data::Corpus& corpus,
                 double tolerance) {
  const auto title = [&](const char* where) {
    return lacuna::detail::cat(name, sizeof(T) == sizeof(float) ? ", float, " : ", double, ", where);
  };
  const Epoch host = epoch<Model<T, Cpu>>(title("host").c_str(), options, corpus);
  const Epoch device = epoch<Model<T, Device>>(title("GPU").c_str(), options, corpus);
  const Epoch again = epoch<Model<T, Device>>(title("GPU again").c_str(), options, corpus);
  CHECK(device.numbers == again.numbers);
  const Epoch replayed =
      epoch<Model<T, Device>>(title("GPU, replayed").c_str(), options, corpus, train::ReplaySteps::automatic);
  CHECK(replayed.numbers == device.numbers);
  CHECK(device.late_requests == 0);
  CHECK(again.late_requests == 0);
  REQUIRE(device.numbers.size() == host.numbers.size());
  double worst = 0;
  for (std::size_t i = 0; i < host.numbers.size(); ++i) {
    const double apart = std::abs(device.numbers[i] - host.numbers[i]) / std::max(1.0, std::abs(host.numbers[i]));
    worst = apart <= worst ? worst : apart;  // NaN stays
  }
  std::printf("%s: largest error %.1e\n", title("GPU against host").c_str(), worst);
  CHECK(worst <= tolerance);
}

/// The same bits twice, in a whole epoch, whatever they are.
template <template <class, class> class Model, class T, class Device = Cuda>
void check_twice(const char* name, const typename Model<T, Cpu>::Options& options, const data::Corpus& corpus) {
  const Epoch once = epoch<Model<T, Device>>(lacuna::detail::cat(name, ", GPU").c_str(), options, corpus);
  const Epoch again = epoch<Model<T, Device>>(lacuna::detail::cat(name, ", GPU again").c_str(), options, corpus);
  CHECK(once.numbers == again.numbers);
  const Epoch replayed = epoch<Model<T, Device>>(lacuna::detail::cat(name, ", GPU, replayed").c_str(), options, corpus,
                                                 train::ReplaySteps::automatic);
  CHECK(replayed.numbers == once.numbers);
  if (std::getenv("LACUNA_CUDA_CHECK") == nullptr) CHECK(replayed.replays > 0);
  for (const double number : once.numbers) CHECK(std::isfinite(number));
}

}  // namespace lacuna::test
