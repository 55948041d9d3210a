// What is in a data set: sizes, what is missing, lengths, means, labels, and what should not be there (constant
// features, samples that stand in two splits).
//
//   dataset_statistics               a set made of xtensor arrays, with gaps and a sample that leaks
//   dataset_statistics FILE.npz      a set laid out as docs/data.md says; --json after it prints JSON
#include <cstdio>
#include <cstring>
#include <lacuna/data/describe.hpp>
#include <lacuna/data/from_xtensor.hpp>
#include <lacuna/data/load.hpp>
#include <lacuna/data/synthetic.hpp>

using namespace lacuna;

/// Arrays as a reader of one's own would give them: (N, T, F), (N, F) and a label per sample.
data::Dataset made_of_arrays() {
  const auto corpus = data::synthetic({.samples = 200, .seed = 7, .max_frames = 6});
  const auto [frames, present] = as_xtensor(corpus.train.modalities[0]);  // views: nothing is copied
  xt::xtensor<float, 3> audio = frames;
  xt::xtensor<float, 2> summary = xt::amax(frames, {1});  // the largest of each feature over time
  xt::view(audio, 199) = xt::view(audio, 0);              // the last sample is the first one again
  xt::view(summary, 199) = xt::view(summary, 0);
  xt::xtensor<bool, 2> mask = xt::cast<bool>(present);
  xt::view(mask, 199) = xt::view(mask, 0);
  xt::view(mask, xt::range(10, 30), xt::all()) = false;  // twenty samples without audio,
  xt::view(mask, xt::range(40, 80), 1) = false;          // and forty with a gap

  const data::SplitArrays all{.modalities = {{"audio", audio, {.mask = mask}}, {"summary", summary}},
                              .labels = corpus.train.labels};
  const auto rows = [](int from, int to) { return xt::xtensor<int, 1>(xt::arange<int>(from, to)); };
  return data::from_rows("made of arrays", all, {rows(0, 120), rows(120, 150), rows(150, 200)});
}

int main(int argc, char** argv) {
  try {
    const data::Dataset set = argc > 1 ? data::load_npz(argv[1]) : made_of_arrays();
    for (const std::string& note : set.notes) std::fprintf(stderr, "note: %s\n", note.c_str());
    const auto statistics = data::dataset_statistics(set);
    if (argc > 2 && std::strcmp(argv[2], "--json") == 0)
      std::printf("%s\n", data::to_json(statistics).dump(2).c_str());
    else
      std::printf("%s", data::describe(statistics).c_str());
  } catch (const Error& error) {
    std::fprintf(stderr, "dataset_statistics: %s\n", error.what());
    return 1;
  }
  return 0;
}
