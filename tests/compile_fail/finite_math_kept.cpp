// compiles
// flags: -O2 -ffast-math -fno-finite-math-only
#include "lacuna/data/dataset.hpp"

int main() {}
