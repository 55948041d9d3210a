#include "device_check/rows.cuh"
#include "rows/losses.hpp"

LACUNA_CHECK_ROWS(LossRows)
