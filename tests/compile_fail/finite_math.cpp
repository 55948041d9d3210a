// error: lacuna: -ffast-math removes checks for NaN: add -fno-finite-math-only, or define LACUNA_ALLOW_FINITE_MATH
// flags: -O2 -ffast-math
#include "lacuna/data/dataset.hpp"

int main() {}
