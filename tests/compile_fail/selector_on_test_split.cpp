// error: cannot convert|no matching function|could not convert|no matching member function
#include "lacuna/train/selection.hpp"
#include "train/tiny_learner.hpp"

double validate(lacuna::train::Selector& selector, const lacuna::test::TinyLearner<float>& model,
                const lacuna::data::Dataset& data) {
  return selector.validate(model, data.test).score;
}
