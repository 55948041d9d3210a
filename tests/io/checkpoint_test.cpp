#include "lacuna/io/checkpoint.hpp"

#include <doctest/doctest.h>

#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/vector.hpp>
#include <sstream>

#include "io/allocation_meter.hpp"
#include "io/temporary.hpp"
#include "lacuna/io/parameters.hpp"
#include "lacuna/nn/linear.hpp"

namespace lacuna::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

State sample_state() {
  State state;
  state.put("text", "fünf\n\0 sechs");
  state.put("names", std::vector<std::string>{"", "a", "long enough for memory of its own"});
  state.put("none", std::vector<std::string>{});
  state.put("flag", true);
  state.put("count", index_t(-7));
  state.put("key", std::uint64_t(0xFFFFFFFFFFFFFFF1ull));
  state.put("number", 0.1);
  state.put("list", std::vector<double>{1.5, -0.0, std::nan("")});
  state.put("sizes", std::vector<index_t>{3, 2, 1});
  state.put("matrix", Tensor<float, 2>::from({2, 3}, {1, 2, 3, 4, 5, 6}));
  state.put("empty", Tensor<double, 3>::zeros({2, 0, 5}));
  State inner;
  inner.put("deep", 3);
  state.put("part", inner);
  return state;
}

/// The bytes of one file with another payload and a header that fits it.
Bytes with_payload(const Bytes& payload) {
  Bytes file(24);
  std::memcpy(file.data(), detail::checkpoint_magic, 8);
  detail::store_little(reinterpret_cast<char*>(file.data()) + 8, detail::checkpoint_version, 4);
  detail::store_little(reinterpret_cast<char*>(file.data()) + 16, payload.size(), 8);
  std::uint32_t crc = io::crc32_of(io::crc32_of(0, file.data() + 8, 4), file.data() + 16, 8);
  crc = io::crc32_of(crc, payload.data(), payload.size());
  detail::store_little(reinterpret_cast<char*>(file.data()) + 12, crc, 4);
  file.insert(file.end(), payload.begin(), payload.end());
  return file;
}
std::string refusal(const Bytes& bytes) {
  const std::string message = message_of<IoError>([&] { io::load_checkpoint(io::ByteSource("some.ckpt", bytes)); });
  if (message != "no error") {
    CHECK(message.rfind("some.ckpt: ", 0) == 0);
    CHECK(message.find('\n') == std::string::npos);
  }
  return message;
}

TEST_CASE("checkpoint: everything comes back, bit for bit, and the same state gives the same bytes") {
  const TemporaryFolder folder;
  const State state = sample_state();
  io::save_checkpoint(folder / "a", state);
  io::save_checkpoint(folder / "b", sample_state());
  CHECK(read_bytes(folder / "a") == read_bytes(folder / "b"));
  CHECK(folder.count() == 2);

  const State read = io::load_checkpoint(folder / "a");
  CHECK(read.origin() == folder / "a");
  CHECK(read.get<std::string>("text") == "fünf\n");
  CHECK(read.get<std::vector<std::string>>("names") == state.get<std::vector<std::string>>("names"));
  CHECK(read.get<std::vector<std::string>>("none").empty());
  CHECK(read.get<bool>("flag"));
  CHECK(read.get<index_t>("count") == -7);
  CHECK(read.get<std::uint64_t>("key") == 0xFFFFFFFFFFFFFFF1ull);
  CHECK(read.get<double>("number") == 0.1);
  const auto list = read.get<std::vector<double>>("list");
  CHECK(std::signbit(list[1]));
  CHECK(std::isnan(list[2]));
  CHECK(read.get<std::vector<index_t>>("sizes") == std::vector<index_t>{3, 2, 1});
  const auto matrix = read.get<Tensor<float, 2>>("matrix");
  CHECK(matrix(1, 2) == 6.f);
  CHECK(read.get<Tensor<double, 3>>("empty").shape() == Shape{2, 0, 5});
  CHECK(read.under("part").get<int>("deep") == 3);
  CHECK(read.values().size() == state.values().size());
}

