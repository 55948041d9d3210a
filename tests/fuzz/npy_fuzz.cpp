// One .npy file: read right, or refused.
#include "lacuna/io/npy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  try {
    const io::NpyArray array = io::load_npy(io::ByteSource("fuzz.npy", {data, data + size}));
    if (array.text())
      array.strings();
    else
      array.as<double>();
  } catch (const Error&) {
  }
  return 0;
}
