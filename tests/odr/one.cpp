#include "everything.hpp"

lacuna::index_t elements_of_two();

int main() {
  const lacuna::Tensor<float, 2> tensor(std::array<lacuna::index_t, 2>{2, 3});
  return tensor.size() == elements_of_two() ? 0 : 1;
}
