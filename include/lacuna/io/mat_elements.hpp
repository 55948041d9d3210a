/// What a MATLAB file of level 5 (mat.hpp) is made of: elements, each a type, a size and numbers, plain or in a zlib
/// stream, in either byte order. No size is believed before it was checked. Errors are IoError.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <concepts>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::detail {

/// Bytes one after the other, out of memory or out of a zlib stream.
class MatStream {
 public:
  MatStream(std::span<const std::uint8_t> bytes, bool packed, std::string where)
      : bytes_(bytes),
        left_(packed ? std::uint64_t{1100} * bytes.size() + 64 : bytes.size()),
        where_(std::move(where)) {
    if (!packed) return;
    zip_ = std::make_unique<z_stream>();
    zip_->next_in = const_cast<Bytef*>(bytes.data());
    zip_->avail_in = uInt(bytes.size());
    if (inflateInit(zip_.get()) != Z_OK) throw IoError(where_ + ": cannot be inflated");
  }
  MatStream(const MatStream&) = delete;
  MatStream& operator=(const MatStream&) = delete;
  ~MatStream() {
    if (zip_) inflateEnd(zip_.get());
  }

  /// An upper bound for what can still come.
  std::uint64_t left() const { return left_; }
  void read(void* to, std::size_t count) {
    if (count > left_) fail("ends before its data do; it is truncated or damaged");
    left_ -= count;
    if (!zip_) {
      if (count > 0) std::memcpy(to, bytes_.data() + at_, count);
      at_ += count;
      return;
    }
    zip_->next_out = static_cast<Bytef*>(to);
    zip_->avail_out = uInt(count);
    while (zip_->avail_out > 0) {
      const int status = inflate(zip_.get(), Z_NO_FLUSH);
      if (status == Z_STREAM_END && zip_->avail_out == 0) break;
      if (status != Z_OK) fail("holds compressed data that cannot be inflated; it is damaged");
    }
  }
  std::vector<std::uint8_t> take(std::uint64_t count) {
    if (count > left_) fail("says that ", count, " bytes follow, more than there are; it is truncated or damaged");
    std::vector<std::uint8_t> bytes;
    while (count > 0) {  // piece by piece: a stream that ends early costs no more than it held
      const std::size_t piece = std::size_t(std::min<std::uint64_t>(count, std::uint64_t(1) << 20)), at = bytes.size();
      bytes.resize(at + piece);
      read(bytes.data() + at, piece);
      count -= piece;
    }
    return bytes;
  }
  template <class... Pieces>
  [[noreturn]] void fail(const Pieces&... pieces) const {
    throw IoError(cat(where_, ": ", pieces...));
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  std::uint64_t left_;
  std::string where_;
  std::unique_ptr<z_stream> zip_;
};

/// Tags, and the numbers behind them.
class MatElements {
 public:
  MatElements(MatStream& stream, bool swapped) : stream_(stream), swapped_(swapped) {}

  struct Tag {
    std::uint32_t type;
    std::uint64_t size;
    bool small;
  };
  Tag tag() {
    std::uint8_t head[8];
    stream_.read(head, 4);
    const std::uint32_t word = number<std::uint32_t>({head, 4}, 0);
    if ((word >> 16) != 0) return {word & 0xFFFF, word >> 16, true};
    stream_.read(head + 4, 4);
    return {word, number<std::uint32_t>({head + 4, 4}, 0), false};
  }

 protected:
  struct Element {
    std::uint32_t type = 0;
    std::vector<std::uint8_t> bytes;
  };
  template <class T>
  T number(std::span<const std::uint8_t> bytes, std::size_t at) const {
    std::uint8_t own[sizeof(T)];
    std::memcpy(own, bytes.data() + at, sizeof(T));
    if (swapped_) std::reverse(own, own + sizeof(T));
    T value;
    std::memcpy(&value, own, sizeof(T));
    return value;
  }
  /// An element of at most `most` bytes, and the filling behind it.
  Element element(std::uint64_t most) {
    const Tag head = tag();
    if (head.size > most) stream_.fail("has an element of ", head.size, " bytes, expected at most ", most);
    if (head.small && head.size > 4) stream_.fail("has a small element of ", head.size, " bytes");
    Element result{head.type, stream_.take(head.size)};
    const std::uint64_t fill = head.small ? 4 - head.size : (8 - head.size % 8) % 8;
    stream_.take(std::min(fill, stream_.left()));
    return result;
  }
  static std::size_t size_of_type(std::uint32_t type) {
    switch (type) {
      case 1:
      case 2:
      case 16:
        return 1;
      case 3:
      case 4:
      case 17:
        return 2;
      case 5:
      case 6:
      case 7:
      case 18:
        return 4;
      case 9:
      case 12:
      case 13:
        return 8;
      default:
        return 0;
    }
  }
  /// `count` numbers, stored as any type.
  template <class T>
  std::vector<T> read_as(std::uint64_t count) {
    const Element data = element(8 * count);
    const std::size_t size = size_of_type(data.type);
    if (size == 0 || data.bytes.size() != count * size)
      stream_.fail("has ", data.bytes.size(), " bytes of type ", data.type, " for ", count, " numbers; it is damaged");
    std::vector<T> values(count);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t at = i * size;
      switch (data.type) {
        case 1:
          values[i] = T(number<std::int8_t>(data.bytes, at));
          break;
        case 2:
        case 16:
          values[i] = T(number<std::uint8_t>(data.bytes, at));
          break;
        case 3:
          values[i] = T(number<std::int16_t>(data.bytes, at));
          break;
        case 4:
        case 17:
          values[i] = T(number<std::uint16_t>(data.bytes, at));
          break;
        case 5:
          values[i] = T(number<std::int32_t>(data.bytes, at));
          break;
        case 6:
        case 18:
          values[i] = T(number<std::uint32_t>(data.bytes, at));
          break;
        case 7:
          values[i] = checked<T>(double(number<float>(data.bytes, at)));
          break;
        case 9:
          values[i] = checked<T>(number<double>(data.bytes, at));
          break;
        case 12:
          values[i] = T(number<std::int64_t>(data.bytes, at));
          break;
        default:
          values[i] = T(number<std::uint64_t>(data.bytes, at));
          break;
      }
    }
    return values;
  }

  MatStream& stream_;

 private:
  template <class T>
  T checked(double value) const {
    if constexpr (std::integral<T>) {
      if (!(value >= double(std::numeric_limits<T>::min()) && value <= 9e18 &&
            value <= double(std::numeric_limits<T>::max())))
        stream_.fail("holds ", value, " in a matrix of integers");
    }
    return T(value);
  }

  bool swapped_;
};

}  // namespace lacuna::detail
