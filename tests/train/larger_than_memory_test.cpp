// Features that lie in a file instead of in memory: a training has the same bits, its next batch comes from a thread, and this
// process stays small.
#include <doctest/doctest.h>

#include <fstream>

#include "io/temporary.hpp"
#include "lacuna/data/batch_ahead.hpp"
#include "lacuna/data/load.hpp"
#include "lacuna/data/standardize.hpp"
#include "lacuna/io/npz_writer.hpp"
#include "train/tiny_learner.hpp"

namespace larger_than_memory {

using namespace lacuna;

/// tiny_corpus as an .npz.
void save(const data::Dataset& set, const std::string& path) {
  io::NpzWriter writer(path);
  const auto add = [&](const auto& split, const std::string& prefix) {
    for (const data::Modality& modality : split.modalities) {
      writer.add(prefix + modality.name, modality.frames);
      writer.add(prefix + modality.name + "_mask", modality.present);
    }
    writer.add(prefix + "label", Tensor<float, 1>::from({split.size()}, split.labels));
  };
  add(set.train, "train_");
  add(set.validation, "valid_");
  add(set.test, "test_");
  writer.close();
}

train::History fit(const data::Dataset& set) {
  test::TinyLearner<float> model({.inputs = set.dimensions()}, Random(3));
  train::Observer silent;
  return train::fit(model, set, {.epochs = 3, .batch = 16}, silent);
}

TEST_CASE("larger than memory: losses have the bits of features in memory, with 1, 2 and 3 threads") {
  const test::TemporaryFolder temporary;
  const std::string path = temporary / "set.npz";
  save(test::tiny_corpus(100), path);
  const data::Dataset memory = data::load_npz(path),
                      scratch = data::load_npz(path, {.scratch = temporary.path(), .scratch_above = 1});
  CHECK_FALSE(io::Resident::holds(memory.train.modalities[0].frames.data()));
  REQUIRE(io::Resident::holds(scratch.train.modalities[0].frames.data()));
  CHECK(scratch.notes.back().text.find("lie in files without a name") != std::string::npos);
  const train::History expected = fit(memory);
  for (const int threads : {1, 2, 3}) {
    set_threads(threads);
    const train::History found = fit(scratch);
    REQUIRE(found.epochs.size() == expected.epochs.size());
    for (std::size_t e = 0; e < found.epochs.size(); ++e) {
      CHECK(found.epochs[e].losses == expected.epochs[e].losses);
      CHECK(found.epochs[e].score == expected.epochs[e].score);
    }
  }
  set_threads(0);
  const data::Dataset small = data::load_npz(path, {.scratch = temporary.path(), .scratch_above = 1 << 20});
  CHECK_FALSE(io::Resident::holds(small.train.modalities[0].frames.data()));
  const data::Dataset nowhere = data::load_npz(path, {.scratch = temporary / "nowhere", .scratch_above = 1});
  CHECK(nowhere.notes.back().text.find("are kept in memory") != std::string::npos);
}

TEST_CASE("batch ahead: what was announced, something else, and nothing") {
  const test::TemporaryFolder temporary;
  const std::string path = temporary / "set.npz";
  save(test::tiny_corpus(40), path);
  const data::Dataset set = data::load_npz(path, {.scratch = temporary.path()});
  data::BatchAhead<float, data::Role::train> batches(set.train);
  REQUIRE(batches.active());
  const auto expect = [&](const std::vector<index_t>& samples) {
    const auto found = batches.take(samples), wanted = data::gather<float>(set.train, samples);
    CHECK(found.samples == wanted.samples);
    for (std::size_t m = 0; m < wanted.streams.size(); ++m)
      CHECK(found.streams[m].frames.to_vector() == wanted.streams[m].frames.to_vector());
  };
  const std::vector<index_t> a{3, 1, 2}, b{0, 5}, wrong{100000};
  batches.announce(b);
  expect(a);
  batches.announce(a);
  expect(b);
  expect(b);  // not what was announced
  expect(a);
  batches.announce(wrong);
  expect(a);
  CHECK_THROWS_AS(batches.take(wrong), ShapeError);
  expect({});
}

long resident_peak() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::atol(line.c_str() + 6) / 1024;
  return -1;
}

/// The features of 64 samples, 128 MiB, in a file.
data::Split<data::Role::train> large(const std::string& folder) {
  const std::array<index_t, 3> extents{64, 64, 8192};
  const index_t width = extents[1] * extents[2];
  const auto memory = std::make_shared<io::ScratchMemory>(std::uint64_t(4 * extents[0] * width), folder);
  std::vector<float> piece(static_cast<std::size_t>(width));
  data::Split<data::Role::train> split;
  for (index_t n = 0; n < extents[0]; ++n) {
    std::fill(piece.begin(), piece.end(), float(n));
    memory->write(std::uint64_t(n * width), piece.data(), piece.size());
    split.ids.push_back(std::to_string(n));
  }
  CHECK_THROWS_AS(memory->write(std::uint64_t(extents[0] * width - 1), piece.data(), 2), ShapeError);
  split.modalities.push_back(
      {"audio", Tensor<float, 3>::borrow(extents, memory->floats(), memory), Mask<2>::full({64, 64}, 1)});
  return split;
}

TEST_CASE("larger than memory: 128 MiB written, walked through and gathered take less than 32 of this process") {
  const test::TemporaryFolder temporary;
  { std::ofstream("/proc/self/clear_refs") << "5"; }  // the peak starts anew
  const long before = resident_peak();
  const auto split = large(temporary.path());
  CHECK(data::FeatureStatistics::of(split.modalities[0]).mean[8191] == 31.5);
  double sum = 0;
  for (index_t n = 0; n < split.size(); n += 2) {
    const std::vector<index_t> samples{n, n + 1};
    sum += double(data::gather<float>(split, samples).streams[0].frames(1, 63, 8191));
  }
  CHECK(sum == 32 * 32);
  if (before >= 0) CHECK(resident_peak() - before < 32);
}

}  // namespace larger_than_memory
