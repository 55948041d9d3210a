// A file of torch.save, of either version.
#include "fuzz/target.hpp"
#include "fuzz/values.hpp"
#include "lacuna/io/pytorch.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  return test::fuzz_file("fuzz.pt", data, size, [](auto file) { test::visit_values(io::PytorchFile(file).root()); });
}
