/// Numbers as a file keeps them: a type, a shape, and the bytes where they lie. What a model of billions of weights is
/// made of, so that nothing is copied or widened before it is used.
#pragma once

#include <cstdint>
#include <memory>

#include "lacuna/core/shape.hpp"

namespace lacuna {

enum class StoredType { f64, f32, f16, bf16 };

inline index_t bytes_of(StoredType type) { return type == StoredType::f64 ? 8 : type == StoredType::f32 ? 4 : 2; }
inline const char* name_of(StoredType type) {
  static constexpr const char* names[] = {"F64", "F32", "F16", "BF16"};
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
  /// The bytes from element `i` on.
  const std::uint8_t* from(index_t i) const { return bytes + i * bytes_of(type); }
};

}  // namespace lacuna
