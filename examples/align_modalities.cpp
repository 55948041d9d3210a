// Aligns two modalities: two encoders bring both views of a sample to the same place (symmetric InfoNCE), although a
// quarter of the training samples lack one of them. Prints how often a test sample's partner is the nearest of 500, or
// among five.
#include <lacuna/losses/contrastive.hpp>

#include "support/fit_batches.hpp"
#include "support/program.hpp"
#include "support/views.hpp"

using lacuna::index_t;
using Var = lacuna::Variable<float, 2>;

struct Encoder {
  lacuna::Linear<float> hidden, out;
  Encoder(index_t in, lacuna::Random& random)
      : hidden({.in_features = in, .out_features = 128}, random),
        out({.in_features = 128, .out_features = 32}, random) {}
  Var operator()(const Var& x) const { return out(hidden(x, lacuna::Activation::relu)); }
  static void reflect(auto& self, auto&& visit) {
    visit("hidden", self.hidden);
    visit("out", self.out);
  }
};
struct Pair {
  Encoder first, second;
  static void reflect(auto& self, auto&& visit) {
    visit("first", self.first);
    visit("second", self.second);
  }
};

int main(int argc, char** argv) {
  CLI::App app("Aligns two views by contrast.", "align_modalities");
  std::string path, first = "fac", second = "kar";
  index_t epochs = 60;
  app.add_option("--data", path, "mfeat_six_views.npz; without it a synthetic set")->check(CLI::ExistingFile);
  app.add_option("--first", first, "one view")->capture_default_str();
  app.add_option("--second", second, "the other")->capture_default_str();
  app.add_option("--epochs", epochs, "passes over the data")->check(CLI::PositiveNumber)->capture_default_str();
  return support::run("align_modalities", app, argc, argv, [&] {
    const auto data = support::load_views(path);
    for (const auto& name : {first, second})
      if (!data.train.views.contains(name)) throw lacuna::OptionError("there is no view '" + name + "'");
    const auto &x = data.train.views.at(first), &y = data.train.views.at(second);
    lacuna::Random random(1);
    const Pair model{Encoder(x.extent(1), random), Encoder(y.extent(1), random)};
    support::fit_batches(model, {data.train.size(), 200, epochs}, [&](auto rows) {
      lacuna::Mask<1> both({index_t(rows.size())});
      for (std::size_t i = 0; i < rows.size(); ++i) both.data()[i] = rows[i] % 4 != 0;
      return info_nce_loss(model.first(Var(support::rows_of(x, rows))), model.second(Var(support::rows_of(y, rows))),
                           {0.1}, both);
    });
    const auto show = [](const std::string& from, const std::string& to, const auto& own, const auto& other) {
      std::printf("%s -> %s: nearest %.1f %%, among five %.1f %%\n", from.c_str(), to.c_str(),
                  support::found_among(1, own, other), support::found_among(5, own, other));
    };
    const auto a = model.first(Var(data.test.views.at(first))).value();
    const auto b = model.second(Var(data.test.views.at(second))).value();
    show(first, second, a, b);
    show(second, first, b, a);
    return 0;
  });
}
