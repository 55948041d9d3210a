/// Text to ids by a SentencePiece model (tokenizer.model) of the byte-pair kind: Llama 1 and 2, Vicuna, Mistral.
/// (Kudo & Richardson 2018)
///
/// The file is a protobuf message; the few fields that matter are read here, so that no library is needed. encode: a
/// blank in front, blanks become U+2581, then characters join where their concatenation is a piece, the highest score
/// first; what is no piece becomes bytes. Control pieces are never found in a text: "<s>" is three characters.
/// Unigram models and character maps (nmt_nfkc) are refused.
#pragma once

#include <cstring>
#include <map>
#include <unordered_map>

#include "lacuna/io/file_kind.hpp"
#include "lacuna/language/merge.hpp"
#include "lacuna/language/text.hpp"

namespace lacuna::detail {

/// Walks over the fields of a protobuf message. Throws IoError, with the file, when it ends too early.
class Protobuf {
 public:
  Protobuf(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  /// The next field; false at the end.
  bool next() {
    if (bytes_.empty()) return false;
    const std::uint64_t key = varint();
    field_ = key >> 3;
    text_ = {};
    number_ = 0;
    switch (key & 7) {
      case 0:
        number_ = varint();
        return true;
      case 1:
        text_ = take(8);
        return true;
      case 2:
        text_ = take(varint());
        return true;
      case 5:
        text_ = take(4);
        return true;
      default:
        throw IoError(where_ + ": is no SentencePiece model, or damaged: an unknown kind of field");
    }
  }
  std::uint64_t field() const { return field_; }
  std::uint64_t number() const { return number_; }
  std::string_view text() const { return text_; }
  float real() const {
    float value = 0;
    if (text_.size() == 4) std::memcpy(&value, text_.data(), 4);
    return value;
  }

 private:
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size()) throw IoError(where_ + ": is no SentencePiece model, or truncated");
    const std::string_view part = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return part;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = std::uint8_t(take(1)[0]);
      value |= std::uint64_t(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw IoError(where_ + ": is no SentencePiece model, or damaged: a number without end");
  }

  std::string_view bytes_, text_;
  std::string where_;
  std::uint64_t field_ = 0, number_ = 0;
};

}  // namespace lacuna::detail

