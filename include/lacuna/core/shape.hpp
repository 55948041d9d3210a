/// Sizes of arrays: `index_t`, and `Shape`, the run-time list of axis lengths that kernels and graph nodes see.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include "lacuna/core/error.hpp"

namespace lacuna {

using index_t = std::int64_t;

/// Axis lengths of one array, outermost first; row-major. At most `max_rank` axes, no length negative.
class Shape {
 public:
  static constexpr int max_rank = 8;

  Shape() = default;
  Shape(std::initializer_list<index_t> lengths) : Shape(lengths.begin(), int(lengths.size())) {}
  template <std::size_t R>
  Shape(const std::array<index_t, R>& lengths) : Shape(lengths.data(), int(R)) {}
  /// Throws ShapeError on a negative length, on more than `max_rank` axes, and when the product overflows.
  Shape(const index_t* lengths, int rank) : rank_(rank) {
    if (rank < 0 || rank > max_rank) throw ShapeError(detail::cat("shape: rank ", rank, " is outside 0..", max_rank));
    for (int i = 0; i < rank; ++i) {
      if (lengths[i] < 0) throw ShapeError(detail::cat("shape: axis ", i, " has negative length ", lengths[i]));
      lengths_[std::size_t(i)] = lengths[i];
      if (lengths[i] > 0 && size_ > std::numeric_limits<index_t>::max() / lengths[i])
        throw ShapeError("shape: the number of elements overflows 64 bits");
      size_ *= lengths[i];
    }
  }

  int rank() const { return rank_; }
  index_t size() const { return size_; }
  /// Length of an axis; negative axes count from the end. Throws ShapeError for one that is not there; of no axes, as a
  /// default-constructed array has them, every one that is counted from the front is 0 long.
  index_t operator[](int axis) const {
    const int at = axis < 0 ? axis + rank_ : axis;
    if (at < 0 || at >= (rank_ == 0 ? max_rank : rank_)) refuse(axis);
    return lengths_[std::size_t(at)];
  }
  const index_t* begin() const { return lengths_.data(); }
  const index_t* end() const { return lengths_.data() + rank_; }
  /// Product of all lengths but the last: the rows of the matrix (size / last, last). 1 for rank 0.
  index_t rows() const {
    index_t product = 1;
    for (int i = 0; i + 1 < rank_; ++i) product *= lengths_[std::size_t(i)];
    return product;
  }
  /// Length of the last axis, 1 for rank 0.
  index_t columns() const { return rank_ == 0 ? 1 : lengths_[std::size_t(rank_ - 1)]; }

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a.lengths_[std::size_t(i)] != b.lengths_[std::size_t(i)]) return false;
    return true;
  }

 private:
  [[noreturn]] void refuse(int axis) const;

  std::array<index_t, max_rank> lengths_{};
  int rank_ = 0;
  index_t size_ = 1;
};

/// Lets `detail::cat` print a shape; found by argument-dependent look-up.
inline void append(std::string& text, const Shape& shape) {
  text += '(';
  for (int i = 0; i < shape.rank(); ++i) {
    if (i) text += ", ";
    text += std::to_string(shape[i]);
  }
  text += ')';
}

inline void Shape::refuse(int axis) const {
  throw ShapeError(detail::cat("shape: there is no axis ", axis, " in ", *this,
                               rank_ == 0 ? ": it has none; was the array never given its size?" : ""));
}

namespace detail {

/// Throws ShapeError unless both shapes are equal; names the operation and the argument.
inline void expect_shape(const char* operation, const char* argument, const Shape& found, const Shape& expected) {
  if (!(found == expected))
    throw ShapeError(cat(operation, ": ", argument, " has shape ", found, ", expected ", expected));
}

/// Throws ShapeError unless one axis has the expected length.
inline void expect_axis(const char* operation, const char* argument, const Shape& found, int axis, index_t expected) {
  if (found[axis] != expected)
    throw ShapeError(cat(operation, ": axis ", axis < 0 ? axis + found.rank() : axis, " of ", argument, " ", found,
                         " must be ", expected));
}

}  // namespace detail

/// "(2, 3)"
inline std::string to_string(const Shape& shape) { return detail::cat(shape); }

}  // namespace lacuna
