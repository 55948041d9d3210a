/// Beam search: the B most probable continuations, step by step, as transformers' `generate` finds them.
///
/// Of rows with scores s_j, each step takes the best of s_j + log softmax(logits_j)[v]. A candidate that ends (with an
/// end id, or because the text is full) and is among the best B becomes a hypothesis with score s / length^p; the best B
/// that do not end are the next rows. It stops when no row can improve the finished ones.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "lacuna/core/shape.hpp"

namespace lacuna::language {

/// off: stop when no running row can beat the worst finished one at its present length; on: as soon as there are B
/// finished ones; never: only when none can at any length.
enum class EarlyStopping { off, on, never };

/// v4: as transformers 4.31, the release of Vicuna 1.5: a text starts with an id of its own that counts in lengths; a
/// row that is cut off is scored one token longer; the search goes on about one step more.
enum class BeamRules { v5, v4 };

struct GenerateOptions {
  index_t num_beams = 4, max_new_tokens = 200, min_new_tokens = 0;
  double length_penalty = 1, repetition_penalty = 1;
  EarlyStopping early_stopping = EarlyStopping::off;
  std::vector<index_t> ends = {};  ///< ids that end a text
  BeamRules rules = BeamRules::v5;
  index_t start = 1;  ///< v4: the id that texts start with
};

/// A finished text: its ids (without the start of v4), the sum of log-probabilities over length^penalty, and for every
/// token the row it was taken from.
struct Hypothesis {
  std::vector<index_t> tokens;
  double score = 0;
  std::vector<index_t> rows;
};

}  // namespace lacuna::language

namespace lacuna::detail {

/// Repetition penalty over the ids seen, then no end before there are enough tokens; on logits or log-probabilities.
inline void process_scores(const language::GenerateOptions& o, std::span<const index_t> tokens,
                           std::span<double> scores) {
  if (o.repetition_penalty != 1) {
    std::vector<index_t> seen(tokens.begin(), tokens.end());
    if (o.rules == language::BeamRules::v4) seen.push_back(o.start);
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    for (const index_t id : seen) {
      double& s = scores[std::size_t(id)];
      s = s < 0 ? s * o.repetition_penalty : s / o.repetition_penalty;
    }
  }
  if (index_t(tokens.size()) < o.min_new_tokens)
    for (const index_t end : o.ends)
      if (end < index_t(scores.size())) scores[std::size_t(end)] = -std::numeric_limits<double>::infinity();
}

template <class T>
void log_softmax_row(const T* logits, std::span<double> to) {
  double largest = double(logits[0]), sum = 0;
  for (std::size_t v = 0; v < to.size(); ++v) largest = std::max(largest, double(logits[v]));
  for (std::size_t v = 0; v < to.size(); ++v) sum += std::exp(double(logits[v]) - largest);
  const double shift = largest + std::log(sum);
  for (std::size_t v = 0; v < to.size(); ++v) to[v] = double(logits[v]) - shift;
}

}  // namespace lacuna::detail

namespace lacuna::language {

class BeamSearch {
 public:
  BeamSearch(const GenerateOptions& options, index_t vocabulary)
      : o_(options), beams_(std::size_t(options.num_beams)), vocabulary_(std::size_t(vocabulary)), rows_(beams_) {
    if (o_.num_beams < 1 || o_.max_new_tokens < 1)
      throw OptionError(detail::cat("generate: num_beams ", o_.num_beams, " and max_new_tokens ", o_.max_new_tokens,
                                    " must be positive"));
    if (!(o_.repetition_penalty > 0)) throw OptionError("generate: repetition_penalty must be positive");
    for (std::size_t j = 1; j < beams_; ++j) rows_[j].score = -1e9;
    processed_.resize(beams_ * vocabulary_);
  }

  /// One step: logits of every row, (B, V); at the first step one row, (V), as all are alike. False when the search is
  /// over, else `tokens` are to be fed and `parents` say which rows they go on from.
  template <class T>
  bool advance(std::span<const T> logits) {
    for (std::size_t j = 0; j < beams_; ++j) {
      const std::span<double> scores(processed_.data() + j * vocabulary_, vocabulary_);
      detail::log_softmax_row(logits.data() + (step_ == 0 ? 0 : j * vocabulary_), scores);
      detail::process_scores(o_, rows_[j].tokens, scores);
    }
    const bool more = o_.rules == BeamRules::v5 ? step_of_v5() : step_of_v4();
    ++step_;
    return more;
  }
  const std::vector<index_t>& tokens() const { return tokens_; }
  const std::vector<index_t>& parents() const { return parents_; }
  /// Log-probabilities of the last step behind all penalties, (B, V).
  const std::vector<double>& processed() const { return processed_; }
  /// The finished texts, best first; at most B.
  const std::vector<Hypothesis>& results() const { return finished_; }

