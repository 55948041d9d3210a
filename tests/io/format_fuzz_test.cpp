// Damaged pickles, PyTorch files and safetensors, thousands of them, the same in every run: each is read or refused
// with a lacuna::Error, and memory asked for is in proportion to the file.
#include <doctest/doctest.h>

#include "io/damage.hpp"
#include "io/pickles.hpp"
#include "io/temporary.hpp"
#include "lacuna/io/numpy_objects.hpp"
#include "lacuna/io/pytorch.hpp"
#include "lacuna/io/safetensors_writer.hpp"
#include "lacuna/io/value_print.hpp"
#include "lacuna/io/zip_writer.hpp"

using namespace lacuna;
using namespace std::string_literals;

namespace {

test::Bytes as_bytes(const std::string& text) { return {text.begin(), text.end()}; }

std::vector<test::Bytes> pickle_seeds() {
  const std::string numbers(24, '\x3f');
  const std::string array = test::pickled_array("f4", "<", {2, 3}, numbers);
  const std::string buffer = "cnumpy._core.numeric\n_frombuffer\n(C\x18" + numbers + test::pickled_dtype("f4", ">") +
                             "K\x02K\x03\x86VK\nK\x01K\x00\x86tR"s;
  return {
      as_bytes("\x80\x04\x95\x20" + std::string(7, '\0') +
               "}(\x8c\x05train}(\x8c\x04text](K\x01K\x02K\x03\x86"
               "eNNuK\x05\x8f(\x8c\x01x\x90u."),
      as_bytes("(dp0\nS'a\\x92'\np1\n(lp2\nI1\naL5L\naF1.5\nasVb\\u00fc\np3\n(g1\nI01\ntp4\ns."),
      as_bytes("\x80\x03}q\x00(X\x01\x00\x00\x00"
               "aq\x01"s +
               array +
               "X\x01\x00\x00\x00"
               "bq\x02"s +
               test::pickled_array("O8", "|", {2}, "", false, -1,
                                   "](Nh\x01"
                                   "e") +
               "Vu\n"s + test::pickled_array("U2", "<", {1}, "a\0\0\0b\0\0\0"s, false, 8) + "u."),
      as_bytes("\x80\x05](" + buffer + "cnumpy.core.multiarray\nscalar\n" + test::pickled_dtype("f8", "<") +
               "C\x08\x00\x00\x00\x00\x00\x00\x20\x40\x86R\x94\x8a\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01h\x00"
               "e."s),
      as_bytes("\x80\x02"
               "ccollections\nOrderedDict\nq\x01(lq\x02(K\x01K\x02ta\x85Rq\x03"
               "c__builtin__\nset\n(lK\x01"
               "a\x85R\x86."),
  };
}

/// Prints it, and reads the numbers of every array.
void visit(const io::Value& value, int& budget) {
  if (--budget < 0) return;
  if (value.is_dict())
    for (std::size_t i = 0; i < value.size() && budget > 0; ++i) visit(value.value(i), budget);
  else if (value.has_items())
    for (std::size_t i = 0; i < value.size() && budget > 0; ++i) visit(value[i], budget);
  else if (value.kind() == io::ValueKind::array || value.kind() == io::ValueKind::tensor)
    value.array();
}
void visit(const io::Value& value) {
  int budget = 200;
  visit(value, budget);
  io::to_text(value, {.lines = 50});
}

template <class Read>
void fuzz(const std::vector<test::Bytes>& files, int rounds, std::uint64_t seed, Read&& read,
          std::size_t per_byte = 100) {
  test::Tally tally;
  Random random(seed);
  for (const test::Bytes& file : files) REQUIRE_NOTHROW(read(file));
  for (int round = 0; round < rounds; ++round) {
    const test::Bytes& other = files[std::size_t(random.below(index_t(files.size())))];
    const test::Bytes bytes = test::mutate(random, files[std::size_t(round) % files.size()], other);
    // A node has 24 bytes and its name in messages a path; a growing list is copied.
    test::attempt(tally, (std::size_t(1) << 15) + per_byte * bytes.size(), [&] { read(bytes); });
  }
  MESSAGE(tally.read, " read, ", tally.refused, " refused, at most ", tally.most_asked, " bytes asked for");
  CHECK(tally.surprise == "");
  CHECK(tally.read > 10);
  CHECK(tally.refused > rounds / 10);
}

}  // namespace

