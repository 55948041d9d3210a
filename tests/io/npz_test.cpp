#include "lacuna/io/npz.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <thread>

#include "io/numpy_files.hpp"
#include "io/temporary.hpp"
#include "lacuna/io/npz_writer.hpp"
#include "support/paths.hpp"

using namespace lacuna;
using io::ByteSource;
using io::Npz;
using io::NpzWriter;
using test::contains;
using test::message_of;

TEST_CASE("npz: files written by NumPy") {
  const Npz stored(ByteSource("x.npz", test::unhex(test::numpy::npz_stored)));
  CHECK(stored.names() == std::vector<std::string>{"block/case/x", "id"});
  CHECK(stored.contains("id"));
  CHECK(!stored.contains("id.npy"));
  CHECK(stored.tensor<float, 2>("block/case/x").to_vector() == std::vector<float>{0, 1, 2, 3, 4, 5});
  CHECK(stored.get("id").strings() == std::vector<std::string>{"one", "two"});

  const Npz deflated(ByteSource("x.npz", test::unhex(test::numpy::npz_deflated)));
  CHECK(deflated.header("x").shape == Shape{2000});
  const auto x = deflated.get("x").as<int>();
  for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(x[i] == int(i % 7));
  CHECK(deflated.tensor<float, 2>("y").shape() == Shape{0, 3});
}

TEST_CASE("npz: what is written is read") {
  const test::TemporaryFolder folder;
  for (const bool deflate : {false, true}) {
    NpzWriter writer(folder / "x.npz", {.deflate = deflate});
    const auto cube = Tensor<double, 3>::from({2, 1, 3}, {1, -2, 3e-300, HUGE_VAL, 5, 6});
    const std::vector<std::string> words = {"", "a", "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"};
    const std::vector<std::int16_t> shorts = {-1, 300};
    writer.add("a/b/cube", cube);
    writer.add("words", words);
    writer.add("mask", Mask<2>::from({1, 2}, {1, 0}));
    writer.add("one", std::int64_t(-7));
    writer.add("shorts", shorts);
    writer.add("spanned", std::span<const std::int16_t>(shorts), Shape{2, 1});
    writer.add("empty", Tensor<float, 2>(std::array<index_t, 2>{0, 4}));
    writer.add("no words", std::vector<std::string>{});
    CHECK(contains(message_of<IoError>([&] { writer.add("one", 1.0); }), "is there already"));
    CHECK(contains(message_of<ShapeError>([&] { writer.add("bad", std::span<const std::int16_t>(shorts), Shape{3}); }),
                   "has 2 numbers for shape (3)"));
    CHECK(contains(message_of<IoError>([&] { writer.add("bad", std::vector<std::string>{"\xFF"}); }), "is not UTF-8"));
    CHECK(contains(message_of<IoError>([&] { writer.add("bad", std::vector<std::string>{std::string(1, '\0')}); }),
                   "zero byte"));
    for (const char* text : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE4\xB8", "\x80", "\xE0\x80\x80"})
      CHECK_MESSAGE(
          contains(message_of<IoError>([&] { writer.add("bad", std::vector<std::string>{text}); }), "is not UTF-8"),
          text);
    writer.close();

    const Npz file(folder / "x.npz");
    CHECK(file.names() ==
          std::vector<std::string>{"a/b/cube", "words", "mask", "one", "shorts", "spanned", "empty", "no words"});
    CHECK(file.tensor<double, 3>("a/b/cube").to_vector() == cube.to_vector());
    CHECK(file.get("words").strings() == words);
    CHECK(file.get("words").dtype() == "<U6");
    CHECK(file.tensor<std::uint8_t, 2>("mask").to_vector() == std::vector<std::uint8_t>{1, 0});
    CHECK(file.get("one").scalar<int>() == -7);
    CHECK(file.get("shorts").as<std::int16_t>() == shorts);
    CHECK(file.get("spanned").shape() == Shape{2, 1});
    CHECK(file.tensor<float, 2>("empty").shape() == Shape{0, 4});
    CHECK(file.get("no words").strings().empty());
  }
  CHECK(folder.count() == 1);
}

TEST_CASE("npz: many threads read one file") {
  const test::TemporaryFolder folder;
  NpzWriter writer(folder / "x.npz", {.deflate = true});
  for (int i = 0; i < 8; ++i) writer.add(std::to_string(i), std::vector<std::int32_t>(50000, i));
  writer.close();
  const Npz file(folder / "x.npz");
  std::vector<int> wrong(8, 0);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round)
        wrong[std::size_t(i)] +=
            file.get(std::to_string((i + round) % 8)).as<int>() != std::vector<int>(50000, (i + round) % 8);
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(8, 0));
}

TEST_CASE("npz: without close no file appears") {
  const test::TemporaryFolder folder;
  {
    NpzWriter writer(folder / "x.npz");
    writer.add("x", std::vector<float>(100000));
  }
  CHECK(folder.count() == 0);
}

TEST_CASE("npz: errors name the file, the array and what is there") {
  const test::TemporaryFolder folder;
  NpzWriter writer(folder / "x.npz");
  for (int i = 0; i < 14; ++i) writer.add("array" + std::to_string(i), float(i));
  writer.close();
  const Npz file(folder / "x.npz");
  const std::string missing = message_of<IoError>([&] { file.get("x\ny"); });
  CHECK(contains(missing, "x.npz: array 'x?y' is missing; the file has array0, array1"));
  CHECK(contains(missing, "and 2 more"));
  CHECK(contains(message_of<IoError>([&] { file.tensor<float, 2>("array3"); }), "x.npz: array 'array3' has shape ()"));
  CHECK(contains(message_of<IoError>([&] { Npz(folder / "none.npz"); }), "none.npz: cannot be opened"));
  CHECK(contains(message_of<IoError>([&] { Npz(folder.path()); }), "is not a regular file"));

  NpzWriter empty(folder / "y.npz");
  empty.close();
  CHECK(contains(message_of<IoError>([&] { Npz(folder / "y.npz").get("x"); }), "the file has no arrays"));
}

TEST_CASE("npz: members that are no arrays are skipped; a false array is refused") {
  const test::TemporaryFolder folder;
  io::ZipWriter writer(folder / "x.npz");
  const std::vector<std::uint8_t> text = {'h', 'i'};
  const io::ZipWriter::Bytes parts[] = {text};
  writer.add("README.md", parts);
  writer.add("x.npy", parts);
  writer.close();
  const Npz file(folder / "x.npz");
  CHECK(file.names() == std::vector<std::string>{"x"});
  CHECK(contains(message_of<IoError>([&] { file.get("x"); }), "too few for a .npy header"));
}

TEST_CASE("npz: oracle files are read whole" * doctest::skip(!test::have_oracle())) {
  int arrays = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test::oracle_dir())) {
    if (entry.path().extension() != ".npz") continue;
    const Npz file(entry.path().string());
    for (const std::string& name : file.names()) {
      const auto array = file.get(name);
      REQUIRE(std::size_t(array.size()) == (array.text() ? array.strings().size() : array.as<double>().size()));
      ++arrays;
    }
  }
  CHECK(arrays > 1000);
}
