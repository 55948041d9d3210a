#include <doctest/doctest.h>

#include "io/temporary.hpp"
#include "lacuna/io/safetensors_writer.hpp"

using namespace lacuna;
using namespace std::string_literals;

namespace {

std::shared_ptr<const io::MappedFile> safetensors_bytes(const std::string& header, const std::string& data) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes.push_back(std::uint8_t(std::uint64_t(header.size()) >> (8 * i)));
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return std::make_shared<io::MappedFile>("x.safetensors", bytes);
}
bool safetensors_refuses(const std::string& header, const std::string& data, const std::string& words) {
  const std::string message = test::message_of<IoError>([&] { io::Safetensors(safetensors_bytes(header, data)); });
  INFO(message);
  return test::contains(message, words);
}
std::string one_tensor(const std::string& shape, const std::string& offsets, const std::string& type = "F32") {
  return "{\"a\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}";
}

}  // namespace

TEST_CASE("safetensors: what is written is read, bit for bit, and the same tensors give the same bytes") {
  const test::TemporaryFolder folder;
  Tensor<float, 2> weight({2, 3});
  Tensor<double, 1> wide({2});
  Tensor<std::int64_t, 0> count(std::array<index_t, 0>{});
  Tensor<float, 2> empty({0, 4});
  for (int i = 0; i < 6; ++i) weight.data()[i] = 1.5f * float(i) - 4;
  wide.data()[0] = 0.1, wide.data()[1] = std::numeric_limits<double>::infinity();
  count.data()[0] = -7;
  const auto write = [&](const std::string& path) {
    io::SafetensorsWriter writer;
    writer.add("w", weight);
    writer.add_half("half", weight);
    writer.add_bfloat16("brain \"\\\n\xc3\xbc", weight);
    writer.add("wide", wide);
    writer.add("count", count);
    writer.add("empty", empty);
    writer.add_bytes("mask", "BOOL", {3}, {1, 0, 1});
    writer.add_metadata("format", "pt");
    writer.save(path);
  };
  write(folder / "a");
  write(folder / "b");
  CHECK(test::read_bytes(folder / "a") == test::read_bytes(folder / "b"));
  const io::Safetensors file(folder / "a");
  CHECK(file.names() ==
        std::vector<std::string>{"count", "wide", "empty", "w", "brain \"\\\n\xc3\xbc", "half", "mask"});
  CHECK(file.metadata().at("format") == "pt");
  CHECK(file.tensor<float, 2>("w").shape() == Shape{2, 3});
  CHECK(file.array("w").as<float>() == std::vector<float>(weight.data(), weight.data() + 6));
  CHECK(file.array("half").as<float>() == file.array("w").as<float>());
  CHECK(file.array(file.names()[4]).as<float>() == file.array("w").as<float>());
  CHECK(file.array("wide").as<double>() == std::vector<double>{0.1, std::numeric_limits<double>::infinity()});
  CHECK(file.array("count").scalar<int>() == -7);
  CHECK(file.shape("empty") == Shape{0, 4});
  CHECK(file.array("mask").as<int>() == std::vector<int>{1, 0, 1});
  CHECK(file.dtype("half") == "F16");
  CHECK(file.bytes("w").size() == 24);
  CHECK(reinterpret_cast<std::uintptr_t>(file.bytes("count").data()) % 8 == 0);
  CHECK(test::contains(test::message_of<IoError>([&] { file.array("v"); }),
                       "tensor 'v' is missing; the file has count,"));
}

