#include "device_check/rows.cuh"
#include "rows/elementwise.hpp"

LACUNA_CHECK_ROWS(ElementwiseRows)
