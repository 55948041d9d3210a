// error: .*the module has parameters of another scalar type or device
#include "lacuna/nn/linear.hpp"
#include "lacuna/optim/adam.hpp"

struct Net {
  lacuna::Linear<double> layer;
  static void reflect(auto& self, auto&& visit) { visit("layer", self.layer); }
};

void use(Net& net) { lacuna::optim::Adam optimizer(net); }  // without `using scalar = double` it takes float
