// The pickle and one storage of a sound archive of torch.save: [length of the pickle (2 bytes), pickle, storage].
#include "fuzz/archive.hpp"
#include "fuzz/target.hpp"
#include "fuzz/values.hpp"
#include "lacuna/io/pytorch.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  if (size < 2) return 0;
  const std::size_t length = std::min<std::size_t>(data[0] + 256u * data[1], size - 2);
  const test::Bytes file = test::archive({{"x/data.pkl", {data + 2, data + 2 + length}},
                                          {"x/data/0", {data + 2 + length, data + size}},
                                          {"x/version", {'3', '\n'}}});
  return test::fuzz_file("fuzz.pt", file.data(), file.size(),
                         [](auto read) { test::visit_values(io::PytorchFile(read).root()); });
}
