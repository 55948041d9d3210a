/// Scaled dot-product attention with a key mask, one head of one sample at a time, parallel over samples.
///
/// Policy: probabilities are kept for the backward pass; absent keys have probability 0, a sample without any present key
/// gives output 0 and gradient 0; frames after the last present one are never touched.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "lacuna/core/gradient_slot.hpp"
#include "lacuna/kernels/cpu/gemm.hpp"
#include "lacuna/kernels/cpu/reduce.hpp"

namespace lacuna {

/// Sizes of one attention call. query (B or 1, Q, heads * key_size), key (B, K, heads * key_size),
/// value (B, K, heads * value_size), probabilities (B, heads, Q, K).
struct AttentionSizes {
  index_t batch, queries, keys, heads, key_size, value_size;
  double scale;
  bool shared_query;            ///< one query block for the whole batch
  const std::uint8_t* present;  ///< (B, K), 1 = present; null = all present
};

namespace cpu {

struct Attention {
  template <class T>
  static void attention(const AttentionSizes& s, const T* query, const T* key, const T* value, T* probability, T* y) {
    const index_t dk = s.heads * s.key_size, dv = s.heads * s.value_size;
    for_samples(s, [&](index_t b) {
      const std::uint8_t* present = s.present ? s.present + b * s.keys : nullptr;
      const index_t used = used_keys(present, s.keys);
      const T* q = query + (s.shared_query ? 0 : b * s.queries * dk);
      for (index_t h = 0; h < s.heads; ++h) {
        T* p = probability + (b * s.heads + h) * s.queries * s.keys;
        Gemm::gemm_serial<T>(s.queries, used, s.key_size, {q + h * s.key_size, dk},
                             {key + b * s.keys * dk + h * s.key_size, dk, true}, T(0), p, s.keys);
        for (index_t i = 0; i < s.queries; ++i) softmax(T(s.scale), present, used, s.keys, p + i * s.keys);
        Gemm::gemm_serial<T>(s.queries, s.value_size, used, {p, s.keys},
                             {value + b * s.keys * dv + h * s.value_size, dv}, T(0),
                             y + b * s.queries * dv + h * s.value_size, dv);
      }
    });
  }

  template <class T>
  static void attention_gradient(const AttentionSizes& s, const T* query, const T* key, const T* value,
                                 const T* probability, const T* dy, GradientSlot<T> dquery, GradientSlot<T> dkey,
                                 GradientSlot<T> dvalue) {
    const index_t dk = s.heads * s.key_size, dv = s.heads * s.value_size, block = s.queries * dk;
    // a shared query gets one share per sample, added up in order afterwards
    std::vector<T> shares(s.shared_query && dquery ? std::size_t(s.batch * block) : 0);
    const GradientSlot<T> query_to = shares.empty() ? dquery : GradientSlot<T>{shares.data(), true};
    for_samples(s, [&](index_t b) {
      const std::uint8_t* present = s.present ? s.present + b * s.keys : nullptr;
      const index_t used = used_keys(present, s.keys);
      const T* q = query + (s.shared_query ? 0 : b * block);
      std::vector<T> ds(std::size_t(s.queries * s.keys));
      for (index_t h = 0; h < s.heads; ++h) {
        const T* p = probability + (b * s.heads + h) * s.queries * s.keys;
        const T* k = key + b * s.keys * dk + h * s.key_size;
        const T* v = value + b * s.keys * dv + h * s.value_size;
        const T* g = dy + b * s.queries * dv + h * s.value_size;
        if (dvalue)
          rows_gradient<T>(s, b, used, s.value_size, dv, {p, s.keys, true}, {g, dv}, dvalue, h * s.value_size);
        if (!dquery && !dkey) continue;
        Gemm::gemm_serial<T>(s.queries, used, s.value_size, {g, dv}, {v, dv, true}, T(0), ds.data(), s.keys);
        for (index_t i = 0; i < s.queries; ++i) {
          T* row = ds.data() + i * s.keys;
          const T* weight = p + i * s.keys;
          T inner = 0;
          for (index_t j = 0; j < used; ++j) inner += weight[j] * row[j];
          for (index_t j = 0; j < used; ++j) row[j] = T(s.scale) * weight[j] * (row[j] - inner);
        }
        if (dquery)
          Gemm::gemm_serial<T>(s.queries, s.key_size, used, {ds.data(), s.keys}, {k, dk}, query_to.beta(),
                               query_to.data + b * block + h * s.key_size, dk);
        if (dkey)
          rows_gradient<T>(s, b, used, s.key_size, dk, {ds.data(), s.keys, true}, {q + h * s.key_size, dk}, dkey,
                           h * s.key_size);
      }
    });
    if (!shares.empty()) Reduce::column_sums<T>(s.batch, block, shares.data(), dquery);
  }

 private:
  template <class F>
  static void for_samples(const AttentionSizes& s, F&& f) {
    const double work = double(s.queries) * double(s.keys) * double(s.heads) * double(s.key_size + s.value_size);
    const index_t grain = work >= 32768 ? 1 : 1 + index_t(32768 / (work + 1));
    parallel_for(s.batch, grain, [&](index_t begin, index_t end) {
      for (index_t b = begin; b < end; ++b) f(b);
    });
  }

  static index_t used_keys(const std::uint8_t* present, index_t keys) {
    if (present)
      while (keys > 0 && !present[keys - 1]) --keys;
    return keys;
  }

  /// row (+)= op(a) b for the used keys of one sample; keys after them get zeros.
  template <class T>
  static void rows_gradient(const AttentionSizes& s, index_t b, index_t used, index_t width, index_t stride, Operand<T> a,
                            Operand<T> right, GradientSlot<T> slot, index_t column) {
    T* to = slot.data + b * s.keys * stride + column;
    Gemm::gemm_serial<T>(used, width, s.queries, a, right, slot.beta(), to, stride);
    if (!slot.fresh) return;
    for (index_t j = used; j < s.keys; ++j)
      for (index_t i = 0; i < width; ++i) to[j * stride + i] = T(0);
  }

  /// row = softmax(scale * row) over the present keys among the first `used`; 0 elsewhere.
  template <class T>
  static void softmax(T scale, const std::uint8_t* present, index_t used, index_t keys, T* row) {
    for (index_t j = used; j < keys; ++j) row[j] = T(0);
    if (used == 0) return;
    T largest = -std::numeric_limits<T>::infinity();
    for (index_t j = 0; j < used; ++j) {
      row[j] *= scale;
      if (!present || present[j]) largest = row[j] > largest ? row[j] : largest;
    }
    Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>> run(row, used);
    run = (run - largest).min(T(0)).exp();
    T total = 0;
    for (index_t j = 0; j < used; ++j) {
      if (present && !present[j]) row[j] = T(0);
      total += row[j];
    }
    run *= T(1) / total;
  }
};

}  // namespace cpu
}  // namespace lacuna
