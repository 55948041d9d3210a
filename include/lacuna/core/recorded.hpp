/// What a step says of the host while it is recorded, to be replayed later (replay.hpp).
///
/// A recording bakes in every number of the host that it was made with. Whatever hands out numbers of the host that
/// change from batch to batch therefore asks here first: `host_is_read` refuses, in a step that is being recorded, and
/// the step is then run as it is; `host_answers` lets a question through whose answer decides what is done (are all
/// labels classes?), and keeps it, so that it is asked again of every batch before the recording is launched. Outside
/// of a recording both cost the look at one pointer.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <vector>

#include "lacuna/core/function.hpp"
#include "lacuna/core/recording.hpp"

namespace lacuna {

namespace detail {

/// Questions that a recorded step asked of the host, with their answers.
class HostQuestions {
 public:
  /// Those of the calling thread; null where it records nothing.
  static HostQuestions*& now() { return recording_questions(); }
  void add(Function<bool()> question, bool answer) { all_.emplace_back(std::move(question), answer); }
  /// Whether every answer is still the same.
  bool hold() const {
    return std::all_of(all_.begin(), all_.end(), [](const auto& one) { return one.first() == one.second; });
  }
  void clear() { all_.clear(); }

 private:
  std::vector<std::pair<Function<bool()>, bool>> all_;
};

/// question(), which is kept where a step is being recorded. What it reads must stay where it is, with the numbers of
/// the batch that comes.
template <class F>
bool host_answers(F&& question) {
  const bool answer = question();
  if (step_is_recorded()) HostQuestions::now()->add(std::forward<F>(question), answer);
  return answer;
}

}  // namespace detail

/// Numbers of a batch that only the host has: a list that refuses to be read by a step that is being recorded. How many
/// they are is no secret.
template <class Numbers>
class OnHost {
 public:
  using value_type = typename Numbers::value_type;

  OnHost() = default;
  OnHost(Numbers numbers) : numbers_(std::move(numbers)) {}
  OnHost(std::initializer_list<value_type> numbers) : numbers_(numbers) {}

  std::size_t size() const { return numbers_.size(); }
  bool empty() const { return numbers_.empty(); }
  const Numbers& list() const {
    detail::host_is_read("labels or places of samples");
    return numbers_;
  }
  operator const Numbers&() const { return list(); }
  auto begin() const { return list().begin(); }
  auto end() const { return list().end(); }
  const value_type* data() const { return list().data(); }
  const value_type& operator[](std::size_t i) const { return list()[i]; }

  void push_back(const value_type& number) { numbers_.push_back(number); }
  template <class... A>
  void assign(A&&... arguments) {
    numbers_.assign(std::forward<A>(arguments)...);
  }

 private:
  Numbers numbers_;
};

}  // namespace lacuna
