/// Copies from the host to a GPU by way of pinned memory, so that nobody waits for the device: the host's numbers are
/// copied into one of four blocks that take turns, and travel from there when the stream comes to them.
#pragma once

#include <cuda_runtime.h>

#include <cstring>
#include <mutex>

namespace lacuna::detail {

class CudaStaging {
 public:
  /// Smaller ones the driver takes into its own queue at once; larger ones would pin too much.
  static constexpr std::size_t least = std::size_t(32) << 10, most = std::size_t(64) << 20;

  static CudaStaging& instance() {
    static CudaStaging* const staging = new CudaStaging;  // never destroyed: the driver may be gone before
    return *staging;
  }
  /// Queues the copy; the host's memory may be changed as soon as this returns. False, and nothing is done, for a size
  /// outside least..most and where no pinned memory is to be had.
  bool copy(void* to, const void* from, std::size_t bytes, cudaStream_t stream) {
    if (bytes < least || bytes > most) return false;
    const std::lock_guard lock(mutex_);
    Block& block = blocks_[next_];
    if (!block.ready(bytes)) return false;
    std::memcpy(block.memory, from, bytes);
    if (cudaMemcpyAsync(to, block.memory, bytes, cudaMemcpyHostToDevice, stream) != cudaSuccess) return forget();
    if (cudaEventRecord(block.sent, stream) != cudaSuccess) return forget();
    next_ = (next_ + 1) % count;
    return true;
  }

 private:
  static constexpr int count = 4;
  struct Block {
    void* memory = nullptr;
    std::size_t room = 0;
    cudaEvent_t sent = nullptr;

    /// Empty, and large enough.
    bool ready(std::size_t bytes) {
      if (sent == nullptr && cudaEventCreateWithFlags(&sent, cudaEventDisableTiming) != cudaSuccess) return forget();
      if (cudaEventSynchronize(sent) != cudaSuccess) return forget();  // at once, when it was never recorded
      if (bytes <= room) return true;
      if (memory != nullptr) (void)cudaFreeHost(memory);
      room = least;
      while (room < bytes) room *= 2;
      if (cudaHostAlloc(&memory, room, cudaHostAllocDefault) == cudaSuccess) return true;
      memory = nullptr, room = 0;
      return forget();
    }
  };
  /// The next call does not see the error: the copy is then made without pinned memory, and says what is wrong.
  static bool forget() {
    (void)cudaGetLastError();
    return false;
  }

  std::mutex mutex_;
  Block blocks_[count];
  int next_ = 0;
};

}  // namespace lacuna::detail
