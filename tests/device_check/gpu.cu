// The GPU that the check will use, in one line; ends with 77 where there is none.
#include <cstdio>

#include "lacuna/core/cuda.cuh"

int main() try { std::puts(lacuna::Cuda::description().c_str()); } catch (const std::exception& why) {
  std::fprintf(stderr, "%s\n", why.what());
  return 77;
}
