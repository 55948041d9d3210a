// error: no match for .operator=|no viable overloaded '='
#include "lacuna/core/tensor.hpp"

void use(const lacuna::Tensor<float, 1>& vector) {
  lacuna::Tensor<float, 2> matrix;
  matrix = vector;
}
