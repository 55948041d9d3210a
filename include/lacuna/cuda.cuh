/// All of lacuna for a .cu file: lacuna/lacuna.hpp and the device `Cuda`.
///
///     Sdumc<float, Cuda> model(options, Random(7));      // the same templates, another device
///
/// Needs nvcc 12 or later with C++20 and --extended-lambda, and cuBLASLt; the CMake target lacuna::cuda brings both.
/// Files that name the host alone stay .cpp and never see this header. docs/cuda.md says what was run and on what.
#pragma once

// Eigen's own device code is not used: without it, nvcc and the host's compiler see the same Eigen.
#ifndef EIGEN_NO_CUDA
#define EIGEN_NO_CUDA
#endif

// Hints about loops are for the host's compiler; nvcc says that it does not know them.
#pragma nv_diagnostic push
#pragma nv_diag_suppress 1675
#include "lacuna/core/cuda_graph.cuh"
#include "lacuna/kernels/cuda/device.cuh"
#include "lacuna/lacuna.hpp"
#pragma nv_diagnostic pop