TEST_CASE("state: a value of another kind, shape or range is refused under its full name") {
  State state = sample_state();
  state.put("part/big", index_t(1) << 40);
  const State part = state.under("part");
  const auto message = [](auto&& action) { return message_of<IoError>(action); };
  CHECK(message([&] { part.get<int>("gone"); }) == "state: 'part/gone' is missing");
  CHECK(message([&] { part.get<std::string>("deep"); }) == "state: 'part/deep' holds integers, expected a text");
  CHECK(contains(message([&] { part.get<int>("big"); }), "'part/big' is 1099511627776, which is out of range"));
  CHECK(contains(message([&] { state.get<bool>("count"); }), "'count' is -7, expected 0 or 1"));
  CHECK(contains(message([&] { state.get<int>("sizes"); }), "holds 3 integers, expected one"));
  CHECK(contains(message([&] { state.get<Tensor<float, 1>>("matrix"); }), "has shape (2, 3), expected 1 axis"));
  CHECK(
      contains(message([&] { state.get<Tensor<double, 2>>("matrix"); }), "numbers of 32 bits, expected numbers of 64"));
  CHECK(contains(message([&] { state.get<double>("list"); }), "has shape (3), expected one number"));
}

TEST_CASE("checkpoint: every flipped bit is found") {
  const TemporaryFolder folder;
  io::save_checkpoint(folder / "a", sample_state());
  Bytes bytes = read_bytes(folder / "a");
  CHECK(refusal(bytes) == "no error");
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] ^= std::uint8_t(1 << bit);
      CAPTURE(i);
      CHECK(refusal(bytes) != "no error");
      bytes[i] ^= std::uint8_t(1 << bit);
    }
}

TEST_CASE("checkpoint: truncated, extended and foreign files are refused") {
  const TemporaryFolder folder;
  io::save_checkpoint(folder / "a", sample_state());
  const Bytes bytes = read_bytes(folder / "a");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(refusal(Bytes(bytes.begin(), bytes.begin() + std::ptrdiff_t(size))) != "no error");
  CHECK(contains(refusal(Bytes(bytes.begin(), bytes.begin() + 20)),
                 "truncated checkpoint: 20 bytes, the header alone has 24"));
  CHECK(contains(refusal(Bytes(bytes.begin(), bytes.end() - 1)), "are announced"));
  Bytes longer = bytes;
  longer.push_back(0);
  CHECK(contains(refusal(longer), "are announced"));
  CHECK(contains(refusal({}), "is no lacuna checkpoint"));
  const std::string zip = "PK\3\4 an archive, for example";
  CHECK(contains(refusal(Bytes(zip.begin(), zip.end())), "is no lacuna checkpoint"));
  Bytes later = bytes;
  later[8] = 3;
  CHECK(contains(refusal(later), "format version 3, this program reads version 2"));
  CHECK(contains(message_of<IoError>([&] { io::load_checkpoint(folder / "gone"); }), "cannot be opened"));
  CHECK(contains(message_of<IoError>([&] { io::load_checkpoint(folder.path()); }), "is not a regular file"));
}

TEST_CASE("checkpoint: counts under a right checksum are checked against the file before memory is asked for") {
  const auto payload = [](auto&&... pieces) {
    std::ostringstream stream;
    {
      cereal::PortableBinaryOutputArchive archive(stream, cereal::PortableBinaryOutputArchive::Options::LittleEndian());
      archive(std::forward<decltype(pieces)>(pieces)...);
    }
    const std::string text = stream.str();
    return with_payload(Bytes(text.begin(), text.end()));
  };
  const auto u8 = [](int number) { return std::uint8_t(number); };
  const auto u64 = [](std::uint64_t number) { return number; };
  const std::string name = "name";
  constexpr auto huge = std::uint64_t(1) << 61;
  const AllocationMeter meter(std::size_t(4) << 20);  // the whole of it, messages and buffers included
  CHECK(refusal(payload(u64(0))) == "no error");
  CHECK(refusal(payload(u64(1), name, u8(1), std::string("text"))) == "no error");
  CHECK(contains(refusal(payload(huge)), "entries are announced"));
  CHECK(contains(refusal(payload(~u64(0))), "entries are announced"));
  CHECK(contains(refusal(payload(u64(1), huge, u64(0))), "characters are announced"));
  CHECK(contains(refusal(payload(u64(1), name, u8(1), huge)), "characters are announced"));
  CHECK(contains(refusal(payload(u64(1), name, u8(2), huge)), "texts are announced"));
  CHECK(contains(refusal(payload(u64(1), name, u8(2), u64(1), huge)), "characters are announced"));
  CHECK(contains(refusal(payload(u64(1), name, u8(3), huge)), "integers are announced"));
  CHECK(contains(refusal(payload(u64(1), name, u8(4), u8(9), u64(1), u64(1))), "has 9 axes"));
  CHECK(contains(refusal(payload(u64(1), name, u8(4), u8(1), u64(1 << 30))), "has shape (1073741824)"));
  CHECK(contains(refusal(payload(u64(1), name, u8(4), u8(2), huge, huge)), "overflows"));
  CHECK(contains(refusal(payload(u64(1), name, u8(5), u8(1), ~u64(0))), "negative length"));
  CHECK(contains(refusal(payload(u64(1), name, u8(5), u8(3), huge, huge, u64(0))), "overflows"));
  CHECK(contains(refusal(payload(u64(1), name, u8(4), u8(8), u64(1))), "ends inside a value"));
  CHECK(contains(refusal(payload(u64(1), name, u8(77), u64(1))), "unknown kind 77"));
  CHECK(contains(refusal(payload(u64(2), name, u8(3), u64(0), name, u8(3), u64(0))), "stored twice"));
  CHECK(contains(refusal(payload(u64(0), u64(0))), "8 bytes follow the last value"));
  CHECK(contains(refusal(with_payload({})), "ends inside a value"));
}

