/// Teaches a projector to make a frozen language model transcribe. (Ma et al. 2024, "linear" of SLAM-LLM)
///
/// An example is [soft tokens][prompt, its start id first][answer, an end id last]; the loss is the mean of
/// −log softmax(logits at position i − 1)[id i] over all ids of the answers of a batch. Encoder and language model stay
/// as they are: the gradient goes through the language model into the soft tokens, and from there into the projector.
/// Inside of layers is computed again on the way back: what is kept per position is `hidden` numbers per layer.
#pragma once

#include "lacuna/language/llama.hpp"
#include "lacuna/losses/classification.hpp"
#include "lacuna/ops/indexing.hpp"
#include "lacuna/ops/shape.hpp"
#include "lacuna/optim/adam.hpp"
#include "lacuna/speech/projector.hpp"

namespace lacuna::speech {

template <class T>
struct SlamExample {
  Tensor<T, 2> heard;           ///< (F, D): `last` of the encoder
  std::vector<index_t> prompt;  ///< ids, the start id first
  std::vector<index_t> answer;  ///< ids of the transcript, the end id last; tokenised together with the prompt
};

/// A batch as rows of embeddings, one example behind the other, without padding.
template <class T>
struct SlamBatch {
  Variable<T, 2> rows;
  std::vector<index_t> starts, predicting, labels;  ///< rows whose scores answer, and what they should say
};

template <class T>
SlamBatch<T> slam_batch(const Projector<T>& projector, const language::Llama<T>& model,
                        std::span<const SlamExample<T>> examples) {
  SlamBatch<T> batch;
  batch.starts = {0};
  std::vector<Variable<T, 2>> parts;
  for (const SlamExample<T>& example : examples) {
    if (example.answer.empty()) throw ShapeError("slam: an example has no answer, not even an end");
    std::vector<index_t> ids = example.prompt;
    ids.insert(ids.end(), example.answer.begin(), example.answer.end());
    const auto soft = projector(example.heard);
    if (soft.extent(0) > 0) parts.push_back(soft);
    parts.push_back(model.embed(ids));
    const index_t first = batch.starts.back() + soft.extent(0) + index_t(example.prompt.size());
    if (first == batch.starts.back()) throw ShapeError("slam: an example has neither sound nor prompt");
    for (std::size_t i = 0; i < example.answer.size(); ++i) {
      batch.predicting.push_back(first + index_t(i) - 1);
      batch.labels.push_back(example.answer[i]);
    }
    batch.starts.push_back(first + index_t(example.answer.size()));
  }
  batch.rows = concat(parts, 0);
  return batch;
}

/// The loss of a batch, and how many of its ids would have been chosen by greedy search.
template <class T>
struct SlamLoss {
  Variable<T, 0> loss;
  index_t tokens = 0, right = 0;
};

template <class T>
SlamLoss<T> slam_loss(const Projector<T>& projector, const language::Llama<T>& model,
                      std::span<const SlamExample<T>> examples) {
  const SlamBatch<T> batch = slam_batch(projector, model, examples);
  const auto last = model.read(batch.rows, batch.starts).last;
  const auto logits = model.logits(index_select(last, 0, std::span<const index_t>(batch.predicting)));
  SlamLoss<T> result{cross_entropy(logits, batch.labels), index_t(batch.labels.size()), 0};
  const index_t width = logits.extent(1);
  for (std::size_t i = 0; i < batch.labels.size(); ++i) {
    const T* const row = logits.data() + index_t(i) * width;
    result.right += std::max_element(row, row + width) - row == batch.labels[i];
  }
  return result;
}

/// Defaults: the recipe of SLAM-LLM. The first update has rate 0.
struct SlamOptions {
  double learning_rate = 1e-4, weight_decay = 0;
  index_t warmup = 1000, steps = 100000, batch = 4, epochs = 3;
  std::uint64_t seed = 1;

  /// Of update s = 0, 1, …: rises to the rate over `warmup` steps, then falls to 0 at `steps`.
  double rate(index_t s) const {
    if (s < warmup) return learning_rate * double(s) / double(warmup);
    return learning_rate * std::max(0.0, 1 - double(s - warmup) / double(std::max<index_t>(steps - warmup, 1)));
  }
};

/// Trains in place by AdamW; `report(step, loss, accuracy)` after every update. Throws OptionError for an empty set.
template <class T, class Report>
void train_projector(Projector<T>& projector, const language::Llama<T>& model, std::span<const SlamExample<T>> examples,
                     const SlamOptions& options, Report&& report) {
  if (examples.empty() || options.batch < 1) throw OptionError("train_projector: no examples, or a batch of none");
  optim::AdamW<T> optimizer(projector, {.learning_rate = options.learning_rate, .weight_decay = options.weight_decay});
  Random random(options.seed);
  index_t step = 0;
  for (index_t epoch = 0; epoch < options.epochs && step < options.steps; ++epoch) {
    const std::vector<index_t> order = random.permutation(index_t(examples.size()));
    for (index_t from = 0; from < index_t(order.size()) && step < options.steps; from += options.batch, ++step) {
      std::vector<SlamExample<T>> batch;
      for (index_t i = from; i < std::min<index_t>(from + options.batch, index_t(order.size())); ++i)
        batch.push_back(examples[std::size_t(order[std::size_t(i)])]);
      optimizer.zero_grad();
      const auto found = slam_loss<T>(projector, model, batch);
      found.loss.backward();
      optimizer.set_learning_rate(options.rate(step));
      optimizer.step();
      report(step, double(found.loss.item()), double(found.right) / double(found.tokens));
    }
  }
}

}  // namespace lacuna::speech
