// Files of other programs, cut off at many places and with single bytes changed: each reader reads them or throws our error.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "fuzz/values.hpp"
#include "io/temporary.hpp"
#include "lacuna/core/random.hpp"
#include "lacuna/io/csv.hpp"
#include "lacuna/io/mat.hpp"
#include "lacuna/io/npz.hpp"
#include "lacuna/io/pickle.hpp"
#include "lacuna/io/pytorch.hpp"
#include "lacuna/io/safetensors.hpp"
#include "support/paths.hpp"

namespace truncated_fixtures {

using namespace lacuna;
using Bytes = std::vector<std::uint8_t>;

/// Everything that there is in a file of that kind; false: no reader is for it.
bool read(const std::string& kind, const Bytes& bytes) {
  const auto file = [&] { return std::make_shared<io::MappedFile>("damaged" + kind, bytes); };
  if (kind == ".pkl") {
    test::visit_values(io::open_pickle(file()).value);
  } else if (kind == ".pt" || kind == ".pth") {
    test::visit_values(io::PytorchFile(file()).root());
  } else if (kind == ".safetensors") {
    const io::Safetensors tensors(file());
    for (const std::string& name : tensors.names()) tensors.array(name);
  } else if (kind == ".npy") {
    (void)io::load_npy(io::ByteSource("damaged.npy", bytes));
  } else if (kind == ".npz") {
    const io::Npz archive(io::ByteSource("damaged.npz", bytes));
    for (const std::string& name : archive.names()) (void)archive.get(name);
  } else if (kind == ".mat") {
    (void)io::Mat(file());
  } else if (kind == ".csv") {
    (void)io::Csv(file());
  } else {
    return false;
  }
  return true;
}

}  // namespace truncated_fixtures

TEST_CASE("fixtures of other programs, cut off and changed" * doctest::skip(!lacuna::test::have_formats())) {
  using namespace truncated_fixtures;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test::formats_dir()))
    if (entry.is_regular_file() && entry.file_size() <= 3000) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  index_t whole = 0, right = 0, refused = 0;
  std::string surprise;
  Random random(17);
  const auto attempt = [&](const std::string& kind, const Bytes& bytes, const std::string& what) {
    try {
      read(kind, bytes);
      ++right;
    } catch (const Error&) {
      ++refused;
    } catch (const std::exception& other) {
      if (surprise.empty()) surprise = what + ": " + other.what();
    }
  };
  for (const auto& path : files) {
    const std::string kind = path.extension();
    const Bytes bytes = test::read_bytes(path.string());
    try {
      if (!read(kind, bytes)) continue;
    } catch (const Error&) {
    }
    ++whole;
    const std::size_t step = std::max<std::size_t>(1, bytes.size() / 150);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      attempt(kind, Bytes(bytes.begin(), bytes.begin() + std::ptrdiff_t(at)), path.string() + " cut");
      Bytes changed = bytes;
      changed[at] ^= std::uint8_t(1u << random.below(8));
      attempt(kind, changed, path.string() + " changed");
    }
  }
  MESSAGE(whole, " files: ", right, " read, ", refused, " refused");
  CHECK(surprise == "");
  CHECK(whole > 50);
  CHECK(refused > right / 4);
}
