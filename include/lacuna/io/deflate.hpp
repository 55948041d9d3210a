/// Raw deflate (RFC 1951) through zlib: `Inflater` reads a stream piece by piece, `deflate` packs a buffer.
/// The output of a reader is bounded by what its caller asks for, never by what the stream claims. Link with -lz.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lacuna/io/source.hpp"

namespace lacuna::io {

/// Most bytes that one byte of deflate can stand for: a match of 258 bytes takes at least two bits.
inline constexpr std::uint64_t deflate_ratio = 1032;

/// Inflates `compressed` bytes that lie at `offset` of a source. Every error is an IoError that opens with `where`.
class Inflater {
 public:
  Inflater(const ByteSource& source, std::uint64_t offset, std::uint64_t compressed, std::string where)
      : source_(source),
        offset_(offset),
        left_(compressed),
        where_(std::move(where)),
        input_(std::min<std::uint64_t>(compressed, 1 << 16)) {
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw IoError(detail::cat(where_, ": zlib could not be started"));
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  /// Throws IoError when the stream is damaged or ends before `count` bytes.
  void read(void* to, std::size_t count) {
    auto* next = static_cast<Bytef*>(to);
    while (count > 0) {
      const auto piece = uInt(std::min(count, std::size_t(1) << 30));
      stream_.next_out = next;
      stream_.avail_out = piece;
      step();
      const std::size_t made = piece - stream_.avail_out;
      next += made;
      count -= made;
      if (ended_ && count > 0)
        throw IoError(detail::cat(where_, ": inflates to fewer bytes than declared; the file is damaged"));
    }
  }

  /// Throws IoError unless the stream ends here and used all its bytes.
  void finish() {
    Bytef extra = 0;
    while (!ended_) {
      stream_.next_out = &extra;
      stream_.avail_out = 1;
      step();
      if (stream_.avail_out == 0)
        throw IoError(detail::cat(where_, ": inflates to more bytes than declared; the file is damaged"));
    }
    if (left_ > 0 || stream_.avail_in > 0)
      throw IoError(detail::cat(where_, ": ", left_ + stream_.avail_in,
                                " bytes follow the end of the deflated data; the file is damaged"));
  }

 private:
  void step() {
    if (stream_.avail_in == 0 && left_ > 0) {
      const std::size_t piece = std::size_t(std::min<std::uint64_t>(left_, input_.size()));
      source_.read(offset_, input_.data(), piece);
      offset_ += piece;
      left_ -= piece;
      stream_.next_in = input_.data();
      stream_.avail_in = uInt(piece);
    }
    const uInt input = stream_.avail_in, room = stream_.avail_out;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      ended_ = true;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      throw IoError(
          detail::cat(where_, ": damaged deflate data", stream_.msg ? ": " : "", stream_.msg ? stream_.msg : ""));
    } else if (stream_.avail_in == input && stream_.avail_out == room && left_ == 0) {
      throw IoError(detail::cat(where_, ": the deflated data end early; the file is damaged or truncated"));
    }
  }

  const ByteSource& source_;
  std::uint64_t offset_, left_;
  std::string where_;
  std::vector<std::uint8_t> input_;
  z_stream stream_{};
  bool ended_ = false;
};

/// CRC-32 (the one of zip and gzip) of `bytes`, continuing from `crc`.
inline std::uint32_t crc32_of(std::uint32_t crc, const void* bytes, std::size_t count) {
  const auto* next = static_cast<const Bytef*>(bytes);
  while (count > 0) {
    const std::size_t piece = std::min(count, std::size_t(1) << 30);
    crc = std::uint32_t(::crc32(crc, next, uInt(piece)));
    next += piece;
    count -= piece;
  }
  return crc;
}

/// Deflates several buffers as one raw stream, at zlib's default level: the same bytes for the same input.
inline std::vector<std::uint8_t> deflate(std::span<const std::span<const std::uint8_t>> parts) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw IoError("deflate: zlib could not be started");
  struct Guard {
    z_stream& stream;
    ~Guard() { deflateEnd(&stream); }
  } const guard{stream};
  std::vector<std::uint8_t> packed;
  std::vector<std::uint8_t> output(1 << 16);
  const auto run = [&](int flush) {
    do {
      stream.next_out = output.data();
      stream.avail_out = uInt(output.size());
      if (::deflate(&stream, flush) == Z_STREAM_ERROR) throw IoError("deflate: zlib refused its input");
      packed.insert(packed.end(), output.data(), output.data() + (output.size() - stream.avail_out));
    } while (stream.avail_out == 0);
  };
  for (std::span<const std::uint8_t> part : parts) {
    while (!part.empty()) {
      const auto piece = part.first(std::min(part.size(), std::size_t(1) << 30));
      stream.next_in = const_cast<Bytef*>(piece.data());  // zlib's older interface; it does not write here
      stream.avail_in = uInt(piece.size());
      run(Z_NO_FLUSH);
      part = part.subspan(piece.size());
    }
  }
  stream.next_in = nullptr;
  run(Z_FINISH);
  return packed;
}

}  // namespace lacuna::io
