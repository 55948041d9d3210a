/// Where the utterances of a batch stand when its conversations are padded to one length.
///
///     const ConversationLayout layout(batch.conversations, batch.size());
///     const auto padded = layout.padded(rows);        // (B, F) → (C, U, F), zeros behind the end of a conversation
///     const auto again = layout.rows(padded);         // (B, F)
///
/// Without conversations every sample is one of its own. `present` (C, U): 1 where there is an utterance. Nodes are the
/// utterances, conversation after conversation.
#pragma once

#include <span>

#include "lacuna/core/mask.hpp"
#include "lacuna/data/stream.hpp"
#include "lacuna/ops/indexing.hpp"
#include "lacuna/ops/shape.hpp"

namespace lacuna::models {

struct ConversationLayout {
  index_t length = 1;             ///< U
  std::vector<index_t> lengths;   ///< (C)
  std::vector<index_t> speakers;  ///< of the nodes
  std::vector<index_t> sample;    ///< (C · U) which sample stands there; B: none
  std::vector<index_t> place;     ///< (B) where
  std::vector<index_t> node;      ///< (C · U) which node; B: none
  std::vector<index_t> real;      ///< (B) places of the nodes

  ConversationLayout() = default;
  /// U is `at_least`, or more. Throws ShapeError for lists that do not fit the batch.
  ConversationLayout(const data::Conversations& talk, index_t batch, index_t at_least = 1) {
    const bool known = !talk.conversation.empty(), spoken = !talk.speaker.empty();
    const auto expect = [&](bool given, std::size_t found, const char* what) {
      if (given && index_t(found) != batch)
        throw ShapeError(detail::cat("conversations: ", found, " ", what, " for ", batch, " samples"));
    };
    expect(known, talk.conversation.size(), "numbers"), expect(spoken, talk.speaker.size(), "speakers");
    std::vector<index_t> numbers, of;
    for (index_t b = 0; b < batch; ++b) {
      const index_t number = known ? talk.conversation[std::size_t(b)] : b;
      std::size_t c = numbers.size();
      while (c > 0 && numbers[c - 1] != number) --c;  // most often the last one
      if (c == 0) numbers.push_back(number), lengths.push_back(0), c = numbers.size();
      of.push_back(index_t(c - 1));
      ++lengths[c - 1];
    }
    length = at_least;
    for (const index_t n : lengths) length = std::max(length, n);
    sample.assign(numbers.size() * std::size_t(length), batch);
    node = sample;
    place.resize(std::size_t(batch));
    std::vector<index_t> filled(numbers.size(), 0);
    for (index_t b = 0; b < batch; ++b) {
      const index_t c = of[std::size_t(b)], at = c * length + filled[std::size_t(c)]++;
      sample[std::size_t(at)] = b;
      place[std::size_t(b)] = at;
    }
    for (std::size_t at = 0; at < sample.size(); ++at) {
      if (sample[at] == batch) continue;
      node[at] = index_t(real.size());
      real.push_back(index_t(at));
      speakers.push_back(spoken ? talk.speaker[std::size_t(sample[at])] : 0);
    }
  }

  index_t count() const { return index_t(lengths.size()); }
  Mask<2> present() const { return mask_from_lengths(lengths, length); }

  /// (B, F) → (C, U, F), rows in the order of the batch.
  template <class T, class D>
  Variable<T, 3, D> padded(const Variable<T, 2, D>& rows) const {
    return spread(rows, sample);
  }
  /// The same of the nodes.
  template <class T, class D>
  Variable<T, 3, D> padded_nodes(const Variable<T, 2, D>& nodes) const {
    return spread(nodes, node);
  }
  template <class T, class D>
  Variable<T, 2, D> rows(const Variable<T, 3, D>& x) const {
    return index_select(flat(x), 0, std::span<const index_t>(place));
  }
  template <class T, class D>
  Variable<T, 2, D> nodes(const Variable<T, 3, D>& x) const {
    return index_select(flat(x), 0, std::span<const index_t>(real));
  }
  template <class T, class D>
  static Variable<T, 2, D> flat(const Variable<T, 3, D>& x) {
    return reshape(x, std::array<index_t, 2>{x.extent(0) * x.extent(1), x.extent(2)});
  }

 private:
  template <class T, class D>
  Variable<T, 3, D> spread(const Variable<T, 2, D>& rows, const std::vector<index_t>& from) const {
    const index_t width = rows.extent(1);
    const Variable<T, 2, D> none(Tensor<T, 2, D>::zeros({1, width}));
    const auto all = index_select(concat<T, 2, D>({rows, none}, 0), 0, std::span<const index_t>(from));
    return reshape(all, std::array<index_t, 3>{count(), length, width});
  }
};

}  // namespace lacuna::models
