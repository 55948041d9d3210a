// compiles
#include "lacuna/core/tensor.hpp"
#include "lacuna/data/dataset.hpp"

void select_model(const lacuna::data::Split<lacuna::data::Role::validation>&);

void use(const lacuna::data::Dataset& corpus, lacuna::Tensor<float, 2> matrix) {
  select_model(corpus.validation);
  lacuna::Tensor<float, 2> other;
  other = matrix;
}