TEST_CASE("checkpoint: written big-endian by another program, it reads the same") {
  std::ostringstream stream;
  {
    cereal::PortableBinaryOutputArchive archive(stream, cereal::PortableBinaryOutputArchive::Options::BigEndian());
    const float numbers[] = {1.5f, -2.f};
    archive(std::uint64_t(2), std::string("f"), std::uint8_t(4), std::uint8_t(1), std::uint64_t(2),
            cereal::binary_data(&numbers[0], sizeof numbers));
    archive(std::string("i"), std::uint8_t(3), std::vector<std::int64_t>{1, -2});
  }
  const std::string text = stream.str();
  const State state = io::load_checkpoint(io::ByteSource("big", with_payload(Bytes(text.begin(), text.end()))));
  CHECK(state.get<Tensor<float, 1>>("f")(1) == -2.f);
  CHECK(state.get<std::vector<index_t>>("i") == std::vector<index_t>{1, -2});
}

TEST_CASE("checkpoint: an error while writing leaves the old file and nothing beside it") {
  const TemporaryFolder folder;
  io::save_checkpoint(folder / "a", sample_state());
  const Bytes before = read_bytes(folder / "a");
  CHECK(contains(message_of<IoError>([&] { io::save_checkpoint(folder / "no/such/folder", sample_state()); }),
                 "cannot be written"));
  CHECK(contains(message_of<IoError>([&] { io::save_checkpoint(folder.path(), sample_state()); }), "cannot be"));
  CHECK(read_bytes(folder / "a") == before);
  CHECK(folder.count() == 1);
}

struct Net {
  std::vector<Linear<float>> layers;
  static void reflect(auto& self, auto&& visit) { visit("layers", self.layers); }
};
Net net(std::vector<index_t> sizes, std::uint64_t seed) {
  Random random(seed);
  Net made;
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i)
    made.layers.emplace_back(Linear<float>::Options{sizes[i], sizes[i + 1]}, random);
  return made;
}

TEST_CASE("parameters: go by name; what is missing, superfluous or mis-shaped is named and changes nothing") {
  const Net trained = net({3, 4, 2}, 1);
  const State state = io::parameters_of(trained);
  const auto first = [](const Net& model) { return model.layers[0].weight.value()(0, 0); };
  Net other = net({3, 4, 2}, 2);
  REQUIRE(first(other) != first(trained));
  io::load_parameters(other, state);
  for (int i = 0; i < 2; ++i)
    CHECK(other.layers[std::size_t(i)].weight.value().to_vector() ==
          trained.layers[std::size_t(i)].weight.value().to_vector());

  const auto refused = [&](Net model, const State& stored) {
    const float before = first(model);
    const std::string message = message_of<IoError>([&] { io::load_parameters(model, stored); });
    CHECK(first(model) == before);
    return message;
  };
  CHECK(refused(net({3, 4, 2, 1}, 3), state) == "state: 'layers.2.weight' is missing");
  CHECK(refused(net({3, 4}, 3), state) == "state: 'layers.1.bias' is no parameter of this model");
  CHECK(refused(net({3, 4, 5}, 3), state) == "state: 'layers.1.weight' has shape (2, 4), the model expects (5, 4)");
  State wider = state;
  wider.put("layers.0.bias", Tensor<double, 1>::zeros({4}));
  CHECK(refused(net({3, 4, 2}, 3), wider) ==
        "state: 'layers.0.bias' holds numbers of 64 bits, expected numbers of 32 bits");
}

}  // namespace
}  // namespace lacuna::test
