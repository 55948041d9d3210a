// Four autoencoders on the same samples: plain, denoising, variational, and one that imagines the code of a missing
// modality (MIA). Errors are squared and relative: saying the mean would cost 1. On a synthetic set, or on
// `autoencoders FILE.npz`, laid out as docs/data.md says; sequences count as their mean over time.
#include <cstdio>
#include <lacuna/data/load.hpp>
#include <lacuna/data/standardize.hpp>
#include <lacuna/data/synthetic.hpp>
#include <lacuna/lacuna.hpp>

using namespace lacuna;
using Var = Variable<float, 2>;
/// f(m, vector) of every modality: standardised vectors (B, F_m), of absent ones zeros, which is their mean.
template <class F>
std::vector<Var> each(const data::Batch<float>& batch, F&& f) {
  std::vector<Var> x;
  for (const auto& stream : batch.streams)
    x.push_back(f(x.size(), mean_pool(Variable<float, 3>(stream.frames), stream.present)));
  return x;
}
const auto same = [](std::size_t, const Var& x) { return x; };
Var joined(const data::Batch<float>& batch) { return concat(each(batch, same), -1); }
double error(const Var& made, const Var& truth) { return double((mse_loss(made, truth) / mean(square(truth))).item()); }
template <class Model, class Loss>
void fit(const Model& model, const data::Dataset& set, Loss&& loss) {
  const data::BatchSampler sampler(set.train.size(), {.size = 100, .seed = 2});
  optim::AdamW optimizer(model, {.learning_rate = 2e-3, .weight_decay = 1e-2});
  Random random(3);
  for (index_t step = 0; step < 60 * sampler.count(); ++step) {
    const auto samples = sampler.epoch(step / sampler.count())[std::size_t(step % sampler.count())];
    optimizer.zero_grad();
    loss(data::gather<float>(set.train, samples), Context::train(random)).backward();
    optimizer.step();
  }
}

int main(int argc, char** argv) {
  data::Dataset set = argc > 1 ? data::load_npz(argv[1]) : data::synthetic({.samples = 500, .max_frames = 6});
  set = data::Standardizer::fit(set.train)(set);
  const auto test = data::gather<float>(set.test, data::epoch_order(set.test.size(), 0, 0, false));
  const auto names = set.modality_names();
  const index_t width = joined(test).extent(1);
  Random random(1);
  // Variational: the code is near a standard normal distribution; decoding random codes makes new samples.
  const VariationalAutoencoder<float> variational({.in = width, .hidden = 128, .code = 16}, random);
  fit(variational, set, [&](const auto& batch, const Context& context) {
    const auto made = variational(joined(batch), context);
    return double(width) * mse_loss(made.y, joined(batch)) + made.kl;
  });
  // Denoising: sees what is left when each modality goes with probability 0.3, and is asked for everything.
  const DenoisingAutoencoder<float> denoising({.autoencoder = {.sizes = {width, 256, 64}}, .masking = 0.1}, random);
  const missing::MrmOptions drop{.frame_probability = 0, .stream_probability = 1, .stream_rate = 0.3};
  fit(denoising, set, [&](const auto& batch, const Context& context) {
    std::vector<Mask<2>> there;
    for (const auto& stream : batch.streams) there.push_back(stream.present);
    const auto seen = missing::with_presence(batch, missing::sample_masks(drop, there, batch.samples, context, "it"));
    return mse_loss(denoising(joined(seen), context).y, joined(batch));
  });
  // Plain: one per modality, with codes of one size. MIA makes the code of a missing one from those of the others.
  std::vector<Autoencoder<float>> plain;
  for (const index_t features : set.dimensions()) plain.push_back({{.sizes = {features, 64, 32}}, random});
  fit(plain, set, [&](const auto& batch, const Context&) {
    return mse_loss(concat(each(batch, [&](auto m, const Var& x) { return plain[m](x).y; }), -1), joined(batch));
  });
  const ImaginationAutoencoder<float> mia({.modalities = index_t(names.size()), .width = 32, .bottleneck = 16}, random);
  const auto code = [&](auto m, const Var& x) { return plain[m].encode(x).detach(); };
  const auto imagine = [&](std::vector<Var> z, std::size_t m) { return z[m] = 0.0 * z[m], mia(z, m); };
  fit(mia, set, [&](const auto& batch, const Context&) {
    const auto z = each(batch, code);
    return mse_loss(concat(each(batch, [&](auto m, const Var&) { return imagine(z, m); }), -1), concat(z, -1));
  });
  std::printf("variational: error %.3f from a code of 16\n", error(variational(joined(test)).y, joined(test)));
  std::printf("%-8s %6s   imputed from the others: denoising  imagination\n", "", "plain");
  for (std::size_t m = 0; m < names.size(); ++m) {
    const auto truth = each(test, same)[m], rest = joined(apply(missing::without({names[m]}, names), test));
    std::printf("%-8s %6.3f %36.3f %12.3f\n", names[m].c_str(), error(plain[m](truth).y, truth),
                error(split(denoising(rest).y, set.dimensions(), -1)[m], truth),
                error(plain[m].decode(imagine(each(test, code), m)), truth));
  }
  return 0;
}
