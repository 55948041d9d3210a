/// A small classification set: every view carries part of the class, all of them together carry it clearly.
#pragma once

#include <string>

#include "lacuna/core/random.hpp"
#include "lacuna/data/dataset.hpp"

namespace lacuna::test {

/// samples of the training split, half as many in the others; one frame per view; view m is called "v<m>".
inline data::Dataset class_dataset(index_t samples, index_t classes, const std::vector<index_t>& features,
                                   std::uint64_t seed = 5) {
  Random random(seed);
  std::vector<std::vector<float>> centres;  // per view: classes × features
  for (const index_t width : features) {
    centres.emplace_back();
    for (index_t i = 0; i < classes * width; ++i) centres.back().push_back(float(2 * random.normal()));
  }
  data::Dataset set;
  set.name = "classes";
  set.class_count = classes;
  const auto fill = [&](auto& split, index_t count) {
    for (index_t n = 0; n < count; ++n) {
      split.classes.push_back(n % classes);
      split.ids.push_back(std::to_string(n));
    }
    for (std::size_t m = 0; m < features.size(); ++m) {
      data::Modality view{"v" + std::to_string(m), Tensor<float, 3>({count, 1, features[m]}),
                          Mask<2>::full({count, 1}, 1)};
      for (index_t n = 0; n < count; ++n)
        for (index_t f = 0; f < features[m]; ++f)
          view.frames(n, index_t(0), f) =
              centres[m][std::size_t(n % classes * features[m] + f)] + float(random.normal());
      split.modalities.push_back(std::move(view));
    }
  };
  fill(set.train, samples);
  fill(set.validation, samples / 2);
  fill(set.test, samples / 2);
  return set;
}

}  // namespace lacuna::test
