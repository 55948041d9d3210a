#include "device_check/rows.cuh"
#include "rows/functions.hpp"

LACUNA_CHECK_ROWS(FunctionRows)
