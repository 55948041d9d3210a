/// Continues a text: greedy or beam search over a model, with the hidden states that stand for what it says.
///
///     const auto said = language::generate(model, prompt, {.num_beams = 4, .max_new_tokens = 200, .ends = {2}});
///     said.best().tokens;  said.forced;      // states of the tokens of the best text, (tokens, layers + 1, hidden)
///
/// Two features are made of states. `forced`: those of the tokens of the best text, as if it had been read. `published`:
/// those of row 0 at every step but the first, which is what the authors of SDUMC stored; beams overtake one another, so
/// neighbouring rows may belong to different texts, and there may be more or fewer of them than tokens.
#pragma once

#include <cstring>

#include "lacuna/language/beam_search.hpp"
#include "lacuna/language/llama.hpp"

namespace lacuna::language {

/// Which states to keep.
struct StateOptions {
  bool published = false, forced = false;
};

template <class T>
struct Generated {
  std::vector<Hypothesis> texts;  ///< best first; an end id, where there is one, is the last token
  index_t steps = 0;              ///< how often the model was asked
  Tensor<T, 2> first;             ///< (layers + 1, hidden): of the last position of the prompt, if any are kept
  Tensor<T, 3> published;         ///< (steps − 1, layers + 1, hidden)
  Tensor<T, 3> forced;            ///< (tokens of the best, layers + 1, hidden), the end id with them
  const Hypothesis& best() const { return texts.front(); }
};

}  // namespace lacuna::language

namespace lacuna::detail {

/// One row of all states: (layers + 1, hidden).
template <class T>
Tensor<T, 2> state_row(const std::vector<Tensor<T, 2>>& states, index_t row) {
  const index_t width = states[0].extent(1);
  Tensor<T, 2> all({index_t(states.size()), width});
  for (std::size_t k = 0; k < states.size(); ++k)
    std::copy_n(states[k].data() + row * width, width, all.data() + index_t(k) * width);
  return all;
}
template <class T>
Tensor<T, 3> stack_rows(const std::vector<Tensor<T, 2>>& rows, index_t layers, index_t width) {
  Tensor<T, 3> all({index_t(rows.size()), layers, width});
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy_n(rows[i].data(), layers * width, all.data() + index_t(i) * layers * width);
  return all;
}

}  // namespace lacuna::detail

namespace lacuna::language {

/// All states of rows as one array: layers + 1 of (n, hidden) → (n, layers + 1, hidden).
template <class T>
Tensor<T, 3> by_position(const std::vector<Tensor<T, 2>>& states) {
  std::vector<Tensor<T, 2>> rows;
  for (index_t i = 0; i < states[0].extent(0); ++i) rows.push_back(detail::state_row(states, i));
  return detail::stack_rows(rows, index_t(states.size()), states[0].extent(1));
}

/// (n, layers + 1, hidden) → (n, hidden): the sum of the last `count` entries, which is the feature that the authors of
/// SDUMC made of `published`, with 4.
template <class T>
Tensor<T, 2> summed_layers(const Tensor<T, 3>& states, index_t count) {
  auto sum = Tensor<T, 2>::zeros({states.extent(0), states.extent(2)});
  for (index_t t = 0; t < sum.extent(0); ++t)
    for (index_t k = std::max<index_t>(states.extent(1) - count, 0); k < states.extent(1); ++k)
      for (index_t j = 0; j < sum.extent(1); ++j) sum(t, j) += states(t, k, j);
  return sum;
}

/// prompt (P, hidden), embedded; P ≥ 1. `watch(scores)` sees what every step chose from: (rows, vocabulary), behind the
/// penalties. One beam is greedy search: the largest logit, the lowest id among equals.
template <class T, class Watch>
Generated<T> generate(const Llama<T>& model, const Tensor<T, 2>& prompt, const GenerateOptions& options,
                      const StateOptions& keep, Watch&& watch) {
  const NoGrad off;
  const index_t positions = prompt.extent(0), vocabulary = model.config().vocabulary;
  if (positions < 1) throw ShapeError("generate: the prompt is empty; a model needs something to go on from");
  const bool states = keep.published || keep.forced;
  Cache<T> cache = model.cache();
  Generated<T> result;
  std::vector<Tensor<T, 2>> published;
  const auto last_row = [](const Tensor<T, 2>& rows) {
    Tensor<T, 2> one({1, rows.extent(1)});
    std::copy_n(rows.data() + (rows.extent(0) - 1) * rows.extent(1), rows.extent(1), one.data());
    return one;
  };
  Reading<T> reading = model.read(cache, prompt, states);
  if (states) result.first = detail::state_row(reading.states, positions - 1);
  Tensor<T, 2> logits = model.logits(Variable<T, 2>(last_row(reading.last.value()))).value();
  result.steps = 1;
  const auto feed = [&](const std::vector<index_t>& tokens) {
    reading = model.read(cache, model.embed(tokens).value(), keep.published);
    if (keep.published) published.push_back(detail::state_row(reading.states, 0));
    logits = model.logits(reading.last).value();
    ++result.steps;
  };
  const auto scores = [&] { return std::span<const T>(std::as_const(logits).data(), std::size_t(logits.size())); };
  if (options.num_beams == 1) {
    cache.fork(1);
    std::vector<double> row(static_cast<std::size_t>(vocabulary));
    Hypothesis text;
    while (true) {
      std::copy(scores().begin(), scores().end(), row.begin());
      detail::process_scores(options, text.tokens, row);
      watch(row);
      const auto chosen = index_t(std::max_element(row.begin(), row.end()) - row.begin());
      text.tokens.push_back(chosen);
      text.rows.push_back(0);
      const bool ended = std::find(options.ends.begin(), options.ends.end(), chosen) != options.ends.end();
      if (ended || index_t(text.tokens.size()) >= options.max_new_tokens) break;
      feed({chosen});
    }
    result.texts.push_back(std::move(text));
  } else {
    BeamSearch search(options, vocabulary);
    cache.fork(1);
    bool more = search.advance(scores());
    watch(search.processed());
    while (more) {
      cache.reorder(search.parents());
      feed(search.tokens());
      more = search.advance(scores());
      watch(search.processed());
    }
    result.texts = search.results();
  }
  const index_t layers = model.config().layers + 1, width = model.config().hidden;
  if (keep.published) result.published = detail::stack_rows(published, layers, width);
  if (keep.forced) {
    cache.restart(1);
    result.forced = by_position(model.read(cache, model.embed(result.best().tokens).value(), true).states);
  }
  return result;
}
template <class T>
Generated<T> generate(const Llama<T>& model, const Tensor<T, 2>& prompt, const GenerateOptions& options = {},
                      const StateOptions& keep = {}) {
  return generate(model, prompt, options, keep, [](const std::vector<double>&) {});
}

}  // namespace lacuna::language
