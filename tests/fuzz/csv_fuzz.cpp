// A table as text.
#include "fuzz/target.hpp"
#include "lacuna/io/csv.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  return test::fuzz_file("fuzz.csv", data, size, [](auto file) {
    const io::Csv table(file);
    for (const auto& row : table.rows())
      if (row.size() != table.rows()[0].size()) std::abort();
  });
}
