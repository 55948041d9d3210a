// A file of HDF5: its names, its data sets, attributes and references, by the C library and by our checks of what it says. What the
// library itself overruns is not ours to mend: it is no part of the sanitized code, and only what reaches the heap is seen.
#include "fuzz/target.hpp"
#include "lacuna/io/csd.hpp"

// The library keeps what it freed (512 KiB a file that is opened): to give it back each time takes most of a run.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  return H5set_free_list_limits(-1, -1, 1 << 20, 1 << 16, 1 << 20, 1 << 16) < 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  return test::fuzz_path(data, size, [](const std::string& path) {
    const io::Hdf5 file(path);
    bool sequence = false;
    for (const std::string& name : file.names()) try {
        sequence = sequence || name.find("/data/") != std::string::npos;
        (void)file.attribute(name, "MATLAB_class");
        if (file.is_reference(name)) {
          (void)file.references(name);
          continue;
        }
        const io::NpyArray array = file.get(name);
        if (!array.text()) array.as<double>();
      } catch (const Error&) {
      }
    if (sequence) try {
        const io::Csd csd(path);
        for (const std::string& key : csd.keys()) (void)csd.intervals(key), (void)csd.rows(key, 0, 1);
      } catch (const Error&) {
      }
  });
}