TEST_CASE("pickle: thirty thousand damaged files") {
  fuzz(pickle_seeds(), 30000, 31, [](const test::Bytes& bytes) {
    visit(io::open_pickle(std::make_shared<io::MappedFile>("damaged.pkl", bytes)).value);
  });
}

TEST_CASE("pickle: single bits flipped, every one") {
  test::Tally tally;
  for (const test::Bytes& file : pickle_seeds())
    for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
      test::Bytes bytes = file;
      bytes[bit / 8] ^= std::uint8_t(1u << (bit % 8));
      test::attempt(tally, std::size_t(1) << 19,
                    [&] { visit(io::open_pickle(std::make_shared<io::MappedFile>("damaged.pkl", bytes)).value); });
    }
  CHECK(tally.surprise == "");
  CHECK(tally.refused > 1000);
}

TEST_CASE("pytorch: ten thousand damaged files, and thousands whose pickle alone is damaged") {
  const test::TemporaryFolder folder;
  const std::string storage = test::pickled_storage("FloatStorage", "0", 6);
  const test::Bytes numbers(24, 0x3f);
  const test::Bytes pickle = as_bytes("\x80\x02}(Va\n" + test::pickled_tensor(storage, 0, {2, 3}, {3, 1}) + "Vb\n" +
                                      test::pickled_tensor(storage, 1, {2, 2}, {0, 1}) + "u.");
  const auto archive = [&](const test::Bytes& data) {
    io::ZipWriter writer(folder / "x.pt");
    const io::ZipWriter::Bytes first[] = {data}, second[] = {numbers};
    writer.add("archive/data.pkl", first);
    writer.add("archive/data/0", second);
    writer.close();
    return test::read_bytes(folder / "x.pt");
  };
  const auto read = [](const test::Bytes& bytes) {
    visit(io::PytorchFile(std::make_shared<io::MappedFile>("damaged.pt", bytes)).root());
  };
  fuzz({archive(pickle)}, 10000, 32, read);
  Random random(33);
  test::Tally tally;
  for (int round = 0; round < 1500; ++round) {  // the CRC-32 of these is right
    const test::Bytes bytes = archive(test::mutate(random, pickle, pickle));
    test::attempt(tally, std::size_t(1) << 19, [&] { read(bytes); });
  }
  CHECK(tally.surprise == "");
  CHECK(tally.refused > 100);
}

TEST_CASE("pytorch: ten thousand damaged streams of versions before 1.6") {
  const std::string storage = test::pickled_storage("FloatStorage", "0", 6, true);
  const std::string object = "}(Va\n" + test::pickled_tensor(storage, 0, {2, 3}, {3, 1}) + "Vb\nNu";
  fuzz({as_bytes(test::legacy_pytorch(object, std::string(24, 'x')))}, 10000, 36, [](const test::Bytes& bytes) {
    visit(io::PytorchFile(std::make_shared<io::MappedFile>("damaged.pth", bytes)).root());
  });
}

TEST_CASE("safetensors: twenty thousand damaged files") {
  const test::TemporaryFolder folder;
  io::SafetensorsWriter writer;
  writer.add_bytes("a", "F32", {2, 2}, test::Bytes(16));
  writer.add_bytes("b\xc3\xbc", "BF16", {3}, test::Bytes(6));
  writer.add_bytes("c", "I64", {}, test::Bytes(8));
  writer.add_metadata("format", "pt");
  writer.save(folder / "x");
  fuzz({test::read_bytes(folder / "x")}, 20000, 34, [](const test::Bytes& bytes) {
    const io::Safetensors file(std::make_shared<io::MappedFile>("damaged.safetensors", bytes));
    for (const std::string& name : file.names()) file.array(name);
  });
}

TEST_CASE("npy: ten thousand damaged arrays of objects") {
  const std::string header = "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }";
  const std::string text = "\x93NUMPY\x01\x00"s + char(header.size()) + '\0' + header +
                           test::pickled_array("O8", "|", {2}, "", false, -1, "](N}(Va\nK\x05ue") + ".";
  fuzz({as_bytes(text)}, 10000, 35, [](const test::Bytes& bytes) {
    visit(io::load_npy_value(std::make_shared<io::MappedFile>("damaged.npy", bytes)));
  });
}
