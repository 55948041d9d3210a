// error: lacuna: errors are exceptions: build the files that include it without -fno-exceptions
// flags: -fno-exceptions
#include "lacuna/core/shape.hpp"

int main() {}
