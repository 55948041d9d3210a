/// Squared distances D²_ij of all pairs of rows a_i, b_j, and the way back: the shape under every loss of distances.
///
/// Policy: one matrix product, ‖a‖² + ‖b‖² − 2⟨a, b⟩. Where that cancels (D² below a hundredth of ‖a‖² + ‖b‖²) the pair
/// is computed from its difference, forward and backward, so that close pairs keep their digits and equal rows are at
/// exactly 0.
#pragma once

#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/loss_rows.hpp"

namespace lacuna::cpu {

template <class T>
class PairDistances {
 public:
  /// a (n, width), b (m, width), not copied.
  PairDistances(index_t n, index_t m, index_t width, const T* a, const T* b)
      : n_(n), m_(m), width_(width), a_(a), b_(b), squared_(Shape{n, m}), norm_a_(norms(n, a)), norm_b_(norms(m, b)) {
    T* const to = squared_.data();
    Gemm::gemm<T>(n, m, width, {a, width}, {b, width, true}, T(0), to, m,
                  [&](index_t row, index_t rows, index_t column, index_t columns) {
                    for (index_t i = row; i < row + rows; ++i)
                      for (index_t j = column; j < column + columns; ++j) {
                        const double both = norm_a_[std::size_t(i)] + norm_b_[std::size_t(j)];
                        const double squares = both - 2 * double(to[i * m + j]);
                        to[i * m + j] = T(functors::near_pair(squares, both) ? difference(i, j) : squares);
                      }
                  });
    near_pairs_ = parallel_sum(n, detail::row_grain(m), [&](index_t begin, index_t end) {
                    double count = 0;
                    for (index_t i = begin; i < end; ++i)
                      for (index_t j = 0; j < m; ++j) count += is_near(i, j);
                    return count;
                  }) > 0;
  }

  const T* squared() const { return squared_.data(); }
  /// grad_a_i += Σ_j 2 w_ij (a_i − b_j) and grad_b_j −= Σ_i of the same, w = dL/dD². Either may be null; uses w up.
  void gradient(T* w, T* grad_a, T* grad_b) const {
    if (near_pairs_ && grad_a)
      parallel_for(n_, detail::row_grain(m_), [&](index_t begin, index_t end) {
        for (index_t i = begin; i < end; ++i)
          for (index_t j = 0; j < m_; ++j)
            if (is_near(i, j)) pull(i, j, double(w[i * m_ + j]), a_, b_, grad_a);
      });
    if (near_pairs_ && grad_b)
      parallel_for(m_, detail::row_grain(n_), [&](index_t begin, index_t end) {
        for (index_t i = 0; i < n_; ++i)
          for (index_t j = begin; j < end; ++j)
            if (is_near(i, j)) pull(j, i, double(w[i * m_ + j]), b_, a_, grad_b);
      });
    parallel_for(n_, detail::row_grain(m_), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i)
        for (index_t j = 0; j < m_; ++j) w[i * m_ + j] = done(i, j) ? T(0) : T(-2) * w[i * m_ + j];
    });
    const T* const minus = w;
    if (grad_a) {
      Gemm::gemm<T>(n_, width_, m_, {minus, m_}, {b_, width_}, T(1), grad_a, width_);
      own_share(n_, a_, grad_a, [&](index_t i) {
        double sum = 0;
        for (index_t j = 0; j < m_; ++j) sum += double(minus[i * m_ + j]);
        return sum;
      });
    }
    if (grad_b) {
      Gemm::gemm<T>(m_, width_, n_, {minus, m_, true}, {a_, width_}, T(1), grad_b, width_);
      own_share(m_, b_, grad_b, [&](index_t j) {
        double sum = 0;
        for (index_t i = 0; i < n_; ++i) sum += double(minus[i * m_ + j]);
        return sum;
      });
    }
  }

  /// The same where a and b are one set: grad_i += Σ_j 2 (w_ij + w_ji) (x_i − x_j) by one product instead of two.
  void gradient_within(T* w, T* grad) const {
    constexpr index_t tile = 32;
    parallel_for(n_, tile, [&](index_t begin, index_t end) {
      for (index_t first = begin; first < n_; first += tile)
        for (index_t i = begin; i < end; ++i)
          for (index_t j = std::max(first, i + 1); j < std::min(first + tile, n_); ++j)
            w[i * n_ + j] = w[j * n_ + i] = w[i * n_ + j] + w[j * n_ + i];
    });
    gradient(w, grad, nullptr);
  }

 private:
  List<double> norms(index_t rows, const T* x) const {
    List<double> squares(static_cast<std::size_t>(rows));
    for (index_t i = 0; i < rows; ++i) squares[std::size_t(i)] = inner(width_, x + i * width_, x + i * width_);
    return squares;
  }
  double difference(index_t i, index_t j) const {
    double sum = 0;
    for (index_t f = 0; f < width_; ++f) {
      const double apart = double(a_[i * width_ + f]) - double(b_[j * width_ + f]);
      sum += apart * apart;
    }
    return sum;
  }
  /// Pairs whose difference is taken directly; a row and itself are at 0 for ever and pull nothing.
  bool is_near(index_t i, index_t j) const {
    if (a_ == b_ && i == j) return false;
    return functors::near_pair(double(squared_.data()[i * m_ + j]), norm_a_[std::size_t(i)] + norm_b_[std::size_t(j)]);
  }
  /// Pairs that the matrix product has to leave out.
  bool done(index_t i, index_t j) const { return a_ == b_ && i == j ? true : near_pairs_ && is_near(i, j); }
  void pull(index_t i, index_t j, double w, const T* own, const T* other, T* gradient) const {
    for (index_t f = 0; f < width_; ++f)
      gradient[i * width_ + f] += T(2 * w * (double(own[i * width_ + f]) - double(other[j * width_ + f])));
  }
  template <class Sum>
  void own_share(index_t rows, const T* x, T* gradient, Sum&& sum) const {
    parallel_for(rows, detail::row_grain(n_ + m_), [&](index_t begin, index_t end) {
      for (index_t i = begin; i < end; ++i) {
        const double share = sum(i);
        for (index_t f = 0; f < width_; ++f) gradient[i * width_ + f] -= T(share * double(x[i * width_ + f]));
      }
    });
  }

  index_t n_, m_, width_;
  const T *a_, *b_;
  Array<T> squared_;
  List<double> norm_a_, norm_b_;
  bool near_pairs_ = false;
};

}  // namespace lacuna::cpu
