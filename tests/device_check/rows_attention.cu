#include "device_check/rows.cuh"
#include "rows/attention.hpp"

LACUNA_CHECK_ROWS(AttentionRows)
