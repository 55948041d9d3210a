/// Event files for TensorBoard, read back by a reader of protobuf messages that knows nothing of the writer.
#include "lacuna/io/tensorboard.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "io/temporary.hpp"

namespace lacuna::test::tensorboard {
namespace {

std::string text_of(const std::string& path) {
  const auto bytes = read_bytes(path);
  return {bytes.begin(), bytes.end()};
}

struct Field {
  int number = 0;
  std::uint64_t value = 0;  ///< of varints and fixed numbers
  std::string bytes = {};   ///< of messages and strings
};
std::vector<Field> fields_of(const std::string& message) {
  std::vector<Field> fields;
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t number = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(message.at(at++));
      number |= std::uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80) return number;
    }
  };
  while (at < message.size()) {
    const std::uint64_t key = varint();
    Field field{int(key >> 3)};
    const std::size_t fixed = (key & 7) == 1 ? 8 : (key & 7) == 5 ? 4 : 0;
    if ((key & 7) == 0) {
      field.value = varint();
    } else if (fixed > 0) {
      for (std::size_t i = fixed; i-- > 0;)
        field.value = field.value << 8 | static_cast<unsigned char>(message.at(at + i));
      at += fixed;
    } else {
      const auto length = std::size_t(varint());
      field.bytes = message.substr(at, length);
      REQUIRE(field.bytes.size() == length);
      at += length;
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

/// Messages of a file, lengths read without the checks of the writer.
std::vector<std::vector<Field>> events_of(const std::string& file) {
  std::vector<std::vector<Field>> events;
  for (std::size_t at = 0; at < file.size();) {
    const auto length = std::size_t(static_cast<unsigned char>(file.at(at)));  // all are short
    events.push_back(fields_of(file.substr(at + 12, length)));
    at += 16 + length;
  }
  return events;
}

TEST_CASE("tensorboard: CRC-32C of known texts (RFC 3720), and its mask") {
  CHECK(io::crc32c("") == 0);
  CHECK(io::crc32c("123456789") == 0xe3069283);
  CHECK(io::crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(io::crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) rising += char(i), falling += char(31 - i);
  CHECK(io::crc32c(rising) == 0x46dd794e);
  CHECK(io::crc32c(falling) == 0x113fdb5c);
  const std::uint32_t crc = 0xe3069283;
  CHECK(io::masked_crc32c("123456789") == ((crc >> 15 | crc << 17) + 0xa282ead8u));
}

TEST_CASE("tensorboard: what is written reads back; a torn end is cut off") {
  const TemporaryFolder folder;
  const std::string path = folder / "events.out.tfevents.x";
  {
    io::TensorboardFile file(path);
    CHECK(!file.goes_on());
    file.write(1, {{"loss", 0.25}, {"valid/complete/mae", -1.5}}, 1e9);
    file.write(300, {{"loss", std::nan("")}}, 1e9 + 1);
  }
  const std::string whole = text_of(path);
  CHECK(io::TensorboardFile::whole_bytes(whole) == whole.size());
  const auto events = events_of(whole);
  REQUIRE(events.size() == 3);
  CHECK(events[0][1].number == 3);
  CHECK(events[0][1].bytes == "brain.Event:2");
  CHECK(std::bit_cast<double>(events[1][0].value) == 1e9);
  CHECK(events[1][1].number == 2);
  CHECK(events[1][1].value == 1);
  CHECK(events[2][1].value == 300);
  const auto values = fields_of(events[1][2].bytes);
  REQUIRE(values.size() == 2);
  const auto second = fields_of(values[1].bytes);
  CHECK(second[0].bytes == "valid/complete/mae");
  CHECK(second[1].number == 2);
  CHECK(std::bit_cast<float>(std::uint32_t(second[1].value)) == -1.5f);

  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    const std::size_t kept = io::TensorboardFile::whole_bytes(whole.substr(0, cut));
    CHECK(kept <= cut);
    CHECK(io::TensorboardFile::whole_bytes(whole.substr(0, kept)) == kept);
  }
  std::string damaged = whole;
  damaged[whole.size() - 6] ^= 1;
  write_bytes(path, std::vector<std::uint8_t>(damaged.begin(), damaged.end()));
  {
    io::TensorboardFile file(path);
    CHECK(file.goes_on());
    file.restart(300, 1e9 + 2);
    file.write(300, {{"loss", 0.5}}, 1e9 + 3);
  }
  const auto again = events_of(text_of(path));
  REQUIRE(again.size() == 4);
  CHECK(again[2][1].value == 300);
  CHECK(again[2][2].number == 7);  // session_log
  CHECK(fields_of(again[2][2].bytes)[0].value == 1);
  CHECK(again[3][2].number == 5);
  CHECK_THROWS_AS(io::TensorboardFile(folder / "no/such/folder"), IoError);
}

}  // namespace
}  // namespace lacuna::test::tensorboard
