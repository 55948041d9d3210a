/// A device that says what it is asked for: every launch, product and copy, by name. It stands in the place of the
/// device that it watches, so that neither the library nor a measurement without it pays for being watched.
///
///     struct Log {                                       // both are called around what is done
///       static void begins(bench::Asked what, const char* name);
///       static void ends(bench::Asked what, const char* name);
///     };
///     struct Watched : bench::WatchedDevice<Cuda, Log> {};
///     struct WatchedRun : bench::WatchedRun<cuda::CudaRun, Watched, Log> {};
///     template <> struct lacuna::Kernels<Watched> : cuda::KernelsOn<WatchedRun> {};
#pragma once

#include "lacuna/kernels/cuda/kernels.cuh"
#include "lacuna/kernels/kernels.hpp"

namespace bench {

using lacuna::index_t;

/// A copy to the host is a wait for the device.
enum class Asked { launch, product, copy, from_host, to_host };

template <class Device, class Log>
struct WatchedDevice : Device {
  static void copy(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) Log::begins(Asked::copy, "copy");
    Device::copy(to, from, bytes);
    if (bytes > 0) Log::ends(Asked::copy, "copy");
  }
  static void copy_from_host(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) Log::begins(Asked::from_host, "copy from the host");
    Device::copy_from_host(to, from, bytes);
    if (bytes > 0) Log::ends(Asked::from_host, "copy from the host");
  }
  static void copy_to_host(void* to, const void* from, std::size_t bytes) {
    if (bytes > 0) Log::begins(Asked::to_host, "copy to the host");
    Device::copy_to_host(to, from, bytes);
    if (bytes > 0) Log::ends(Asked::to_host, "copy to the host");
  }
};

/// Calls over nothing launch nothing, and are not told.
template <class Run, class Device, class Log>
struct WatchedRun : Run {
  using device = Device;

  template <class F>
  static void each(const char* name, index_t n, const F& f) {
    if (n <= 0) return;
    Log::begins(Asked::launch, name);
    Run::each(name, n, f);
    Log::ends(Asked::launch, name);
  }
  template <class F>
  static void rows(const char* name, index_t n, const F& f) {
    if (n <= 0) return;
    Log::begins(Asked::launch, name);
    Run::rows(name, n, f);
    Log::ends(Asked::launch, name);
  }
  template <int Threads, class F>
  static void blocks(const char* name, index_t n, std::size_t shared_bytes, const F& f) {
    if (n <= 0) return;
    Log::begins(Asked::launch, name);
    Run::template blocks<Threads>(name, n, shared_bytes, f);
    Log::ends(Asked::launch, name);
  }
  template <class T>
  static void gemm(index_t m, index_t n, index_t k, lacuna::cpu::Operand<T> a, lacuna::cpu::Operand<T> b, T beta, T* c,
                   index_t ldc, const lacuna::cuda::GemmBatch& batch = {}) {
    Log::begins(Asked::product, "gemm");
    Run::gemm(m, n, k, a, b, beta, c, ldc, batch);
    Log::ends(Asked::product, "gemm");
  }
  /// A product that is refused is asked for again as `gemm`.
  template <class T>
  static bool gemm_finished(index_t m, index_t n, index_t k, lacuna::cpu::Operand<T> a, lacuna::cpu::Operand<T> b,
                            const T* bias, lacuna::cuda::MatmulFinish finish, T* c,
                            const lacuna::cuda::GemmBatch& batch = {}) {
    Log::begins(Asked::product, "linear");
    const bool done = Run::gemm_finished(m, n, k, a, b, bias, finish, c, batch);
    Log::ends(Asked::product, done ? "linear" : nullptr);
    return done;
  }
};

}  // namespace bench
