// A module that was never given sizes, and one that is fed with nothing: our error with a text, never a crash.
#include <doctest/doctest.h>

#include "lacuna/lacuna.hpp"
#include "lacuna/nn/cascade.hpp"
#include "lacuna/nn/crossmodal.hpp"
#include "lacuna/nn/experts.hpp"
#include "lacuna/nn/flow.hpp"
#include "lacuna/nn/perceiver.hpp"

namespace default_constructed {

using namespace lacuna;

/// The arguments that modules take.
struct Fed {
  Variable<double, 2> x2;
  Variable<double, 3> x3;
  Mask<2> present2, present3;

  static Fed numbers() {
    return {Variable<double, 2>(Tensor<double, 2>::full({2, 4}, 0.5)),
            Variable<double, 3>(Tensor<double, 3>::full({2, 3, 4}, 0.5)), Mask<2>::full({2, 2}, 1),
            Mask<2>::full({2, 3}, 1)};
  }
};

/// How often it was called. `answers`: it is allowed to, because it needs no sizes.
template <class Module, class... Arguments>
int called(const char* name, bool answers, const Module& module, const Arguments&... arguments) {
  if constexpr (requires { module(arguments...); }) {
    const std::string module_name = name;
    CAPTURE(module_name);
    bool answered = false;
    try {
      (void)module(arguments...);
      answered = true;
    } catch (const Error& error) {
      CHECK(std::string(error.what()) != "");
    }
    CHECK((!answered || answers));
    return 1;
  }
  return 0;
}

/// Every call that it has.
template <class Module>
void feed(const char* name, const Fed& fed, bool answers) {
  const Module module{};
  const std::vector<Variable<double, 2>> inputs2{fed.x2, fed.x2}, none2;
  const std::vector<Variable<double, 3>> inputs3{fed.x3, fed.x3}, none3;
  const std::vector<Mask<2>> masks{fed.present3, fed.present3}, no_masks;
  const Context context;
  int calls = 0;
  const auto call = [&](const auto&... arguments) { calls += called(name, answers, module, arguments...); };
  call(fed.x2), call(fed.x3), call(fed.x2, context), call(fed.x3, context), call(fed.x3, fed.present3);
  call(fed.x3, fed.present3, context), call(fed.x3, fed.x3), call(fed.x3, fed.x3, fed.x3);
  call(fed.x3, fed.x3, fed.present3), call(inputs2), call(none2), call(inputs2, fed.present2);
  call(fed.x3, fed.x3, fed.present3, fed.present3),
      call(fed.x3, fed.x3, fed.present3, Variable<double, 4>(), false, context);
  call(inputs2, std::size_t(0)), call(inputs2, std::size_t(7));
  call(inputs3, masks), call(none3, no_masks), call(Tensor<index_t, 2>::full({2, 3}, 0));
  const std::string module_name = name;
  CAPTURE(module_name);
  CHECK(calls > 0);
}

}  // namespace default_constructed

TEST_CASE("modules without sizes refuse what they are fed, and what is nothing") {
  using namespace default_constructed;
  for (const bool numbers : {true, false}) {
    const Fed fed = numbers ? Fed::numbers() : Fed{};
#define LACUNA_FEED(...) feed<__VA_ARGS__>(#__VA_ARGS__, fed, false)
    LACUNA_FEED(Linear<double>);
    LACUNA_FEED(Mlp<double>);
    LACUNA_FEED(BatchNorm<double>);
    LACUNA_FEED(Conv1d<double>);
    LACUNA_FEED(MultiHeadAttention<double>);
    LACUNA_FEED(SelfAttention<double>);
    LACUNA_FEED(CrossAttentionLayer<double>);
    LACUNA_FEED(FeedForward<double>);
    LACUNA_FEED(TransformerEncoderLayer<double>);
    LACUNA_FEED(TransformerDecoderLayer<double>);
    LACUNA_FEED(TransformerEncoder<double>);
    LACUNA_FEED(Gru<double>);
    LACUNA_FEED(Lstm<double>);
    LACUNA_FEED(Embedding<double>);
    LACUNA_FEED(AttentionPooling<double>);
    LACUNA_FEED(GatedFusion<double>);
    LACUNA_FEED(TensorFusion<double>);
    LACUNA_FEED(LowRankFusion<double>);
    LACUNA_FEED(Autoencoder<double>);
    LACUNA_FEED(DenoisingAutoencoder<double>);
    LACUNA_FEED(VariationalAutoencoder<double>);
    LACUNA_FEED(Perceiver<double>);
    LACUNA_FEED(ModalityExperts<double>);
    LACUNA_FEED(CrossmodalLayer<double>);
    LACUNA_FEED(CrossmodalTransformer<double>);
    LACUNA_FEED(CascadedResidualAutoencoder<double>);
    LACUNA_FEED(NormalizingFlow<double>);
    LACUNA_FEED(ImaginationAutoencoder<double>);
    LACUNA_FEED(SinusoidalPositions<double>);
    LACUNA_FEED(LearnedPositions<double>);
#undef LACUNA_FEED
    feed<LayerNorm<double>>("LayerNorm", fed, numbers);  // without weight and bias it is a formula
    feed<RmsNorm<double>>("RmsNorm", fed, numbers);
  }
}

