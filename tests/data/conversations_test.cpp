/// Sets of conversations: what a file says of them, and batches that keep them whole.
#include <doctest/doctest.h>

#include "lacuna/data/formats/load.hpp"
#include "lacuna/train/order.hpp"
#include "support/paths.hpp"

namespace conversations_test {

using namespace lacuna;

/// Seven utterances of conversations of 3, 1, 2 and 1.
data::Split<data::Role::train> talk() {
  data::Split<data::Role::train> split;
  split.modalities = {{"text", Tensor<float, 3>::zeros({7, 1, 2}), Mask<2>::full({7, 1}, 1)}};
  split.ids = {"a", "b", "c", "d", "e", "f", "g"};
  split.conversations = {0, 0, 0, 1, 2, 2, 3};
  split.speakers = {0, 1, 0, 0, 1, 1, 0};
  return split;
}

}  // namespace conversations_test

TEST_CASE("conversations: batches end where they do, whatever is asked for") {
  using namespace conversations_test;
  const auto split = talk();
  const std::vector<index_t> all = data::epoch_order(7, 0, 0, false);
  const auto ends = [&](index_t size) { return data::batch_ends(all, split.conversations, size); };
  CHECK(ends(1) == std::vector<index_t>{3, 4, 6, 7});
  CHECK(ends(2) == std::vector<index_t>{3, 4, 6, 7});
  CHECK(ends(4) == std::vector<index_t>{4, 7});
  CHECK(ends(5) == std::vector<index_t>{4, 7});
  CHECK(ends(100) == std::vector<index_t>{7});
  CHECK(data::batch_ends(all, {}, 3) == std::vector<index_t>{3, 6, 7});
  CHECK(data::batch_ends({}, {}, 3).empty());
  CHECK_THROWS_AS(ends(0), OptionError);
  CHECK(data::consecutive_batches(split, 4)[1] == std::vector<index_t>{4, 5, 6});

  const auto batch = data::gather<float>(split, std::vector<index_t>{4, 5, 0});
  CHECK(batch.conversations.conversation == List<index_t>{2, 2, 0});
  CHECK(batch.conversations.speaker == List<index_t>{1, 1, 0});
  auto wrong = split;
  wrong.speakers.pop_back();
  CHECK_THROWS_AS(data::gather<float>(wrong, std::vector<index_t>{0}), ShapeError);
}

TEST_CASE("conversations: their order is shuffled, not that of their utterances") {
  using namespace conversations_test;
  const auto split = talk();
  train::FitOptions options;
  bool moved = false;
  for (index_t epoch = 0; epoch < 4; ++epoch) {
    const auto order = train::epoch_samples(split, options, epoch, true);
    auto sorted = order;
    std::sort(sorted.begin(), sorted.end());
    CHECK(sorted == data::epoch_order(7, 0, 0, false));
    moved = moved || order != sorted;
    for (std::size_t i = 0; i + 1 < order.size(); ++i) {
      const auto own = split.conversations[std::size_t(order[i])];
      const bool last = order[i] == 6 || split.conversations[std::size_t(order[i] + 1)] != own;
      if (!last) CHECK(order[i + 1] == order[i] + 1);
    }
  }
  CHECK(moved);
  options.order = train::Order::balanced;
  CHECK_THROWS_AS(train::epoch_samples(split, options, 0, true), OptionError);
}

TEST_CASE("conversations: of DialogueRNN's pickle" * doctest::skip(!lacuna::test::have_formats())) {
  using namespace conversations_test;
  const data::Dataset set =
      data::formats::load(test::formats_dir() + "/dialogue/dialoguernn_iemocap_py2.pkl", {}, {.holdout = 0.3});
  CHECK(set.train.conversations == std::vector<index_t>{0, 0, 0});
  CHECK(set.train.speakers == std::vector<index_t>{0, 1, 0});  // F, M, F
  CHECK(index_t(set.test.conversations.size()) == set.test.size());
  CHECK(set.notes[3].text.find("conversations: dialogue, speaker") != std::string::npos);
}
