/// Memory that lies in a file without a name: for data larger than this machine's memory.
///
///     const auto memory = std::make_shared<io::ScratchMemory>(bytes, "/var/tmp");
///     memory->write(0, numbers, count);                                 // not through this process's memory
///     const auto frames = Tensor<float, 3>::borrow(shape, memory->floats(), memory);
///
/// Starts as zeros. What is written goes to the disk when the system wants, and what is read comes from there, or from
/// the system's cache of files, ahead of its turn; this process stays small (io/resident.hpp). The file is gone with
/// the last owner, and also when the program is killed. Throws IoError when the folder has no room.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "lacuna/core/error.hpp"
#include "lacuna/io/resident.hpp"

namespace lacuna::io {

class ScratchMemory {
 public:
  ScratchMemory(std::uint64_t bytes, const std::string& folder) : folder_(folder), bytes_(bytes) {
    if (bytes == 0) return;
    const std::string pattern = folder + "/lacuna-scratch-XXXXXX";
    std::vector<char> name(pattern.begin(), pattern.end());
    name.push_back('\0');
    descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor_ < 0) fail("a scratch file cannot be made", errno);
    ::unlink(name.data());
    const int room =
        ::posix_fallocate(descriptor_, 0, off_t(bytes));  // or writing would end the program when it is full
    if (room == 0) start_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
    if (room != 0 || start_ == MAP_FAILED) {
      const int reason = room != 0 ? room : errno;
      ::close(descriptor_);
      fail(room != 0 ? detail::cat("there is no room for ", bytes, " bytes of scratch")
                     : std::string("a scratch file cannot be mapped"),
           reason);
    }
    bound_.emplace(start_, bytes);
  }
  ScratchMemory(const ScratchMemory&) = delete;
  ScratchMemory& operator=(const ScratchMemory&) = delete;
  ~ScratchMemory() {
    if (start_ == nullptr) return;
    bound_.reset();
    ::munmap(start_, bytes_);
    ::close(descriptor_);
  }

  std::uint64_t bytes() const { return bytes_; }
  float* floats() const { return static_cast<float*>(start_); }
  /// Puts `count` numbers at number `first`. Throws IoError.
  void write(std::uint64_t first, const float* numbers, std::size_t count) const {
    if (first > bytes_ / 4 || count > bytes_ / 4 - first)
      throw ShapeError(detail::cat("scratch memory: numbers ", first, " to ", first + count, " of ", bytes_ / 4));
    const char* next = reinterpret_cast<const char*>(numbers);
    for (std::size_t at = 4 * first, end = at + 4 * count; at < end;) {
      const ssize_t put = ::pwrite(descriptor_, next, end - at, off_t(at));
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) fail("writing to scratch failed", put < 0 ? errno : EIO);
      next += put;
      at += std::size_t(put);
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what, int reason) const {
    throw IoError(detail::cat(folder_, ": ", what, ": ", std::strerror(reason)));
  }

  std::string folder_;
  std::uint64_t bytes_ = 0;
  int descriptor_ = -1;
  void* start_ = nullptr;
  std::optional<Resident> bound_;
};

}  // namespace lacuna::io
