// What all trainings of a run share.
#pragma once

#include "data.hpp"
#include "lacuna/lab/plan.hpp"

namespace program {

namespace zoo = lacuna::zoo;

/// Everything about a run that its trainings share.
struct Setting {
  const Data& data;                       ///< with its test split, which no training sees
  const lacuna::data::Dataset& learning;  ///< without
  const lacuna::lab::Plan& plan;
  const lacuna::train::Targets& targets;  ///< empty values: the test split has no labels
  double prior = 0, save_seconds = 10;
  bool quiet = false, tensorboard = false;
  std::string dtype = "f32", command = {};
};

}  // namespace program
