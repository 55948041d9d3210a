#include "device_check/rows.cuh"
#include "rows/class_losses.hpp"

LACUNA_CHECK_ROWS(ClassLossRows)
