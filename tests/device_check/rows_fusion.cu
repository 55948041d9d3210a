#include "device_check/rows.cuh"
#include "rows/fusion.hpp"

LACUNA_CHECK_ROWS(FusionRows)
