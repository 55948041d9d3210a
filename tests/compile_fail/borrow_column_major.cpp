// error: .*a column-major matrix cannot be borrowed
#include "lacuna/interop/eigen.hpp"

auto use(Eigen::MatrixXf& matrix) { return lacuna::borrow(matrix); }
