#include "device_check/rows.cuh"
#include "rows/indexing.hpp"
#include "rows/manipulation.hpp"
#include "rows/matmul.hpp"

namespace {
using MoveRows = lacuna::test::Join<lacuna::test::ManipulationRows, lacuna::test::IndexingRows, lacuna::test::MatmulRows>;
}
LACUNA_CHECK_ROWS(MoveRows)
