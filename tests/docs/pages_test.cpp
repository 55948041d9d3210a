/// The code of the documentation, and of the comments of headers: pages.hpp is made of it by extract.awk, one test per block.
#include <doctest/doctest.h>

#include <cstdio>

#include "io/pickles.hpp"
#include "io/temporary.hpp"
#include "lacuna/io/safetensors.hpp"

// what a page shows need not be used
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
/// What the examples of headers have around them: a batch of four samples.
#define HEADER_NAMES                                                                                        \
  Random random(1);                                                                                         \
  const auto some = [&](auto extents) { return init::normal<float, int(extents.size())>(extents, 1.0, random); }; \
  using Frames = std::array<index_t, 3>;                                                                    \
  using Rows = std::array<index_t, 2>;                                                                      \
  const Variable<float, 3> frames(some(Frames{4, 5, 8}), true), memory(some(Frames{4, 6, 8}), true);        \
  const auto present = mask_from_lengths(std::vector<index_t>{5, 3, 1, 2}, 5);                              \
  const auto memory_present = mask_from_lengths(std::vector<index_t>{6, 0, 1, 2}, 6);                       \
  const Variable<float, 2> prediction(some(Rows{4, 3}), true), target(some(Rows{4, 3}));                    \
  const Variable<float, 2> first(some(Rows{4, 8}), true), second(some(Rows{4, 8}), true);                   \
  const std::vector<index_t> labels = {0, 2, 1, 1};                                                         \
  const auto kept = Mask<1>::from({4}, {1, 1, 0, 1});                                                       \
  Linear<float> model({.in_features = 8, .out_features = 3}, random);
#include "pages.hpp"

TEST_CASE("pages: there are blocks") { CHECK(pages::blocks >= 60); }

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
