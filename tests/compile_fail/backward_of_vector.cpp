// error: no matching function for call to .*backward|no matching member function for call to 'backward'
#include "lacuna/autograd/variable.hpp"

// a gradient needs a scalar, or a seed of the same shape
void use(const lacuna::Variable<float, 1>& losses) { losses.backward(); }
