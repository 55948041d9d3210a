// The code of docs/formats.md, compiled and run; and the page shows nothing else.
#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>
#include <set>

#include "io/pickles.hpp"
#include "io/temporary.hpp"
#include "lacuna/io/pickle.hpp"
#include "lacuna/io/pytorch.hpp"
#include "lacuna/io/safetensors_writer.hpp"
#include "lacuna/io/value_print.hpp"

namespace {

void show(const std::string& path) {
  namespace io = lacuna::io;
  const io::Value data = io::load_pickle(path);
  std::fputs(io::to_text(data).c_str(), stdout);  // what is in it
  const lacuna::Tensor<float, 3> text = data.find("train/text").tensor<float, 3>();
  const io::Value ids = data.find("train/id");
  for (std::size_t i = 0; i < ids.size(); ++i) std::printf("%s\n", ids[i].text().c_str());
}

void convert(const std::string& from, const std::string& to) {
  namespace io = lacuna::io;
  const io::PytorchFile file(from);  // looks through {"state_dict": ...} and "module." in front of all names
  io::SafetensorsWriter writer;
  for (const std::string& name : file.names()) {
    const io::NpyArray array = file.tensor(name).array();
    if (array.floating() && array.rank() == 2) writer.add(name, array.tensor<float, 2>());
  }
  writer.save(to);
}

}  // namespace

TEST_CASE("formats: the examples of the page run") {
  const lacuna::test::TemporaryFolder folder;
  const std::string numbers(24, '\0');
  const auto write = [&](const std::string& name, const std::string& text) {
    lacuna::test::write_bytes(folder / name, {text.begin(), text.end()});
    return folder / name;
  };
  show(write("x.pkl", "}(Vtrain\n}(Vtext\n" + lacuna::test::pickled_array("f4", "<", {1, 2, 3}, numbers) +
                          "Vid\n](Va$_$0\nVa$_$1\neuu."));
  const std::string storage = lacuna::test::pickled_storage("FloatStorage", "0", 6, true);
  const std::string tensor = lacuna::test::pickled_tensor(storage, 0, {2, 3}, {3, 1});
  convert(write("x.pth", lacuna::test::legacy_pytorch("}Vmodule.w\n" + tensor + "s", numbers)), folder / "y");
  CHECK(lacuna::io::Safetensors(folder / "y").names() == std::vector<std::string>{"w"});
}

TEST_CASE("formats: the page shows the code of this file") {
  std::set<std::string> lines;
  std::string line;
  for (std::ifstream source(LACUNA_SOURCE_DIR "/tests/io/formats_page_test.cpp"); std::getline(source, line);)
    lines.insert(line);
  bool code = false;
  int shown = 0;
  for (std::ifstream page(LACUNA_SOURCE_DIR "/docs/formats.md"); std::getline(page, line);) {
    if (line.starts_with("```")) {
      code = line == "```cpp";
    } else if (code) {
      CAPTURE(line);
      CHECK(lines.contains(line));
      ++shown;
    }
  }
  CHECK(shown > 20);
}
