/// Tokenizers against sentencepiece and tokenizers: ids and texts of every case.
#include "lacuna/language/tokenizer.hpp"

#include <fstream>

#include "io/temporary.hpp"
#include "speech/speech_oracle.hpp"

namespace tokenizer_test {

using namespace speech_test;
using lacuna::language::SentencePiece;
using lacuna::language::TokenizerJson;

lacuna::io::Json cases(const char* file) { return lacuna::io::load_json(folder() + file).at("cases"); }

TEST_CASE("tokenizers: ids and texts of every case" * doctest::skip(!have())) {
  const SentencePiece pieces(model("vicuna_like") + "/tokenizer.model");
  const std::map<std::string, TokenizerJson> files{
      {"hf", TokenizerJson(model("vicuna_like") + "/tokenizer.json")},
      {"metaspace", TokenizerJson(model("vicuna_like") + "/tokenizer_metaspace.json")},
      {"llama3", TokenizerJson(model("llama3_like") + "/tokenizer.json")},
      {"qwen2", TokenizerJson(model("qwen2_f16") + "/tokenizer.json")}};
  for (const auto& one : cases("tokenizer_cases.json")) {
    const auto text = one.at("text").get<std::string>();
    CAPTURE(text);
    const auto ids = pieces.encode(text);
    CHECK(ids == one.at("spm").get<std::vector<index_t>>());
    CHECK(pieces.decode(ids) == one.at("spm_text").get<std::string>());
    std::vector<std::string> names;
    for (const index_t id : ids) names.push_back(pieces.piece(id));
    CHECK(names == one.at("spm_pieces").get<std::vector<std::string>>());
    for (const auto& [kind, tokenizer] : files) {
      CAPTURE(kind);
      const auto found = tokenizer.encode(text);
      CHECK(found == one.at(kind).get<std::vector<index_t>>());
      CHECK(tokenizer.decode(found) == one.at(kind + "_text").get<std::string>());
    }
  }
}

TEST_CASE("tokenizers: a folder's own, with its start id" * doctest::skip(!have())) {
  const lacuna::language::Tokenizer vicuna(model("vicuna_like")), qwen(model("qwen2_f16"));
  CHECK(vicuna.encode("hello world")[0] == 1);
  CHECK(vicuna.decode(vicuna.encode("hello  world ")) == "hello  world ");
  CHECK(qwen.decode(qwen.encode("hello  world ")) == "hello  world ");
  CHECK(vicuna.encode("", false).empty());
}

/// The 32000 pieces of the package mistral_common, in $LACUNA_MISTRAL_MODEL.
TEST_CASE("tokenizers: a real model's pieces" *
          doctest::skip(!have() || std::getenv("LACUNA_MISTRAL_MODEL") == nullptr)) {
  const SentencePiece pieces(std::getenv("LACUNA_MISTRAL_MODEL"));
  CHECK(pieces.size() == 32000);
  for (const auto& one : cases("tokenizer_real_cases.json")) {
    const auto text = one.at("text").get<std::string>();
    CAPTURE(text);
    CHECK(pieces.encode(text) == one.at("ids").get<std::vector<index_t>>());
  }
}

TEST_CASE("tokenizers: an id that is no whole number is refused") {
  const lacuna::test::TemporaryFolder temporary;
  const std::string path = temporary / "tokenizer.json";
  for (const std::string id : {"1.5", "6.5e+44", "true", "\"1\""}) {
    std::ofstream(path) << R"({"model":{"type":"BPE","vocab":{"a":0,"b":)" << id << R"(},"merges":[]}})";
    CHECK(lacuna::test::message_of<lacuna::IoError>([&] { const TokenizerJson tokenizer(path); }) ==
          path + ": has the id " + id + ", expected a whole number");
  }
}

TEST_CASE("normal form C: accents, Hangul, order of marks") {
  using lacuna::detail::normal_form_c;
  CHECK(normal_form_c(U"e\u0301") == U"\u00e9");
  CHECK(normal_form_c(U"a\u0323\u0302") == U"\u1ead");
  CHECK(normal_form_c(U"a\u0302\u0323") == U"\u1ead");
  CHECK(normal_form_c(U"\u1112\u1161\u11ab") == U"\ud55c");
  CHECK(normal_form_c(U"\u212b\u2126") == U"\u00c5\u03a9");
  CHECK(normal_form_c(U"\u0915\u093c") == U"\u0915\u093c");  // never composed
}

}  // namespace tokenizer_test
