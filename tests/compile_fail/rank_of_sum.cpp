// error: no matching function|no match for .operator|invalid operands
#include "lacuna/ops/elementwise.hpp"

// [B, 1] and [B]: the sum that silently becomes [B, B] elsewhere
auto use(const lacuna::Variable<float, 2>& predictions, const lacuna::Variable<float, 1>& labels) {
  return lacuna::add(predictions, labels);
}
