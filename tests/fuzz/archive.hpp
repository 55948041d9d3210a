/// What fuzzing needs to get past checksums: the bytes of the fuzzer become the members of a sound archive.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/io/deflate.hpp"

namespace lacuna::test {

using Bytes = std::vector<std::uint8_t>;

inline void put_little(Bytes& to, std::uint64_t number, int count) {
  for (int i = 0; i < count; ++i, number >>= 8) to.push_back(std::uint8_t(number));
}

/// A stored zip with right sizes and checksums.
inline Bytes archive(const std::vector<std::pair<std::string, Bytes>>& members) {
  Bytes file, directory;
  for (const auto& [name, content] : members) {
    const std::uint64_t offset = file.size();
    Bytes facts;  // what both headers tell
    for (const int word : {20, 0, 0, 0, 33}) put_little(facts, std::uint64_t(word), 2);
    put_little(facts, io::crc32_of(0, content.data(), content.size()), 4);
    put_little(facts, content.size(), 4);
    put_little(facts, content.size(), 4);
    put_little(facts, name.size(), 2);
    put_little(facts, 0, 2);
    put_little(file, 0x04034b50, 4);
    file.insert(file.end(), facts.begin(), facts.end());
    file.insert(file.end(), name.begin(), name.end());
    file.insert(file.end(), content.begin(), content.end());
    put_little(directory, 0x02014b50, 4);
    put_little(directory, 20, 2);
    directory.insert(directory.end(), facts.begin(), facts.end());
    put_little(directory, 0, 10);
    put_little(directory, offset, 4);
    directory.insert(directory.end(), name.begin(), name.end());
  }
  const std::uint64_t start = file.size();
  file.insert(file.end(), directory.begin(), directory.end());
  put_little(file, 0x06054b50, 4);
  put_little(file, 0, 4);
  put_little(file, members.size(), 2);
  put_little(file, members.size(), 2);
  put_little(file, directory.size(), 4);
  put_little(file, start, 4);
  put_little(file, 0, 2);
  return file;
}

}  // namespace lacuna::test
