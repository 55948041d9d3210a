/// `CudaRun`: what the families of this folder are written in (run.cuh), on a GPU. Matrix products by cuBLAS.
#pragma once

#include <cublas_v2.h>

#include "lacuna/core/cuda.cuh"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cuda/index.cuh"
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

inline void expect_cublas(const char* what, cublasStatus_t status) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw DeviceError(lacuna::detail::cat("cuda: ", what, ": ", cublasGetStatusString(status)));
}
/// One handle per thread: a handle must not be shared.
inline cublasHandle_t blas() {
  struct Handle {
    cublasHandle_t handle = nullptr;
    ~Handle() {
      if (handle != nullptr) cublasDestroy(handle);
    }
  };
  static thread_local Handle own;
  if (own.handle == nullptr) expect_cublas("start of cuBLAS", cublasCreate(&own.handle));
  return own.handle;
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
  /// m, n, k > 0. In full precision: cuBLAS rounds to TF32 only where it is asked to.
  template <class T>
  static void gemm(index_t m, index_t n, index_t k, cpu::Operand<T> a, cpu::Operand<T> b, T beta, T* c, index_t ldc) {
    const T one = T(1);
    const auto call = BlasCall<T>::of(m, n, k, a, b);
    const auto op = [](bool transposed) { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
    cublasStatus_t status;
    if constexpr (sizeof(T) == sizeof(float))
      status = cublasSgemm_64(blas(), op(call.first_transposed), op(call.second_transposed), call.rows, call.columns,
                              call.depth, &one, call.first, call.first_stride, call.second, call.second_stride, &beta,
                              c, ldc);
    else
      status = cublasDgemm_64(blas(), op(call.first_transposed), op(call.second_transposed), call.rows, call.columns,
                              call.depth, &one, call.first, call.first_stride, call.second, call.second_stride, &beta,
                              c, ldc);
    expect_cublas("gemm", status);
    launched("gemm");
  }

 private:
  static void launched(const char* name) {
    lacuna::detail::expect_cuda(name, cudaGetLastError());
    if (lacuna::detail::cuda_checks()) lacuna::detail::expect_cuda(name, cudaDeviceSynchronize());
  }
};

}  // namespace lacuna::cuda
