#include "device_check/rows.cuh"
#include "rows/batch_losses.hpp"

LACUNA_CHECK_ROWS(ContrastRows)
