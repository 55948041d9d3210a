// A WAV file.
#include "fuzz/target.hpp"
#include "lacuna/speech/wav.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  return test::fuzz_file("fuzz.wav", data, size, [](auto file) { (void)speech::read_wav(*file); });
}
