#include "device_check/rows.cuh"
#include "rows/arithmetic.hpp"

LACUNA_CHECK_ROWS(ArithmeticRows)
