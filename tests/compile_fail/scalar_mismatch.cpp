// error: no match for call to|no matching function for call to object
#include "lacuna/nn/linear.hpp"

void use(const lacuna::Linear<float>& layer, const lacuna::Variable<double, 2>& x) { layer(x); }
