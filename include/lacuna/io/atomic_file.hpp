/// Writing a file so that readers see the old one or the whole new one, never a part of it.
///
/// Bytes go to a temporary file in the folder of the target; `commit` flushes it to the disk, then renames it.
/// Without `commit` (an exception, say) the temporary file is removed and the target stays as it was.
/// A symbolic link is followed: the file it points to is replaced. Errors are IoError with the system's reason.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::io {

class AtomicFile {
 public:
  explicit AtomicFile(std::string path) : target_(resolve(std::move(path))) {
    static std::atomic<unsigned> counter{0};
    mode_t mode = 0;
    struct stat facts {};
    if (::stat(target_.c_str(), &facts) == 0) {
      if (!S_ISREG(facts.st_mode)) throw IoError(detail::cat(target_, ": is not a regular file, cannot be replaced"));
      mode = facts.st_mode & 07777;
    }
    do {  // a name left behind by a killed process with our number must not stop us
      temporary_ = detail::cat(target_, ".tmp-", long(::getpid()), "-", counter.fetch_add(1));
      descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor_ < 0 && errno == EEXIST);
    if (descriptor_ < 0) throw IoError(detail::cat(target_, ": cannot be written: ", std::strerror(errno)));
    if (mode != 0) (void)!::fchmod(descriptor_, mode);  // the new file keeps the permissions of the old one
  }
  AtomicFile(AtomicFile&& other) noexcept
      : target_(std::move(other.target_)),
        temporary_(std::move(other.temporary_)),
        buffer_(std::move(other.buffer_)),
        position_(other.position_),
        descriptor_(std::exchange(other.descriptor_, -1)) {}
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile() { discard(); }

  const std::string& path() const { return target_; }
  /// Bytes written so far.
  std::uint64_t position() const { return position_; }

  void write(const void* from, std::size_t count) {
    require_open();
    position_ += count;
    if (count >= buffer_size) {
      flush();
      send(static_cast<const char*>(from), count);
      return;
    }
    const auto* bytes = static_cast<const char*>(from);
    buffer_.insert(buffer_.end(), bytes, bytes + count);
    if (buffer_.size() >= buffer_size) flush();
  }
  void write(const std::string& text) { write(text.data(), text.size()); }

  /// Makes the new file the target. After an exception the target is what it was, and nothing more can be written.
  void commit() {
    require_open();
    flush();
    if (::fsync(descriptor_) != 0) fail("flushing");
    if (::close(std::exchange(descriptor_, -1)) != 0) fail("closing");
    if (std::rename(temporary_.c_str(), target_.c_str()) != 0) fail("renaming the temporary file");
    // The name itself reaches the disk with the folder. Some file systems refuse this; the data are safe anyway.
    const std::size_t slash = target_.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : target_.substr(0, slash + 1);
    if (const int handle = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC); handle >= 0) {
      (void)::fsync(handle);
      ::close(handle);
    }
  }

 private:
  static constexpr std::size_t buffer_size = 1 << 16;

  static std::string resolve(std::string path) {
    if (char* real = ::realpath(path.c_str(), nullptr)) {
      path = real;
      std::free(real);
    }
    return path;
  }
  void require_open() const {
    if (descriptor_ < 0) throw IoError(detail::cat(target_, ": is already finished, nothing more can be written"));
  }
  /// After a failure nothing more can be written: a file with a hole must not become the target.
  [[noreturn]] void fail(const char* step) {
    const std::string reason = std::strerror(errno);
    discard();
    ::unlink(temporary_.c_str());
    throw IoError(detail::cat(target_, ": ", step, " failed: ", reason, "; the file is unchanged"));
  }
  void flush() {
    send(buffer_.data(), buffer_.size());
    buffer_.clear();
  }
  void send(const char* from, std::size_t count) {
    while (count > 0) {
      const ssize_t sent = ::write(descriptor_, from, std::min(count, std::size_t(1) << 30));
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) fail("writing");
      from += sent;
      count -= std::size_t(sent);
    }
  }
  void discard() noexcept {
    if (descriptor_ < 0) return;
    ::close(std::exchange(descriptor_, -1));
    ::unlink(temporary_.c_str());
  }

  std::string target_, temporary_;
  std::vector<char> buffer_;
  std::uint64_t position_ = 0;
  int descriptor_ = -1;
};

}  // namespace lacuna::io
