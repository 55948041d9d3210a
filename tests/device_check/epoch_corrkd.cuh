/// CorrKD as the epochs train it; one type per .cu, so that they compile side by side.
#pragma once

#include "device_check/epoch.cuh"
#include "lacuna/models/corrkd/corrkd.hpp"

namespace lacuna::test {

inline models::CorrkdOptions corrkd_for(const data::Corpus& corpus) {
  models::CorrkdOptions options;
  options.network.inputs = corpus.dimensions();
  options.teacher.epochs = 1;
  return options;
}

}  // namespace lacuna::test
