/// `Kernels<Device>`: the only code that knows a device. Static functions over pointers and sizes; policy: they never
/// allocate tensors, never throw for numbers, and add to or overwrite gradients as the slot says.
#pragma once

#include "lacuna/core/device.hpp"
#include "lacuna/kernels/cpu/axes.hpp"
#include "lacuna/kernels/cpu/elementwise.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/layers.hpp"
#include "lacuna/kernels/cpu/linear.hpp"
#include "lacuna/kernels/cpu/losses.hpp"
#include "lacuna/kernels/cpu/optimizer.hpp"
#include "lacuna/kernels/cpu/reduce.hpp"
#include "lacuna/kernels/cpu/shape.hpp"
#include "lacuna/kernels/cpu/strided.hpp"

namespace lacuna {

template <class Device>
struct Kernels {
  static_assert(sizeof(Device) == 0, "this device has no kernels here; in a .cu file include lacuna/cuda.cuh");
};

template <>
struct Kernels<Cpu>
    : cpu::Gemm, cpu::Linear, cpu::Elementwise, cpu::Reduce, cpu::ShapeMoves, cpu::Losses,
      cpu::Optimizer, cpu::Layers, cpu::Strided, cpu::Axes {};

}  // namespace lacuna
