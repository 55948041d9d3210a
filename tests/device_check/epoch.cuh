/// One epoch of training on both devices: the same losses, and on the GPU the same bits twice.
#pragma once

#include <doctest/doctest.h>

#include <chrono>

#include "lacuna/cuda.cuh"
#include "lacuna/data/synthetic.hpp"
#include "lacuna/train/trainer.hpp"

namespace lacuna::test {

inline const data::Corpus& corpus() {
  static const auto set = data::synthetic();
  return set;
}

/// Every loss term and the score of one epoch; prints its seconds.
template <class M>
std::vector<double> epoch(const char* what, const typename M::Options& options) {
  M model(options, Random(3));
  train::Observer quiet;
  const auto history = train::fit(model, corpus(), {.epochs = 1, .clip = 0.8}, quiet);
  std::printf("%s: %.2f s\n", what, history.epochs[0].seconds);
  std::vector<double> numbers{history.epochs[0].score};
  for (const auto& [name, value] : history.epochs[0].losses) numbers.push_back(value);
  return numbers;
}

/// The host's losses, the same bits twice, and no memory asked for the second time.
template <template <class, class> class Model, class T>
void check_epoch(const char* name, const typename Model<T, Cpu>::Options& options) {
  const auto host = epoch<Model<T, Cpu>>(lacuna::detail::cat(name, ", host").c_str(), options);
  const auto device = epoch<Model<T, Cuda>>(lacuna::detail::cat(name, ", GPU").c_str(), options);
  const std::size_t asked = lacuna::detail::CudaPool::instance().system_calls();
  const auto again = epoch<Model<T, Cuda>>(lacuna::detail::cat(name, ", GPU again").c_str(), options);
  CHECK(device == again);
  CHECK(lacuna::detail::CudaPool::instance().system_calls() == asked);
  REQUIRE(device.size() == host.size());
  for (std::size_t i = 0; i < host.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(device[i] - host[i]) <= 1e-4 * std::max(1.0, std::abs(host[i])));
  }
}

}  // namespace lacuna::test
