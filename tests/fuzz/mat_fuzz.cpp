// A file of MATLAB's level 5, compressed variables too.
#include "fuzz/target.hpp"
#include "lacuna/io/mat.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  return test::fuzz_file("fuzz.mat", data, size, [](auto bytes) {
    const io::Mat file(bytes);
    for (const std::string& name : file.names()) try {
        const auto& value = file.at(name);
        if (value.array && !value.array->text()) value.array->template as<double>();
      } catch (const Error&) {
      }
  });
}
