#include "lacuna/io/zip.hpp"

#include <doctest/doctest.h>

#include "io/temporary.hpp"
#include "lacuna/io/zip_writer.hpp"

using namespace lacuna;
using io::ByteSource;
using io::ZipReader;
using io::ZipWriter;
using test::contains;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

/// An archive as ZipWriter writes it.
Bytes archive(const std::vector<std::pair<std::string, std::string>>& members, ZipWriter::Options options = {}) {
  const test::TemporaryFolder folder;
  ZipWriter writer(folder / "x.zip", options);
  for (const auto& [name, content] : members) {
    const Bytes content_bytes = bytes_of(content);
    const ZipWriter::Bytes parts[] = {content_bytes};
    writer.add(name, parts);
  }
  writer.close();
  return test::read_bytes(folder / "x.zip");
}

/// Reads every member; the message of the error, or "no error".
std::string zip_error(Bytes bytes) {
  const std::string message = test::message_of<IoError>([&] {
    const ZipReader zip(ByteSource("x.zip", std::move(bytes)));
    for (const auto& member : zip.members()) zip.read(member);
  });
  CHECK(!contains(message, "\n"));
  CHECK((message == "no error" || contains(message, "x.zip: ")));
  return message;
}

/// Writes `count` bytes of a number at an offset; negative offsets count from the end.
Bytes patched(Bytes bytes, std::ptrdiff_t offset, std::uint64_t number, int count) {
  const std::size_t at = std::size_t(offset < 0 ? std::ptrdiff_t(bytes.size()) + offset : offset);
  for (int i = 0; i < count; ++i) bytes.at(at + std::size_t(i)) = std::uint8_t(number >> (8 * i));
  return bytes;
}

/// Of an archive with the single stored member "abc" = "hello": local header 0..29, name, data 33..37,
/// directory 38..86, end 87.
const std::ptrdiff_t entry = 38, end = 87;
Bytes simple() { return archive({{"abc", "hello"}}); }

}  // namespace

TEST_CASE("zip: what is written is read, in all four ways of writing") {
  const std::string text = [] {
    std::string long_text;
    for (int i = 0; i < 30000; ++i) long_text += "all work and no play " + std::to_string(i * i % 977);
    return long_text;
  }();
  for (const bool deflate : {false, true}) {
    for (const bool wide : {false, true}) {
      const ZipWriter::Options options{.deflate = deflate, .force_zip64 = wide};
      const Bytes bytes = archive({{"z", text}, {"a/b", ""}, {"\xC3\xBC", "x"}}, options);
      CHECK(bytes == archive({{"z", text}, {"a/b", ""}, {"\xC3\xBC", "x"}}, options));
      CHECK((bytes.size() < text.size()) == deflate);
      const ZipReader zip(ByteSource("x.zip", bytes));
      REQUIRE(zip.members().size() == 3);
      CHECK(zip.members()[0].name == "z");
      REQUIRE(zip.find("z"));
      CHECK(zip.read(*zip.find("z")) == bytes_of(text));
      CHECK(zip.read(*zip.find("a/b")).empty());
      CHECK(zip.read(*zip.find("\xC3\xBC")) == bytes_of("x"));
      CHECK(zip.find("a") == nullptr);
      CHECK(zip.find("zz") == nullptr);

      auto stream = zip.open(zip.members()[0]);
      std::string start(10, ' ');
      stream.read(start.data(), 10);
      CHECK(start == text.substr(0, 10));
      CHECK(stream.remaining() == text.size() - 10);
      CHECK(contains(test::message_of<IoError>([&] { stream.finish(); }), "more bytes than expected"));
    }
  }
  CHECK(zip_error(archive({})) == "no error");
  CHECK(zip_error(archive({}, {.force_zip64 = true})) == "no error");
  CHECK(ZipReader(ByteSource("x.zip", archive({}))).members().empty());
}

TEST_CASE("zip: more members than 16 bits can count") {
  const test::TemporaryFolder folder;
  ZipWriter writer(folder / "x.zip");
  for (int i = 0; i < 65540; ++i) writer.add(std::to_string(i), std::span<const ZipWriter::Bytes>());
  writer.close();
  const ZipReader zip(folder / "x.zip");
  CHECK(zip.members().size() == 65540);
  REQUIRE(zip.find("65539"));
  CHECK(zip.read(*zip.find("65539")).empty());
}

TEST_CASE("zip: a writer refuses names that readers cannot tell apart") {
  const test::TemporaryFolder folder;
  ZipWriter writer(folder / "x.zip");
  const auto add = [&](const std::string& name) {
    return test::message_of<IoError>([&] { writer.add(name, std::span<const ZipWriter::Bytes>()); });
  };
  CHECK(add("a") == "no error");
  CHECK(contains(add("a"), "is there already"));
  CHECK(contains(add(""), "cannot be the name"));
  CHECK(contains(add(std::string("a\0b", 3)), "cannot be the name"));
  CHECK(contains(add(std::string(65536, 'x')), "cannot be the name"));
  CHECK(folder.count() == 1);  // the temporary file
  writer.close();
  CHECK(contains(add("b"), "already finished"));
  CHECK(ZipReader(folder / "x.zip").members().size() == 1);
}

