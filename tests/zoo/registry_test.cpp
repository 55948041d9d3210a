#include "lacuna/zoo/registry.hpp"

#include <doctest/doctest.h>

#include "zoo/small_models.hpp"

namespace lacuna {
namespace {

TEST_CASE("registry: every model of the library is there, and every option is explained") {
  const auto& entries = zoo::registry().entries();
  for (const char* name : {"constant", "ridge", "early-fusion", "early-fusion-drop", "modality-dropout-transformer",
                           "mmin", "corrkd", "corrkd-robust", "sdumc", "sdumc-any", "sdumc-published", "sdumc-robust"})
    CHECK_MESSAGE(
        std::count_if(entries.begin(), entries.end(),
                      [&](const zoo::Entry& entry) { return entry.name == name && !entry.what.empty(); }) == 1,
        name);
  for (const zoo::Entry& entry : entries)
    for (const zoo::OptionInfo& option : zoo::registry().options(entry.name)) {
      INFO(entry.name << ": " << option.name);
      CHECK_FALSE(option.help.empty());
      if (!option.choices.empty() && !option.value.empty())
        CHECK(std::count(option.choices.begin(), option.choices.end(), option.value) == 1);
    }
}

TEST_CASE("registry: every option takes the default that is shown, and the recipe stays the same") {
  const zoo::Request request = zoo::Request::example();
  for (const zoo::Entry& entry : zoo::registry().entries()) {
    std::string text = entry.name;
    for (const zoo::OptionInfo& option : zoo::registry().options(entry.name))
      if (!option.value.empty()) text += ":" + option.name + "=" + option.value;
    INFO(text);
    const auto plain = zoo::registry().make(zoo::parse_model(entry.name), request);
    const auto spelled = zoo::registry().make(zoo::parse_model(text), request);
    CHECK(plain.recipe == spelled.recipe);
    CHECK(spelled.name == text);
  }
}

TEST_CASE("registry: a name with a hyphen is the longest model that has the rest as a variant") {
  const auto found = [](const char* name) {
    const auto [entry, variant] = zoo::registry().find(name);
    return entry->name + "|" + variant;
  };
  CHECK(found("sdumc") == "sdumc|");
  CHECK(found("sdumc-any") == "sdumc-any|");
  CHECK(found("sdumc-without-mia") == "sdumc|without-mia");
  CHECK(found("sdumc-any-without-mia") == "sdumc-any|without-mia");
  CHECK(found("corrkd-robust-student") == "corrkd-robust|student");
  CHECK_THROWS_WITH_AS(found("corrk"), doctest::Contains("there is no model 'corrk'; there are constant, ridge"),
                       OptionError);
  CHECK_THROWS_AS(found("ridge-student"), OptionError);
  CHECK(zoo::registry().ablation("corrkd:depth=1").size() == 5);
  CHECK(zoo::registry().ablation("corrkd:depth=1")[4] == "corrkd-student:depth=1");
  CHECK_THROWS_WITH_AS(zoo::registry().ablation("ridge"), doctest::Contains("there are those of corrkd"), OptionError);
}

TEST_CASE("registry: what cannot be is refused by name") {
  const zoo::Request real = zoo::Request::example();
  zoo::Request classes = real;
  classes.classes = 3;
  const auto make = [](const char* text, const zoo::Request& request) {
    return zoo::registry().make(zoo::parse_model(text), request);
  };
  CHECK_THROWS_WITH_AS(make("corrkd:scdd=0", real),
                       doctest::Contains("model 'corrkd:scdd=0' has no option 'scdd'; it has epochs, batch"),
                       OptionError);
  CHECK_THROWS_WITH_AS(make("corrkd:scd=much", real), doctest::Contains("option scd: 'much' is not a number"),
                       OptionError);
  CHECK_THROWS_WITH_AS(make("corrkd:response=x", real), doctest::Contains("is not one of rcd, kl"), OptionError);
  CHECK_THROWS_WITH_AS(make("sdumc:missing=smell", real), doctest::Contains("'smell' is no modality"), OptionError);
  CHECK_THROWS_WITH_AS(make("sdumc:drop=some", real), doctest::Contains("preset 'some'"), OptionError);
  CHECK_THROWS_WITH_AS(make("ridge:lambda=1", real), doctest::Contains("has no option 'lambda'"), OptionError);
  CHECK_THROWS_WITH_AS(make("ridge", classes), doctest::Contains("predicts real labels"), OptionError);
  CHECK_THROWS_WITH_AS(make("sdumc:epochs", real), doctest::Contains("'epochs' is not OPTION=VALUE"), OptionError);
  CHECK_THROWS_WITH_AS(make("sdumc:epochs=0", real), doctest::Contains("epochs is 0"), OptionError);
  CHECK_THROWS_WITH_AS(make("sdumc:width=0", real), doctest::Contains("width"), OptionError);
  const auto named = [](const char* name) {
    zoo::Entry entry;
    entry.name = name;
    return entry;
  };
  zoo::Request odd = real;
  odd.dtype = "f16";
  CHECK_THROWS_WITH_AS(make("sdumc", odd), doctest::Contains("cannot be had in f16 on device cpu"), OptionError);
  CHECK_THROWS_AS(zoo::registry().add(named("sdumc"), {}), OptionError);
  CHECK_THROWS_AS(zoo::registry().add(named("a:b"), {}), OptionError);
}

TEST_CASE("registry: names of options are spelled with - or _, modalities by name, presets before their parts") {
  const zoo::Request request = zoo::Request::example();
  const auto recipe = [&](const char* text) { return zoo::registry().make(zoo::parse_model(text), request).recipe; };
  CHECK(recipe("sdumc:gradient-clip=2") == recipe("sdumc:gradient_clip=2"));
  CHECK(recipe("sdumc:missing=text") == recipe("sdumc:missing=1"));
  CHECK(recipe("sdumc:missing=audio") != recipe("sdumc"));
  CHECK(recipe("sdumc:drop=mplmm") == recipe("sdumc-any"));
  CHECK(recipe("sdumc:learning_rate=1e-4:order=published:padding=published:standardize_labels=off") ==
        recipe("sdumc-published"));
  CHECK(recipe("sdumc:mrm_stream_probability=0.2:drop=mplmm") == recipe("sdumc:drop=mplmm:mrm_stream_probability=0.2"));
  CHECK(recipe("corrkd:epochs=7") == recipe("corrkd:epochs=7:teacher_epochs=7"));  // the teacher follows
  CHECK(recipe("corrkd:response=kl") == recipe("corrkd:response=kl"));
  zoo::Request common = request;
  common.common = {{"epochs", "3"}};
  CHECK(zoo::registry().make(zoo::parse_model("mmin"), common).recipe == recipe("mmin:epochs=3"));
}

TEST_CASE("training: every course of the rate is the schedule it names") {
  const auto rates = [](zoo::Training training) {
    training.fit.epochs = 10;
    return training.resolved().schedule;
  };
  CHECK(rates({.schedule = zoo::Course::constant})(9) == 1);
  CHECK(rates({.schedule = zoo::Course::staircase})(0) == doctest::Approx(0.2));
  CHECK(rates({.schedule = zoo::Course::staircase, .warmup = 0, .decay_every = 2, .decay = 0.5})(4) ==
        doctest::Approx(0.25));
  CHECK(rates({.schedule = zoo::Course::cosine})(5) == doctest::Approx(0.5));
  CHECK(rates({.schedule = zoo::Course::flat_cosine})(9) == doctest::Approx(0.02));
  CHECK_THROWS_AS((zoo::Training{.fit = {.epochs = 0}}.resolved()), OptionError);
}

}  // namespace
}  // namespace lacuna
