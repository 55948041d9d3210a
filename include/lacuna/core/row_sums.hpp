/// Whether a row of a matrix product may depend, in its last bits, on how many rows stand beside it.
///
///     const SameRowSums scope;      // until the end of the block, for what this thread multiplies
///
/// Up to 16 rows usually meet a matrix that nobody packs for them, which is faster and adds in another order than many
/// rows do: one sample alone and the same sample in a batch then differ by one rounding (1e-7 in float). Networks that
/// multiply such a difference, samplers of a diffusion above all, ask for one order. Of the host's products: what
/// cuBLAS does with few rows is its own choice.
#pragma once

namespace lacuna {

namespace detail {
inline bool& same_row_sums() {
  static constinit thread_local bool now = false;
  return now;
}
}  // namespace detail

/// Of the products that this thread begins from now on.
inline bool same_row_sums() { return detail::same_row_sums(); }

class SameRowSums {
 public:
  SameRowSums() : before_(same_row_sums()) { detail::same_row_sums() = true; }
  SameRowSums(const SameRowSums&) = delete;
  SameRowSums& operator=(const SameRowSums&) = delete;
  ~SameRowSums() { detail::same_row_sums() = before_; }

 private:
  bool before_;
};

}  // namespace lacuna
