/// GCNet against its authors' arrays: two speakers and classes, one speaker and a real label; the mask of the
/// reconstruction as coded and in its place.
#include "lacuna/models/baselines/gcnet.hpp"

#include <doctest/doctest.h>

#include "lacuna/optim/adam.hpp"
#include "support/published.hpp"

namespace gcnet_test {

using namespace lacuna;

std::vector<std::string> words(const std::string& list) {
  std::vector<std::string> all;
  const std::regex word("[a-z0-9]+");
  for (std::sregex_iterator i(list.begin(), list.end(), word), end; i != end; ++i) all.push_back(i->str());
  return all;
}
/// Their number of each of our relations; a file has them in the order of a Python set.
std::vector<index_t> theirs(test::Published& file, bool of_speakers) {
  const auto listed = words(file.config(of_speakers ? "speaker" : "temporal"));
  std::vector<std::string> ours = {"past", "now", "future"};
  if (of_speakers) {
    ours.clear();
    const index_t n = file.size("n_speakers");
    for (index_t target = 0; target < n; ++target)
      for (index_t source = 0; source < n; ++source) ours.push_back(std::to_string(target) + std::to_string(source));
  }
  std::vector<index_t> number;
  for (const auto& name : ours)
    number.push_back(index_t(std::find(listed.begin(), listed.end(), name) - listed.begin()));
  return number;
}

void check(const std::string& name) {
  test::Published file(name);
  file.rename("graph.0.", "graph_net_temporal."), file.rename("graph.1.", "graph_net_speaker.");
  file.rename("attention.0.", "matchatt.transform.");
  const bool classes = file.config("loss") == "\"CE\"", attention = file.truth("time_attn");
  Random random(1);
  models::GcnetNetwork<double> network({.inputs = file.sizes("dims_atv"),
                                        .hidden = file.size("hidden"),
                                        .graph_hidden = file.size("graph_hidden"),
                                        .past = file.size("window_past"),
                                        .future = file.size("window_future"),
                                        .speakers = file.size("n_speakers"),
                                        .time_attention = attention,
                                        .dropout = 0,
                                        .published = true,
                                        .classes = classes ? file.size("n_classes") : 0},
                                       random);
  // what their network has and never uses
  for (const std::string layer : {"l0", "l1"})
    for (const std::string way : {"", "_reverse"})
      for (const std::string kind : {"weight_ih_", "weight_hh_", "bias_ih_", "bias_hh_"}) {
        file.constant("param/gru." + kind + layer + way);
        file.unmoved("gru." + kind + layer + way);
      }
  for (const std::string graph : {"temporal", "speaker"})
    for (const std::string end : {"weight", "bias"})
      if (const auto full = "graph_net_" + graph + ".matchatt.transform." + end; !attention)
        file.constant("param/" + full), file.unmoved(full);
  file.load(network);

  const index_t count = file.size("B"), length = file.size("T");
  const auto lengths = file.integers("in/length"), said = file.integers("in/speaker");
  const auto keep = file.integers("in/keep");
  const auto labels = file.numbers("in/label");
  data::Conversations talk;
  models::Task task{.kind = classes ? models::LabelKind::classes : models::LabelKind::regression,
                    .classes = classes ? file.size("n_classes") : 0};
  models::TrainingBatch<double> batch{.task = &task};
  std::vector<double> values;
  for (index_t c = 0; c < count; ++c)
    for (index_t u = 0; u < lengths[std::size_t(c)]; ++u) {
      const auto at = std::size_t(c * length + u);
      talk.conversation.push_back(c), talk.speaker.push_back(said[at]);
      batch.targets.classes.push_back(classes ? index_t(labels[at]) : 0);
      values.push_back(labels[at]);
    }
  const index_t utterances = index_t(values.size());
  if (classes)
    batch.targets.settle();
  else
    batch.targets.values = Tensor<double, 2>::from({utterances, 1}, values);
  const models::ConversationLayout layout(talk, utterances, length);
  std::vector<std::vector<std::uint8_t>> gone(3);
  for (std::size_t i = 0; i < keep.size(); ++i) gone[i % 3].push_back(keep[i] == 0);

  // relations under the numbers of the file
  ConversationGraph edges = network.edges(layout);
  for (const bool of_speakers : {false, true}) {
    GraphEdges& some = of_speakers ? edges.speaker : edges.time;
    const auto number = theirs(file, of_speakers);
    for (index_t& relation : some.relation) relation = number[std::size_t(relation)];
    std::vector<double> all(some.source.begin(), some.source.end());
    all.insert(all.end(), some.target.begin(), some.target.end());
    all.insert(all.end(), some.relation.begin(), some.relation.end());
    file.compare(of_speakers ? "out/edges_speaker" : "out/edges_temporal", all, file.forward);
  }
  const Variable<double, 3> full(file.tensor<3>("in/features_full"));
  const auto forward = [&](const auto& net) {
    return net.forward(file.leaf<3>("features"), layout, edges, Context::train(random));
  };
  const auto losses = [&](const auto& net, const auto& r, bool shuffled) {
    return net.losses(r, net.reconstruction(r.made, full, gone, layout, shuffled), batch);
  };
  const auto r = forward(network);
  file.out("out/lstm", r.read);
  const char* const names[] = {"temporal", "speaker"};
  for (std::size_t g = 0; g < 2; ++g) {
    const std::string top = std::string("out/") + names[g] + "/";
    file.out(top + "conv1", r.branch[g].conv1);
    file.out(top + "conv2", r.branch[g].conv2);
    file.out(top + "lstm", r.branch[g].fused);
    file.out(top + "hidden", r.branch[g].hidden);
  }
  file.out("out/logits", r.scores);
  file.out("out/reconstruction", r.made);
  file.out("out/hidden", r.hidden);
  const auto corrected = losses(network, r, false), loss = losses(network, r, true);
  file.out("loss/task", test::term(loss, "task"));
  file.out("loss/recon", test::term(loss, "recon"));
  file.out("loss/total", loss.total);
  file.out("loss/recon_corrected", test::term(corrected, "recon"));
  file.out("loss/total_corrected", corrected.total);
  file.gradients(network, corrected.total, "grad_corrected/", "");
  file.gradients(network, losses(network, forward(network), true).total);
  optim::Adam<double> adam(network, {.learning_rate = file.number("lr"), .weight_decay = file.number("weight_decay")});
  file.steps(network, adam, [&] { return losses(network, forward(network), true).total; });
  CHECK(file.finish() > 240);
}

}  // namespace gcnet_test

