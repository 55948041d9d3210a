/// Text to ids and back by the tokenizer that stands beside a model's weights, whichever kind it is.
///
///     const language::Tokenizer tokenizer("vicuna-7b-v1.5");
///     const auto ids = tokenizer.encode("the food was good");    // with the start id, where the model has one
///     tokenizer.decode(ids);                                     // without it
///
/// tokenizer.model (SentencePiece) is taken first: SLAM-LLM and the authors of SDUMC trained with it. tokenizer.json of
/// the same vocabulary may give other ids behind special tokens.
#pragma once

#include <memory>

#include "lacuna/language/sentencepiece.hpp"
#include "lacuna/language/tokenizer_json.hpp"

namespace lacuna::language {

class Tokenizer {
 public:
  /// A folder, or one of the two files. Throws IoError.
  explicit Tokenizer(const std::string& path) {
    struct stat facts {};
    const auto exists = [&](const std::string& file) { return ::stat(file.c_str(), &facts) == 0; };
    const bool folder = exists(path) && S_ISDIR(facts.st_mode);
    const std::string pieces = folder ? path + "/tokenizer.model" : path,
                      json = folder ? path + "/tokenizer.json" : path;
    if (folder ? exists(pieces) : !path.ends_with(".json")) {
      pieces_ = std::make_shared<const SentencePiece>(pieces);
      start_ = pieces_->id("<s>");
      if (const std::string settings = path + "/tokenizer_config.json"; folder && exists(settings))
        if (!io::Settings(settings).flag("add_bos_token", true)) start_ = -1;
    } else if (exists(json)) {
      json_ = std::make_shared<const TokenizerJson>(json);
    } else {
      throw IoError(path + ": has no tokenizer: expected tokenizer.model or tokenizer.json beside the weights");
    }
  }

  /// `special`: with the start id, where the model has one.
  std::vector<index_t> encode(std::string_view text, bool special = true) const {
    if (json_) return json_->encode(text, special);
    std::vector<index_t> ids = pieces_->encode(text);
    if (special && start_ >= 0) ids.insert(ids.begin(), start_);
    return ids;
  }
  /// Start and end ids leave nothing.
  std::string decode(std::span<const index_t> ids) const { return json_ ? json_->decode(ids) : pieces_->decode(ids); }
  index_t size() const { return json_ ? json_->size() : pieces_->size(); }

 private:
  std::shared_ptr<const SentencePiece> pieces_;
  std::shared_ptr<const TokenizerJson> json_;
  index_t start_ = -1;
};

}  // namespace lacuna::language
