/// The code of the documentation: pages.hpp is made of it by extract.awk, one test per block.
#include <doctest/doctest.h>

#include <cstdio>

#include "io/pickles.hpp"
#include "io/temporary.hpp"
#include "lacuna/io/safetensors.hpp"

// what a page shows need not be used
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#include "pages.hpp"

TEST_CASE("pages: there are blocks") { CHECK(pages::blocks >= 15); }

TEST_CASE("docs/formats.md: its functions run") {
  using namespace page_docs_formats_md;
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
