// A step of training reads nothing back from the device: everything it computes from labels and masks is there.
#include <doctest/doctest.h>

#include "cuda/emulated.hpp"
#include "lacuna/data/synthetic.hpp"
#include "lacuna/models/corrkd/corrkd.hpp"
#include "lacuna/models/sdumc/sdumc.hpp"
#include "lacuna/nn/pack.hpp"
#include "lacuna/optim/adam.hpp"

namespace {

using namespace lacuna;
using test::Emulated;

const data::Corpus& set_with_gaps() {
  static const auto set = data::synthetic({.samples = 24, .seed = 5});
  return set;
}

struct Traffic {
  int waits, uploads;
  double loss, terms;
};
/// One step; the numbers of the record are read behind it.
template <class M>
Traffic step(const M& model, const data::Batch<float>& batch) {
  const auto packed = pack<float, Emulated>(const_cast<M&>(model));
  optim::Adam<float, Emulated> adam(packed);
  Random random(4);
  Traffic traffic{Emulated::waits, Emulated::uploads, 0, 0};
  packed.zero_grad();
  const auto loss = model.loss(batch, Context::train(random));
  loss.total.backward();
  adam.step();
  traffic.waits = Emulated::waits - traffic.waits;
  traffic.uploads = Emulated::uploads - traffic.uploads;
  traffic.loss = double(loss.total.item());
  const int before = Emulated::waits;
  for (const auto& [name, number] : loss.terms) traffic.terms += std::abs(double(number));
  CHECK(Emulated::waits == before + 1);  // all terms together
  return traffic;
}
data::Batch<float> first_samples() {
  return data::gather<float>(set_with_gaps().train, std::vector<index_t>{0, 1, 2, 3, 4, 5});
}

}  // namespace

TEST_CASE("a step of CorrKD waits for the device nowhere") {
  test::EmulatedRun::lanes = 1;
  for (const auto evidence : {models::Evidence::none, models::Evidence::mean})
    for (const auto labels : {models::CorrkdLabels::binary_has0, models::CorrkdLabels::binary_non0,
                              models::CorrkdLabels::seven, models::CorrkdLabels::regression})
      for (const bool heads : {false, true}) {
        if (heads && labels != models::CorrkdLabels::seven) continue;
        CAPTURE(int(labels));
        CAPTURE(heads);
        models::CorrkdOptions o;
        o.network.inputs = set_with_gaps().dimensions();
        o.network.width = 8, o.network.num_heads = 2, o.network.depth = 1;
        o.network.evidence = evidence;
        o.network.presence = evidence != models::Evidence::none;
        if (evidence != models::Evidence::none) o.loss.unimodal = o.loss.unimodal_response = 0.5;
        o.labels = labels;
        o.one_vs_rest = heads;
        o.loss.rcd = o.loss.scd = o.loss.cpd = 0.1;
        models::Corrkd<float, Emulated> model(o, Random(3));
        model.network.set_teacher(model.network.teacher);
        const Traffic traffic = step(model, first_samples());
        CHECK(traffic.waits == 0);
        CHECK(traffic.loss > 0);
        CHECK(traffic.terms > 0);
        // frames and masks of three modalities, their masks for the student, labels, the seed of the backward
        if (evidence == models::Evidence::none) CHECK(traffic.uploads <= 12);
      }
}
TEST_CASE("a step of SDUMC waits for the device nowhere") {
  test::EmulatedRun::lanes = 1;
  data::Batch<float> some = first_samples();
  auto& text = some.streams[1].present;
  std::fill_n(text.data(), text.extent(1), std::uint8_t(0));  // of one sample
  for (const auto& batch : {first_samples(), some}) {
    models::SdumcOptions o;
    o.inputs = set_with_gaps().dimensions();
    o.width = 12, o.fused = 8, o.contrast = 6;
    o.simulator.width = 8, o.simulator.slots = 3, o.simulator.epochs = 1, o.simulator.num_heads = 2;
    models::Sdumc<float, Emulated> model(o, Random(3));
    Random random(1);
    model.prepare(set_with_gaps(), random);
    const Traffic traffic = step(model, batch);
    CHECK(traffic.waits == 0);
    CHECK(traffic.terms > 0);
    CHECK(traffic.uploads <= 12);
  }
}
