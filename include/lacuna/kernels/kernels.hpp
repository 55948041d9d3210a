/// `Kernels<Device>`: the only code that knows a device, as families of static functions over pointers and sizes:
///
///     Kernels<D>::Softmax::softmax_axis(outer, n, inner, x.data(), nullptr, y.data());
///
/// Policy: they never allocate tensors, never throw for numbers, and add to or overwrite gradients as the slot says.
/// This header names the families only. Who calls one includes its header for the host, kernels/cpu/softmax.hpp; those of
/// other devices are known as soon as lacuna/cuda.cuh is included.
#pragma once

#include "lacuna/core/device.hpp"

namespace lacuna {
namespace cpu {

struct Activations;
struct AlignmentLosses;
struct Attention;
struct Axes;
struct ClassLosses;
struct ContrastLosses;
struct Conv1d;
struct DifferenceLosses;
struct Elementwise;
struct Fusion;
struct Gaussian;
struct Gemm;
struct InformationLosses;
struct Linear;
struct LossRows;
struct Norm;
struct Optimizer;
struct Pooling;
struct PrototypeLosses;
struct Ranking;
struct Recurrent;
struct Reduce;
struct RelationLosses;
struct RowMoves;
struct ShapeMoves;
struct Softmax;
struct Strided;

}  // namespace cpu

template <class Device>
struct Kernels {
  static_assert(sizeof(Device) == 0, "this device has no kernels here; in a .cu file include lacuna/cuda.cuh");
};

template <>
struct Kernels<Cpu> {
  using Activations = cpu::Activations;
  using AlignmentLosses = cpu::AlignmentLosses;
  using Attention = cpu::Attention;
  using Axes = cpu::Axes;
  using ClassLosses = cpu::ClassLosses;
  using ContrastLosses = cpu::ContrastLosses;
  using Conv1d = cpu::Conv1d;
  using DifferenceLosses = cpu::DifferenceLosses;
  using Elementwise = cpu::Elementwise;
  using Fusion = cpu::Fusion;
  using Gaussian = cpu::Gaussian;
  using Gemm = cpu::Gemm;
  using InformationLosses = cpu::InformationLosses;
  using Linear = cpu::Linear;
  using LossRows = cpu::LossRows;
  using Norm = cpu::Norm;
  using Optimizer = cpu::Optimizer;
  using Pooling = cpu::Pooling;
  using PrototypeLosses = cpu::PrototypeLosses;
  using Ranking = cpu::Ranking;
  using Recurrent = cpu::Recurrent;
  using Reduce = cpu::Reduce;
  using RelationLosses = cpu::RelationLosses;
  using RowMoves = cpu::RowMoves;
  using ShapeMoves = cpu::ShapeMoves;
  using Softmax = cpu::Softmax;
  using Strided = cpu::Strided;
};

}  // namespace lacuna
