// compiles
// flags: -O2 -ffast-math -DLACUNA_ALLOW_FINITE_MATH
#include "lacuna/data/dataset.hpp"

int main() {}
