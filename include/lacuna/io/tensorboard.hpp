/// Curves for TensorBoard: the event files it reads, written without it.
///
///     io::TensorboardFile file("run/events.out.tfevents.lacuna");
///     file.write(epoch, {{"loss", 0.25}, {"valid/complete/mae", 0.7}}, seconds_since_1970);
///
/// A file is a list of records, little-endian, each a protobuf message `Event` (tensorflow/core/util/event.proto):
///     u64 length · u32 crc(length) · the message · u32 crc(message)
/// where crc is CRC-32C, rotated right by 15 bits plus 0xa282ead8, so that a crc of crcs is no accident. Numbers become
/// floats. TensorBoard shows every folder that holds such a file as one run. Errors are IoError.
#pragma once

#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "lacuna/core/error.hpp"

namespace lacuna::io {

/// CRC-32C (Castagnoli), reflected: of "123456789" it is 0xe3069283.
inline std::uint32_t crc32c(std::string_view bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      made[i] = i;
      for (int bit = 0; bit < 8; ++bit) made[i] = (made[i] >> 1) ^ (made[i] & 1 ? 0x82f63b78u : 0u);
    }
    return made;
  }();
  std::uint32_t crc = ~0u;
  for (const char c : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xffu];
  return ~crc;
}
inline std::uint32_t masked_crc32c(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8u; }

class TensorboardFile {
 public:
  /// Makes the file, or goes on with it: what a killed program had begun to write at its end is cut off.
  explicit TensorboardFile(const std::string& path) : path_(path) {
    std::string held;
    if (std::ifstream old(path, std::ios::binary); old) held.assign(std::istreambuf_iterator<char>(old), {});
    const std::size_t whole = whole_bytes(held);
    goes_on_ = whole > 0;
    std::error_code cut;
    if (whole < held.size()) std::filesystem::resize_file(path, whole, cut);
    file_.reset(std::fopen(path.c_str(), "ab"));
    if (!file_ || cut) fail("cannot be opened");
    if (!goes_on_) append(event(0) + bytes_field(3, "brain.Event:2"));
  }
  /// Whether the file held events before.
  bool goes_on() const { return goes_on_; }

  /// One point on each of the curves named. `time`: seconds since 1970.
  void write(std::int64_t step, const std::vector<std::pair<std::string, double>>& values, double time) {
    std::string summary;
    for (const auto& [tag, value] : values) {
      const float number = float(value);
      summary += bytes_field(1, bytes_field(1, tag) + '\x15' + fixed(std::bit_cast<std::uint32_t>(number)));
    }
    append(event(time) + number_field(2, std::uint64_t(step)) + bytes_field(5, summary));
  }
  /// A training that was interrupted begins again with this step: what the file says of it and of later ones no longer counts.
  void restart(std::int64_t step, double time) {
    append(event(time) + number_field(2, std::uint64_t(step)) + bytes_field(7, number_field(1, 1)));
  }

  /// How many bytes at the front of a file are whole records.
  static std::size_t whole_bytes(std::string_view file) {
    std::size_t at = 0;
    while (file.size() - at >= 16) {
      std::uint64_t length = 0;
      for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(file[at + std::size_t(i)]);
      if (length > file.size() - at - 16 || fixed(masked_crc32c(file.substr(at, 8))) != file.substr(at + 8, 4)) break;
      const std::string_view message = file.substr(at + 12, std::size_t(length));
      if (fixed(masked_crc32c(message)) != file.substr(at + 12 + message.size(), 4)) break;
      at += 16 + message.size();
    }
    return at;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  template <class N>
  static std::string fixed(N number) {
    std::string bytes;
    for (std::size_t i = 0; i < sizeof number; ++i) bytes += char(number >> (8 * i) & 0xff);
    return bytes;
  }
  static std::string varint(std::uint64_t number) {
    std::string bytes;
    for (; number >= 0x80; number >>= 7) bytes += char(number | 0x80);
    return bytes + char(number);
  }
  static std::string number_field(int field, std::uint64_t number) { return char(field << 3) + varint(number); }
  static std::string bytes_field(int field, std::string_view bytes) {
    return (char(field << 3 | 2) + varint(bytes.size())).append(bytes);
  }
  static std::string event(double time) { return '\x09' + fixed(std::bit_cast<std::uint64_t>(time)); }

  void append(const std::string& message) {
    const std::string length = fixed(std::uint64_t(message.size()));
    const std::string record = length + fixed(masked_crc32c(length)) + message + fixed(masked_crc32c(message));
    if (std::fwrite(record.data(), 1, record.size(), file_.get()) != record.size() || std::fflush(file_.get()) != 0)
      fail("cannot be written");
  }
  [[noreturn]] void fail(const char* what) const {
    throw IoError(detail::cat(path_, ": ", what, ": ", std::strerror(errno)));
  }

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  bool goes_on_ = false;
};

}  // namespace lacuna::io
