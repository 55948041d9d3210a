/// Marks of functions that a CUDA compiler builds for the device too; empty for every other compiler.
#pragma once

#include "lacuna/core/finite_math.hpp"

#ifdef __CUDACC__
#define LACUNA_HD __host__ __device__  // runs on both sides
#define LACUNA_DEVICE __device__       // the body of a kernel: on the device alone, where there is one
#else
#define LACUNA_HD
#define LACUNA_DEVICE
#endif
