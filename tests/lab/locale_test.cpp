// Numbers in files are the same in every locale.
#include <doctest/doctest.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "io/temporary.hpp"
#include "lacuna/chart.hpp"
#include "lacuna/core/error.hpp"
#include "lacuna/core/number_text.hpp"
#include "lacuna/io/state_json.hpp"
#include "lacuna/terminal.hpp"
#include "lacuna/train/progress.hpp"

using namespace lacuna;

namespace {

std::string printed(const char* format, int digits, double x) {
  char text[500];
  std::snprintf(text, sizeof text, format, digits, x);
  return text;
}
/// Numbers as every writer of a file writes them, and what is read of them.
std::string written() {
  State state;
  Array<float> numbers(Shape{2});
  numbers.assign(std::vector<float>{1.5f, -0.15625f});
  state.put_value("x", numbers);
  const std::string json = io::to_json(state);
  const State again = io::state_from_json(json, "text");
  train::EpochRecord record;
  record.epoch = 1, record.seconds = 0.5, record.losses = {{"loss", 0.25}};
  if (json != R"({"x":{"f32":["0x1.8p+0","-0x1.4p-3"],"shape":[2]}})" || io::to_json(again) != json) return json;
  if (train::epoch_line(record, 9) != "epoch 1/9  loss 0.2500    0.5 s") return train::epoch_line(record, 9);
  return program::coordinate(2.5) + " " + program::tick_text(0.25, 0.25) + " " + program::shown_number(0.5, "mae") +
         " " + program::shown_number(0.125, "acc2") + " " + detail::cat(1.5) + " " + detail::fixed_text(1e9 + 0.5, 1) +
         " " + detail::general_text(1234.5, 5);
}

}  // namespace

TEST_CASE("numbers as text: what printf writes in the C locale") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 2000; ++round) {
    const double x = std::ldexp(double(random()) / 1e19 - 0.5, int(random() % 200) - 100);
    const int digits = int(random() % 12);
    CHECK(detail::fixed_text(x, digits) == printed("%.*f", digits, x));
    CHECK(detail::general_text(x, digits) == printed("%.*g", digits, x));
  }
  for (const double x : {0.0, -0.0, 1e300, -1e-300, 5e-324, double(INFINITY), -double(INFINITY)}) {
    CHECK(detail::fixed_text(x, 3) == printed("%.*f", 3, x));
    CHECK(detail::general_text(x, 3) == printed("%.*g", 3, x));
  }
  CHECK(detail::cat(2.0f, " ", 0.5) == "2.000000 0.500000");
  CHECK(written() == "2.5 0.25 0.5000 12.50 1.500000 1000000000.5 1234.5");
}

TEST_CASE("numbers as text: a locale with a decimal comma changes nothing") {
  const test::TemporaryFolder folder;
  const std::string make = "localedef -i de_DE -f UTF-8 '" + (folder / "de_DE.UTF-8") + "' >/dev/null 2>&1";
  if (std::system(make.c_str()) != 0) {
    MESSAGE("skipped: localedef makes no de_DE here");
    return;
  }
  setenv("LOCPATH", (folder / "").c_str(), 1);
  if (std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr && printed("%.*f", 1, 2.5) == "2,5")
    CHECK(written() == "2.5 0.25 0.5000 12.50 1.500000 1000000000.5 1234.5");
  else
    MESSAGE("skipped: no locale with a decimal comma");
  std::setlocale(LC_ALL, "C");
  unsetenv("LOCPATH");
}