 private:
  struct Row {
    double score = 0;
    std::vector<index_t> tokens, rows;
  };
  struct Candidate {
    double score;
    std::size_t row;
    index_t token;
  };

  std::vector<Candidate> best(std::size_t wanted) const {
    std::vector<Candidate> all;
    const auto better = [](const Candidate& a, const Candidate& b) {
      return a.score > b.score || (a.score == b.score && std::pair(a.row, a.token) < std::pair(b.row, b.token));
    };
    // a heap of the best so far, the worst of them in front
    for (std::size_t j = 0; j < rows_.size(); ++j)
      for (std::size_t v = 0; v < vocabulary_; ++v) {
        const Candidate one{rows_[j].score + processed_[j * vocabulary_ + v], j, index_t(v)};
        if (all.size() == wanted) {
          if (!better(one, all.front())) continue;
          std::pop_heap(all.begin(), all.end(), better);
          all.pop_back();
        }
        all.push_back(one);
        std::push_heap(all.begin(), all.end(), better);
      }
    std::sort(all.begin(), all.end(), better);
    return all;
  }
  bool ends(index_t token) const { return std::find(o_.ends.begin(), o_.ends.end(), token) != o_.ends.end(); }
  Row grown(const Candidate& c) const {
    Row row = rows_[c.row];
    row.score = c.score;
    row.tokens.push_back(c.token);
    row.rows.push_back(index_t(step_ == 0 ? 0 : c.row));
    return row;
  }
  void finish(Row row, double length) {
    Hypothesis made{std::move(row.tokens), row.score / std::pow(length, o_.length_penalty), std::move(row.rows)};
    const auto at = std::upper_bound(finished_.begin(), finished_.end(), made,
                                     [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
    finished_.insert(at, std::move(made));
    if (finished_.size() > beams_) finished_.pop_back();
  }
  void run(std::vector<Row> next) {
    rows_ = std::move(next);
    tokens_.clear();
    parents_.clear();
    for (const Row& row : rows_) {
      tokens_.push_back(row.tokens.back());
      parents_.push_back(row.rows.back());
    }
  }
  bool full() const { return finished_.size() == beams_; }

  bool step_of_v5() {
    const bool last = step_ + 1 == o_.max_new_tokens;
    const auto candidates = best(std::max<std::size_t>(2, 1 + o_.ends.size()) * beams_);
    const bool open = improvable_ && !(o_.early_stopping == EarlyStopping::on && full());
    std::vector<Row> next;
    for (std::size_t rank = 0; rank < candidates.size(); ++rank) {
      const Candidate& c = candidates[rank];
      if (last || ends(c.token)) {
        if (open && rank < beams_) finish(grown(c), double(step_ + 1));
      } else if (next.size() < beams_) {
        next.push_back(grown(c));
      }
    }
    if (next.empty()) return false;
    run(std::move(next));
    const bool far = o_.early_stopping == EarlyStopping::never && o_.length_penalty > 0;
    const double bound = rows_[0].score / std::pow(double(far ? o_.max_new_tokens : step_ + 1), o_.length_penalty);
    improvable_ = improvable_ && (!full() || bound > finished_.back().score);
    return improvable_ && !(o_.early_stopping == EarlyStopping::on && full());
  }
  bool step_of_v4() {
    const auto candidates = best(2 * beams_);
    std::vector<Row> next;
    for (std::size_t rank = 0; rank < candidates.size() && next.size() < beams_; ++rank) {
      const Candidate& c = candidates[rank];
      if (!ends(c.token)) {
        next.push_back(grown(c));
      } else if (rank < beams_) {
        Row row = grown(c);
        const double score = c.score / std::pow(double(step_ + 1), o_.length_penalty);
        if (!full() || score > finished_.back().score) finish(std::move(row), double(step_ + 1));
      }
    }
    if (next.empty()) return false;
    const bool far = o_.early_stopping == EarlyStopping::never && o_.length_penalty > 0;
    const double length = double(far ? o_.max_new_tokens + 1 : step_ + 2);
    const bool stop = full() && (o_.early_stopping == EarlyStopping::on ||
                                 finished_.back().score >= candidates[0].score / std::pow(length, o_.length_penalty));
    run(std::move(next));
    if (!stop && step_ + 1 == o_.max_new_tokens)
      for (const Row& row : rows_) {
        const double score = row.score / std::pow(double(step_ + 2), o_.length_penalty);
        if (!full() || score > finished_.back().score) finish(row, double(step_ + 2));
      }
    return !stop && step_ + 1 < o_.max_new_tokens;
  }

  GenerateOptions o_;
  std::size_t beams_, vocabulary_;
  std::vector<Row> rows_;
  std::vector<Hypothesis> finished_;
  std::vector<index_t> tokens_, parents_;
  std::vector<double> processed_;
  index_t step_ = 0;
  bool improvable_ = true;
};

}  // namespace lacuna::language
