/// Numbers as a file keeps them: a type, a shape, and the bytes where they lie. What a model of billions of weights is
/// made of, so that nothing is copied or widened before it is used.
#pragma once

#include <cstdint>
#include <memory>

#include "lacuna/core/shape.hpp"

namespace lacuna {

/// q8: whole numbers of 8 bits in groups of 32 along a row, each group behind its factor in bf16: 34 bytes for 32 numbers.
enum class StoredType { f64, f32, f16, bf16, q8 };

inline constexpr index_t q8_group = 32, q8_bytes = 2 + q8_group;

/// The bytes of a row of `count` numbers. A row of q8 ends with a whole group.
inline index_t bytes_of(StoredType type, index_t count) {
  if (type == StoredType::q8) return (count + q8_group - 1) / q8_group * q8_bytes;
  return count * (type == StoredType::f64 ? 8 : type == StoredType::f32 ? 4 : 2);
}
inline const char* name_of(StoredType type) {
  static constexpr const char* names[] = {"F64", "F32", "F16", "BF16", "Q8"};
  return names[int(type)];
}
template <class T>
inline constexpr StoredType stored_type_of = sizeof(T) == 8 ? StoredType::f64 : StoredType::f32;

/// Row-major, native byte order, at any address. The owner (a mapped file) lives as long as any copy of this.
struct StoredArray {
  StoredType type = StoredType::f32;
  Shape shape;
  const std::uint8_t* bytes = nullptr;
  std::shared_ptr<const void> owner;
  std::string where;  ///< "file: tensor 'name'", the start of messages about it

  bool defined() const { return bytes != nullptr; }
  /// Of a matrix: the bytes of row `i` from column `j` on. In q8 a column where a group begins.
  const std::uint8_t* row(index_t i, index_t j = 0) const {
    return bytes + i * bytes_of(type, shape[1]) + bytes_of(type, j);
  }
};

}  // namespace lacuna