TEST_CASE("zip: an archive that ends in a comment is read") {
  Bytes bytes = patched(simple(), -2, 5, 2);
  for (const int c : {0x50, 0x4b, 5, 6, 0}) bytes.push_back(std::uint8_t(c));
  CHECK(zip_error(bytes) == "no error");
}

TEST_CASE("zip: a streamed member, whose local header has no sizes, is read") {
  Bytes bytes = patched(patched(simple(), 6, 8, 2), 14, 0, 4);
  CHECK(zip_error(patched(bytes, 18, 0, 8)) == "no error");
  CHECK(contains(zip_error(patched(bytes, 18, 4, 4)), "disagree"));
}

TEST_CASE("zip: damage is named") {
  REQUIRE(zip_error(simple()) == "no error");
  CHECK(contains(zip_error({}), "is not a zip archive: 0 bytes"));
  CHECK(contains(zip_error(Bytes(100000)), "its end record is missing"));
  Bytes longer = simple();
  longer.push_back(0);
  CHECK(contains(zip_error(longer), "end record is missing"));
  Bytes shifted = simple();
  shifted.insert(shifted.begin(), 0);
  CHECK(contains(zip_error(shifted), "has bytes in front"));

  SUBCASE("end record") {
    CHECK(contains(zip_error(patched(simple(), end + 4, 1, 2)), "split zip archive"));
    CHECK(contains(zip_error(patched(simple(), end + 8, 2, 2)), "split zip archive"));
    CHECK(contains(zip_error(patched(patched(simple(), end + 8, 2, 2), end + 10, 2, 2)), "cannot hold 2 members"));
    CHECK(contains(zip_error(patched(patched(simple(), end + 8, 0, 2), end + 10, 0, 2)), "bytes too many"));
    CHECK(contains(zip_error(patched(simple(), end + 12, 50, 4)), "does not end at offset 87"));
    CHECK(contains(zip_error(patched(simple(), end + 16, 0xFFFFFFFF, 4)), "does not end at offset 87"));
  }
  SUBCASE("directory") {
    CHECK(contains(zip_error(patched(simple(), entry, 0, 1)), "entry 0 of its directory is damaged"));
    CHECK(contains(zip_error(patched(simple(), entry + 8, 1, 2)), "member 'abc': is encrypted"));
    CHECK(contains(zip_error(patched(simple(), entry + 10, 14, 2)), "compression method 14"));
    CHECK(contains(zip_error(patched(simple(), entry + 24, 6, 4)),
                   "is stored, but has 5 bytes in the file and 6 outside"));
    CHECK(contains(zip_error(patched(simple(), entry + 28, 60000, 2)), "reaches past the end"));
    CHECK(contains(zip_error(patched(simple(), entry + 42, 1, 4)), "belongs to something else"));
    CHECK(contains(zip_error(patched(simple(), entry + 42, 0xFFFFFFFE, 4)), "belongs to something else"));
    CHECK(contains(zip_error(patched(simple(), entry + 42, 0xFFFFFFFF, 4)), "zip64 extra field is missing"));
    CHECK(contains(zip_error(patched(patched(simple(), entry + 20, 4, 4), entry + 24, 4, 4)), "disagree"));
    const Bytes claims = patched(patched(simple(), entry + 20, 1000, 4), entry + 24, 1000, 4);
    CHECK(contains(zip_error(claims), "claims 1000 bytes of a file of 109"));
  }
  SUBCASE("local header and data") {
    CHECK(contains(zip_error(patched(simple(), 0, 0, 1)), "its local header is damaged"));
    CHECK(contains(zip_error(patched(simple(), 6, 1, 2)), "another compression method"));
    CHECK(contains(zip_error(patched(simple(), 8, 8, 2)), "another compression method"));
    CHECK(contains(zip_error(patched(simple(), 14, 0, 4)), "disagree"));
    CHECK(contains(zip_error(patched(simple(), 22, 6, 4)), "disagree"));
    CHECK(contains(zip_error(patched(simple(), 28, 1, 2)), "too little room"));
    CHECK(contains(zip_error(patched(simple(), 30, 'x', 1)), "bears another name"));
    CHECK(contains(zip_error(patched(simple(), 33, 'j', 1)), "CRC-32"));
  }
  SUBCASE("two members of one name, and members that share bytes") {
    Bytes twice = archive({{"abc", "hello"}, {"abd", "world"}});
    REQUIRE(zip_error(twice) == "no error");
    const std::ptrdiff_t second = 2 * entry + 49;
    CHECK(contains(zip_error(patched(twice, second + 48, 'c', 1)), "is in the archive twice"));
    CHECK(contains(zip_error(patched(twice, second + 42, 0, 4)), "belongs to something else"));
    CHECK(contains(zip_error(patched(twice, second + 42, 37, 4)), "belongs to something else"));
  }
  SUBCASE("zip64 records") {
    const Bytes wide = archive({{"abc", "hello"}}, {.force_zip64 = true});
    const std::ptrdiff_t locator = -42, end64 = -98;
    REQUIRE(zip_error(wide) == "no error");
    CHECK(contains(zip_error(patched(wide, locator + 8, ~0ull, 8)), "zip64 end record lies outside"));
    CHECK(contains(zip_error(patched(wide, locator + 8, 0, 8)), "zip64 end record is damaged"));
    CHECK(contains(zip_error(patched(wide, end64 + 4, ~0ull, 8)), "zip64 end record is damaged"));
    CHECK(contains(zip_error(patched(wide, end64 + 24, 2, 8)), "split zip archive"));
    CHECK(contains(zip_error(patched(patched(wide, end64 + 24, ~0ull, 8), end64 + 32, ~0ull, 8)), "disagree"));
    CHECK(contains(zip_error(patched(wide, end64 + 40, ~0ull, 8)), "disagree"));
    CHECK(contains(zip_error(patched(wide, -22 + 12, 0xFFFFFFFF, 4)), "no error"));
    CHECK(
        contains(zip_error(patched(patched(wide, -22 + 12, 0xFFFFFFFF, 4), end64 + 40, ~0ull, 8)), "does not end at"));
    // Local header 0..29, name, zip64 field 33..52, data 53..57, entry 58..103, name, zip64 field from 107.
    CHECK(contains(zip_error(patched(wide, 33, 2, 2)), "zip64 extra field is missing"));
    CHECK(contains(zip_error(patched(wide, 107, 2, 2)), "zip64 extra field is missing"));
    CHECK(contains(zip_error(patched(wide, 109, 16, 2)), "zip64 extra field is too short"));
    CHECK(contains(zip_error(patched(wide, 111, ~0ull, 8)), "is stored, but has"));
    CHECK(contains(zip_error(patched(wide, 127, ~0ull, 8)), "belongs to something else"));
  }
}

