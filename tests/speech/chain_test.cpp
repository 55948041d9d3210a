/// From sound to simulated text: the whole chain, and the training of the projector.
#include "lacuna/language/generate.hpp"
#include "lacuna/speech/encoder.hpp"
#include "lacuna/speech/slam.hpp"
#include "speech/speech_oracle.hpp"

namespace chain_test {

using namespace speech_test;
using lacuna::Variable;
using lacuna::language::Llama;
using lacuna::speech::Encoder;
using lacuna::speech::Projector;

template <class T>
Tensor<T, 2> joined(const Tensor<T, 2>& a, const Tensor<T, 2>& b) {
  return concat(std::vector<Variable<T, 2>>{Variable<T, 2>(a), Variable<T, 2>(b)}, 0).value();
}

TEST_CASE("the chain: clip to encoder, soft tokens, text and states" * doctest::skip(!have())) {
  using T = double;
  Oracle oracle("chain.npz"), old("generate_431.npz");
  const Encoder<T> encoder(model("wavlm_large_like"));
  const Projector<T> projector(model("projector"));
  const Llama<T> net(model("vicuna_like"));
  const lacuna::NoGrad off;
  const auto prompt = net.embed(oracle.integers("prompt_ids")).value();
  for (int i = 0; oracle.has("clip" + std::to_string(i) + "/wave"); ++i) {
    const std::string at = "clip" + std::to_string(i) + "/";
    const auto heard = encoder(oracle.tensor<T, 1>(at + "wave")).last;
    oracle.compare(at + "encoder_last", heard, 1e-10);
    const auto soft = projector(heard).value();
    oracle.compare(at + "soft", soft, 1e-10);
    lacuna::language::GenerateOptions options{.num_beams = 4, .max_new_tokens = 60, .ends = net.config().ends};
    const auto input = joined(soft, prompt);
    const auto said = lacuna::language::generate(net, input, options, {.published = true, .forced = true});
    CHECK(said.best().tokens == oracle.integers(at + "sequence"));
    CHECK(said.best().rows == oracle.integers(at + "beam_indices"));
    CHECK(said.steps == oracle.integers(at + "steps")[0]);
    CHECK(std::abs(said.best().score - oracle.numbers(at + "score")[0]) < 2e-5);
    oracle.compare(at + "row0", said.published, 1e-10);
    oracle.compare(at + "row0_sum4", lacuna::language::summed_layers(said.published, 4), 1e-10);
    oracle.compare(at + "first", said.first, 1e-10);
    oracle.compare(at + "forced", said.forced, 1e-10);
    const auto truth = net.read(net.embed(oracle.integers(at + "true_ids")), {}, {.states = true});
    oracle.compare(at + "true_states", lacuna::language::by_position(truth.states), 1e-10);
    options.rules = lacuna::language::BeamRules::v4;
    const std::string before = "chain" + std::to_string(i) + "/";
    if (!old.has(before + "sequences")) continue;
    const auto then = lacuna::language::generate(net, input, options, {.published = true});
    CHECK(then.steps == old.integers(before + "steps")[0]);
    const auto texts = old.tensor<index_t, 2>(before + "sequences");
    for (std::size_t k = 0; k < then.best().tokens.size(); ++k)
      CHECK(then.best().tokens[k] == texts(0, index_t(k) + 1));
    old.compare(before + "row0_sum4", lacuna::language::summed_layers(then.published, 4), 1e-4);
  }
  const auto left = oracle.left([](const std::string& one) {
    return one != "prompt" && !one.ends_with("/text") && !one.ends_with("/said");  // the tokenizers' part
  });
  CHECK_MESSAGE(left.empty(), left.size() << " arrays were not compared, the first is " << left[0]);
  MESSAGE("chain: worst error " << oracle.worst());
}

template <class T>
struct Lesson {
  Oracle oracle{"slam.npz"};
  Llama<T> net{model("vicuna_like")};
  std::vector<lacuna::speech::SlamExample<T>> examples;

