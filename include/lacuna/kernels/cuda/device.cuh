/// `Kernels<Cuda>`.
#pragma once

#include "lacuna/kernels/cuda/kernels.cuh"
#include "lacuna/kernels/cuda/launch.cuh"

namespace lacuna {

template <>
struct Kernels<Cuda> : cuda::KernelsOn<cuda::CudaRun> {};

}  // namespace lacuna
