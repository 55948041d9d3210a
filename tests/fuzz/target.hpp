/// What every target of a reader does: it reads right, or throws our error. Anything else is a finding.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/io/mapped_file.hpp"

namespace lacuna::test {

/// How many inputs were read right. A target that refused everything has shown nothing of what lies behind the first check: a long
/// run of it ends with status 1.
class Readings {
 public:
  template <class Read>
  int operator()(Read&& read) {
    ++inputs_;
    try {
      read();
      ++right_;
    } catch (const Error&) {
    }
    return 0;
  }
  static Readings& all() {
    static Readings readings;
    return readings;
  }
  ~Readings() {
    std::fprintf(stderr, "%lld of %lld inputs were read right\n", right_, inputs_);
    if (right_ == 0 && inputs_ >= 1000000) {
      std::fprintf(stderr, "nothing was read right: give the target a folder of files that can be read\n");
      ::_exit(1);
    }
  }

 private:
  long long inputs_ = 0, right_ = 0;
};

/// read(file) with the fuzzer's bytes as a file of that name. Gives what a target returns.
template <class Read>
int fuzz_file(const char* name, const std::uint8_t* data, std::size_t size, Read&& read) {
  return Readings::all()(
      [&] { read(std::make_shared<io::MappedFile>(name, std::vector<std::uint8_t>(data, data + size))); });
}

/// read(path) of a file that holds these bytes, for readers that take paths alone. It has a name: HDF5 opens no other.
template <class Read>
int fuzz_path(const std::uint8_t* data, std::size_t size, Read&& read) {
  struct Name {
    std::string path =
        (std::filesystem::temp_directory_path() / ("lacuna_fuzz_" + std::to_string(::getpid()))).string();
    ~Name() { ::unlink(path.c_str()); }
  };
  static const Name name;
  if (!std::ofstream(name.path, std::ios::binary | std::ios::trunc)
           .write(reinterpret_cast<const char*>(data), std::streamsize(size))
           .flush())
    std::abort();
  return Readings::all()([&] { read(name.path); });
}

}  // namespace lacuna::test
