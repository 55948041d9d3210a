// tokenizer.json, and a text through it.
#include "fuzz/target.hpp"
#include "lacuna/language/tokenizer_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  return test::fuzz_path(data, size, [](const std::string& path) {
    const language::TokenizerJson tokenizer(path);
    const auto ids = tokenizer.encode("Hello, w\xc3\xb6rld 42\n\xff <s>");
    (void)tokenizer.decode(ids);
  });
}
