/// Read-only bytes at offsets: a regular file, or a buffer in memory. What every reader of the library reads from.
///
/// `read` returns all the bytes asked for or throws IoError; it moves no position, so many threads may read at once.
/// A folder, a pipe or a device is refused: their size cannot bound what a reader believes.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::detail {

/// An unsigned number stored with its lowest byte first.
template <class Unsigned>
Unsigned load_little(const std::uint8_t* bytes) {
  Unsigned number = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i)
    number = Unsigned(number | Unsigned(Unsigned(bytes[i]) << (8 * i)));
  return number;
}

/// What is said of a file that holds a few lines of text in the place of its data.
inline constexpr const char* lfs_pointer = "is a Git LFS pointer, the real file was not fetched (git lfs pull)";

/// A name from a file, fit for a one-line message.
inline std::string printable(std::string_view name) {
  std::string text;
  for (const char c : name.substr(0, 80)) text += std::uint8_t(c) < 32 || c == 127 ? '?' : c;
  if (name.size() > 80) text += "...";
  return text;
}

}  // namespace lacuna::detail

namespace lacuna::io {

class ByteSource {
 public:
  /// Opens a file. Throws IoError when it is missing, unreadable, or not a regular file.
  explicit ByteSource(std::string path) : name_(std::move(path)) {
    descriptor_ = ::open(name_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not make us wait
    if (descriptor_ < 0) throw IoError(detail::cat(name_, ": cannot be opened: ", std::strerror(errno)));
    struct stat facts {};
    if (::fstat(descriptor_, &facts) != 0 || !S_ISREG(facts.st_mode)) {
      ::close(descriptor_);
      throw IoError(detail::cat(name_, ": is not a regular file"));
    }
    size_ = std::uint64_t(facts.st_size);
  }
  /// Bytes in memory; `name` stands for the file name in messages.
  ByteSource(std::string name, std::vector<std::uint8_t> bytes)
      : name_(std::move(name)), bytes_(std::move(bytes)), size_(bytes_.size()) {}

  ByteSource(ByteSource&& other) noexcept
      : name_(std::move(other.name_)),
        bytes_(std::move(other.bytes_)),
        size_(std::exchange(other.size_, 0)),
        descriptor_(std::exchange(other.descriptor_, -1)) {}
  ByteSource& operator=(ByteSource&& other) noexcept {
    std::swap(name_, other.name_);
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~ByteSource() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  const std::string& name() const { return name_; }
  std::uint64_t size() const { return size_; }

  /// Throws IoError unless `count` bytes lie at `offset`.
  void read(std::uint64_t offset, void* to, std::size_t count) const {
    if (offset > size_ || count > size_ - offset)
      throw IoError(detail::cat(name_, ": ", count, " bytes at offset ", offset, " reach past the end; the file has ",
                                size_, " bytes and may be truncated"));
    if (descriptor_ < 0) {
      if (count > 0) std::memcpy(to, bytes_.data() + offset, count);
      return;
    }
    auto* next = static_cast<char*>(to);
    while (count > 0) {
      const ssize_t got = ::pread(descriptor_, next, count, off_t(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw IoError(detail::cat(name_, ": reading failed: ", std::strerror(errno)));
      if (got == 0) throw IoError(detail::cat(name_, ": became shorter while it was read"));
      next += got;
      offset += std::uint64_t(got);
      count -= std::size_t(got);
    }
  }

 private:
  std::string name_;
  std::vector<std::uint8_t> bytes_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

}  // namespace lacuna::io
