#include "everything.hpp"

lacuna::index_t elements_of_two() { return lacuna::Tensor<float, 2>(std::array<lacuna::index_t, 2>{3, 2}).size(); }
