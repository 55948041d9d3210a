/// Writing protocol buffers: the wire format, of which a field is a number, a kind and its bytes.
///
///     io::Protobuf inner, outer;
///     inner.text(1, "name");
///     outer.integer(1, 8).message(7, inner);
///     file.write(outer.bytes());
///
/// Enough to write files of a known schema; nothing is read. Equal calls give equal bytes.
/// (protobuf.dev/programming-guides/encoding)
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace lacuna::io {

class Protobuf {
 public:
  const std::string& bytes() const { return bytes_; }

  Protobuf& integer(int field, std::int64_t value) {
    key(field, 0);
    return varint(std::uint64_t(value));
  }
  Protobuf& number(int field, float value) {
    key(field, 5);
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 4; ++i) bytes_ += char(bits >> (8 * i));
    return *this;
  }
  Protobuf& text(int field, std::string_view value) {
    key(field, 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  Protobuf& message(int field, const Protobuf& value) { return text(field, value.bytes_); }
  /// The fields of another one behind these.
  Protobuf& append(const Protobuf& fields) {
    bytes_ += fields.bytes_;
    return *this;
  }
  /// All of them as one field.
  Protobuf& integers(int field, std::span<const std::int64_t> values) {
    Protobuf packed;
    for (const std::int64_t value : values) packed.varint(std::uint64_t(value));
    return message(field, packed);
  }

 private:
  Protobuf& key(int field, int kind) { return varint(std::uint64_t(field) << 3 | std::uint64_t(kind)); }
  /// Seven bits a byte, the lowest first; the eighth says that more follow.
  Protobuf& varint(std::uint64_t value) {
    for (; value > 127; value >>= 7) bytes_ += char(value | 128);
    bytes_ += char(value);
    return *this;
  }

  std::string bytes_;
};

}  // namespace lacuna::io
