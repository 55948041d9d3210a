// A mask file whose arrays are the fuzzer's: [name's number, length (2 bytes), bytes of the .npy] again and again.
#include "fuzz/archive.hpp"
#include "lacuna/missing/mask_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  static const char* const names[] = {"format", "ids", "modalities", "conditions", "hashes", "fills", "mask/0/0", "mask/0/1"};
  std::vector<std::pair<std::string, test::Bytes>> members;
  for (std::size_t at = 0; at + 3 <= size && members.size() < 16;) {
    const std::size_t length = std::min<std::size_t>(data[at + 1] + 256u * data[at + 2], size - at - 3);
    members.emplace_back(std::string(names[data[at] % 8]) + ".npy", test::Bytes(data + at + 3, data + at + 3 + length));
    at += 3 + length;
  }
  try {
    (void)missing::load_masks(io::Npz(io::ByteSource("fuzz.npz", test::archive(members))), "fuzz.npz");
  } catch (const Error&) {
  }
  return 0;
}
