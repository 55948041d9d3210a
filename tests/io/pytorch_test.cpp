#include "lacuna/io/pytorch.hpp"

#include <doctest/doctest.h>

#include "io/pickles.hpp"
#include "io/temporary.hpp"
#include "lacuna/io/zip_writer.hpp"

using namespace lacuna;
using namespace std::string_literals;

namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

/// A file as torch.save writes it: these members in the folder "archive".
std::vector<std::uint8_t> torch_archive(const Members& members, const std::string& folder = "archive/") {
  const test::TemporaryFolder temporary;
  io::ZipWriter writer(temporary / "x.pt");
  for (const auto& [name, text] : members) {
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    const io::ZipWriter::Bytes parts[] = {bytes};
    writer.add(folder + name, parts);
  }
  writer.close();
  return test::read_bytes(temporary / "x.pt");
}
io::PytorchFile torch_file(const Members& members) {
  return io::PytorchFile(std::make_shared<io::MappedFile>("x.pt", torch_archive(members)));
}
bool torch_refuses(const Members& members, const std::string& words) {
  return test::contains(test::message_of<IoError>([&] { torch_file(members); }), words);
}
std::string raw_floats(const std::vector<float>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), 4 * numbers.size()};
}

}  // namespace

TEST_CASE("pytorch: a state_dict, its views, and what was wrapped around it") {
  const std::string storage = test::pickled_storage("FloatStorage", "0", 6);
  const std::string weights =
      "ccollections\nOrderedDict\n)R(Vmodule.w\n" + test::pickled_tensor(storage, 0, {2, 3}, {3, 1}) + "Vmodule.w_t\n" +
      test::pickled_tensor(storage, 0, {3, 2}, {1, 3}) + "Vmodule.last\n" + test::pickled_tensor(storage, 5, {}, {}) +
      "Vmodule.rows\n" + test::pickled_tensor(storage, 1, {2, 2}, {0, 2}) + "Vmodule.none\n" +
      test::pickled_tensor(storage, 6, {0, 4}, {4, 1}) + "u}V_metadata\n}sb";
  const io::PytorchFile file = torch_file({{"data.pkl", "\x80\x02}(Vepoch\nK\x07Vstate_dict\n" + weights + "u."},
                                           {"byteorder", "little"},
                                           {"version", "3\n"},
                                           {"data/0", raw_floats({1, 2, 3, 4, 5, 6})}});
  CHECK(file.weights_at() == "state_dict");
  CHECK(file.prefix() == "module.");
  CHECK(file.names() == std::vector<std::string>{"w", "w_t", "last", "rows", "none"});
  CHECK(file.root().at("epoch").integer() == 7);
  CHECK(file.tensor("w").array().as<float>() == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(file.tensor("w_t").tensor<float, 2>().shape() == Shape{3, 2});
  CHECK(file.tensor("w_t").array().as<float>() == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(file.tensor("last").array().scalar<float>() == 6);
  CHECK(file.tensor("rows").array().as<float>() == std::vector<float>{2, 4, 2, 4});
  CHECK(file.tensor("none").array().size() == 0);
  CHECK(file.tensor("w").describe() == "a tensor float32 (2, 3)");
  CHECK(test::contains(test::message_of<IoError>([&] { file.tensor("v"); }), "has no 'module.v'; it has module.w,"));
}

TEST_CASE("pytorch: every type of element, in either byte order") {
  struct {
    const char *type, *bytes;
    double value;
  } const cases[] = {
      {"HalfStorage", "\x00\xc1", -2.5}, {"BFloat16Storage", "\x20\xc0", -2.5}, {"ShortStorage", "\xfe\xff", -2}};
  for (const auto& one : cases)
    for (const bool big : {false, true}) {
      std::string bytes(one.bytes, 2);
      if (big) std::swap(bytes[0], bytes[1]);
      const std::string pickle =
          "\x80\x02" + test::pickled_tensor(test::pickled_storage(one.type, "0", 1), 0, {1}, {1}) + ".";
      const io::PytorchFile file =
          torch_file({{"data.pkl", pickle}, {"byteorder", big ? "big" : "little"}, {"data/0", bytes}});
      CHECK(file.root().array().as<double>()[0] == one.value);
      CHECK(file.names().empty());
    }
}

TEST_CASE("pytorch: windows that do not fit their storage are refused") {
  const std::string storage = test::pickled_storage("FloatStorage", "0", 6), data = raw_floats({1, 2, 3, 4, 5, 6});
  const auto refused = [&](const std::string& tensor, const std::string& words) {
    return torch_refuses({{"data.pkl", "\x80\x02" + tensor + "."}, {"data/0", data}}, words);
  };
  CHECK(refused(test::pickled_tensor(storage, 0, {7}, {1}), "reaches past"));
  CHECK(refused(test::pickled_tensor(storage, 0, {2}, {6}), "reaches past"));
  CHECK(refused(test::pickled_tensor(storage, 6, {1}, {1}), "reaches past"));
  CHECK(refused(test::pickled_tensor(storage, 7, {0}, {1}), "element 7 of 6"));
  CHECK(refused(test::pickled_tensor(storage, -1, {1}, {1}), "offset"));
  CHECK(refused(test::pickled_tensor(storage, 0, {2}, {-1}), "stride"));
  CHECK(refused(test::pickled_tensor(storage, 0, {2}, {}), "strides"));
  CHECK(refused(test::pickled_tensor(storage, 0, {1000000000}, {0}), "too much memory"));
  CHECK(refused(test::pickled_tensor(storage, 0, {1}, {1}, "}Vconj\n\x88s"), "conj"));
  CHECK(refused(test::pickled_tensor(test::pickled_storage("FloatStorage", "0", 5), 0, {1}, {1}), "24 bytes"));
  CHECK(refused(test::pickled_tensor(test::pickled_storage("DoubleStorage", "0", 6), 0, {1}, {1}), "24 bytes"));
  CHECK(refused(test::pickled_tensor(test::pickled_storage("FloatStorage", "1", 6), 0, {1}, {1}), "data/1"));
  CHECK(refused(test::pickled_tensor(test::pickled_storage("FloatStorage", "../0", 6), 0, {1}, {1}), "key '../0'"));
  CHECK(refused(test::pickled_tensor(test::pickled_storage("EvilStorage", "0", 6), 0, {1}, {1}), "torch.EvilStorage"));
  CHECK(refused(storage, "a storage"));
}

TEST_CASE("pytorch: other files are told apart") {
  const std::string none = "N.";
  CHECK(torch_refuses({{"data.pkl", "ctorch.nn.modules.container\nSequential\n."}}, "state_dict()"));
  CHECK(torch_refuses({{"data.pkl", none}, {"constants.pkl", none}}, "TorchScript"));
  CHECK(torch_refuses({{"x", none}}, "without data.pkl"));
  CHECK(torch_refuses({{"data.pkl", none}, {"b/data.pkl", none}}, "2 members"));
  CHECK(torch_refuses({{"data.pkl", none}, {"byteorder", "middle"}}, "middle"));
  CHECK(torch_refuses({{"data.pkl", none}, {"version", "x"}}, "version"));
  CHECK(torch_refuses({{"data.pkl", none + none}}, "follow the pickle"));
  CHECK(torch_file({{"data.pkl", none}}).root().is_none());
  const test::TemporaryFolder folder;
  const auto refused = [&](const std::string& text, const std::string& words) {
    test::write_bytes(folder / "x.pt", {text.begin(), text.end()});
    return test::contains(test::message_of<IoError>([&] { io::load_pytorch(folder / "x.pt"); }), words);
  };
  CHECK(refused("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "truncated"));
  CHECK(refused(std::string(257, 'x') + "ustar", "tar"));
  CHECK(refused("\x80\x02N.", "load_pickle"));
  CHECK(refused("", "empty"));
}

TEST_CASE("pytorch: whole numbers without sign lie in storages of bytes") {
  const std::string bytes({1, 0, 2, 0, 3, 0, 0, -1});
  const auto read = [&](const std::string& object) {
    const io::Value root = torch_file({{"data.pkl", object + "."}, {"data/0", bytes}}).root();
    return std::pair(root.array().dtype(), root.array().as<double>());
  };
  const auto refused = [&](const std::string& object, const std::string& words) {
    return torch_refuses({{"data.pkl", object + "."}, {"data/0", bytes}}, words);
  };
  const auto natural = [](const std::string& type, int size, int elements, bool legacy = false) {
    return test::pickled_natural(type, "0", size, elements, legacy);
  };
  CHECK(read(natural("uint16", 8, 4)) == std::pair(std::string("uint16"), std::vector<double>{1, 2, 3, 65280}));
  CHECK(read(natural("uint32", 8, 2)).second == std::vector<double>{131073, 4278190083.0});
  CHECK(test::contains(test::message_of<Error>([&] { read(natural("uint64", 8, 1)); }),
                       "is 18374686492556656641, which double cannot hold"));
  CHECK(refused(natural("uint32", 8, 3), "reaches past the 2 elements"));
  CHECK(refused(natural("uint32", 6, 1), "no whole number of uint32"));
  CHECK(refused(natural("uint16", 6, 3), "has 8 bytes, expected 3 elements of 2 bytes"));
  CHECK(refused("(" + natural("uint16", 8, 4) + natural("uint32", 8, 2) + "l", "see as another type"));
  CHECK(refused("(" + natural("uint16", 8, 4) + test::pickled_storage("ShortStorage", "0", 4) + "l", "of two types"));
  CHECK(torch_file({{"data.pkl", "(" + natural("uint16", 8, 4) + natural("uint16", 8, 2) + "l."}, {"data/0", bytes}})
            .root()[1]
            .array()
            .as<double>() == std::vector<double>{1, 2});
  const std::string old = test::legacy_pytorch(natural("uint32", 24, 6, true), raw_floats({1, 2, 3, 4, 5, 6}));
  std::string counted = old;
  counted[counted.size() - 32] = 24;  // such a stream counts bytes
  CHECK(io::PytorchFile(test::in_memory("old.pth", counted)).root().array().as<double>()[0] == 1065353216.0);
  CHECK(test::contains(test::message_of<IoError>([&] { io::PytorchFile(test::in_memory("old.pth", old)); }),
                       "has 6 elements where 24 are expected"));
}

TEST_CASE("pytorch: the stream of versions before 1.6") {
  const std::string storage = test::pickled_storage("FloatStorage", "0", 6, true);
  const std::string object = test::pickled_tensor(storage, 0, {3, 2}, {1, 3}), floats = raw_floats({1, 2, 3, 4, 5, 6});
  const auto read = [](const std::string& text) {
    return io::PytorchFile(test::in_memory("old.pth", text)).root().array().as<float>();
  };
  const auto refused = [&](const std::string& text, const std::string& words) {
    return test::contains(test::message_of<IoError>([&] { read(text); }), words);
  };
  const std::string whole = test::legacy_pytorch(object, floats);
  CHECK(read(whole) == std::vector<float>{1, 4, 2, 5, 3, 6});
  std::string big = floats;
  for (std::size_t i = 0; i < big.size(); i += 4)
    std::reverse(big.begin() + std::ptrdiff_t(i), big.begin() + std::ptrdiff_t(i + 4));
  CHECK(read(test::legacy_pytorch(object, big, false)) == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(refused(whole + "x", "1 bytes follow"));
  CHECK(refused(test::legacy_pytorch("N", floats), "no tensor uses"));
  CHECK(
      refused(test::legacy_pytorch(test::pickled_storage("FloatStorage", "1", 6, true) + "\x85", floats), "a storage"));
  CHECK(refused(test::legacy_pytorch("cos\nsystem\n", floats), "os.system"));
  std::string framed = whole.substr(2, 13);  // the magic number by protocol 4
  framed = std::string("\x80\x04\x95\x0d") + std::string(7, '\0') + framed + whole.substr(15);
  CHECK(read(framed) == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(refused("\x80\x04" + whole.substr(2, 12), "zip"));
  for (std::size_t length = 15; length < whole.size(); ++length) CHECK(refused(whole.substr(0, length), "old.pth"));
}
