#include "lacuna/io/atomic_file.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "io/temporary.hpp"

using namespace lacuna;
using io::AtomicFile;
using test::contains;
using test::message_of;

namespace {
std::string text_of(const std::string& path) {
  const auto bytes = test::read_bytes(path);
  return {bytes.begin(), bytes.end()};
}
}  // namespace

TEST_CASE("atomic file: appears whole at commit, and replaces what was there") {
  const test::TemporaryFolder folder;
  for (const std::string content : {"first", "second, longer", ""}) {
    AtomicFile file(folder / "x");
    file.write(content);
    CHECK(file.position() == content.size());
    CHECK(text_of(folder / "x") != (content.empty() ? "none" : content));
    file.commit();
    CHECK(text_of(folder / "x") == content);
    CHECK(folder.count() == 1);
    CHECK(contains(message_of<IoError>([&] { file.write("more"); }), "already finished"));
    CHECK(contains(message_of<IoError>([&] { file.commit(); }), "already finished"));
  }
}

TEST_CASE("atomic file: more than its buffer, in pieces of all sizes") {
  const test::TemporaryFolder folder;
  AtomicFile file(folder / "x");
  std::string expected;
  for (const std::size_t size : {1, 65535, 1, 65536, 200000, 3, 0, 70000}) {
    const std::string piece(size, char('a' + size % 26));
    file.write(piece);
    expected += piece;
  }
  AtomicFile moved = std::move(file);
  moved.commit();
  CHECK(text_of(folder / "x") == expected);
}

TEST_CASE("atomic file: without commit nothing changes and nothing is left") {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "x", {'o', 'l', 'd'});
  try {
    AtomicFile file(folder / "x");
    file.write(std::string(100000, 'n'));
    CHECK(folder.count() == 2);
    throw std::runtime_error("interrupted");
  } catch (const std::runtime_error&) {
  }
  CHECK(text_of(folder / "x") == "old");
  CHECK(folder.count() == 1);
}

TEST_CASE("atomic file: two writers of one target do not mix") {
  const test::TemporaryFolder folder;
  AtomicFile one(folder / "x"), two(folder / "x");
  one.write("one");
  two.write("two");
  two.commit();
  CHECK(text_of(folder / "x") == "two");
  one.commit();
  CHECK(text_of(folder / "x") == "one");
  CHECK(folder.count() == 1);
}

TEST_CASE("atomic file: a link is followed, permissions stay") {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "real", {'o', 'l', 'd'});
  std::filesystem::permissions(folder / "real",
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::create_symlink("real", folder / "link");
  AtomicFile file(folder / "link");
  file.write("new");
  file.commit();
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(text_of(folder / "real") == "new");
  CHECK((std::filesystem::status(folder / "real").permissions() & std::filesystem::perms::others_read) ==
        std::filesystem::perms::none);
}

TEST_CASE("atomic file: what cannot be written says why") {
  const test::TemporaryFolder folder;
  CHECK(contains(message_of<IoError>([&] { AtomicFile(folder / "none/x"); }), "none/x: cannot be written"));
  CHECK(contains(message_of<IoError>([&] { AtomicFile(folder.path()); }), "is not a regular file"));
  std::filesystem::create_directory(folder / "gone");
  AtomicFile file(folder / "gone/x");
  file.write("text");
  std::filesystem::remove_all(folder / "gone");
  CHECK(contains(message_of<IoError>([&] { file.commit(); }), "renaming the temporary file failed"));
}
