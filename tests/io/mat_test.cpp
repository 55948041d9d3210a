// MATLAB's files and tables of other programs, against what is known of them. The files are no part of the repository.
#include "lacuna/io/mat.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "io/allocation_meter.hpp"
#include "io/numpy_files.hpp"
#include "io/temporary.hpp"
#include "lacuna/io/npz.hpp"
#include "support/paths.hpp"

namespace mat_files {

using namespace lacuna;

nlohmann::json read_json(const std::string& path) { return nlohmann::json::parse(std::ifstream(path)); }

/// "" or the first difference.
std::string difference(const io::MatValue& value, const nlohmann::json& node, const io::Npz& numbers) {
  if (node.at("t") == "list") {
    if (value.cells.size() != node.at("v").size()) return value.name + " has other cells";
    for (std::size_t i = 0; i < value.cells.size(); ++i)
      if (const auto found = difference(value.cells[i], node.at("v")[i], numbers); !found.empty()) return found;
    return "";
  }
  if (!value.array) return value.name + " holds nothing";
  if (value.array->dtype() != node.at("dtype")) return value.name + " has dtype " + value.array->dtype();
  if (node.contains("strings")) {
    std::vector<std::string> wanted;
    for (const auto& one : node.at("strings")) wanted.push_back(one.at("v"));
    return value.array->strings() == wanted ? "" : value.name + " has other text";
  }
  const auto shape = node.at("shape").get<std::vector<index_t>>();
  if (!(value.array->shape() == Shape(shape.data(), int(shape.size())))) return value.name + " has another shape";
  if (value.array->kind() == io::NpyKind::complex) return "";  // which .npz readers of ours refuse
  return value.array->bytes() == numbers.get(node.at("npz").get<std::string>()).bytes() ? "" : value.name + " differs";
}

TEST_CASE("mat: level 5, as SciPy and MATLAB write it" * doctest::skip(!test::have_formats())) {
  const std::string folder = test::formats_dir() + "/mat/";
  for (const char* file :
       {"multiview_v5.mat", "multiview_v5_compressed.mat", "multiview_transposed.mat", "kinds_v5.mat"}) {
    CAPTURE(file);
    const nlohmann::json tree = read_json(folder + file + ".expected.json").at("tree");
    const io::Npz numbers(folder + file + ".expected.npz");
    const io::Mat mat(folder + file);
    for (const auto& pair : tree.at("v")) CHECK(difference(mat.at(pair[0].at("v")), pair[1], numbers) == "");
  }
  const io::Mat kinds(folder + "kinds_v5.mat");
  CHECK(test::contains(test::message_of<IoError>([&] { kinds.at("s"); }), "is a structure"));
  CHECK(test::contains(test::message_of<IoError>([&] { io::Mat(folder + "v4.mat"); }), "MATLAB level 4"));
  CHECK(test::contains(test::message_of<IoError>([&] { io::Mat(folder + "multiview_v73.mat"); }), "7.3"));
}

TEST_CASE("mat: what is not read is refused where it is asked for, and the rest is read") {
  using namespace std::string_literals;
  const auto number = [](std::uint32_t x) { return std::string(reinterpret_cast<const char*>(&x), 4); };
  const auto element = [&](std::uint32_t type, const std::string& bytes) {
    return number(type) + number(std::uint32_t(bytes.size())) + bytes + std::string((8 - bytes.size() % 8) % 8, '\0');
  };
  const auto variable = [&](std::uint32_t kind, char name, const std::string& data) {
    return element(14, element(6, number(kind) + number(1)) + element(5, number(1) + number(1)) +
                           element(1, std::string(1, name)) + data);
  };
  std::string file = "MATLAB 5.0" + std::string(114, ' ') + "\0\1IM"s;
  file += variable(0x805, 's', element(5, number(0)) + element(5, number(0) + number(1)));  // sparse and complex
  file += variable(0x80C, 'i', element(5, number(1)) + element(5, number(2)));              // int32 and complex
  file += variable(6, 'x', element(9, "\0\0\0\0\0\0\x04\x40"s));
  const io::Mat mat(std::make_shared<io::MappedFile>("m", std::vector<std::uint8_t>(file.begin(), file.end())));
  CHECK(mat.at("x").array->tensor<double, 2>()(0, 0) == 2.5);
  CHECK_THROWS_WITH_AS(mat.at("s"), doctest::Contains("variable 's' is a sparse matrix of complex numbers, expected"),
                       IoError);
  CHECK_THROWS_WITH_AS(mat.at("i"),
                       doctest::Contains("complex integers, expected numbers, text or cells; save its real"), IoError);
}

TEST_CASE("mat: text of many rows without a character costs no memory") {
  std::vector<std::uint8_t> file = test::read_bytes(LACUNA_SOURCE_DIR "/tests/fuzz/corpus/mat/rows_of_nothing");
  const auto read = [&](std::uint8_t low, std::uint8_t high) {
    file[160] = low, file[161] = 0, file[162] = 0, file[163] = high;
    return io::Mat(std::make_shared<io::MappedFile>("rows.mat", file)).at("a").array->strings();
  };
  const test::AllocationMeter meter(std::size_t(1) << 20);
  CHECK(test::contains(test::message_of<IoError>([&] { read(58, 8); }),
                       "has 134217786 rows of text without a character"));
  CHECK(read(3, 0) == std::vector<std::string>(3));
}

TEST_CASE("mat: hostile files and every prefix are refused" * doctest::skip(!test::have_formats())) {
  const std::string folder = test::formats_dir() + "/hostile/";
  int refused = 0;
  const nlohmann::json index = read_json(folder + "INDEX.json");
  for (const auto& entry : index.at("files")) {
    if (entry.at("format") != "mat") continue;
    const std::string file = entry.at("file");
    CAPTURE(file);
    const std::size_t size = test::read_bytes(folder + file).size();
    const test::AllocationMeter meter((std::size_t(48) << 20) + size);
    const std::string message = test::message_of<Error>([&] { io::Mat mat(folder + file); });
    CHECK(message != "no error");
    CHECK(message.find('\n') == std::string::npos);
    ++refused;
  }
  CHECK(refused == 6);
  const std::vector<std::uint8_t> whole = test::read_bytes(test::formats_dir() + "/mat/multiview_v5_compressed.mat");
  const std::size_t variables = io::Mat(std::make_shared<io::MappedFile>("whole", whole)).names().size();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::vector<std::uint8_t> prefix(whole.begin(), whole.begin() + std::ptrdiff_t(length));
    const std::string message = test::message_of<Error>([&] {
      // A file that ends between two variables is a file of fewer variables.
      if (io::Mat(std::make_shared<io::MappedFile>("cut", prefix)).names().size() < variables) throw IoError("fewer");
    });
    CHECK(message != "no error");
  }
  for (std::size_t bit = 128 * 8; bit < whole.size() * 8; bit += 7) {  // read or refused, and nothing else
    std::vector<std::uint8_t> damaged = whole;
    damaged[bit / 8] ^= std::uint8_t(1u << (bit % 8));
    test::message_of<Error>([&] { io::Mat mat(std::make_shared<io::MappedFile>("damaged", damaged)); });
  }
}

}  // namespace mat_files
