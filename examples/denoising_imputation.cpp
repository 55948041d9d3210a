// Imputes a missing view: a denoising autoencoder sees all views of a sample but one (or some, in training: each is
// left out with probability 0.3) and gives all of them back. Prints the error of every view made from the other five.
#include <lacuna/nn/autoencoder.hpp>

#include "support/fit_batches.hpp"
#include "support/program.hpp"
#include "support/views.hpp"

using lacuna::index_t;
using Matrix = lacuna::Tensor<float, 2>;
using Var = lacuna::Variable<float, 2>;

// All views side by side, absent ones as zeros (their mean); keep (N, views).
Var joined(const std::vector<Matrix>& views, const lacuna::Mask<2>& keep) {
  std::vector<Var> parts;
  for (std::size_t v = 0; v < views.size(); ++v) {
    Matrix part = views[v].clone();
    for (index_t i = 0; i < part.extent(0); ++i)
      if (keep.defined() && !keep(i, index_t(v))) std::fill_n(&part(i, 0), part.extent(1), 0.0f);
    parts.emplace_back(part);
  }
  return concat(parts, -1);
}

int main(int argc, char** argv) {
  CLI::App app("Imputes missing views with a denoising autoencoder.", "denoising_imputation");
  std::string path;
  index_t epochs = 60;
  app.add_option("--data", path, "mfeat_six_views.npz; without it a synthetic set")->check(CLI::ExistingFile);
  app.add_option("--epochs", epochs, "passes over the training data")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  return support::run("denoising_imputation", app, argc, argv, [&] {
    const auto data = support::load_views(path);
    std::vector<Matrix> test;
    index_t width = 0;
    for (const auto& [name, view] : data.test.views) {
      test.push_back(view);
      width += view.extent(1);
    }
    lacuna::Random random(1);
    lacuna::Autoencoder<float> model({.sizes = {width, 256, 64}}, random);
    const index_t views = index_t(test.size());
    support::fit_batches(model, {data.train.size(), 100, epochs}, [&](auto rows) {
      std::vector<Matrix> batch;
      for (const auto& [name, view] : data.train.views) batch.push_back(support::rows_of(view, rows));
      lacuna::Mask<2> keep({index_t(rows.size()), views});
      for (index_t i = 0; i < keep.size(); ++i) keep.data()[i] = random.uniform() >= 0.3;
      return mse_loss(model(joined(batch, keep)).y, joined(batch, {}));
    });

    const lacuna::NoGrad off;
    double total = 0;
    std::printf("error of each view imputed from the others; 1 = imputing its mean\n");
    index_t column = 0;
    auto name = data.test.views.begin();
    for (index_t v = 0; v < views; ++v, ++name) {
      auto keep = lacuna::Mask<2>::full({data.test.size(), views}, 1);
      for (index_t i = 0; i < data.test.size(); ++i) keep(i, v) = 0;
      const auto made = model(joined(test, keep)).y.value();
      const Matrix& targets = test[std::size_t(v)];
      double error = 0, mean = 0;
      for (index_t i = 0; i < targets.extent(0); ++i)
        for (index_t f = 0; f < targets.extent(1); ++f) {
          error += std::pow(double(made(i, column + f)) - targets(i, f), 2);
          mean += std::pow(double(targets(i, f)), 2);
        }
      column += targets.extent(1);
      total += error / mean / double(views);
      std::printf("  %s %.3f\n", name->first.c_str(), error / mean);
    }
    std::printf("mean %.3f\n", total);
    return 0;
  });
}
