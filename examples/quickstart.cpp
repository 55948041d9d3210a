// Trains SDUMC on a synthetic corpus and shows how well it does with all modalities and without text.
#include <lacuna/data/synthetic.hpp>
#include <lacuna/lacuna.hpp>
#include <lacuna/train/trainer.hpp>

int main() {
  const auto corpus = lacuna::data::synthetic({.samples = 2000, .seed = 7});
  lacuna::models::Sdumc<> model({.inputs = corpus.dimensions()}, lacuna::Random(7));
  lacuna::train::fit(model, corpus, {.epochs = 25});
  lacuna::train::print(lacuna::train::evaluate(model, corpus.test));
}
