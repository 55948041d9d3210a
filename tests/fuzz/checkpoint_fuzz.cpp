// The payload of a checkpoint behind a header that fits it: read right, or refused.
#include "fuzz/archive.hpp"
#include "lacuna/io/checkpoint.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  test::Bytes file(detail::checkpoint_magic, detail::checkpoint_magic + 8), facts;
  test::put_little(facts, detail::checkpoint_version, 4);
  test::put_little(facts, size, 8);
  const std::uint32_t crc = io::crc32_of(io::crc32_of(0, facts.data(), facts.size()), data, size);
  file.insert(file.end(), facts.begin(), facts.begin() + 4);
  test::put_little(file, crc, 4);
  file.insert(file.end(), facts.begin() + 4, facts.end());
  file.insert(file.end(), data, data + size);
  try {
    (void)io::load_checkpoint(io::ByteSource("fuzz.lacuna", std::move(file)));
  } catch (const Error&) {
  }
  return 0;
}
