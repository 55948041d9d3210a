/// Matrix products on a GPU by cuBLASLt.
///
/// Policy: what an algorithm is chosen for (sizes, layouts, alignment, what follows the product) is asked once and
/// kept, one list for all threads; workspace comes from the pool of the device and goes back at once, since whoever
/// takes it next comes later in the stream. In full precision, the compute type being that of the numbers, unless
/// core/precision.hpp says otherwise. Deterministic: where the depth is cut, the parts are added in a step of their
/// own, not in place.
#pragma once

#include <cublasLt.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <type_traits>

#include "lacuna/core/cuda.cuh"
#include "lacuna/kernels/cuda/index.cuh"

namespace lacuna::cuda {

inline void expect_cublas(const char* what, cublasStatus_t status) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw DeviceError(lacuna::detail::cat("cuda: ", what, ": ", cublasLtGetStatusString(status)));
}

/// A cuBLASLt object that is destroyed with its owner.
template <class Handle, cublasStatus_t (*Destroy)(Handle)>
struct BlasObject {
  Handle handle = nullptr;

  BlasObject() = default;
  BlasObject(const BlasObject&) = delete;
  BlasObject& operator=(const BlasObject&) = delete;
  ~BlasObject() {
    if (handle != nullptr) Destroy(handle);
  }
};

/// How one kind of product is done.
class MatmulPlan {
 public:
  static constexpr std::uint64_t most_workspace = std::uint64_t(32) << 20;

