// error: .*this device has no kernels here
#include "lacuna/kernels/kernels.hpp"

struct Abacus {};

auto use() { return sizeof(lacuna::Kernels<Abacus>); }
