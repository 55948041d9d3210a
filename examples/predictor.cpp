/// A stored model in a program of one's own: what it needs, and answers with and without each of its modalities.
///     predictor runs/synthetic/sdumc/seed-1/model.lacuna
#include <cstdio>
#include <lacuna/zoo/predictor.hpp>

int main(int argc, char** argv) {
  try {
    const auto predictor = lacuna::Predictor::load(argc > 1 ? argv[1] : "model.lacuna");
    lacuna::Sample sample;
    for (const auto& input : predictor.inputs()) {
      const Eigen::MatrixXf frames = Eigen::MatrixXf::Constant(1, input.features, 0.25f);  // yours: frames x features
      sample.push_back({input.name, frames});
    }
    std::printf("all: %.9g\n", predictor(sample).value);
    for (std::size_t m = 0; m < sample.size(); ++m) {
      lacuna::Sample rest = sample;
      rest.erase(rest.begin() + std::ptrdiff_t(m));  // left out: absent
      std::printf("without %s: %.9g\n", sample[m].name.c_str(), predictor(rest).value);
    }
  } catch (const lacuna::Error& error) {
    std::fprintf(stderr, "predictor: %s\n", error.what());
    return 1;
  }
}
