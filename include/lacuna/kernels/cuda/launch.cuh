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
  /// For all N sums together N - 1 numbers are passed on, and one for every halving of the lanes that is left.
  template <class T, int N, class F>
  LACUNA_DEVICE void sums(T (&x)[N], F put) const {
    static_assert(N <= warp_lanes && (N & (N - 1)) == 0);
    int number = 0;
    share_out<N / 2>(x, number);
    for (int apart = warp_lanes / (2 * N); apart > 0; apart /= 2) x[0] += __shfl_xor_sync(0xffffffffu, x[0], apart);
    if (lane() % (warp_lanes / N) == 0) put(number, x[0]);
  }

 private:
  /// Of 2 · Half numbers every lane keeps half, and passes the others to the lane that keeps those.
  template <int Half, class T, int N>
  LACUNA_DEVICE void share_out(T (&x)[N], int& number) const {
    if constexpr (Half > 0) {
      constexpr int apart = warp_lanes / N * Half;
      const bool upper = (lane() & apart) != 0;
#pragma unroll
      for (int k = 0; k < Half; ++k) {
        const T sent = upper ? x[k] : x[k + Half], own = upper ? x[k + Half] : x[k];
        x[k] = own + __shfl_xor_sync(0xffffffffu, sent, apart);
      }
      number += upper ? Half : 0;
      share_out<Half / 2>(x, number);
    }
  }
};

/// The threads of a block, in teams of 32, and the memory that they share.
class ThreadBlock {
 public:
  LACUNA_DEVICE int thread() const { return int(threadIdx.x); }
  LACUNA_DEVICE int threads() const { return int(blockDim.x); }
  LACUNA_DEVICE int teams() const { return int(blockDim.x) / warp_lanes; }
  LACUNA_DEVICE int team_number() const { return int(threadIdx.x) / warp_lanes; }
  LACUNA_DEVICE WarpTeam team() const { return {}; }
  /// What threads wrote before, to either memory, all threads of the block see after.
  LACUNA_DEVICE void sync() const { __syncthreads(); }
  /// From byte `offset` on, which must be a multiple of the size of T.
  template <class T>
  LACUNA_DEVICE T* memory(std::size_t offset = 0) const {
    extern __shared__ __align__(16) unsigned char shared[];
    return reinterpret_cast<T*>(shared + offset);
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

template <int Threads, class F>
__global__ void __launch_bounds__(Threads) blocks_kernel(index_t n, F f) {
  for (index_t i = index_t(blockIdx.x); i < n; i += index_t(gridDim.x)) {
    f(i, ThreadBlock());
    __syncthreads();  // the next row reuses the shared memory
  }
}

struct CudaRun {
  using device = Cuda;
  using Team = WarpTeam;
  using Block = ThreadBlock;

  template <class F>
  static void each(const char* name, index_t n, const F& f) {
    if (n <= 0) return;
    each_kernel<<<unsigned(blocks_for(n, block_threads)), block_threads, 0, Cuda::stream()>>>(n, f);
    launched(name);
  }
  template <class F>
  static void rows(const char* name, index_t n, const F& f) {
    if (n <= 0) return;
    rows_kernel<<<unsigned(blocks_for(n, warps_per_block)), block_threads, 0, Cuda::stream()>>>(n, f);
    launched(name);
  }
  /// Bytes of memory that the threads of a block can share at most.
  static std::size_t most_shared() {
    static const std::size_t bytes = [] {
      int device = 0, most = 0;
      lacuna::detail::expect_cuda("describe", cudaGetDevice(&device));
      lacuna::detail::expect_cuda("describe",
                                  cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
      return std::size_t(most);
    }();
    return bytes;
  }
  template <int Threads, class F>
  static void blocks(const char* name, index_t n, std::size_t shared_bytes, const F& f) {
    if (n <= 0) return;
    if (shared_bytes > (std::size_t(48) << 10))  // more must be asked for, once for every kernel
      lacuna::detail::expect_cuda(
          name, cudaFuncSetAttribute(blocks_kernel<Threads, F>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     int(shared_bytes)));
    blocks_kernel<Threads, F><<<unsigned(blocks_for(n, 1)), Threads, shared_bytes, Cuda::stream()>>>(n, f);
    launched(name);
  }
  /// m, n, k > 0.
  template <class T>
  static void gemm(index_t m, index_t n, index_t k, cpu::Operand<T> a, cpu::Operand<T> b, T beta, T* c, index_t ldc,
                   const GemmBatch& batch = {}) {
    const T* const no_bias = nullptr;
    Matmul::instance().run(BlasCall<T>::of(m, n, k, a, b, batch), MatmulFinish::none, no_bias, beta, c, ldc);
    launched("gemm");
  }
  /// c (m, n) = finish(op(A) op(B) + bias (n) in every row); false, with nothing done, where that is not to be had.
  template <class T>
  static bool gemm_finished(index_t m, index_t n, index_t k, cpu::Operand<T> a, cpu::Operand<T> b, const T* bias,
                            MatmulFinish finish, T* c, const GemmBatch& batch = {}) {
    // cuBLASLt reads a bias by 16 bytes, whatever alignment it is told of
    if (alignment_of(bias, batch.bias) < 16) return false;
    if (!Matmul::instance().run(BlasCall<T>::of(m, n, k, a, b, batch), finish, bias, T(0), c, n)) return false;
    launched("linear");
    return true;
  }

 private:
  static void launched(const char* name) {
    lacuna::detail::expect_cuda(name, cudaGetLastError());
    if (lacuna::detail::cuda_checks()) lacuna::detail::expect_cuda(name, cudaStreamSynchronize(Cuda::stream()));
  }
};

}  // namespace lacuna::cuda
