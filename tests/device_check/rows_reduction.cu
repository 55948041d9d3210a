#include "device_check/rows.cuh"
#include "rows/reduction.hpp"

LACUNA_CHECK_ROWS(ReductionRows)
