// error: invalid initialization of reference|no matching function
#include "lacuna/data/dataset.hpp"

void select_model(const lacuna::data::Split<lacuna::data::Role::validation>&);

void use(const lacuna::data::Dataset& corpus) { select_model(corpus.test); }
