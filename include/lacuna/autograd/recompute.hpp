/// Recomputation: a part of the network whose inner results are not kept but computed again when the gradient comes.
/// Memory of the part shrinks to its inputs and its result, at the price of a second forward pass.
/// (Chen, Xu, Zhang & Guestrin 2016)
///
///     y = recompute([&](const auto& h) { return layer(h, present); }, x);
///     y = recompute([&](const auto& h, const Context& c) { return layer(h, present, c); }, context, x);   // with
///     dropout
///
/// Gradients are the same bits as without. f may use parameters and constants freely; every other variable that wants a
/// gradient must be an argument, not a capture. The second form runs f again with the random numbers of the first time.
#pragma once

#include <tuple>

#include "lacuna/autograd/accumulate.hpp"
#include "lacuna/autograd/record.hpp"
#include "lacuna/core/context.hpp"

namespace lacuna {
namespace detail {

/// Recording on, whatever surrounds it: backward may be called under NoGrad.
class Recording {
 public:
  Recording() : previous_(std::exchange(recording(), true)) {}
  ~Recording() { recording() = previous_; }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  bool previous_;
};

/// What the recomputed part adds to the gradient of one of its inputs.
template <class T, int R, class D>
void hand_over(const Variable<T, R, D>& leaf, const Variable<T, R, D>& input) {
  if (!leaf.has_grad()) return;
  accumulate(input, leaf.grad());
}

}  // namespace detail

/// y = f(x...), one variable from one or more, of any ranks.
template <class F, class T, int First, class D, class... Rest>
auto recompute(F f, const Variable<T, First, D>& first, const Rest&... rest) {
  const auto run = [f](const auto&... x) { return f(x...); };
  using Result = decltype(run(first, rest...));
  if (!detail::recording()) return run(first, rest...);
  // recorded once to learn whether anything in it wants a gradient; that graph ends with this scope
  const auto leaf = [](const auto& x) { return std::decay_t<decltype(x)>(x.value(), x.requires_grad()); };
  const auto [value, wanted] = [&] {
    const Result once = run(leaf(first), leaf(rest)...);
    return std::pair(once.value(), once.requires_grad());
  }();
  Result result(value);
  if (!wanted) return result;
  auto& inputs = result.node()->inputs;
  inputs.push_back(first.node());
  (inputs.push_back(rest.node()), ...);
  detail::attach<T, Result::rank, D>(
      *result.node(), "recompute", [=, kept = std::tuple(first, rest...)](const Tensor<T, Result::rank, D>& dy) {
        const detail::Recording on;
        std::apply(
            [&](const auto&... x) {
              const auto leaves = std::tuple(leaf(x)...);
              const Result again = std::apply(run, leaves);
              again.backward(dy);
              std::apply([&](const auto&... l) { (detail::hand_over(l, x), ...); }, leaves);
            },
            kept);
      });
  return result;
}

/// y = f(x..., context). Throws OptionError for a context with a dropout tape, which cannot be read twice.
template <class F, class T, int First, class D, class... Rest>
auto recompute(F f, const Context& context, const Variable<T, First, D>& first, const Rest&... rest) {
  if (context.recorded()) throw OptionError("recompute: a dropout tape cannot be read twice");
  const bool random = context.random != nullptr;
  const Random start = random ? *context.random : Random();
  const auto end = std::make_shared<Random>(start);  // where f left the numbers
  const auto y = recompute(
      [f, mode = context.mode, random, start, end](const auto&... x) {
        *end = start;
        return f(x..., Context{mode, random ? end.get() : nullptr, nullptr});
      },
      first, rest...);
  if (random) *context.random = *end;
  return y;
}

}  // namespace lacuna
