/// The bytes of a file by memory map, or a buffer in memory: for formats whose numbers are used where they lie.
///
/// Opening reads nothing; the system brings in the pages that are touched, so a file larger than memory can be open. Those
/// of a file above 64 MiB are given back soon (io/resident.hpp).
/// The bytes stay where they are while the object lives. A file that another program shortens meanwhile ends this
/// program (SIGBUS), as with every memory map: replace files by renaming, as lacuna's own writers do.
#pragma once

#include <sys/mman.h>

#include <memory>
#include <optional>
#include <span>

#include "lacuna/io/resident.hpp"
#include "lacuna/io/source.hpp"

namespace lacuna::io {

class MappedFile {
 public:
  /// Throws IoError when the file is missing, unreadable, or not a regular file.
  explicit MappedFile(const std::string& path) : name_(path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) throw IoError(detail::cat(name_, ": cannot be opened: ", std::strerror(errno)));
    struct stat facts {};
    if (::fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) {
      ::close(descriptor);
      throw IoError(detail::cat(name_, ": is not a regular file"));
    }
    void* start = nullptr;
    if (facts.st_size > 0) start = ::mmap(nullptr, std::size_t(facts.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0);
    const int reason = errno;
    ::close(descriptor);
    if (start == MAP_FAILED) throw IoError(detail::cat(name_, ": cannot be mapped: ", std::strerror(reason)));
    map_ = {static_cast<const std::uint8_t*>(start), std::size_t(facts.st_size)};
    if (map_.size() > std::size_t(64) << 20) bound_.emplace(start, map_.size());
  }
  /// Bytes in memory; `name` stands for the file name in messages.
  MappedFile(std::string name, std::vector<std::uint8_t> bytes) : name_(std::move(name)), bytes_(std::move(bytes)) {}
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() {
    bound_.reset();
    if (!map_.empty()) ::munmap(const_cast<std::uint8_t*>(map_.data()), map_.size());
  }

  const std::string& name() const { return name_; }
  bool in_memory() const { return map_.empty(); }
  std::span<const std::uint8_t> bytes() const { return map_.empty() ? std::span(bytes_) : map_; }

 private:
  std::string name_;
  std::vector<std::uint8_t> bytes_;
  std::span<const std::uint8_t> map_;
  std::optional<Resident> bound_;
};

}  // namespace lacuna::io
