// error: use of deleted function|call to deleted member function
#include "lacuna/interop/eigen.hpp"

// the view would outlive the tensor that grad() gives
auto use(const lacuna::Variable<float, 2>& x) { return x.grad().matrix(); }
