/// MCTN against the arrays of MMSA's port: as it is coded, and with time in its place.
#include "lacuna/models/baselines/mctn.hpp"

#include <doctest/doctest.h>

#include "lacuna/optim/adam.hpp"
#include "support/published.hpp"

TEST_CASE("MCTN: the port's arrays, as coded and corrected" * doctest::skip(!lacuna::test::have_published())) {
  using namespace lacuna;
  test::Published file("mctn");
  for (const auto& [ours, digit] : {std::pair(std::string("between."), "1"), std::pair(std::string("onwards."), "2")})
    for (const auto& [own, other, rest] :
         {std::tuple("encoder.", "encoder", ".rnn."), std::tuple("state.", "encoder", ".fc."),
          std::tuple("attention.", "attn", ".attn."), std::tuple("score.", "attn", ".v."),
          std::tuple("decoder.", "decoder", ".rnn."), std::tuple("out.", "decoder", ".fc_out.")})
      file.rename(ours + own, std::string(other) + digit + rest);
  const auto tav = file.sizes("feature_dims_tav");
  const auto batch = file.batch(models::RegressionLoss::l1);
  for (const bool published : {true, false}) {
    Random random(1);
    models::MctnNetwork<double> network({.inputs = {tav[0], tav[2], tav[1]},
                                         .hidden = file.size("hid_dim"),
                                         .translation = 0.1,
                                         .published = published},
                                        random);
    file.load(network);
    const auto forward = [&] {
      return network.forward({file.sequence("text"), file.sequence("vision"), file.sequence("audio")}, {});
    };
    const std::string top = published ? "out/" : "fixed/", end = published ? "" : "_fixed";
    const auto r = forward();
    const auto batch_first = [&](const Variable<double, 3>& x) { return published ? transpose(x, 0, 1) : x; };
    file.out(top + "join", batch_first(r.joint));
    file.out(top + "vision_translated", batch_first(r.to_first));
    file.out(top + "text_back", batch_first(r.back));
    file.out(top + "join2", batch_first(r.joint2));
    file.out(top + "audio_translated", batch_first(r.to_second));
    file.out(top + "M", r.score);
    const auto loss = network.losses(r, batch);
    if (published) {
      file.out("loss/total", loss.total);
    } else {
      file.out("fixed/attention", r.weights);
      for (const char* term : {"v", "t", "a", "task"})
        file.out(std::string("loss/fixed_") + term, test::term(loss, term));
      file.out("loss/fixed_total", loss.total);
    }
    file.gradients(network, loss.total, "grad" + end + "/", "gin" + end + "/");
    if (published) continue;
    optim::Adam<double> adam(network, {.learning_rate = file.number("lr")});
    file.steps(
        network, adam, [&] { return network.losses(forward(), batch).total; }, 0, file.number("clip_norm"),
        "step3_fixed/", "step3_fixed_total_before_step");
  }
  CHECK(file.finish() > 170);
}
