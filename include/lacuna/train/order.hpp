/// In which order a training shows its samples: a pure function of the options and the epoch.
#pragma once

#include "lacuna/data/batch.hpp"
#include "lacuna/train/fit_options.hpp"

namespace lacuna::train {

/// conversations: those of the split are kept as a whole, their order is shuffled. Throws OptionError when classes are to
/// be balanced that the split does not have, or that stand in conversations.
inline std::vector<index_t> epoch_samples(const data::Split<data::Role::train>& train, const FitOptions& options,
                                          index_t epoch, bool conversations = false) {
  if (conversations && !train.conversations.empty()) {
    if (options.order == Order::balanced)
      throw OptionError("fit: order = balanced would tear conversations apart; use shuffled");
    const std::vector<index_t> all = data::epoch_order(train.size(), 0, 0, false);
    const std::vector<index_t> ends = data::batch_ends(all, train.conversations, 1);
    std::vector<index_t> order;
    for (const index_t i :
         data::epoch_order(index_t(ends.size()), options.seed, epoch, options.order == Order::shuffled))
      for (index_t n = i == 0 ? 0 : ends[std::size_t(i - 1)]; n < ends[std::size_t(i)]; ++n) order.push_back(n);
    return order;
  }
  if (options.order != Order::balanced)
    return data::epoch_order(train.size(), options.seed, epoch, options.order == Order::shuffled);
  if (index_t(train.classes.size()) != train.size())
    throw OptionError("fit: order = balanced needs class ids; for real labels use shuffled");
  std::vector<std::vector<index_t>> of_class;
  for (index_t n = 0; n < train.size(); ++n) {
    const auto k = std::size_t(train.classes[std::size_t(n)]);
    if (k >= of_class.size()) of_class.resize(k + 1);
    of_class[k].push_back(n);
  }
  std::erase_if(of_class, [](const auto& samples) { return samples.empty(); });
  Random random = Random(options.seed).split(std::uint64_t(epoch));
  std::vector<index_t> order;
  for (index_t n = 0; n < train.size(); ++n) {
    const auto& samples = of_class[std::size_t(random.below(index_t(of_class.size())))];
    order.push_back(samples[std::size_t(random.below(index_t(samples.size())))]);
  }
  return order;
}

}  // namespace lacuna::train
