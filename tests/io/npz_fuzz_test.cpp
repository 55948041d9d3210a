// Damaged .npz and .npy files, thousands of them, the same in every run. Each must be read right or refused with a
// lacuna::Error; memory asked for must be in proportion to the file.
#include <doctest/doctest.h>

#include <map>

#include "io/damage.hpp"
#include "io/numpy_files.hpp"
#include "io/temporary.hpp"
#include "lacuna/io/npz.hpp"
#include "lacuna/io/npz_writer.hpp"

using namespace lacuna;

namespace {

using Bytes = test::Bytes;
using test::attempt, test::mutate, test::Tally;

struct Contents {
  Shape shape;
  Bytes bytes;
};
using Truth = std::map<std::string, Contents>;

std::vector<Bytes> seeds() {
  std::vector<Bytes> files = {test::unhex(test::numpy::npz_stored), test::unhex(test::numpy::npz_deflated)};
  const test::TemporaryFolder folder;
  for (const bool deflate : {false, true}) {
    for (const bool wide : {false, true}) {
      io::NpzWriter writer(folder / "x.npz", {.deflate = deflate, .force_zip64 = wide});
      const std::string tag = std::to_string(deflate) + std::to_string(wide);
      std::vector<float> numbers(300);
      for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = float(i % 17) / 4;
      writer.add("numbers/" + tag, numbers);
      writer.add("mask" + tag, Mask<2>::full({5, 7}, 1));
      writer.add("words" + tag, std::vector<std::string>{"a", "bb", "\xC3\xBC"});
      writer.close();
      files.push_back(test::read_bytes(folder / "x.npz"));
    }
  }
  // Versions 2 and 3 of .npy, and the other byte order, as members.
  int version = 2;
  io::ZipWriter writer(folder / "y.npz");
  for (const std::string_view digits : {test::numpy::version_2, test::numpy::version_3, test::numpy::text_big_endian}) {
    const Bytes npy = test::unhex(digits);
    const io::ZipWriter::Bytes parts[] = {npy};
    writer.add("version" + std::to_string(version++) + ".npy", parts);
  }
  writer.close();
  files.push_back(test::read_bytes(folder / "y.npz"));
  return files;
}

}  // namespace

TEST_CASE("npz: forty thousand damaged archives") {
  const std::vector<Bytes> files = seeds();
  std::vector<bool> deflated;
  Truth truth;
  for (const Bytes& bytes : files) {
    deflated.push_back(io::ZipReader(io::ByteSource("seed.npz", bytes)).members()[0].deflated);
    const io::Npz file(io::ByteSource("seed.npz", bytes));
    for (const std::string& name : file.names()) truth[name] = {file.get(name).shape(), file.get(name).bytes()};
  }
  Tally arrays, archives;
  Random random(20);
  for (int round = 0; round < 40000; ++round) {
    const Bytes& other = files[std::size_t(random.below(index_t(files.size())))];
    Bytes bytes = mutate(random, files[std::size_t(round) % files.size()], other);
    // A directory in memory is larger than in the file; numbers are read as they are, then once more as doubles. One
    // deflated byte may rightly stand for 1032.
    const std::size_t size = bytes.size(), packed = 1032 * (deflated[std::size_t(round) % files.size()] ? size : 0);
    const std::size_t per_archive = 8192 + 40 * size, per_array = 8192 + 40 * size + 4 * packed;
    io::ByteSource source("damaged.npz", std::move(bytes));
    std::unique_ptr<io::Npz> file;
    attempt(archives, per_archive, [&] { file = std::make_unique<io::Npz>(std::move(source)); });
    if (!file) continue;
    for (const std::string& name : file->names()) {
      attempt(arrays, per_array, [&] {
        const io::NpyArray array = file->get(name);
        const auto known = truth.find(name);
        if (known == truth.end() || !(array.shape() == known->second.shape) || array.bytes() != known->second.bytes)
          ++arrays.wrong;
        if (array.text())
          array.strings();
        else
          array.as<double>();
      });
    }
  }
  MESSAGE("archives opened ", archives.read, ", refused ", archives.refused, "; arrays read ", arrays.read,
          ", refused ", arrays.refused);
  CHECK(archives.surprise == "");
  CHECK(arrays.surprise == "");
  CHECK(arrays.wrong == 0);
  CHECK(archives.read > 1000);
  CHECK(archives.refused > 1000);
  CHECK(arrays.read > 1000);
  CHECK(arrays.refused > 1000);
}

TEST_CASE("npy: ten thousand damaged files ask for no more memory than they account for") {
  // Without a checksum damage to the numbers goes unseen; a wrong size never does.
  std::vector<Bytes> files;
  for (const std::string_view digits :
       {test::numpy::double_big_endian_fortran, test::numpy::half_specials, test::numpy::text, test::numpy::bytes_,
        test::numpy::version_2, test::numpy::version_3, test::numpy::pickled})
    files.push_back(test::unhex(digits));
  Tally tally;
  Random random(21);
  for (int round = 0; round < 10000; ++round) {
    const Bytes& seed = files[std::size_t(round) % files.size()];
    // Half of the damage goes to the first 100 bytes, where the header is.
    Bytes bytes = seed;
    if (round % 2) {
      Bytes head(bytes.begin(), bytes.begin() + 100);
      head = mutate(random, head, files[std::size_t(random.below(index_t(files.size())))]);
      bytes.erase(bytes.begin(), bytes.begin() + 100);
      bytes.insert(bytes.begin(), head.begin(), head.end());
    } else {
      bytes = mutate(random, bytes, files[0]);
    }
    const std::size_t size = bytes.size(), limit = 4096 + 64 * size;
    io::ByteSource source("damaged.npy", std::move(bytes));
    attempt(tally, limit, [&] {
      const io::NpyArray array = io::load_npy(std::move(source));
      if (array.bytes().size() > size || array.bytes().size() != std::size_t(array.size()) * array.item_size())
        ++tally.wrong;
      if (array.text())
        array.strings();
      else
        array.as<double>();
    });
  }
  MESSAGE("read ", tally.read, ", refused ", tally.refused, ", most memory ", tally.most_asked);
  CHECK(tally.surprise == "");
  CHECK(tally.wrong == 0);
  CHECK(tally.read > 100);
  CHECK(tally.refused > 500);
}
