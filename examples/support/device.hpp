// Where a program computes. train.cpp and predict.cpp run on the host; train.cu and predict.cu are the same programs
// for both devices.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "lacuna/core/device.hpp"
#include "lacuna/core/error.hpp"

namespace support {

inline void declare_device(CLI::App& app, std::string& device) {
  CLI::Option* option =
      app.add_option("--device", device, "where to compute; cuda: a GPU, in programs that were built for one");
  option->capture_default_str()->check(CLI::IsMember(std::vector<std::string>{"cpu", "cuda"}))->group("Program");
}

/// f.template operator()<Device>(). Throws DeviceError where there is no such device.
template <class F>
int on_device(const std::string& device, F&& f) {
  if (device == "cpu") return f.template operator()<lacuna::Cpu>();
#ifdef __CUDACC__
  lacuna::Cuda::require();
  return f.template operator()<lacuna::Cuda>();
#else
  throw lacuna::DeviceError(
      "--device cuda: this program was built for the CPU alone; train_cuda and predict_cuda know both");
#endif
}

}  // namespace support
