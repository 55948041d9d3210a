// Features larger than memory: what training takes of memory, and that its numbers are those of features in memory.
//
//   python3 benchmarks/larger_than_memory.py mertools FOLDER 3    writes 3 GB of features; csd: as one .csd (needs h5py)
//   larger_than_memory FOLDER                                     features in memory
//   larger_than_memory FOLDER SCRATCH                             features in a file in that folder
//
// Does what `lacuna train` does with a data set: loads it, looks for oddities, leaks and samples that come twice, trains
// (early fusion that drops modalities, two epochs) and predicts the test split. Prints losses and the sum of the predictions
// to the last bit, which both runs must share, and on standard error the largest resident memory there was.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "lacuna/data/duplicates.hpp"
#include "lacuna/data/formats/load.hpp"
#include "lacuna/data/leakage.hpp"
#include "lacuna/data/oddities.hpp"
#include "lacuna/models/baselines/early_fusion.hpp"
#include "lacuna/train/evaluate.hpp"
#include "lacuna/train/trainer.hpp"

namespace {

using namespace lacuna;

/// The largest resident memory so far, in MiB; -1 where the system does not tell.
long peak() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::atol(line.c_str() + 6) / 1024;
  return -1;
}
void say(const char* what) { std::fprintf(stderr, "%-12s %5ld MiB\n", what, peak()); }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("larger_than_memory FOLDER [SCRATCH]\n", stderr), 2;
  say("start");
  const data::Dataset set = data::formats::load(
      argv[1], {.non_finite = data::NonFinite::zero, .scratch = argc > 2 ? argv[2] : "", .scratch_above = 1});
  for (const data::Note& note : set.notes) std::fprintf(stderr, "%s\n", note.text.c_str());
  say("loaded");
  std::size_t lines = data::oddities(set).size();
  lines += data::find_leaks(set).size() + data::find_repeats(set).size();
  say("looked at");
  models::EarlyFusionOptions options;
  options.inputs = set.dimensions();
  options.drop = models::modality_dropping();
  models::EarlyFusion<> model(options, Random(1));
  train::Observer silent;
  const train::History history = train::fit(model, set, {.epochs = 2, .batch = 32}, silent);
  say("trained");
  double sum = 0;
  for (const double prediction : train::predict(model, set.test)) sum += prediction;
  say("predicted");
  std::printf("%td training samples, %zu lines\n", std::ptrdiff_t(set.train.size()), lines);
  for (const train::EpochRecord& epoch : history.epochs)
    std::printf("epoch %td: loss %a, score %a\n", std::ptrdiff_t(epoch.epoch), epoch.losses[0].second, epoch.score);
  std::printf("sum of the predictions %a\n", sum);
  return 0;
}
