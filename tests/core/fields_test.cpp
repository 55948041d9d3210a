#include "lacuna/core/fields.hpp"

#include <doctest/doctest.h>

#include "lacuna/core/state.hpp"

namespace fields_test {
namespace {

using namespace lacuna;

enum class Kind { sum, mean };

struct Inner {
  double rate = 0.5;
  static void reflect(auto& self, auto&& visit) {
    visit("inner_rate", self.rate, Facts{.help = "of the inside", .range = Range::between(0, 1)});
  }
};

struct Options {
  index_t width = 3;
  bool flag = true;
  Kind kind = Kind::mean;
  std::vector<double> weights = {1, 2};
  std::string name = "a";
  Inner inner = {};
  static void reflect(auto& self, auto&& visit) {
    visit("width", self.width, Facts{.range = Range::at_least(1)});
    visit("flag", self.flag);
    visit("kind", self.kind, Facts{.choices = {"sum", "mean"}});
    visit("weights", self.weights, Facts{.range = Range::above(0)});
    visit("name", self.name);
    Inner::reflect(self.inner, visit);
  }
};

TEST_CASE("fields: every field once, in order, with its facts or without") {
  std::string names, helps;
  Options options;
  for_each_field(options, [&](const std::string& name, auto&) { names += name + " "; });
  CHECK(names == "width flag kind weights name inner_rate ");
  for_each_field(std::as_const(options), [&](const char*, const auto&, const Facts& facts) {
    helps += facts.help;
    for (const char* choice : facts.choices) helps += std::string(choice) + " ";
  });
  CHECK(helps == "sum mean of the inside");
  for_each_field(Options(), [&](const char*, auto&, const Facts& facts) { names += facts.range.text() + "; "; });
  CHECK(names.find("at least 1; ") != std::string::npos);
}

TEST_CASE("fields: what a state was given comes back") {
  const Options options{.width = 7, .flag = false, .kind = Kind::sum, .weights = {4}, .name = "b", .inner = {0.25}};
  State state;
  state.put_fields(options);
  CHECK(state.values().size() == 6);
  Options read;
  state.get_fields(read);
  CHECK(read.width == 7);
  CHECK(!read.flag);
  CHECK(read.kind == Kind::sum);
  CHECK(read.weights == std::vector<double>{4});
  CHECK(read.name == "b");
  CHECK(read.inner.rate == 0.25);
  state.erase("inner_rate");
  CHECK_THROWS_WITH_AS(state.get_fields(read), "state: 'inner_rate' is missing", IoError);
}

TEST_CASE("fields: a number outside its range is named with where, what was found and what was expected") {
  CHECK_NOTHROW(check_fields("mine", Options()));
  CHECK_THROWS_WITH_AS(check_fields("mine", Options{.width = 0}), "mine: width is 0, expected at least 1", OptionError);
  CHECK_THROWS_WITH_AS(check_fields("mine", Options{.weights = {1, 0}}), "mine: weights is 0, expected above 0",
                       OptionError);
  CHECK_THROWS_WITH_AS(check_fields("mine", Options{.inner = {1.5}}), "mine: inner_rate is 1.5, expected 0..1",
                       OptionError);
  const double infinite = std::numeric_limits<double>::infinity(), none = std::numeric_limits<double>::quiet_NaN();
  for (const Range range : {Range::at_least(0), Range::above(0), Range::between(0, 1), Range::half_open(0, 1)}) {
    CHECK(!range.contains(infinite));
    CHECK(!range.contains(none));
    CHECK(!range.contains(-1));
    CHECK(range.contains(0.5));
    CHECK(range.contains(0) == !range.without_least);
    CHECK(range.contains(1) == (range.most >= 1 && !range.without_most));
  }
  CHECK(Range::half_open(0, 1).text() == "at least 0, below 1");
  CHECK(Range().unlimited());
}

}  // namespace
}  // namespace fields_test
