/// `CudaRun`: what the families of this folder are written in (run.cuh), on a GPU.
#pragma once

#include "lacuna/core/cuda.cuh"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cuda/index.cuh"
#include "lacuna/kernels/cuda/matmul.cuh"
#include "lacuna/kernels/kernels.hpp"

#if defined(__CUDACC__) && !defined(__CUDACC_EXTENDED_LAMBDA__)
#error "lacuna: compile CUDA files with nvcc --extended-lambda, or link the CMake target lacuna::cuda, which says so"
#endif

namespace lacuna::cuda {

/// The 32 lanes of a warp. Sums go through a butterfly: the same order, and the same number, for every lane.
class WarpTeam {
 public:
  LACUNA_DEVICE int lane() const { return int(threadIdx.x % warp_lanes); }
  LACUNA_DEVICE constexpr int lanes() const { return warp_lanes; }
  /// What lanes wrote to memory before, all lanes see after.
  LACUNA_DEVICE void sync() const { __syncwarp(); }
  template <class T>
  LACUNA_DEVICE T sum(T x) const {
    for (int apart = warp_lanes / 2; apart > 0; apart /= 2) x += __shfl_xor_sync(0xffffffffu, x, apart);
    return x;
  }
  template <class T>
  LACUNA_DEVICE T largest(T x) const {
    for (int apart = warp_lanes / 2; apart > 0; apart /= 2) {
      const T other = __shfl_xor_sync(0xffffffffu, x, apart);
      x = other > x ? other : x;
    }
    return x;
  }
};

template <class F>
__global__ void __launch_bounds__(block_threads) each_kernel(index_t n, F f) {
  const Stride own = elements_of(index_t(blockIdx.x), index_t(gridDim.x), int(threadIdx.x));
  for (index_t i = own.first; i < n; i += own.step) f(i);
}
template <class F>
__global__ void __launch_bounds__(block_threads) rows_kernel(index_t n, F f) {
  const Stride own = rows_of(index_t(blockIdx.x), index_t(gridDim.x), int(threadIdx.x));
  for (index_t i = own.first; i < n; i += own.step) f(i, WarpTeam());
}

struct CudaRun {
  using device = Cuda;
  using Team = WarpTeam;

  template <class F>
  static void each(const char* name, index_t n, const F& f) {
    if (n <= 0) return;
    each_kernel<<<unsigned(blocks_for(n, block_threads)), block_threads>>>(n, f);
    launched(name);
  }
  template <class F>
  static void rows(const char* name, index_t n, const F& f) {
    if (n <= 0) return;
    rows_kernel<<<unsigned(blocks_for(n, warps_per_block)), block_threads>>>(n, f);
    launched(name);
  }
  /// m, n, k > 0.
  template <class T>
  static void gemm(index_t m, index_t n, index_t k, cpu::Operand<T> a, cpu::Operand<T> b, T beta, T* c, index_t ldc) {
    const T* const no_bias = nullptr;
    Matmul::instance().run(BlasCall<T>::of(m, n, k, a, b), MatmulFinish::none, no_bias, beta, c, ldc);
    launched("gemm");
  }
  /// c (m, n) = finish(op(A) op(B) + bias (n) in every row); false, with nothing done, where that is not to be had.
  template <class T>
  static bool gemm_finished(index_t m, index_t n, index_t k, cpu::Operand<T> a, cpu::Operand<T> b, const T* bias,
                            MatmulFinish finish, T* c) {
    if (!Matmul::instance().run(BlasCall<T>::of(m, n, k, a, b), finish, bias, T(0), c, n)) return false;
    launched("linear");
    return true;
  }

 private:
  static void launched(const char* name) {
    lacuna::detail::expect_cuda(name, cudaGetLastError());
    if (lacuna::detail::cuda_checks()) lacuna::detail::expect_cuda(name, cudaDeviceSynchronize());
  }
};

}  // namespace lacuna::cuda