TEST_CASE("GCNet: its authors' arrays" * doctest::skip(!lacuna::test::have_published())) {
  gcnet_test::check("gcnet");
  gcnet_test::check("gcnet_reg");
}

TEST_CASE("GCNet: conversations keep to themselves, whatever the order; without them samples stand alone") {
  using namespace lacuna;
  Random random(2);
  models::GcnetNetwork<double> network({.inputs = {3, 2}, .hidden = 2, .graph_hidden = 2, .speakers = 2}, random);
  const auto stream = [&](index_t features, std::vector<std::uint8_t> present) {
    const index_t batch = index_t(present.size());
    return models::masked_stream(init::normal<double, 3, Cpu>({batch, 1, features}, 1.0, random),
                                 Mask<2>::from({batch, 1}, present));
  };
  const models::Streams<double> all{stream(3, {1, 1, 1, 0, 1}), stream(2, {1, 0, 1, 0, 1})};
  const auto some = [&](const std::vector<index_t>& samples) {
    models::Streams<double> chosen;
    for (const auto& [frames, present] : all) {
      const Variable<double, 3> x(frames);
      std::vector<std::uint8_t> there;
      for (const index_t b : samples) there.push_back(present(b, 0));
      chosen.push_back({index_select(x, 0, std::span<const index_t>(samples)).value(),
                        Mask<2>::from({index_t(samples.size()), 1}, there)});
    }
    return chosen;
  };
  const Context context;
  const auto score = [&](const std::vector<index_t>& samples, const data::Conversations& talk) {
    return network(some(samples), talk, context).value().to_vector();
  };
  const auto mixed = score({0, 3, 1, 4, 2}, {{7, 8, 7, 8, 7}, {0, 1, 1, 0, 0}});
  const auto first = score({0, 1, 2}, {{1, 1, 1}, {0, 1, 0}}), second = score({3, 4}, {{0, 0}, {1, 0}});
  const std::vector<double> expected = {first[0], second[0], first[1], second[1], first[2]};
  for (std::size_t i = 0; i < 5; ++i) CHECK(mixed[i] == doctest::Approx(expected[i]).epsilon(1e-12));
  CHECK(std::abs(first[0] - score({0}, {})[0]) > 1e-6);  // others are heard
  CHECK(score({0, 1}, {})[1] == doctest::Approx(score({1}, {})[0]).epsilon(1e-12));
  CHECK(score({}, {}).empty());
  CHECK_THROWS_AS(score({0, 1}, {{1}, {}}), ShapeError);
  CHECK_THROWS_AS(models::GcnetNetwork<double>({.inputs = {2}, .past = -2}, random), OptionError);
}
