/// What every target of a reader does: it reads right, or throws our error. Anything else is a finding.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/io/mapped_file.hpp"

namespace lacuna::test {

/// read(file) with the fuzzer's bytes as a file of that name. Gives what a target returns.
template <class Read>
int fuzz_file(const char* name, const std::uint8_t* data, std::size_t size, Read&& read) {
  try {
    read(std::make_shared<io::MappedFile>(name, std::vector<std::uint8_t>(data, data + size)));
  } catch (const Error&) {
  }
  return 0;
}

/// read(path) of a file without a name that holds these bytes, for readers that take paths alone.
template <class Read>
int fuzz_path(const std::uint8_t* data, std::size_t size, Read&& read) {
  const int file = ::memfd_create("fuzz", 0);
  if (file < 0 || ::write(file, data, size) != ssize_t(size)) std::abort();
  try {
    read("/proc/self/fd/" + std::to_string(file));
  } catch (const Error&) {
  }
  ::close(file);
  return 0;
}

}  // namespace lacuna::test
