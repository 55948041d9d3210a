/// Memory that lies in a file without a name: for data larger than this machine's memory.
///
///     const auto memory = std::make_shared<io::ScratchMemory>(bytes, "/var/tmp");
///     const auto frames = Tensor<float, 3>::borrow(shape, memory->floats(), memory);
///
/// Starts as zeros. What is written goes to the disk when the system wants, and what is read comes from there, or from
/// the system's cache of files, ahead of its turn. A hundred times a second a thread gives the pages back that this process
/// has touched: they stay in that cache as long as there is room, and this process stays small. The file is gone with
/// the last owner, and also when the program is killed. Throws IoError when the folder has no room.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::io {

class ScratchMemory {
 public:
  ScratchMemory(std::uint64_t bytes, const std::string& folder) : bytes_(bytes) {
    if (bytes == 0) return;
    const std::string pattern = folder + "/lacuna-scratch-XXXXXX";
    std::vector<char> name(pattern.begin(), pattern.end());
    name.push_back('\0');
    const int descriptor = ::mkstemp(name.data());
    if (descriptor < 0) fail(folder, "a scratch file cannot be made", errno);
    ::unlink(name.data());
    const int room =
        ::posix_fallocate(descriptor, 0, off_t(bytes));  // or writing would end the program when it is full
    if (room != 0) {
      ::close(descriptor);
      fail(folder, detail::cat("there is no room for ", bytes, " bytes of scratch"), room);
    }
    start_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    const int reason = errno;
    ::close(descriptor);
    if (start_ == MAP_FAILED) fail(folder, "a scratch file cannot be mapped", reason);
    helper_ = std::thread([this] {
      while (!done_.load(std::memory_order_relaxed)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        ::madvise(start_, bytes_, MADV_DONTNEED);
      }
    });
  }
  ScratchMemory(const ScratchMemory&) = delete;
  ScratchMemory& operator=(const ScratchMemory&) = delete;
  ~ScratchMemory() {
    if (start_ == nullptr) return;
    done_.store(true, std::memory_order_relaxed);
    helper_.join();
    ::munmap(start_, bytes_);
  }

  std::uint64_t bytes() const { return bytes_; }
  float* floats() const { return static_cast<float*>(start_); }

 private:
  [[noreturn]] static void fail(const std::string& folder, const std::string& what, int reason) {
    throw IoError(detail::cat(folder, ": ", what, ": ", std::strerror(reason)));
  }

  std::uint64_t bytes_ = 0;
  void* start_ = nullptr;
  std::atomic<bool> done_{false};
  std::thread helper_;
};

}  // namespace lacuna::io
