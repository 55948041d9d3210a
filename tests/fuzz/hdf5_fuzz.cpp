// A file of HDF5: its names, its data sets, attributes and references, by the C library and by our checks of what it says. What the
// library itself overruns is not ours to mend: it is no part of the sanitized code, and only what reaches the heap is seen.
#include "fuzz/target.hpp"
#include "lacuna/io/hdf5.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  return test::fuzz_path(data, size, [](const std::string& path) {
    const io::Hdf5 file(path);
    for (const std::string& name : file.names()) try {
        if (file.is_reference(name)) {
          (void)file.references(name);
          continue;
        }
        (void)file.header(name);
        const io::NpyArray array = file.get(name);
        if (!array.text()) array.as<double>();
      } catch (const Error&) {
      }
  });
}
