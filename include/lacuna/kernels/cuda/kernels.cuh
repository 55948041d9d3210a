/// All families as one base of `Kernels<Device>` for a device with many threads: `KernelsOn<CudaRun>` is that of Cuda.
#pragma once

#include "lacuna/kernels/cuda/activation.cuh"
#include "lacuna/kernels/cuda/alignment_losses.cuh"
#include "lacuna/kernels/cuda/attention.cuh"
#include "lacuna/kernels/cuda/axes.cuh"
#include "lacuna/kernels/cuda/class_losses.cuh"
#include "lacuna/kernels/cuda/contrast_losses.cuh"
#include "lacuna/kernels/cuda/conv1d.cuh"
#include "lacuna/kernels/cuda/difference_losses.cuh"
#include "lacuna/kernels/cuda/elementwise.cuh"
#include "lacuna/kernels/cuda/grouped.cuh"
#include "lacuna/kernels/cuda/information_losses.cuh"
#include "lacuna/kernels/cuda/layers.cuh"
#include "lacuna/kernels/cuda/loss_rows.cuh"
#include "lacuna/kernels/cuda/norm.cuh"
#include "lacuna/kernels/cuda/optimizer.cuh"
#include "lacuna/kernels/cuda/prototype_losses.cuh"
#include "lacuna/kernels/cuda/ranking.cuh"
#include "lacuna/kernels/cuda/recurrent.cuh"
#include "lacuna/kernels/cuda/reduce.cuh"
#include "lacuna/kernels/cuda/relation_losses.cuh"
#include "lacuna/kernels/cuda/softmax.cuh"
#include "lacuna/kernels/cuda/strided.cuh"

namespace lacuna::cuda {

template <class Run>
struct KernelsOn : Linear<Run>,
                   GroupedLinear<Run>,
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
                   LossRows<Run>,
                   DifferenceLosses<Run>,
                   ClassLosses<Run>,
                   ContrastLosses<Run>,
                   RelationLosses<Run>,
                   PrototypeLosses<Run>,
                   AlignmentLosses<Run>,
                   InformationLosses<Run>,
                   Ranking<Run>,
                   Optimizer<Run>,
                   Strided<Run>,
                   Axes<Run> {
  using Gemm = Linear<Run>;
};

}  // namespace lacuna::cuda
