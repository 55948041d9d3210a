// error: .*reflect\(\) must name modules, parameters, buffers, or vectors or optionals of them
#include "lacuna/nn/module.hpp"

struct Layer {
  lacuna::Parameter<float, 1> weight;
  int width = 0;

  static void reflect(auto& self, auto&& visit) {
    visit("weight", self.weight);
    visit("width", self.width);
  }
};

auto use(const Layer& layer) { return lacuna::count_parameters(layer); }
