/// Two branches, a loss of one's own (log cosh), and training in which any modality may be missing.
#include <lacuna/data/synthetic.hpp>
#include <lacuna/lacuna.hpp>
#include <lacuna/train/trainer.hpp>

using namespace lacuna;
using Scores = Variable<float, 2>;

struct TwoBranch {
  using Options = models::ModelOptions;
  Linear<float> audio, text, head;
  TwoBranch(const Options& o, Random& r) : audio({o.inputs[0], 32}, r), text({o.inputs[1], 32}, r), head({64, 1}, r) {}
  Scores operator()(const models::Streams<float>& s, const Context&) const {
    const auto mean_of = [&](std::size_t m) { return mean_pool(Variable<float, 3>(s[m].frames), s[m].present); };
    return head(concat(List<Scores>{relu(audio(mean_of(0))), relu(text(mean_of(1)))}, -1));
  }
  static void reflect(auto& self, auto&& f) { f("audio", self.audio), f("text", self.text), f("head", self.head); }
};

int main() {
  const auto corpus = data::synthetic({.samples = 1000, .seed = 7, .max_frames = 6});
  models::Model<TwoBranch> model({.inputs = corpus.dimensions()}, Random(7));
  const auto log_cosh = [](const Scores& scores, const models::Targets<float>& targets) {
    const auto error = scores - Scores(targets.values);
    return mean(softplus(2.0 * error) - error);  // and log 2, which has no gradient
  };
  train::fit(model, corpus, {.epochs = 15, .missing = missing::mrm_preset("mplmm"), .loss = log_cosh});
  train::print(train::evaluate(model, corpus.test));
  return 0;
}
