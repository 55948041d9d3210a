/// All families as one base of `Kernels<Device>` for a device with many threads: `KernelsOn<CudaRun>` is that of Cuda.
///
/// What is not here runs on the host for every device: losses over the pairs, classes and moments of a batch see at
/// most some thousand rows, which losses/batch.hpp copies over ("staged"). Losses of differences, which see every
/// frame, are.
#pragma once

#include "lacuna/kernels/cuda/activation.cuh"
#include "lacuna/kernels/cuda/attention.cuh"
#include "lacuna/kernels/cuda/conv1d.cuh"
#include "lacuna/kernels/cuda/difference_losses.cuh"
#include "lacuna/kernels/cuda/elementwise.cuh"
#include "lacuna/kernels/cuda/layers.cuh"
#include "lacuna/kernels/cuda/norm.cuh"
#include "lacuna/kernels/cuda/optimizer.cuh"
#include "lacuna/kernels/cuda/recurrent.cuh"
#include "lacuna/kernels/cuda/reduce.cuh"
#include "lacuna/kernels/cuda/softmax.cuh"

namespace lacuna::cuda {

template <class Run>
struct KernelsOn : Linear<Run>,
                   Elementwise<Run>,
                   Reduce<Run>,
                   ShapeMoves<Run>,
                   RowMoves<Run>,
                   Activations<Run>,
                   Softmax<Run>,
                   Norm<Run>,
                   Attention<Run>,
                   Pooling<Run>,
                   Fusion<Run>,
                   Gaussian<Run>,
                   Conv1d<Run>,
                   Recurrent<Run>,
                   DifferenceLosses<Run>,
                   Optimizer<Run> {};

}  // namespace lacuna::cuda