TEST_CASE("what holds no numbers says so where it is asked for them") {
  using namespace lacuna;
  const Variable<float, 2> none;
  CHECK(none.data_or_null() == nullptr);
  CHECK_THROWS_WITH_AS((void)none.data(), doctest::Contains("never given its size"), ShapeError);
  CHECK_THROWS_AS((void)none.shape(), ShapeError);
  CHECK_THROWS_AS((void)none.detach(), ShapeError);
  CHECK_THROWS_AS(none.zero_grad(), ShapeError);
  CHECK_THROWS_AS((void)none.grad(), ShapeError);
  const Parameter<float, 2> parameter;
  CHECK_THROWS_AS((void)parameter.mutable_data(), ShapeError);
  CHECK_THROWS_AS(parameter.freeze(), ShapeError);
  const Buffer<float, 1> buffer;
  CHECK_THROWS_AS((void)buffer.array(), ShapeError);

  const Tensor<float, 2> tensor, made({2, 3});
  CHECK(tensor.extent(0) == 0);
  CHECK_THROWS_WITH_AS((void)tensor.extent(-1), doctest::Contains("there is no axis -1 in ()"), ShapeError);
  CHECK(made.extent(-1) == 3);
  for (const int axis : {2, 7, 8, 1000, -3, -1000}) CHECK_THROWS_AS((void)made.extent(axis), ShapeError);
}

TEST_CASE("operations, optimizers and losses of nothing throw") {
  using namespace lacuna;
  const Variable<double, 2> none, x(Tensor<double, 2>::full({2, 4}, 0.5));
  const Variable<double, 1> no_bias;
  const Variable<double, 0> no_loss;
  const std::vector<index_t> classes{0, 1};
  CHECK_THROWS_AS((void)(none + x), ShapeError);
  CHECK_THROWS_AS((void)(x * none), ShapeError);
  CHECK_THROWS_AS((void)matmul(x, none), ShapeError);
  CHECK_THROWS_AS((void)(linear<double, 2, Cpu>(x, none, no_bias)), ShapeError);
  const std::vector<Variable<double, 2>> no_parts, some{none, x};
  CHECK_THROWS_AS((void)concat(some, -1), ShapeError);
  CHECK_THROWS_AS((void)concat(no_parts, -1), ShapeError);
  CHECK_THROWS_AS((void)softmax(none, -1), ShapeError);
  CHECK_THROWS_AS((void)mean(none), ShapeError);
  CHECK_THROWS_AS(no_loss.backward(), ShapeError);
  CHECK_THROWS_AS((void)no_loss.item(), ShapeError);
  CHECK_THROWS_AS((void)mse_loss(none, none), ShapeError);
  CHECK_THROWS_AS((void)cross_entropy(none, classes), ShapeError);

  Linear<double> unmade;
  CHECK(count_parameters(unmade) == 0);
  Linear<double> copy = unmade;
  copy = unmade;
  optim::Adam<double> adam(unmade, {.learning_rate = 0.1});
  adam.zero_grad();
  adam.step();  // of nothing: nothing
  CHECK(!unmade.weight.defined());
}
