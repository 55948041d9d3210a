/// Text to ids by a tokenizer.json: byte-pair merging over characters (Llama 1 and 2) or over bytes (Llama 3, Qwen2).
///
/// Special tokens are cut out of the text first; then, over characters: blanks become U+2581, with one in front of every
/// part (Prepend) or of the text alone (Metaspace), and characters that are no token become bytes; over bytes: the text
/// is cut into words (split_words.hpp), whose bytes are written as printable characters. Pairs join by the order of the
/// list of merges. What the file asks for beyond that is refused, with its name.
#pragma once

#include <unordered_map>

#include "lacuna/io/json_file.hpp"
#include "lacuna/language/merge.hpp"
#include "lacuna/language/split_words.hpp"
#include "lacuna/language/text.hpp"
#include "lacuna/language/unicode_normal.hpp"

namespace lacuna::language {

class TokenizerJson {
 public:
  /// Throws IoError for a file that is missing, damaged, or asks for something else.
  explicit TokenizerJson(const std::string& path) : TokenizerJson(path, io::load_json(path)) {}

  index_t size() const { return index_t(tokens_.size()); }
  index_t id(std::string_view token) const {
    const auto found = ids_.find(std::string(token));
    return found == ids_.end() ? -1 : found->second;
  }
  /// `special`: with the ids that the file puts around every text (the start id).
  std::vector<index_t> encode(std::string_view given, bool special = true) const {
    const std::string text = detail::repaired(given);
    std::vector<index_t> ids;
    if (special) ids = before_;
    for (const detail::TextPart& part : detail::cut_out(text, added_)) {
      if (part.token >= 0)
        ids.push_back(part.token);
      else if (bytes_)
        encode_bytes(part.text, ids);
      else
        encode_characters(part.text, part.text.data() == text.data(), ids);
    }
    if (special) ids.insert(ids.end(), after_.begin(), after_.end());
    return ids;
  }
  /// Special tokens are dropped.
  std::string decode(std::span<const index_t> ids) const {
    std::string text, pending;  // bytes that may be no characters yet
    const auto flush = [&] {
      const bool whole = detail::utf8_length(pending) == pending.size();
      if (whole)
        text += pending;
      else
        for (std::size_t i = 0; i < pending.size(); ++i) text += "\xEF\xBF\xBD";
      pending.clear();
    };
    for (const index_t id : ids) {
      if (id < 0 || id >= size()) throw ShapeError(detail::cat("decode: id ", id, " is outside 0..", size() - 1));
      if (special_[std::size_t(id)]) continue;
      const std::string& token = tokens_[std::size_t(id)];
      const int byte = bytes_ ? -1 : detail::byte_of_piece(token);
      if (bytes_) {
        for (const char32_t c : detail::characters(token)) pending += char(byte_of(c));
      } else if (byte >= 0) {
        pending += char(byte);
      } else {
        flush();
        text += detail::replaced(token, blank, " ");
      }
    }
    if (bytes_) return detail::repaired(pending);
    flush();
    if (text.starts_with(' ')) text.erase(0, 1);
    return text;
  }

 private:
  static constexpr std::string_view blank = "\xE2\x96\x81";

  TokenizerJson(const std::string& path, const io::Json& json) : path_(path) {
    try {
      read(json);
    } catch (const io::Json::exception& problem) {
      throw IoError(path + ": is no tokenizer.json that is understood: " + problem.what());
    }
  }
  [[noreturn]] void refuse(const std::string& what) const { throw IoError(path_ + ": " + what); }

  /// An id as a whole number: 2.5 would become 2 without a word.
  index_t number(const io::Json& id) const {
    if (!id.is_number_integer())
      refuse("has the id " + detail::printable(id.dump().substr(0, 40)) + ", expected a whole number");
    return id.get<index_t>();
  }

