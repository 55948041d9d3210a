/// A program with a model of one's own: registered in one line, it is listed, trained, stored and predicted by all the
/// commands of `lacuna`, beside the models of the library.
///
///     own_program models averages
///     own_program train --model averages --data FILE.npz --width 32 --out runs/mine
///     own_program predict --checkpoint runs/mine/averages/seed-1/model.lacuna --data FILE.npz --missing text
#include <lacuna/lacuna.hpp>
#include <lacuna/zoo/entry.hpp>

#include "lacuna/commands.hpp"

using namespace lacuna;

/// Averages over time, a hidden layer of each, and a line through their sum.
struct Averages {
  struct Options {
    std::vector<index_t> inputs = {};
    index_t classes = 0, width = 16;
    missing::MrmOptions drop = models::modality_dropping();
    index_t outputs() const { return models::outputs_for(classes); }
    static void reflect(auto& self, auto&& visit) {
      models::ModelOptions::reflect(self, visit);
      visit("width", self.width, Facts{.help = "size of the hidden layer", .range = Range::at_least(1)});
    }
  };
  std::vector<Linear<float>> hidden;
  Linear<float> line;

  Averages(const Options& o, Random& random) : line({o.width, o.outputs()}, random) {
    for (const index_t in : o.inputs) hidden.push_back(Linear<float>({in, o.width}, random));
  }
  Variable<float, 2> operator()(const models::Streams<float>& streams, const Context&) const {
    Variable<float, 2> sum;
    for (std::size_t m = 0; m < streams.size(); ++m) {
      const auto mean = mean_pool(Variable<float, 3>(streams[m].frames), streams[m].present);
      const auto seen = apply_mask(hidden[m](mean, Activation::tanh), any_present(streams[m].present));
      sum = m == 0 ? seen : sum + seen;
    }
    return line(sum);
  }
  static void reflect(auto& self, auto&& visit) { visit("hidden", self.hidden), visit("line", self.line); }
};

int main(int argc, char** argv) {
  zoo::add<models::Model<Averages>>("averages", "hidden layers of averages over time, summed");
  return program::run_command(argc, argv);
}