namespace lacuna::language {

class SentencePiece {
 public:
  /// Throws IoError for a file that is missing, damaged, or of another kind.
  explicit SentencePiece(const std::string& path) {
    const io::MappedFile file(path);
    detail::refuse_strangers(file, "a SentencePiece model");
    const auto bytes = file.bytes();
    detail::Protobuf model({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
    while (model.next()) {
      if (model.field() == 1) read_piece(model.text(), path);
      if (model.field() == 2) read_trainer(model.text(), path);
      if (model.field() == 3) read_normalizer(model.text(), path);
    }
    if (pieces_.empty()) throw IoError(path + ": has no pieces; is it a SentencePiece model?");
    if (unknown_ < 0) throw IoError(path + ": has no piece for what is unknown");
  }

  index_t size() const { return index_t(pieces_.size()); }
  const std::string& piece(index_t id) const { return pieces_[std::size_t(id)].text; }
  /// −1 for a text that is no piece.
  index_t id(std::string_view piece) const {
    const auto found = ids_.find(piece);
    return found == ids_.end() ? -1 : found->second;
  }

  /// Without a start id; "" gives none.
  std::vector<index_t> encode(std::string_view text) const {
    std::string normal = normalized(text);
    std::vector<index_t> ids;
    for (const detail::TextPart& part : detail::cut_out(normal, own_))
      if (part.token >= 0)
        ids.push_back(part.token);
      else
        encode_part(part.text, ids);
    return ids;
  }
  /// Control pieces are dropped, and the blank that encode put in front.
  std::string decode(std::span<const index_t> ids) const {
    std::string text, bytes;
    const auto flush = [&] { text += detail::repaired(std::exchange(bytes, {})); };
    bool first = prefix_;
    for (const index_t id : ids) {
      if (id < 0 || id >= size()) throw ShapeError(detail::cat("decode: id ", id, " is outside 0..", size() - 1));
      const Piece& one = pieces_[std::size_t(id)];
      if (one.kind == byte) {
        bytes += char(detail::byte_of_piece(one.text));
        first = false;
        continue;
      }
      flush();
      if (one.kind == control) continue;
      std::string shown = one.kind == unknown ? " \xE2\x81\x87 " : detail::replaced(one.text, blank, " ");
      if (first && shown.starts_with(' ')) shown.erase(0, 1);
      first = false;
      text += shown;
    }
    flush();
    return text;
  }

 private:
  static constexpr std::string_view blank = "\xE2\x96\x81";
  enum Kind { plain = 1, unknown = 2, control = 3, own = 4, unused = 5, byte = 6 };
  struct Piece {
    std::string text;
    float score = 0;
    int kind = plain;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  void read_piece(std::string_view bytes, const std::string& path) {
    Piece made;
    for (detail::Protobuf field(bytes, path); field.next();) {
      if (field.field() == 1) made.text = field.text();
      if (field.field() == 2) made.score = field.real();
      if (field.field() == 3) made.kind = int(field.number());
    }
    const index_t id = size();
    if (made.kind == unknown) unknown_ = id;
    if (made.kind == own) own_.emplace_back(made.text, id);
    if (const int value = detail::byte_of_piece(made.text); made.kind == byte && value >= 0)
      bytes_[std::size_t(value)] = id;
    ids_.emplace(made.text, id);
    pieces_.push_back(std::move(made));
  }
  void read_trainer(std::string_view bytes, const std::string& path) {
    std::uint64_t kind = 1;
    for (detail::Protobuf field(bytes, path); field.next();) {
      if (field.field() == 3) kind = field.number();
      if (field.field() == 35) fallback_ = field.number() != 0;
    }
    if (kind != 2) throw IoError(detail::cat(path, ": is a model of kind ", kind, ", expected byte-pair merging (2)"));
  }
  void read_normalizer(std::string_view bytes, const std::string& path) {
    std::string name;
    bool map = false;
    for (detail::Protobuf field(bytes, path); field.next();) {
      if (field.field() == 1) name = field.text();
      if (field.field() == 2) map = !field.text().empty();
      if (field.field() == 3) prefix_ = field.number() != 0;
      if (field.field() == 4) squeeze_ = field.number() != 0;
    }
    if (map) throw IoError(path + ": normalises by the map '" + detail::printable(name) + "', expected identity");
  }
  std::string normalized(std::string_view text) const {
    std::string whole = detail::repaired(text);
    if (squeeze_) {
      while (whole.starts_with(' ')) whole.erase(0, 1);
      while (whole.ends_with(' ')) whole.pop_back();
      for (std::size_t at; (at = whole.find("  ")) != std::string::npos;) whole.erase(at, 1);
    }
    if (whole.empty()) return whole;
    return detail::replaced(prefix_ ? " " + whole : whole, " ", blank);
  }
  void encode_part(std::string_view text, std::vector<index_t>& ids) const {
    // symbols that are no piece have numbers behind those of the pieces
    std::vector<std::string> others;
    const auto text_of = [&](index_t symbol) -> const std::string& {
      return symbol < size() ? piece(symbol) : others[std::size_t(symbol - size())];
    };
    std::vector<index_t> symbols;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t from = at;
      detail::next_character(text, at);
      const std::string_view one = text.substr(from, at - from);
      const index_t found = id(one);
      const bool usable = found >= 0 && pieces_[std::size_t(found)].kind == plain;
      if (!usable) others.emplace_back(one);
      symbols.push_back(usable ? found : size() + index_t(others.size()) - 1);
    }
    const auto merged = detail::merge_pairs(std::move(symbols), [&](index_t a, index_t b) {
      const index_t whole = id(text_of(a) + text_of(b));
      if (whole < 0 || pieces_[std::size_t(whole)].kind != plain) return detail::Joined{};
      return detail::Joined{true, -double(pieces_[std::size_t(whole)].score), whole};
    });
    for (const index_t symbol : merged) {
      if (symbol < size()) {
        ids.push_back(symbol);
      } else if (fallback_) {
        for (const char c : text_of(symbol))
          ids.push_back(bytes_[std::uint8_t(c)] >= 0 ? bytes_[std::uint8_t(c)] : unknown_);
      } else if (ids.empty() || ids.back() != unknown_) {
        ids.push_back(unknown_);
      }
    }
  }

  std::vector<Piece> pieces_;
  std::unordered_map<std::string, index_t, Hash, std::equal_to<>> ids_;
  std::vector<std::pair<std::string, index_t>> own_;
  std::vector<index_t> bytes_ = std::vector<index_t>(256, -1);
  index_t unknown_ = -1;
  bool fallback_ = false, prefix_ = true, squeeze_ = true;
};

}  // namespace lacuna::language
