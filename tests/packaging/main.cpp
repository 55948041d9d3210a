#include <lacuna/core/tensor.hpp>
#include <lacuna/version.hpp>

int main() {
  const lacuna::Tensor<float, 2> tensor(std::array<lacuna::index_t, 2>{2, 3});
  return tensor.size() == 6 && LACUNA_VERSION_MAJOR >= 0 ? 0 : 1;
}
