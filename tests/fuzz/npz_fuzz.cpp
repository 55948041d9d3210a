// One archive, its directory and every member: read right, or refused.
#include "lacuna/io/npz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  try {
    const io::Npz file(io::ByteSource("fuzz.npz", {data, data + size}));
    for (const std::string& name : file.names()) try {
        const io::NpyArray array = file.get(name);
        if (!array.text()) array.as<double>();
      } catch (const Error&) {
      }
  } catch (const Error&) {
  }
  return 0;
}
