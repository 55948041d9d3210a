// What was never filled, for every model of the registry: options without data, data without samples, states without parameters,
// batches without streams. Each is an error in one line, never a crash.
#include <doctest/doctest.h>

#include <functional>

#include "zoo/small_models.hpp"

namespace zoo_default_constructed {

using namespace lacuna;

/// What `call` ends with: "" where it answers, else the message, which must be a line of ours.
std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    const std::string words = error.what();
    CHECK(words.size() > 8);
    CHECK(words.find('\n') == std::string::npos);
    return words;
  }
  return "";
}

data::Batch<float> batch_of(std::size_t streams, index_t samples, index_t frames, index_t features) {
  data::Batch<float> batch;
  for (std::size_t m = 0; m < streams; ++m)
    batch.streams.push_back(
        {Tensor<float, 3>::full({samples, frames, features}, 0.5f), Mask<2>::full({samples, frames}, 1)});
  for (index_t i = 0; i < samples; ++i) batch.samples.push_back(i);
  return batch;
}

}  // namespace zoo_default_constructed

TEST_CASE("registry: no model is made, trained, restored or loaded of nothing") {
  using namespace zoo_default_constructed;
  const data::Dataset nothing, real = data::synthetic({.samples = 12, .seed = 7, .max_frames = 3});
  for (const zoo::Entry& entry : zoo::registry().entries()) {
    if (entry.name == "tiny") continue;  // of another test
    INFO(entry.name);
    const zoo::ModelSpec spec = zoo::parse_model(test::small_spec(entry.name));
    const auto train = [&](const zoo::Request& request, const data::Dataset& data) {
      return refusal([&] { zoo::registry().make(spec, request).train({.data = data}); });
    };
    CHECK(train(zoo::Request{}, nothing) != "");
    CHECK(train(test::request_for(real), nothing) != "");
    zoo::Request one = test::request_for(real), other = one;
    one.modalities.resize(1), one.inputs.resize(1);
    other.inputs = {1, 2, 3};
    if (entry.name != "constant" && entry.name != "ridge") {  // which have no sizes before they see data
      CHECK(train(zoo::Request{}, real) != "");
      CHECK(train(one, real) != "");
      CHECK(train(other, real) != "");
    }
    const zoo::Backend& backend = zoo::registry().backend(entry.name, "cpu", "f32");
    CHECK(refusal([&] { backend.load(State{}); }) != "");
    zoo::Card card;
    card.model = card.spec = entry.name;
    CHECK(refusal([&] { Predictor(zoo::with_card(State{}, card)); }) != "");
    card.streams = {"a"}, card.features = {3}, card.may_be_missing = {0}, card.prior = {0};
    CHECK(refusal([&] { Predictor(zoo::with_card(State{}, card)); }) != "");
    refusal([&] { zoo::registry().options(entry.name, zoo::Request{}); });
    const lab::System system = zoo::registry().make(spec, test::request_for(real));
    if (system.restore) CHECK(refusal([&] { system.restore(State{}); }) != "");
    if (system.conditions) refusal([&] { system.conditions({}); });
  }
  CHECK(refusal([&] { Predictor(State{}); }) != "");
  CHECK(refusal([&] { zoo::registry().card("", "", nothing, State{}); }) != "");
  CHECK(refusal([&] { zoo::registry().make({}, {}); }) != "");
}