  Lesson() {
    for (int i = 0; oracle.has("in/feat" + std::to_string(i)); ++i) {
      const std::string n = std::to_string(i);
      examples.push_back(
          {oracle.tensor<T, 2>("in/feat" + n), oracle.integers("in/prompt" + n), oracle.integers("in/answer" + n)});
    }
  }
  Projector<T> start() {
    Projector<T> p;
    p.linear1.weight = lacuna::Parameter<T, 2>(oracle.tensor<T, 2>("par/linear1.weight"));
    p.linear1.bias = lacuna::Parameter<T, 1>(oracle.tensor<T, 1>("par/linear1.bias"));
    p.linear2.weight = lacuna::Parameter<T, 2>(oracle.tensor<T, 2>("par/linear2.weight"));
    p.linear2.bias = lacuna::Parameter<T, 1>(oracle.tensor<T, 1>("par/linear2.bias"));
    return p;
  }
};

template <class T>
void lesson(double allowed, double gradient, double step) {
  Lesson<T> l;
  Oracle& oracle = l.oracle;
  auto projector = l.start();
  const auto found = lacuna::speech::slam_loss<T>(projector, l.net, l.examples);
  CHECK(std::abs(double(found.loss.item()) / oracle.numbers("loss")[0] - 1) < std::max(allowed, 1e-10));
  CHECK(found.tokens == oracle.integers("tokens")[0]);
  CHECK(std::abs(double(found.right) / double(found.tokens) - oracle.numbers("accuracy")[0]) < 1e-12);
  found.loss.backward();
  lacuna::for_each_parameter(
      projector, [&](const std::string& path, const auto& p) { oracle.compare("grad/" + path, p.grad(), gradient); });
  // the batch's rows and scores, spread over the padded layout of the oracle
  const lacuna::NoGrad off;
  const auto batch = lacuna::speech::slam_batch<T>(projector, l.net, l.examples);
  const auto rows = batch.rows.value(), logits = l.net.logits(l.net.read(batch.rows, batch.starts).last).value();
  const auto mask = oracle.integers("batch/mask"), labels = oracle.integers("batch/labels");
  auto embeds = Tensor<T, 2>::zeros({index_t(mask.size()), rows.extent(1)});
  auto scores = Tensor<T, 2>::zeros({index_t(mask.size()), logits.extent(1)});
  index_t from = 0, labelled = 0;
  for (index_t i = 0; i < index_t(mask.size()); ++i) {
    if (!mask[std::size_t(i)]) continue;
    std::copy_n(rows.data() + from * rows.extent(1), rows.extent(1), embeds.data() + i * rows.extent(1));
    std::copy_n(logits.data() + from * logits.extent(1), logits.extent(1), scores.data() + i * logits.extent(1));
    if (labels[std::size_t(i)] != -100) {
      CHECK(batch.predicting[std::size_t(labelled)] == from - 1);
      CHECK(batch.labels[std::size_t(labelled++)] == labels[std::size_t(i)]);
    }
    ++from;
  }
  oracle.compare("batch/embeds", embeds, allowed);
  auto reference = oracle.numbers("logits");
  for (std::size_t i = 0; i < reference.size(); ++i)
    if (!mask[i / std::size_t(logits.extent(1))]) reference[i] = 0;
  oracle.compare_numbers("logits", scores.data(), reference, allowed);
  for (std::size_t i = 0; i < l.examples.size(); ++i) {
    const std::string n = std::to_string(i);
    oracle.compare("soft" + n, projector(l.examples[i].heard).value(), allowed);
    const auto alone = lacuna::speech::slam_loss<T>(projector, l.net, std::span(l.examples).subspan(i, 1));
    CHECK(alone.tokens == oracle.integers("alone" + n + "/tokens")[0]);
    CHECK(std::abs(double(alone.loss.item()) / oracle.numbers("alone" + n + "/loss")[0] - 1) <
          std::max(allowed, 1e-10));
  }
  oracle.used("in/use"), oracle.used("batch/ids");
  for (const std::string run : {"adamw", "adamw_decay", "adamw_warmup"}) {
    const lacuna::detail::Recording on;
    auto trained = l.start();
    const double decay = oracle.numbers(run + "/weight_decay")[0];
    lacuna::optim::AdamW<T> optimizer(trained, {.weight_decay = decay});
    const auto rates = oracle.numbers(run + "/rates"), losses = oracle.numbers(run + "/losses");
    for (std::size_t s = 0; s < rates.size(); ++s) {
      optimizer.zero_grad();
      const auto now = lacuna::speech::slam_loss<T>(trained, l.net, l.examples).loss;
      CHECK(std::abs(double(now.item()) / losses[s] - 1) < std::max(allowed, 1e-10));
      now.backward();
      optimizer.set_learning_rate(rates[s]);
      optimizer.step();
      lacuna::for_each_parameter(trained, [&](const std::string& path, const auto& p) {
        const std::string array = run + "/step" + std::to_string(s + 1) + "/" + path;
        if (oracle.has(array)) oracle.compare(array, p.value(), step);
      });
    }
  }
  const auto left = oracle.left([](const std::string&) { return true; });
  CHECK_MESSAGE(left.empty(), left.size() << " arrays were not compared, the first is " << left[0]);
  MESSAGE("slam " << sizeof(T) << ": worst error " << oracle.worst());
}

TEST_CASE("the projector: loss, gradients through the frozen model, three steps of AdamW" * doctest::skip(!have())) {
  lesson<double>(1e-10, 1e-10, 1e-10);
  lesson<float>(1e-4, 1e-3, 1e-4);
}

}  // namespace chain_test