TEST_CASE("safetensors: a file written is the file the reference writes") {
  // safetensors 0.8: save_file({"w": f4 [[1, -2]], "n": i8 7, "h": f2 [0.5], 'é"': f4 (0, 2), "u": u8 [9], "m": [True,
  // False]},
  //                            metadata={"format": "pt"})
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"u":{"dtype":"U64","shape":[1],"data_offsets":[0,8]},)"
      R"("n":{"dtype":"I64","shape":[],"data_offsets":[8,16]},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[16,24]},)"
      "\"\xc3\xa9\\\"\":"
      R"({"dtype":"F32","shape":[0,2],"data_offsets":[24,24]},"h":{"dtype":"F16","shape":[1],"data_offsets":[24,26]},)"
      R"("m":{"dtype":"BOOL","shape":[2],"data_offsets":[26,28]}}  )";
  const std::string data = "\x09\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\0\0\x80?\0\0\0\xc0\0\x38\1\0"s;
  const auto reference = safetensors_bytes(header, data);
  CHECK(reference->bytes()[0] == 0x70);
  const io::Safetensors file(reference);
  CHECK(file.array("w").as<float>() == std::vector<float>{1, -2});
  const test::TemporaryFolder folder;
  io::SafetensorsWriter writer;
  for (const std::string& name : file.names()) {
    const auto bytes = file.bytes(name);
    writer.add_bytes(name, std::string(file.dtype(name)), file.shape(name), {bytes.begin(), bytes.end()});
  }
  writer.add_metadata("format", "pt");
  writer.save(folder / "x");
  const auto written = test::read_bytes(folder / "x");
  CHECK(std::equal(written.begin(), written.end(), reference->bytes().begin(), reference->bytes().end()));
}

TEST_CASE("safetensors: a writer refuses what readers could not take") {
  io::SafetensorsWriter writer;
  const auto refused = [](auto&& action, const std::string& words) {
    return test::contains(test::message_of<IoError>(action), words);
  };
  writer.add_bytes("a", "U8", {2}, {1, 2});
  CHECK(refused([&] { writer.add_bytes("a", "U8", {2}, {1, 2}); }, "twice"));
  CHECK(refused([&] { writer.add_bytes("b", "U8", {3}, {1, 2}); }, "2 bytes"));
  CHECK(refused([&] { writer.add_bytes("b", "Q8", {2}, {1, 2}); }, "Q8"));
  CHECK(refused([&] { writer.add_bytes("__metadata__", "U8", {2}, {1, 2}); }, "texts"));
  writer.add_bytes("\xff", "U8", {0}, {});
  const test::TemporaryFolder folder;
  CHECK(refused([&] { writer.save(folder / "x"); }, "UTF-8"));
  CHECK(folder.count() == 0);
}

TEST_CASE("safetensors: headers that lie are refused") {
  const std::string data(8, '\0');
  CHECK(io::Safetensors(safetensors_bytes(one_tensor("[2]", "[0,8]"), data)).array("a").size() == 2);
  CHECK(io::Safetensors(safetensors_bytes(one_tensor("[2,1]", "[0, 8]") + "   ", data)).shape("a") == Shape{2, 1});
  CHECK(io::Safetensors(safetensors_bytes("{}", "")).names().empty());
  const std::string page =
      one_tensor("[2]", "[0,8]");  // 60 bytes of header: the file starts with '<', as a web page does
  CHECK(io::Safetensors(safetensors_bytes(page + std::string(60 + 256 - page.size(), ' '), data)).names().size() == 1);
  CHECK(safetensors_refuses(one_tensor("[3]", "[0,8]"), data, "8 bytes"));
  CHECK(safetensors_refuses(one_tensor("[3]", "[0,12]"), data, "truncated"));
  CHECK(safetensors_refuses(one_tensor("[1]", "[0,4]"), data, "4 bytes follow"));
  CHECK(safetensors_refuses(one_tensor("[1]", "[4,8]"), data, "gap"));
  CHECK(safetensors_refuses(one_tensor("[1]", "[4,0]"), data, "gap"));
  CHECK(safetensors_refuses(one_tensor("[0]", "[0,18446744073709551616]"), data, "2^63-1"));
  CHECK(safetensors_refuses(one_tensor("[8589934592,8589934592]", "[0,8]"), data, "overflows"));
  CHECK(safetensors_refuses(one_tensor("[-1]", "[0,8]"), data, "axis length"));
  CHECK(safetensors_refuses(one_tensor("[2.0]", "[0,8]"), data, "axis length"));
  CHECK(safetensors_refuses(one_tensor("[02]", "[0,8]"), data, "axis length"));
  CHECK(safetensors_refuses(one_tensor("[2]", "[0,8]", "F99"), data, "F99"));
  CHECK(safetensors_refuses(one_tensor("[2]", "[\"0\",8]"), data, "offset"));
  CHECK(safetensors_refuses(one_tensor("[2]", "[0,8]") + "{}", data, "after its end"));
  CHECK(safetensors_refuses(" " + one_tensor("[2]", "[0,8]"), data, "start with '{'"));
  CHECK(safetensors_refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[8]}}", data, "no dtype, shape or data_offsets"));
  CHECK(safetensors_refuses("{\"__metadata__\":{\"a\":1}}", "", "expected '\"'"));
  CHECK(safetensors_refuses("{\"\\ud800\":{}}", "", "surrogate"));
  CHECK(safetensors_refuses("{\"\xff\":{}}", "", "UTF-8"));
  CHECK(safetensors_refuses("{\"a\":{", "", "expected"));
  const std::string half = "{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}";
  CHECK(safetensors_refuses("{\"a\":" + half + ",\"a\":" + half + "}", data, "'a' twice"));
  CHECK(safetensors_refuses("{\"a\":" + half + ",\"b\":" + half + "}", data, "overlap"));
  CHECK(safetensors_refuses(std::string(50000, '['), data, "start with '{'"));
  CHECK(safetensors_refuses("{\"a\":" + std::string(50000, '['), data, "expected '{'"));
  const auto claims = std::make_shared<io::MappedFile>("x", std::vector<std::uint8_t>(16, 0x7f));
  CHECK(test::contains(test::message_of<IoError>([&] { io::Safetensors{claims}; }), "claims a header"));
}

