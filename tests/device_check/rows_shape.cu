#include "device_check/rows.cuh"
#include "rows/shape.hpp"

LACUNA_CHECK_ROWS(ShapeRows)
