// A safetensors file and the numbers of its tensors.
#include "fuzz/target.hpp"
#include "lacuna/io/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  return test::fuzz_file("fuzz.safetensors", data, size, [](auto bytes) {
    const io::Safetensors file(bytes);
    for (const std::string& name : file.names()) file.array(name);
  });
}
