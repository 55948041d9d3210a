#include <doctest/doctest.h>

#include "rows/graph.hpp"

TEST_CASE("graph rows") {
  lacuna::test::GraphRows::for_each([]<class Row>() { CHECK(lacuna::test::check_row<Row>() == ""); });
}

TEST_CASE("conversation graph: windows around who hears and who is heard, relations, edges that are not there") {
  using namespace lacuna;
  const std::vector<index_t> lengths = {3, 1}, speakers = {0, 1, 5, 1};
  const auto heard = [&](ConversationGraphOptions o) {
    o.speakers = 2;
    const auto graph = conversation_graph(lengths, speakers, o);
    std::string text;
    for (std::size_t e = 0; e < graph.time.source.size(); ++e)
      text += std::to_string(graph.time.target[e]) + std::to_string(graph.time.source[e]) + ":" +
              std::to_string(graph.time.relation[e]) + std::to_string(graph.speaker.relation[e]) + " ";
    return text;
  };
  CHECK(heard({.past = 1, .future = 0}) == "00:10 10:02 11:13 21:03 22:13 33:13 ");
  CHECK(heard({.past = 0, .future = 1}) == "00:10 01:21 11:13 12:23 22:13 33:13 ");
  CHECK(heard({.past = 0, .future = 1, .around_source = true}) == heard({.past = 1, .future = 0}));
  CHECK(heard({}) == "00:10 01:21 02:21 10:02 11:13 12:23 20:02 21:03 22:13 33:13 ");

  Random random(1);
  const GraphConv<double> conv({2, 2}, random);
  const RelationalGraphConv<double> relational({2, 2, 1}, random);
  const Variable<double, 2> x(Tensor<double, 2>::zeros({2, 2}));
  CHECK_THROWS_AS(conv(x, {2, {0}, {2}, {0}}), ShapeError);
  CHECK_THROWS_AS(conv(x, {3, {}, {}, {}}), ShapeError);
  CHECK_THROWS_AS(relational(x, {2, {0}, {1}, {1}}), ShapeError);
  CHECK_THROWS_AS(RelationalGraphConv<double>({2, 0, 1}, random), OptionError);
}
