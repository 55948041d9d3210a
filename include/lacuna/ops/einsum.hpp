/// Products of two arrays, with axes named by letters (Einstein's convention). A letter that the result lacks is summed
/// over; one that both arrays and the result have is a batch. Blanks are passed over.
///
///     einsum<3>("btd,bsd->bts", q, k)     // scores of attention; <3>: the rank of the result
///     einsum<0>("ij,ij->", a, b)          // Σ a b
///     einsum<3>("bi,bj->bij", a, b)       // outer products
///
/// It is permutations, a reshape and one matmul. Throws ShapeError when lengths differ, OptionError for a text that
/// cannot be read, names a letter twice in one array, or does not fit the ranks.
#pragma once

#include <string>
#include <string_view>

#include "lacuna/ops/matmul.hpp"

namespace lacuna {
namespace detail {

/// Letters of one array, and the lengths of their axes.
struct Letters {
  std::string_view names;
  const Shape* shape;

  bool has(char letter) const { return names.find(letter) != names.npos; }
  index_t length(char letter) const { return (*shape)[int(names.find(letter))]; }
};

/// x as (batch, one, two) after sums over the letters that are in none of the three groups.
template <class T, int R, class D>
Variable<T, 3, D> grouped(const Variable<T, R, D>& x, const Letters& letters, const std::string (&groups)[3]) {
  std::array<int, std::size_t(R)> axes{};
  std::array<index_t, 4> extents{1, 1, 1, 1};
  std::string order, rest;
  for (const char letter : letters.names)
    if ((groups[0] + groups[1] + groups[2]).find(letter) == std::string::npos) rest += letter;
  for (std::size_t g = 0; g < 4; ++g)
    for (const char letter : g < 3 ? groups[g] : rest) {
      order += letter;
      extents[g] *= letters.length(letter);
    }
  for (std::size_t i = 0; i < order.size(); ++i) axes[i] = int(letters.names.find(order[i]));
  const auto all = reshape(permute(x, axes), extents);
  return rest.empty() ? squeeze(all, 3) : sum(all, 3);
}

}  // namespace detail

template <int S, class T, int A, int B, class D>
Variable<T, S, D> einsum(std::string_view formula, const Variable<T, A, D>& a, const Variable<T, B, D>& b) {
  std::string letters(formula);
  std::erase(letters, ' ');
  const std::string_view text = letters;
  const auto comma = text.find(','), arrow = text.find("->");
  if (comma == text.npos || arrow == text.npos || comma > arrow)
    throw OptionError(detail::cat("einsum: '", text, "' is not of the form ab,bc->ac"));
  const std::string_view result = text.substr(arrow + 2);
  const detail::Letters x{text.substr(0, comma), &a.shape()}, y{text.substr(comma + 1, arrow - comma - 1), &b.shape()};
  for (const std::string_view names : {x.names, y.names, result})
    for (std::size_t i = 0; i < names.size(); ++i)
      if (!((names[i] >= 'a' && names[i] <= 'z') || (names[i] >= 'A' && names[i] <= 'Z')) ||
          names.find(names[i], i + 1) != names.npos)
        throw OptionError(detail::cat("einsum: '", text, "': '", names[i], "' is no letter, or stands twice"));
  if (int(x.names.size()) != A || int(y.names.size()) != B || int(result.size()) != S)
    throw OptionError(detail::cat("einsum: '", text, "' for arrays of ranks ", A, " and ", B, " and a result of ", S));
  std::string batch, inner, left, right;
  for (const char letter : result) {
    if (!x.has(letter) && !y.has(letter))
      throw OptionError(detail::cat("einsum: '", text, "': nothing has the axis '", letter, "'"));
    (x.has(letter) && y.has(letter) ? batch : x.has(letter) ? left : right) += letter;
  }
  for (const char letter : x.names) {
    if (!y.has(letter)) continue;
    if (x.length(letter) != y.length(letter))
      throw ShapeError(
          detail::cat("einsum: axis '", letter, "' of '", text, "' is ", x.length(letter), " and ", y.length(letter)));
    if (result.find(letter) == result.npos) inner += letter;
  }
  const std::string order = batch + left + right;
  std::array<index_t, std::size_t(S)> extents{};
  std::array<int, std::size_t(S)> axes{};
  for (std::size_t i = 0; i < order.size(); ++i) {
    extents[i] = x.has(order[i]) ? x.length(order[i]) : y.length(order[i]);
    axes[i] = int(order.find(result[i]));
  }
  const auto product =
      matmul(detail::grouped(a, x, {batch, left, inner}), detail::grouped(b, y, {batch, inner, right}));
  return permute(reshape(product, extents), axes);
}

}  // namespace lacuna