  template <class T>
  MatmulPlan(cublasLtHandle_t handle, const MatmulKey& key, std::type_identity<T>) {
    constexpr cudaDataType_t type = sizeof(T) == sizeof(float) ? CUDA_R_32F : CUDA_R_64F;
    const cublasComputeType_t compute = sizeof(T) != sizeof(float)         ? CUBLAS_COMPUTE_64F
                                        : key.precision == Precision::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32
                                        : key.precision == Precision::bf16 ? CUBLAS_COMPUTE_32F_FAST_16BF
                                                                           : CUBLAS_COMPUTE_32F;
    expect_cublas("plan of a gemm", cublasLtMatmulDescCreate(&product_.handle, compute, type));
    describe(CUBLASLT_MATMUL_DESC_TRANSA, key.first_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
    describe(CUBLASLT_MATMUL_DESC_TRANSB, key.second_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
    describe(CUBLASLT_MATMUL_DESC_EPILOGUE, key.finish == MatmulFinish::bias        ? CUBLASLT_EPILOGUE_BIAS
                                            : key.finish == MatmulFinish::bias_relu ? CUBLASLT_EPILOGUE_RELU_BIAS
                                                                                    : CUBLASLT_EPILOGUE_DEFAULT);
    const auto layout = [&](cublasLtMatrixLayout_t& to, bool transposed, index_t rows, index_t columns, index_t stride,
                            index_t step) {
      if (transposed) std::swap(rows, columns);  // as it lies in memory
      expect_cublas("plan of a gemm",
                    cublasLtMatrixLayoutCreate(&to, type, std::uint64_t(rows), std::uint64_t(columns), stride));
      if (key.count == 1) return;
      const auto batch = [&](cublasLtMatrixLayoutAttribute_t what, auto value) {
        expect_cublas("plan of a gemm", cublasLtMatrixLayoutSetAttribute(to, what, &value, sizeof(value)));
      };
      batch(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, std::int32_t(key.count));
      batch(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, std::int64_t(step));
    };
    layout(first_.handle, key.first_transposed, key.rows, key.depth, key.first_stride, key.first_step);
    layout(second_.handle, key.second_transposed, key.depth, key.columns, key.second_stride, key.second_step);
    layout(result_.handle, false, key.rows, key.columns, key.result_stride, key.result_step);

    BlasObject<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy> wishes;
    expect_cublas("plan of a gemm", cublasLtMatmulPreferenceCreate(&wishes.handle));
    const auto wish = [&](cublasLtMatmulPreferenceAttributes_t what, auto value) {
      expect_cublas("plan of a gemm", cublasLtMatmulPreferenceSetAttribute(wishes.handle, what, &value, sizeof(value)));
    };
    wish(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, most_workspace);
    wish(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, std::uint32_t(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
    wish(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, std::uint32_t(key.first_alignment));
    wish(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, std::uint32_t(key.second_alignment));
    // that of the bias has no wish of its own: cuBLASLt goes by that of the result
    const int least =
        key.finish == MatmulFinish::none ? key.result_alignment : std::min(key.result_alignment, key.bias_alignment);
    wish(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, std::uint32_t(least));
    wish(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, std::uint32_t(least));
    if (key.finish != MatmulFinish::none) {  // cuBLASLt may look at where the bias lies; it is set again in every call
      const void* const somewhere = reinterpret_cast<const void*>(std::uintptr_t(key.bias_alignment));
      describe(CUBLASLT_MATMUL_DESC_BIAS_POINTER, somewhere);
      if (key.count > 1) describe(CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE, std::int64_t(key.bias_step));
    }
    int found = 0;
    cublasLtMatmulHeuristicResult_t some[most_proposals]{};
    const cublasStatus_t status =
        cublasLtMatmulAlgoGetHeuristic(handle, product_.handle, first_.handle, second_.handle, result_.handle,
                                       result_.handle, wishes.handle, most_proposals, some, &found);
    const cublasLtMatmulHeuristicResult_t& best = some[choose(some, found, key.depth)];
    possible_ = status == CUBLAS_STATUS_SUCCESS && found > 0 && best.state == CUBLAS_STATUS_SUCCESS;
    if (!possible_) (void)cudaGetLastError();  // what it tried in vain is no error of the next launch
    if (!possible_ && key.finish == MatmulFinish::none && key.precision == Precision::full)
      expect_cublas("plan of a gemm", status == CUBLAS_STATUS_SUCCESS ? CUBLAS_STATUS_NOT_SUPPORTED : status);
    algorithm_ = best.algo;
    workspace_ = best.workspaceSize;
  }

  /// False where cuBLASLt has no such product with a bias behind it, or in this precision.
  bool possible() const { return possible_; }

  /// False, with nothing done, where it turns out only now that there is no such product with a bias behind it.
  template <class T>
  bool run(cublasLtHandle_t handle, const BlasCall<T>& call, const T* bias, T beta, T* c) {
    const T one = T(1);
    if (bias != nullptr) describe(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(bias));
    void* const room = workspace_ > 0 ? Cuda::allocate(workspace_) : nullptr;
    const cublasStatus_t status =
        cublasLtMatmul(handle, product_.handle, &one, call.first, first_.handle, call.second, second_.handle, &beta, c,
                       result_.handle, c, result_.handle, &algorithm_, room, workspace_, Cuda::stream());
    if (room != nullptr) Cuda::deallocate(room, workspace_);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED && bias != nullptr) {
      possible_ = false;
      (void)cudaGetLastError();
      return false;
    }
    expect_cublas("gemm", status);
    return true;
  }

 private:
  static constexpr int most_proposals = 8;
  static constexpr index_t least_depth = 16;

  /// The first proposal that does not cut the depth into crumbs. Asked for few rows, cuBLASLt 13.0 proposes to cut a
  /// depth of 40 into 132 parts before anything else: on an H100 7.7 µs in the place of 2.6, and 52 µs in the place of
  /// 5 for 7 rows of depth 256.
  static int choose(const cublasLtMatmulHeuristicResult_t* some, int found, index_t depth) {
    for (int i = 0; i < found; ++i) {
      std::int32_t parts = 1;
      std::size_t written = 0;
      if (some[i].state != CUBLAS_STATUS_SUCCESS ||
          cublasLtMatmulAlgoConfigGetAttribute(&some[i].algo, CUBLASLT_ALGO_CONFIG_SPLITK_NUM, &parts, sizeof(parts),
                                               &written) != CUBLAS_STATUS_SUCCESS)
        continue;
      if (parts <= 1 || depth / parts >= least_depth) return i;
    }
    return 0;
  }
  template <class V>
  void describe(cublasLtMatmulDescAttributes_t what, V value) {
    expect_cublas("plan of a gemm", cublasLtMatmulDescSetAttribute(product_.handle, what, &value, sizeof(value)));
  }

  BlasObject<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> product_;
  BlasObject<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy> first_, second_, result_;
  cublasLtMatmulAlgo_t algorithm_{};
  std::size_t workspace_ = 0;
  bool possible_ = false;
};

/// The handle and the plans of the process.
class Matmul {
 public:
  static Matmul& instance() {
    static Matmul* const own = new Matmul;  // never destroyed: the driver may be gone before
    return *own;
  }
  /// c = beta c + the product, then what `finish` says with `bias`. False, with nothing done, where cuBLASLt cannot.
  template <class T>
  bool run(const BlasCall<T>& call, MatmulFinish finish, const T* bias, T beta, T* c, index_t c_stride) {
    MatmulKey key = MatmulKey::of(call, finish, bias, c, c_stride);
    const std::lock_guard lock(mutex_);  // a plan holds the bias of the call
    if (handle_.handle == nullptr) expect_cublas("start of cuBLASLt", cublasLtCreate(&handle_.handle));
    if (plan<T>(key).possible()) return plan<T>(key).run(handle_.handle, call, bias, beta, c);
    if (key.precision == Precision::full) return false;
    key.precision = Precision::full;  // a GPU without the reduced one
    return plan<T>(key).possible() && plan<T>(key).run(handle_.handle, call, bias, beta, c);
  }

 private:
  template <class T>
  MatmulPlan& plan(const MatmulKey& key) {
    // a program with ever new sizes must not grow without end
    if (plans_.size() >= most_plans && plans_.find(key) == plans_.end()) plans_.clear();
    auto& plan = plans_[key];
    if (!plan) plan = std::make_unique<MatmulPlan>(handle_.handle, key, std::type_identity<T>());
    return *plan;
  }

  static constexpr std::size_t most_plans = 4096;
  std::mutex mutex_;
  BlasObject<cublasLtHandle_t, cublasLtDestroy> handle_;
  std::map<MatmulKey, std::unique_ptr<MatmulPlan>> plans_;
};

}  // namespace lacuna::cuda
