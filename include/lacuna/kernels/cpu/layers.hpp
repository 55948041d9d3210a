/// The kernels of layers beyond matrix products: one base of `Kernels<Cpu>`.
#pragma once

#include "lacuna/kernels/cpu/activation.hpp"
#include "lacuna/kernels/cpu/attention.hpp"
#include "lacuna/kernels/cpu/conv1d.hpp"
#include "lacuna/kernels/cpu/fusion.hpp"
#include "lacuna/kernels/cpu/gaussian.hpp"
#include "lacuna/kernels/cpu/norm.hpp"
#include "lacuna/kernels/cpu/pooling.hpp"
#include "lacuna/kernels/cpu/recurrent.hpp"
#include "lacuna/kernels/cpu/rows.hpp"
#include "lacuna/kernels/cpu/softmax.hpp"

namespace lacuna::cpu {

struct Layers : Activations, Attention, Conv1d, Fusion, Gaussian, Norm, Pooling, Recurrent, RowMoves, Softmax {};

}  // namespace lacuna::cpu
