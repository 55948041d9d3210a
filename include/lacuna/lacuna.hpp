/// All that a program needs to build and train a model on the CPU: no files, no JSON, no CUDA.
///
/// Data sets and files: lacuna/data/*.hpp, lacuna/io/*.hpp. Trainer and metrics: lacuna/train/*.hpp.
/// Eigen and xtensor views of tensors: lacuna/interop/*.hpp.
#pragma once

#include "lacuna/autograd/gradcheck.hpp"
#include "lacuna/autograd/parameter.hpp"
#include "lacuna/autograd/record.hpp"
#include "lacuna/autograd/variable.hpp"
#include "lacuna/core/context.hpp"
#include "lacuna/core/error.hpp"
#include "lacuna/core/mask.hpp"
#include "lacuna/core/random.hpp"
#include "lacuna/core/shape.hpp"
#include "lacuna/core/tensor.hpp"
#include "lacuna/core/threads.hpp"
#include "lacuna/losses/distillation.hpp"
#include "lacuna/losses/ranking.hpp"
#include "lacuna/losses/regression.hpp"
#include "lacuna/models/sdumc/network.hpp"
#include "lacuna/models/sdumc/objective.hpp"
#include "lacuna/models/sdumc/sdumc.hpp"
#include "lacuna/nn/attention_pooling.hpp"
#include "lacuna/nn/imagination.hpp"
#include "lacuna/nn/init.hpp"
#include "lacuna/nn/linear.hpp"
#include "lacuna/nn/module.hpp"
#include "lacuna/nn/pack.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/arithmetic.hpp"
#include "lacuna/ops/attention.hpp"
#include "lacuna/ops/dropout.hpp"
#include "lacuna/ops/linear.hpp"
#include "lacuna/ops/shape.hpp"
#include "lacuna/optim/adam.hpp"
#include "lacuna/optim/clip.hpp"
#include "lacuna/version.hpp"
#ifdef LACUNA_PRECOMPILED
#include "lacuna/precompiled.hpp"
#endif