TEST_CASE("zip: deflated data are held to what was declared") {
  const std::string text(5000, 'a');
  const Bytes whole = archive({{"abc", text}}, {.deflate = true});
  REQUIRE(zip_error(whole) == "no error");
  const ZipReader zip(ByteSource("x.zip", whole));
  const std::ptrdiff_t packed = std::ptrdiff_t(zip.members()[0].compressed), directory = 33 + packed;

  SUBCASE("more than deflate can make of the input") {
    const std::uint64_t huge = std::uint64_t(packed) * 1032 + 1;
    CHECK(
        contains(zip_error(patched(patched(whole, 22, huge, 4), directory + 24, huge, 4)), "which deflate cannot do"));
  }
  SUBCASE("more or fewer bytes than the stream has") {
    CHECK(contains(zip_error(patched(patched(whole, 22, 4999, 4), directory + 24, 4999, 4)), "inflates to more bytes"));
    CHECK(
        contains(zip_error(patched(patched(whole, 22, 5001, 4), directory + 24, 5001, 4)), "inflates to fewer bytes"));
  }
  SUBCASE("the stream cut, or followed by more") {
    Bytes cut = patched(patched(whole, 18, std::uint64_t(packed - 1), 4), directory + 20, std::uint64_t(packed - 1), 4);
    CHECK(contains(zip_error(cut), "end early"));
    Bytes more =
        patched(patched(whole, 18, std::uint64_t(packed + 1), 4), directory + 20, std::uint64_t(packed + 1), 4);
    more.insert(more.begin() + directory, 0);
    CHECK(contains(zip_error(patched(more, -6, std::uint64_t(directory + 1), 4)), "1 bytes follow the end"));
  }
  SUBCASE("no bytes at all") {
    const Bytes none = archive({{"abc", ""}}, {.deflate = true});
    CHECK(zip_error(none) == "no error");
  }
  SUBCASE("bits that mean nothing") { CHECK(contains(zip_error(patched(whole, 33, 7, 1)), "damaged deflate data")); }
}

TEST_CASE("zip: every truncation is refused") {
  for (const bool deflate : {false, true}) {
    const Bytes whole = archive({{"abc", "hello"}, {"d", "world"}}, {.deflate = deflate, .force_zip64 = deflate});
    for (std::size_t length = 0; length < whole.size(); ++length)
      REQUIRE(zip_error(Bytes(whole.begin(), whole.begin() + std::ptrdiff_t(length))) != "no error");
  }
}
