/// The device `Cuda`: one GPU, the current one of the process, used through one stream of its own, `Cuda::stream()`.
///
/// Everything is in the order of that stream: launches, copies, and the reuse of memory. It does not wait for the
/// default stream, nor that for it: kernels of your own that see tensors of the library are launched on
/// `Cuda::stream()`. Freed blocks go back to a pool
/// at once, since whoever takes them next comes later in the stream; a training step then allocates nothing. Copies to
/// the host wait for what came before. Errors are DeviceError with the name of the operation; an error inside a kernel
/// is found at the next wait. With LACUNA_CUDA_CHECK=1 in the environment every launch is waited for, so that the
/// name is that of the kernel, and every block has its own allocation, so that compute-sanitizer sees its borders.
#pragma once

#include <cuda_runtime.h>

#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "lacuna/core/caching_pool.hpp"
#include "lacuna/core/cuda_staging.cuh"
#include "lacuna/core/device.hpp"
#include "lacuna/core/error.hpp"
#include "lacuna/core/host_device.hpp"
#include "lacuna/core/recorded.hpp"

#ifdef CUDA_API_PER_THREAD_DEFAULT_STREAM
#error "lacuna: memory is ordered by one stream for all threads; compile without --default-stream per-thread"
#endif

namespace lacuna {
namespace detail {

inline void expect_cuda(const char* operation, cudaError_t status) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();  // so that the next call does not see it again
  throw DeviceError(cat("cuda: ", operation, ": ", cudaGetErrorString(status)));
}

/// Whether LACUNA_CUDA_CHECK is set: slow, and sharp.
inline bool cuda_checks() {
  static const bool on = [] {
    const char* const value = std::getenv("LACUNA_CUDA_CHECK");
    return value != nullptr && *value != '\0' && *value != '0';
  }();
  return on;
}

/// Memory of the GPU itself. Asking for it and giving it back wait for the device.
struct CudaMemory {
  static void* take(std::size_t bytes) {
    void* block = nullptr;
    const cudaError_t status = cudaMalloc(&block, bytes);
    if (status == cudaSuccess) return block;
    if (status != cudaErrorMemoryAllocation) expect_cuda("allocate", status);
    (void)cudaGetLastError();
    return nullptr;
  }
  static void give(void* block) noexcept { cudaFree(block); }
  static bool exact() { return cuda_checks(); }
};
using CudaPool = CachingPool<CudaMemory>;

/// The stream that the calling thread records into; null while it works.
inline cudaStream_t& recording_stream() {
  static constinit thread_local cudaStream_t stream = nullptr;
  return stream;
}
/// What cannot be part of a recorded step is refused: it would happen once, and its numbers stay as they are.
inline void expect_not_recording(const char* what) {
  if (recording_stream() != nullptr)
    throw NotReplayable(
        cat("cuda: ", what, " inside a recorded step: what a step reads must be on the device before it"));
}

}  // namespace detail

/// A GPU. Memory comes from a caching pool that its stream orders.
struct Cuda {
  static constexpr const char* name = "cuda";
  /// Products of floats may be less exact than float: core/precision.hpp.
  static constexpr bool reduces_precision = true;

  static void* allocate(std::size_t bytes) {
    void* const block = detail::CudaPool::instance().take(bytes);
    if (block == nullptr) throw DeviceError(detail::cat("cuda: allocate: no room for ", bytes, " bytes on the GPU"));
    return block;
  }
  static void deallocate(void* block, std::size_t bytes) noexcept { detail::CudaPool::instance().give(block, bytes); }
  /// What all work goes through.
  static cudaStream_t stream() {
    if (const cudaStream_t recording = detail::recording_stream(); recording != nullptr) return recording;
    static const cudaStream_t own = [] {
      cudaStream_t made = nullptr;
      detail::expect_cuda("make a stream", cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking));
      return made;
    }();
    return own;
  }
  /// Within the device.
  static void copy(void* to, const void* from, std::size_t bytes) {
    if (bytes) detail::expect_cuda("copy", cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream()));
  }
  /// The host's memory may be changed as soon as this returns.
  static void copy_from_host(void* to, const void* from, std::size_t bytes) {
    if (bytes == 0) return;
    detail::expect_not_recording("a copy from the host");
    if (detail::CudaStaging::instance().copy(to, from, bytes, stream())) return;
    detail::expect_cuda("copy from the host", cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream()));
  }
  /// Waits for all that came before.
  static void copy_to_host(void* to, const void* from, std::size_t bytes) {
    if (bytes == 0) return;
    detail::expect_not_recording("a copy to the host");
    detail::expect_cuda("copy to the host", cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream()));
    synchronize();
  }
  /// The same byte everywhere.
  static void fill(void* to, unsigned char byte, std::size_t bytes) {
    if (bytes) detail::expect_cuda("fill", cudaMemsetAsync(to, byte, bytes, stream()));
  }
  /// Returns cached memory to the system, which waits for the device.
  static void trim() noexcept { detail::CudaPool::instance().trim(); }
  /// Parameters have moved: the blocks that they leave stay in the pool, where the steps of a training find them.
  static void after_packing() noexcept {}

  /// Waits until everything is done.
  static void synchronize() {
    detail::expect_not_recording("a wait");
    detail::expect_cuda("wait", cudaStreamSynchronize(stream()));
  }
  /// Whether this process can use a GPU.
  static bool available() {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess) (void)cudaGetLastError();
    return status == cudaSuccess && count > 0;
  }
  /// Throws DeviceError, in one line, when there is no GPU that can be used.
  static void require() {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status == cudaSuccess && count > 0) return;
    if (status != cudaSuccess) (void)cudaGetLastError();
    throw DeviceError(detail::cat("cuda: no GPU can be used here: ",
                                  status == cudaSuccess ? "none was found" : cudaGetErrorString(status)));
  }
  /// "NVIDIA H100, compute capability 9.0"
  static std::string description() {
    require();
    int device = 0;
    cudaDeviceProp properties{};
    detail::expect_cuda("describe", cudaGetDevice(&device));
    detail::expect_cuda("describe", cudaGetDeviceProperties(&properties, device));
    return detail::cat(static_cast<const char*>(properties.name), ", compute capability ", properties.major, ".",
                       properties.minor);
  }
};

}  // namespace lacuna
