// Damaged .npz and .npy files, thousands of them, the same in every run. Each must be read right or refused with a
// lacuna::Error; memory asked for must be in proportion to the file.
#include <doctest/doctest.h>

#include <map>

#include "io/allocation_meter.hpp"
#include "io/numpy_files.hpp"
#include "io/temporary.hpp"
#include "lacuna/core/random.hpp"
#include "lacuna/io/npz.hpp"
#include "lacuna/io/npz_writer.hpp"

using namespace lacuna;

namespace {

using Bytes = std::vector<std::uint8_t>;

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

std::uint8_t any_byte(Random& random) { return std::uint8_t(random.below(256)); }
std::size_t any_place(Random& random, const Bytes& bytes) { return std::size_t(random.below(index_t(bytes.size()))); }

/// A number that hurts, written over 1, 2, 4 or 8 bytes.
void splice_number(Random& random, Bytes& bytes) {
  static constexpr std::uint64_t nasty[] = {0,
                                            1,
                                            2,
                                            0x7F,
                                            0x80,
                                            0xFF,
                                            0x100,
                                            0x7FFF,
                                            0xFFFF,
                                            0x10000,
                                            0x7FFFFFFF,
                                            0x80000000,
                                            0xFFFFFFFE,
                                            0xFFFFFFFF,
                                            0x7FFFFFFFFFFFFFFF,
                                            0xFFFFFFFFFFFFFFFF};
  std::uint64_t number = nasty[random.below(std::size(nasty))];
  if (random.below(3) == 0) number = std::uint64_t(random.below(index_t(2 * bytes.size())));
  const std::size_t count = std::size_t(1) << random.below(4), at = any_place(random, bytes);
  for (std::size_t i = 0; i < count && at + i < bytes.size(); ++i) bytes[at + i] = std::uint8_t(number >> (8 * i));
}

Bytes mutate(Random& random, Bytes bytes, const Bytes& other) {
  for (index_t step = random.below(3); step >= 0 && !bytes.empty(); --step) {
    switch (random.below(8)) {
      case 0:
      case 1:
        for (index_t flips = 1 + random.below(4); flips > 0; --flips)
          bytes[any_place(random, bytes)] ^= std::uint8_t(1u << random.below(8));
        break;
      case 2:
        bytes[any_place(random, bytes)] = any_byte(random);
        break;
      case 3:
        bytes.resize(any_place(random, bytes));
        break;
      case 4:
        for (index_t more = 1 + random.below(64); more > 0; --more) bytes.push_back(any_byte(random));
        break;
      case 5:
        splice_number(random, bytes);
        break;
      case 6: {  // a piece of another file
        const std::size_t from = any_place(random, other), at = any_place(random, bytes);
        const std::size_t count = std::min({std::size_t(1 + random.below(80)), other.size() - from, bytes.size() - at});
        std::copy_n(other.begin() + std::ptrdiff_t(from), count, bytes.begin() + std::ptrdiff_t(at));
        break;
      }
      default: {  // bytes taken out, or doubled
        const std::size_t at = any_place(random, bytes),
                          count = std::min(std::size_t(1 + random.below(40)), bytes.size() - at);
        const Bytes piece(bytes.begin() + std::ptrdiff_t(at), bytes.begin() + std::ptrdiff_t(at + count));
        if (random.below(2) == 0)
          bytes.erase(bytes.begin() + std::ptrdiff_t(at), bytes.begin() + std::ptrdiff_t(at + count));
        else
          bytes.insert(bytes.begin() + std::ptrdiff_t(at), piece.begin(), piece.end());
      }
    }
  }
  return bytes;
}

struct Tally {
  int read = 0, refused = 0, wrong = 0;
  std::size_t most_asked = 0;
  std::string surprise;  ///< an exception that is no lacuna::Error
};

/// Runs `read` under a limit of memory; everything but a lacuna::Error is a failure.
template <class Read>
void attempt(Tally& tally, std::size_t limit, Read&& read) {
  const test::AllocationMeter meter(limit);
  try {
    read();
    ++tally.read;
  } catch (const Error&) {
    ++tally.refused;
  } catch (const std::exception& error) {
    tally.surprise = error.what();
  }
  tally.most_asked = std::max(tally.most_asked, meter.asked());
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