  void read(const io::Json& json) {
    const io::Json& model = json.at("model");
    if (const std::string kind = model.value("type", "BPE"); kind != "BPE")
      refuse("is a model of type '" + detail::printable(kind) + "', expected BPE");
    for (const auto& [token, id] : model.at("vocab").items()) add(token, number(id), false);
    if (json.contains("added_tokens"))
      for (const auto& token : json.at("added_tokens")) {
        const auto text = token.at("content").get<std::string>();
        for (const char* option : {"single_word", "lstrip", "rstrip"})
          if (token.value(option, false))
            refuse("the added token '" + detail::printable(text) + "' asks for " + option + ", which is not supported");
        const index_t id = number(token.at("id"));
        add(text, id, token.value("special", false));
        added_.emplace_back(text, id);
      }
    double rank = 0;
    for (const auto& merge : model.at("merges")) {
      std::string left, right;
      if (merge.is_array()) {
        left = merge.at(0).get<std::string>();
        right = merge.at(1).get<std::string>();
      } else {
        const auto both = merge.get<std::string>();
        const std::size_t at = both.find(' ', 1);
        if (at == std::string::npos) refuse("the merge '" + detail::printable(both) + "' has no two parts");
        left = both.substr(0, at);
        right = both.substr(at + 1);
      }
      const index_t a = id(left), b = id(right), whole = id(left + right);
      if (a < 0 || b < 0 || whole < 0)
        refuse("the merge of '" + detail::printable(left) + "' and '" + detail::printable(right) +
               "' is not in the vocabulary");
      merges_.emplace(key(a, b), detail::Joined{true, rank++, whole});
    }
    fallback_ = model.value("byte_fallback", false);
    whole_words_ = model.value("ignore_merges", false);
    if (model.contains("unk_token") && model.at("unk_token").is_string())
      unknown_ = id(model.at("unk_token").get<std::string>());
    for (const auto& one : listed(json, "normalizer", "normalizers")) read_normalizer(one);
    for (const auto& one : listed(json, "pre_tokenizer", "pretokenizers")) read_split(one);
    for (const auto& one : listed(json, "post_processor", "processors")) read_template(one);
    if (bytes_) make_byte_letters();
  }
  /// A part that may be absent, a single thing, or a sequence of things.
  static std::vector<io::Json> listed(const io::Json& json, const char* name, const char* inner) {
    if (!json.contains(name) || json.at(name).is_null()) return {};
    const io::Json& part = json.at(name);
    if (part.at("type") == "Sequence") return part.at(inner).get<std::vector<io::Json>>();
    return {part};
  }
  void read_normalizer(const io::Json& one) {
    const auto kind = one.at("type").get<std::string>();
    if (kind == "NFC")
      compose_ = true;
    else if (kind == "Prepend" && one.at("prepend") == std::string(blank))
      prepend_ = Prepend::every_part;
    else if (kind == "Replace" && one.at("content") == std::string(blank) &&
             one.at("pattern").value("String", "") == " ")
      blanks_ = true;
    else
      refuse("the normalizer '" + detail::printable(one.dump()) + "' is not supported");
  }
  void read_split(const io::Json& one) {
    const auto kind = one.at("type").get<std::string>();
    if (kind == "Metaspace") {
      const std::string scheme = one.value("prepend_scheme", "always");
      if (one.value("replacement", "") != std::string(blank) || one.value("split", true))
        refuse("Metaspace splits, or replaces by something else than U+2581, which is not supported");
      blanks_ = true;
      prepend_ = scheme == "first" ? Prepend::text : scheme == "always" ? Prepend::every_part : Prepend::nothing;
      guarded_ = true;
    } else if (kind == "ByteLevel") {
      if (one.value("add_prefix_space", false) || one.value("use_regex", true))
        refuse("ByteLevel splits by a rule of its own (GPT-2), which is not supported");
      bytes_ = true;
    } else if (kind == "Split") {
      const std::string pattern = one.at("pattern").value("Regex", "");
      constexpr std::string_view head = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|",
                                 tail = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
      const std::string three = detail::cat(head, "\\p{N}{1,3}", tail), one_digit = detail::cat(head, "\\p{N}", tail);
      if (pattern != three && pattern != one_digit)
        refuse("splits by '" + detail::printable(pattern) + "', expected the rule of Llama 3 or Qwen2");
      digits_ = pattern == three ? 3 : 1;
    } else {
      refuse("the pre_tokenizer '" + detail::printable(kind) + "' is not supported");
    }
  }
  void read_template(const io::Json& one) {
    const auto kind = one.at("type").get<std::string>();
    if (kind == "ByteLevel") return;  // offsets only
    if (kind != "TemplateProcessing") refuse("the post_processor '" + detail::printable(kind) + "' is not supported");
    std::vector<index_t>* to = &before_;
    for (const auto& part : one.at("single")) {
      if (part.contains("Sequence")) {
        to = &after_;
        continue;
      }
      const auto name = part.at("SpecialToken").at("id").get<std::string>();
      for (const auto& id : one.at("special_tokens").at(name).at("ids")) to->push_back(number(id));
    }
  }

