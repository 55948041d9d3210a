#include "device_check/rows.cuh"
#include "rows/sequence.hpp"

LACUNA_CHECK_ROWS(SequenceRows)
