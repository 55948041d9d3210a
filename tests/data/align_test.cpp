// Alignment of sequences in time, against what the SDK gives for the same sequences. The numbers are no part of the
// repository.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/numpy_files.hpp"
#include "io/temporary.hpp"
#include "lacuna/data/formats/align.hpp"
#include "lacuna/data/formats/folds.hpp"
#include "lacuna/io/npz.hpp"
#include "support/paths.hpp"

namespace align_in_time {

using namespace lacuna;
namespace formats = lacuna::data::formats;

struct Loaded {
  formats::TimeSeries series;
  std::vector<std::vector<double>> features;  ///< of every key, row by row; of words their numbers in order
  std::size_t width = 1;
};

/// A sequence out of what is known of the file, so that no HDF5 is needed here.
Loaded load(const std::string& file) {
  const auto expected = nlohmann::json::parse(std::ifstream(file + ".expected.json"));
  const io::Npz numbers(file + ".expected.npz");
  Loaded loaded;
  loaded.series.name = expected.at("root_name");
  for (const auto& pair : expected.at("tree").at("v")) {
    const std::string key = pair[0].at("v");
    const auto index = std::uint32_t(loaded.series.keys.size());
    loaded.series.keys.push_back(key);
    formats::TimedRows& rows = loaded.series.rows[key];
    loaded.features.emplace_back();
    for (const auto& part : pair[1].at("v")) {
      if (part[0].at("v") == "features" && part[1].contains("npz")) {
        const io::NpyArray array = numbers.get(part[1].at("npz").get<std::string>());
        loaded.features.back() = array.as<double>();
        loaded.width = std::size_t(array.shape()[1]);
      }
      if (part[0].at("v") != "intervals") continue;
      const auto seconds = numbers.get(part[1].at("npz").get<std::string>()).as<double>();
      for (std::size_t i = 0; 2 * i < seconds.size(); ++i) {
        rows.intervals.push_back({seconds[2 * i], seconds[2 * i + 1]});
        rows.sources.push_back({{index, index_t(i)}});
      }
    }
  }
  return loaded;
}

int compare(const Loaded& loaded, const formats::TimeSeries& series, const std::string& name, const io::Npz& numbers,
            const std::vector<std::string>& keys) {
  std::vector<std::string> own;
  for (const auto& named : series.rows) own.push_back(named.first);
  std::vector<std::string> wanted_keys = keys;
  std::sort(wanted_keys.begin(), wanted_keys.end());
  CHECK(own == wanted_keys);
  int compared = 0;
  for (const std::string& key : keys) {
    CAPTURE(key);
    const formats::TimedRows& rows = series.rows.at(key);
    const auto seconds = numbers.get(name + key + "/intervals").as<double>();
    REQUIRE(seconds.size() == 2 * rows.intervals.size());
    for (std::size_t i = 0; i < seconds.size(); ++i)
      CHECK(rows.intervals[i / 2][i % 2] == doctest::Approx(seconds[i]).epsilon(1e-12));
    ++compared;
    if (loaded.features[0].empty()) continue;  // words
    const auto features = numbers.get(name + key + "/features").as<double>();
    REQUIRE(features.size() == rows.sources.size() * loaded.width);
    for (std::size_t r = 0; r < rows.sources.size(); ++r)
      for (std::size_t f = 0; f < loaded.width; ++f) {
        double sum = 0;
        for (const formats::SourceRow& source : rows.sources[r])
          sum += loaded.features[source.key][std::size_t(source.row) * loaded.width + f];
        const double mean = sum / double(rows.sources[r].size()), wanted = features[r * loaded.width + f];
        if (std::isnan(wanted) || std::isinf(wanted))
          CHECK((std::isnan(mean) == std::isnan(wanted) && std::isinf(mean) == std::isinf(wanted)));
        else
          CHECK(mean == doctest::Approx(wanted).epsilon(1e-6));
      }
    ++compared;
  }
  return compared;
}

TEST_CASE("align: to words by the mean, then to labels, as the SDK does" * doctest::skip(!test::have_formats())) {
  const std::string folder = test::formats_dir() + "/csd/";
  const auto expected = nlohmann::json::parse(std::ifstream(folder + "ALIGN.expected.json"));
  const io::Npz numbers(folder + "ALIGN.expected.npz");
  Loaded words = load(folder + "words.csd"), labels = load(folder + "labels.csd");
  const Loaded covarep = load(folder + "COVAREP.csd"), facet = load(folder + "FACET.csd");
  std::vector<formats::TimeSeries> series = {covarep.series, facet.series};
  const auto keys = [&](const char* step, const char* name) {
    return expected.at("keys").at(step).at(name).get<std::vector<std::string>>();
  };
  int compared = 0;
  formats::align(words.series, series, true);
  compared += compare(words, words.series, "step1/words/", numbers, keys("step1", "words"));
  compared += compare(covarep, series[0], "step1/COVAREP/", numbers, keys("step1", "COVAREP"));
  compared += compare(facet, series[1], "step1/FACET 4.2/", numbers, keys("step1", "FACET 4.2"));
  series.push_back(words.series);
  formats::align(labels.series, series, false);
  compared += compare(covarep, series[0], "step2/COVAREP/", numbers, keys("step2", "COVAREP"));
  compared += compare(facet, series[1], "step2/FACET 4.2/", numbers, keys("step2", "FACET 4.2"));
  compared += compare(words, series[2], "step2/words/", numbers, keys("step2", "words"));
  compared += compare(labels, labels.series, "step2/labels/", numbers, keys("step2", "labels"));
  MESSAGE(compared, " arrays equal");
  CHECK(compared > 80);
}

TEST_CASE("folds: lists of ids, each in one split") {
  const test::TemporaryFolder folder;
  const auto write = [&](const std::string& text) { std::ofstream(folder / "folds.json") << text; };
  write(R"({"train": ["a"], "dev": ["b", "c"], "test": []})");
  const formats::Folds folds(folder / "folds.json");
  CHECK(folds.of("a") == "train");
  CHECK(folds.of("c") == "valid");
  CHECK(folds.of("d").empty());
  write(R"({"train": ["a"], "test": ["a"]})");
  CHECK(test::contains(test::message_of<IoError>([&] { formats::Folds(folder / "folds.json"); }), "'a' in train and in test"));
  write(R"({"trian": []})");
  CHECK(test::contains(test::message_of<IoError>([&] { formats::Folds(folder / "folds.json"); }), "expected train, valid"));
}

}  // namespace align_in_time