  void add(const std::string& token, index_t id, bool special) {
    if (id < 0 || id > 10'000'000) refuse(detail::cat("the token '", detail::printable(token), "' has the id ", id));
    if (id >= size()) {
      tokens_.resize(std::size_t(id) + 1);
      special_.resize(std::size_t(id) + 1);
    }
    tokens_[std::size_t(id)] = token;
    special_[std::size_t(id)] = special;
    ids_.emplace(token, id);
  }
  static std::uint64_t key(index_t a, index_t b) { return std::uint64_t(a) << 32 | std::uint64_t(b); }
  std::vector<index_t> merged(std::vector<index_t> symbols) const {
    return detail::merge_pairs(std::move(symbols), [this](index_t a, index_t b) {
      const auto found = merges_.find(key(a, b));
      return found == merges_.end() ? detail::Joined{} : found->second;
    });
  }

  void encode_characters(std::string_view part, bool first, std::vector<index_t>& ids) const {
    std::string text = blanks_ ? detail::replaced(part, " ", blank) : std::string(part);
    const bool wanted = prepend_ == Prepend::every_part || (prepend_ == Prepend::text && first);
    if (wanted && !(guarded_ && text.starts_with(blank))) text.insert(0, blank);
    std::vector<index_t> symbols;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t from = at;
      detail::next_character(text, at);
      const std::string one = text.substr(from, at - from);
      if (const index_t found = id(one); found >= 0) {
        symbols.push_back(found);
        continue;
      }
      std::vector<index_t> as_bytes;
      for (const char c : one) as_bytes.push_back(id(detail::piece_of_byte(std::uint8_t(c))));
      if (fallback_ && std::find(as_bytes.begin(), as_bytes.end(), -1) == as_bytes.end())
        symbols.insert(symbols.end(), as_bytes.begin(), as_bytes.end());
      else if (unknown_ >= 0 && (symbols.empty() || symbols.back() != unknown_))
        symbols.push_back(unknown_);
    }
    const auto done = merged(std::move(symbols));
    ids.insert(ids.end(), done.begin(), done.end());
  }

  /// Bytes 33..126, 161..172 and 174..255 are written as themselves, the others as U+0100, U+0101, …
  void make_byte_letters() {
    char32_t next = 0x100;
    for (int b = 0; b < 256; ++b) {
      const bool itself = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
      letters_[std::size_t(b)] = itself ? char32_t(b) : next++;
    }
    for (std::size_t b = 0; b < 256; ++b) {
      const std::string letter = detail::utf8(letters_[b]);
      byte_ids_[b] = id(letter);
      if (byte_ids_[b] < 0) refuse(detail::cat("has no token for the byte ", index_t(b)));
    }
  }
  std::uint8_t byte_of(char32_t letter) const {
    const auto at = std::find(letters_.begin(), letters_.end(), letter);
    return at == letters_.end() ? std::uint8_t('?') : std::uint8_t(at - letters_.begin());
  }
  void encode_bytes(std::string_view part, std::vector<index_t>& ids) const {
    std::u32string text = detail::characters(part);
    if (compose_) text = detail::normal_form_c(text);
    for (const std::u32string_view word : detail::split_words(text, digits_)) {
      std::vector<index_t> symbols;
      std::string letters;
      for (const char c : detail::utf8(word)) {
        symbols.push_back(byte_ids_[std::uint8_t(c)]);
        if (whole_words_) letters += detail::utf8(letters_[std::uint8_t(c)]);
      }
      if (const index_t whole = whole_words_ ? id(letters) : -1; whole >= 0) {
        ids.push_back(whole);
        continue;
      }
      const auto done = merged(std::move(symbols));
      ids.insert(ids.end(), done.begin(), done.end());
    }
  }

  enum class Prepend { nothing, text, every_part };

  std::string path_;
  std::vector<std::string> tokens_;
  std::vector<bool> special_;
  std::unordered_map<std::string, index_t> ids_;
  std::vector<std::pair<std::string, index_t>> added_;
  std::unordered_map<std::uint64_t, detail::Joined> merges_;
  std::vector<index_t> before_, after_;
  std::array<char32_t, 256> letters_{};
  std::array<index_t, 256> byte_ids_{};
  std::size_t digits_ = 3;
  index_t unknown_ = -1;
  bool fallback_ = false, whole_words_ = false, bytes_ = false, compose_ = false, blanks_ = false, guarded_ = false;
  Prepend prepend_ = Prepend::nothing;
};

}  // namespace lacuna::language
