/// How exactly a GPU multiplies matrices of floats.
///
///     train::fit(model, corpus, {.precision = Precision::tf32});      // in training alone
///     const PrecisionScope scope(Precision::bf16);                    // or by hand: until the end of the block
///
/// full: products and sums in float, about 1e-7. tf32: operands are rounded to 11 significant bits, about 5e-4.
/// bf16: to 8, about 4e-3. Sums stay in float in all three, and so does everything that is stored: weights, moments and
/// activations need no other type and no scaling of the loss. Products of double, those of layers of up to eight rows,
/// and all of the host's are in full whatever is said here. (TF32: NVIDIA A100 architecture whitepaper, 2020; bfloat16:
/// Kalamkar et al., arXiv 1905.12322)
#pragma once

namespace lacuna {

enum class Precision { full, tf32, bf16 };

namespace detail {
inline Precision& matmul_precision() {
  static constinit thread_local Precision now = Precision::full;
  return now;
}
}  // namespace detail

/// Of the products that this thread queues from now on: trainings side by side may differ.
inline Precision matmul_precision() { return detail::matmul_precision(); }
inline void set_matmul_precision(Precision precision) { detail::matmul_precision() = precision; }

/// Until the end of a block.
class PrecisionScope {
 public:
  explicit PrecisionScope(Precision precision) : before_(matmul_precision()) { set_matmul_precision(precision); }
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;
  ~PrecisionScope() { set_matmul_precision(before_); }

 private:
  Precision before_;
};

}  // namespace lacuna
