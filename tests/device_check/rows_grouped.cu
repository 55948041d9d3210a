#include "device_check/rows.cuh"
#include "rows/grouped.hpp"

LACUNA_CHECK_ROWS(GroupedRows)