TEST_CASE("safetensors: every prefix is refused") {
  const test::TemporaryFolder folder;
  io::SafetensorsWriter writer;
  writer.add_bytes("a", "F32", {2}, std::vector<std::uint8_t>(8));
  writer.add_bytes("b", "U8", {3}, std::vector<std::uint8_t>(3));
  writer.save(folder / "x");
  const auto whole = test::read_bytes(folder / "x");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto prefix = std::make_shared<io::MappedFile>(
        "x", std::vector<std::uint8_t>(whole.begin(), whole.begin() + std::ptrdiff_t(length)));
    CHECK(test::message_of<IoError>([&] { io::Safetensors{prefix}; }) != "no error");
  }
}

TEST_CASE("half, bfloat16: rounding back is to nearest, ties to even") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = std::uint16_t(bits);
    const float value = io::half_to_float(half), brain = io::bfloat16_to_float(half);
    if (value == value) CHECK(io::float_to_half(value) == half);
    if (value != value) CHECK(io::half_to_float(io::float_to_half(value)) != value);
    if (brain == brain) CHECK(io::float_to_bfloat16(brain) == half);
    // Between neighbours: the nearer one, and the even one from the middle.
    if ((bits & 0x7FFF) < 0x7BFF) {
      const double next = io::half_to_float(std::uint16_t(bits + 1)), middle = 0.5 * (double(value) + next);
      CHECK(io::float_to_half(float(middle)) == (bits % 2 == 0 ? bits : bits + 1));
      CHECK(io::float_to_half(std::nextafter(float(middle), float(next))) == bits + 1);
      CHECK(io::float_to_half(std::nextafter(float(middle), value)) == bits);
    }
  }
  CHECK(io::float_to_half(65519.996f) == 0x7BFF);
  CHECK(io::float_to_half(65520.0f) == 0x7C00);
  CHECK(io::float_to_half(-1e30f) == 0xFC00);
  CHECK(io::float_to_bfloat16(1.00390625f) == 0x3F80);
  CHECK(io::float_to_bfloat16(1.01171875f) == 0x3F82);
  CHECK(std::isnan(io::bfloat16_to_float(io::float_to_bfloat16(std::bit_cast<float>(0x7F800001u)))));
}
