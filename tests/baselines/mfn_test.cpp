/// MFN and Graph-MFN against their authors' arrays.
#include "lacuna/models/baselines/mfn.hpp"

#include <doctest/doctest.h>

#include "lacuna/optim/adam.hpp"
#include "support/published.hpp"

namespace mfn_test {

using namespace lacuna;

index_t shape(const test::Published& file, const std::string& part) {
  const std::string text = file.config(part);
  return std::stoi(text.substr(text.find("shapes") + 9));
}
void compare(const std::string& name, bool graph) {
  test::Published file(name);
  const auto hidden = file.sizes("hidden_dims");
  Random random(1);
  models::MfnNetwork<double> network({.inputs = file.sizes("feature_dims"),
                                      .text_hidden = hidden[0],
                                      .first_hidden = hidden[1],
                                      .second_hidden = hidden[2],
                                      .memory = file.size("memsize"),
                                      .attention_hidden = shape(file, "NN1Config"),
                                      .update_hidden = shape(file, "NN2Config"),
                                      .keep_hidden = shape(file, "gamma1Config"),
                                      .write_hidden = shape(file, "gamma2Config"),
                                      .hidden = shape(file, "outConfig"),
                                      .inner = file.size("inner_node_dim"),
                                      .dropout = 0,
                                      .graph = graph,
                                      .published = true},
                                     random);
  const char* const letters[] = {"l", "a", "v"};
  const char* const vertices[] = {"01", "02", "12", "012"};
  for (int m = 0; m < 3; ++m) {
    file.rename("cells." + std::to_string(m), std::string("lstm_") + letters[m]);
    file.rename("transform." + std::to_string(m), std::string(letters[m]) + "_transform");
  }
  for (int v = 0; v < 4; ++v)
    file.rename("graph.vertex." + std::to_string(v) + ".", std::string("graph_mfn.networks.") + vertices[v] + ".");
  file.rename("graph.summary", "graph_mfn.t_network"), file.rename("graph.efficacy.", "graph_mfn.efficacy_model.");
  file.rename("graph.efficacy_out", "graph_mfn.efficacy_model.2");
  for (const char* part :
       {"networks.01", "networks.02", "networks.12", "networks.012", "t_network", "efficacy_model"}) {
    file.rename(std::string("graph_mfn.") + part + ".fc1", std::string("graph_mfn.") + part + ".0");
    file.rename(std::string("graph_mfn.") + part + ".fc2", std::string("graph_mfn.") + part + ".1.0");
  }
  for (const auto& [ours, other] :
       {std::pair("attention.", "att1_"), std::pair("update.", "att2_"), std::pair("keep.", "gamma1_"),
        std::pair("write.", "gamma2_"), std::pair("out.", "out_")})
    file.rename(ours, other);
  file.load(network);
  freeze(network, false);
  const auto batch = file.batch(models::RegressionLoss::l1);
  const auto forward = [&] {
    return network.forward({file.sequence("text"), file.sequence("audio"), file.sequence("vision")}, Context());
  };
  const auto r = forward();
  file.out("out/memory", stack(r.memory, 1));
  for (std::size_t m = 0; m < 3; ++m) file.out(std::string("out/h_") + letters[m], r.last[m]);
  if (graph) file.out("out/efficacies", stack(r.efficacies, 1));
  if (!graph) file.out("out/last_hs", r.joined);
  file.out("out/M", r.score);
  const auto total = network.losses(r, batch).total;
  file.out("loss/total", total);
  file.gradients(network, total);
  if (graph) freeze(network.graph->vertex);
  optim::Adam<double> adam(network, {.learning_rate = file.number("lr"), .weight_decay = file.number("weight_decay")});
  file.steps(network, adam, [&] { return network.losses(forward(), batch).total; });
  CHECK(file.finish() > 70);
}

}  // namespace mfn_test

TEST_CASE("MFN: its authors' arrays" * doctest::skip(!lacuna::test::have_published())) {
  mfn_test::compare("mfn", false);
}
TEST_CASE("Graph-MFN: its authors' arrays" * doctest::skip(!lacuna::test::have_published())) {
  mfn_test::compare("graph_mfn", true);
}
