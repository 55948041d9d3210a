#include "lacuna/train/history.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <sstream>

#include "io/temporary.hpp"
#include "lacuna/train/evaluate.hpp"

namespace lacuna::test {
namespace {

using train::EpochRecord;
using train::History;

const double nan = std::numeric_limits<double>::quiet_NaN();

History sample() {
  History history;
  for (int i = 0; i < 3; ++i) {
    EpochRecord record;
    record.epoch = i + 1;
    record.learning_rate = 1e-4 / (i + 1);
    record.losses = {{"loss", 0.1 + i}, {"term, with a comma", 1.0 / 3}};
    record.validation = {{"complete", {{"mae", 0.5 - 0.1 * i}, {"pearson", nan}}},
                         {"without-text", {{"mae", 0.75}, {"pearson", -1}}}};
    record.score = i == 1 ? 0.5 : 0.6;
    record.best = i < 2;
    record.seconds = 1.25;
    history.epochs.push_back(record);
  }
  return history;
}

TEST_CASE("history: CSV has one row per epoch, names quoted, numbers that read back exactly") {
  std::istringstream lines(sample().csv());
  std::string line;
  std::getline(lines, line);
  CHECK(line ==
        "epoch,learning_rate,loss,\"term, with a "
        "comma\",valid_complete_mae,valid_complete_pearson,valid_without-text_mae,"
        "valid_without-text_pearson,score,best,seconds");
  std::getline(lines, line);
  CHECK(line == "1,1e-04,0.1,0.3333333333333333,0.5,nan,0.75,-1,0.6,1,1.25");
  std::getline(lines, line);
  std::getline(lines, line);
  CHECK(line.rfind("3,3.3333333333333335e-05,2.1,", 0) == 0);
  CHECK(!std::getline(lines, line));
  CHECK(History{}.csv().empty());
  CHECK(sample().best()->epoch == 2);
  CHECK(History{}.best() == nullptr);
  CHECK(sample().seconds() == 3.75);
}

TEST_CASE("history: through a state and back") {
  State state;
  state.put_fields(sample());
  History read;
  state.get_fields(read);
  CHECK(read.csv() == sample().csv());
  for (const auto& entry : state.values()) {
    const std::string& name = entry.first;
    State less = state;
    less.erase(name);
    CAPTURE(name);
    CHECK_THROWS_AS(less.get_fields(read), IoError);
  }
  state.put("epochs.1/losses", std::vector<double>{1});
  CHECK(
      contains(message_of<IoError>([&] { state.get_fields(read); }), "'epochs.1/losses' holds 1 numbers for 2 names"));
}

TEST_CASE("csv: numbers and fields") {
  using train::csv_field;
  using train::csv_number;
  CHECK(csv_number(0.1) == "0.1");
  CHECK(csv_number(0.1f) == "0.1");
  CHECK(csv_number(-0.0) == "-0");
  CHECK(csv_number(nan) == "nan");
  CHECK(csv_number(-std::numeric_limits<double>::infinity()) == "-inf");
  for (const double number : {1e300, 5e-324, 1.0 / 3, 123456789.123456789, -2.5e-7})
    CHECK(std::strtod(csv_number(number).c_str(), nullptr) == number);
  CHECK(csv_field("plain") == "plain");
  CHECK(csv_field("a,b") == "\"a,b\"");
  CHECK(csv_field("say \"a\"\n") == "\"say \"\"a\"\"\n\"");
}

TEST_CASE("predictions: one row per sample and condition; labels may be missing") {
  train::Evaluation evaluation;
  evaluation.ids = {"one", "two, three"};
  evaluation.labels = {double(2.4f), -1};
  evaluation.conditions = {{"complete", {0.5, 1.0 / 3}, {}}, {"without-text", {nan, 2}, {}}};
  CHECK(train::predictions_csv(evaluation) ==
        "id,condition,label,prediction\n"
        "one,complete,2.4,0.5\n\"two, three\",complete,-1,0.3333333333333333\n"
        "one,without-text,2.4,nan\n\"two, three\",without-text,-1,2\n");
  evaluation.labels.clear();
  CHECK(contains(train::predictions_csv(evaluation), "one,complete,,0.5\n"));
}

TEST_CASE("write_text: the whole file or the old one") {
  const TemporaryFolder folder;
  train::write_text(folder / "a", "one");
  train::write_text(folder / "a", "two");
  CHECK(read_bytes(folder / "a") == std::vector<std::uint8_t>{'t', 'w', 'o'});
  CHECK(folder.count() == 1);
  CHECK_THROWS_AS(train::write_text(folder / "no/such", "x"), IoError);
}

}  // namespace
}  // namespace lacuna::test
