/// The machine's BLAS, where the build was told to use one (CMake option LACUNA_BLAS, which defines LACUNA_USE_BLAS).
///
/// Policy: one level of threads. Products are cut into tiles by us, each tile is one call on the calling thread, and
/// the library's own threads are switched off at the first product of the program. Each tile is computed the same way
/// whoever computes it: the same bits with any number of threads, as long as the library keeps to that.
#pragma once

#include "lacuna/core/shape.hpp"

#ifdef LACUNA_USE_BLAS

extern "C" {
void cblas_sgemm(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda,
                 const float* b, int ldb, float beta, float* c, int ldc);
void cblas_dgemm(int order, int trans_a, int trans_b, int m, int n, int k, double alpha, const double* a, int lda,
                 const double* b, int ldb, double beta, double* c, int ldc);
// Whichever of them the linked library has.
__attribute__((weak)) void openblas_set_num_threads(int count);
__attribute__((weak)) void bli_thread_set_num_threads(long count);
__attribute__((weak)) void MKL_Set_Num_Threads(int count);
}

namespace lacuna::cpu {

struct Blas {
  static constexpr bool used = true;
  static const char* name() {
    return openblas_set_num_threads     ? "OpenBLAS"
           : bli_thread_set_num_threads ? "BLIS"
           : MKL_Set_Num_Threads        ? "MKL"
                                        : "BLAS";
  }
  template <class T>
  static void gemm(index_t m, index_t n, index_t k, const T* a, index_t lda, bool transposed_a, const T* b, index_t ldb,
                   bool transposed_b, T beta, T* c, index_t ldc) {
    static const bool single = one_thread();
    (void)single;
    constexpr int row_major = 101, plain = 111, transposed = 112;
    const auto call = [&](auto product) {
      product(row_major, transposed_a ? transposed : plain, transposed_b ? transposed : plain, int(m), int(n), int(k),
              T(1), a, int(lda), b, int(ldb), beta, c, int(ldc));
    };
    if constexpr (sizeof(T) == 4)
      call(cblas_sgemm);
    else
      call(cblas_dgemm);
  }

 private:
  static bool one_thread() {
    if (openblas_set_num_threads) openblas_set_num_threads(1);
    if (bli_thread_set_num_threads) bli_thread_set_num_threads(1);
    if (MKL_Set_Num_Threads) MKL_Set_Num_Threads(1);
    return true;
  }
};

}  // namespace lacuna::cpu

#else

namespace lacuna::cpu {
struct Blas {
  static constexpr bool used = false;
  static const char* name() { return "lacuna"; }
};
}  // namespace lacuna::cpu

#endif
