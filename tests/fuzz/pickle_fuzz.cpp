// A pickle: read as data, or refused.
#include "fuzz/target.hpp"
#include "fuzz/values.hpp"
#include "lacuna/io/pickle.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  return test::fuzz_file("fuzz.pkl", data, size, [](auto file) { test::visit_values(io::open_pickle(file).value); });
}
