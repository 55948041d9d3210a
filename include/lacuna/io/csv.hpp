/// Tables as text (.csv): rows of fields, as RFC 4180 has them.
///
///     const io::Csv table("label.csv");
///     const std::size_t column = table.column("video_id");
///     for (std::size_t r = 1; r < table.rows().size(); ++r) use(table.rows()[r][column]);
///
/// Quoted fields may hold commas, line ends and "" for a quote. A byte order mark and CR LF are passed over; blanks in
/// front of a field without quotes too (OpenFace writes them). Fields stay text: 0001 is not 1. Every row must have as
/// many fields as the first. Errors are IoError: file, line, found, expected.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "lacuna/io/file_kind.hpp"

namespace lacuna::io {

class Csv {
 public:
  explicit Csv(const std::string& path) : Csv(std::make_shared<MappedFile>(path)) {}
  explicit Csv(std::shared_ptr<const MappedFile> file) : name_(file->name()) {
    detail::refuse_strangers(*file, "a table as text");
    const auto bytes = file->bytes();
    if (detail::starts_with(bytes, "\xFF\xFE") || detail::starts_with(bytes, "\xFE\xFF"))
      throw IoError(name_ + ": is UTF-16, expected UTF-8; save it again (Excel: CSV UTF-8)");
    parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  const std::string& path() const { return name_; }
  /// All rows, the header among them; at least one.
  const std::vector<std::vector<std::string>>& rows() const { return rows_; }
  /// Position of a column by its name in the first row; nothing where there is none.
  std::optional<std::size_t> find(std::string_view name) const {
    const auto at = std::find(rows_[0].begin(), rows_[0].end(), name);
    if (at == rows_[0].end()) return std::nullopt;
    return std::size_t(at - rows_[0].begin());
  }
  std::size_t column(std::string_view name) const {
    if (const auto found = find(name)) return *found;
    std::string names;
    for (const std::string& one : rows_[0]) names += (names.empty() ? "" : ", ") + detail::printable(one);
    throw IoError(detail::cat(name_, ": has no column '", name, "'; it has ", names, separated_otherwise()));
  }
  /// A number, NaN for an empty field; blanks around it and a plus are passed over, and what is too near 0 for T is 0.
  /// Throws IoError for anything else, also for a number that T cannot hold.
  template <class T = double>
  T number(std::size_t row, std::size_t column) const {
    std::string_view field = rows_[row][column];
    while (!field.empty() && (field.back() == ' ' || field.back() == '\t')) field.remove_suffix(1);
    while (!field.empty() && (field.front() == ' ' || field.front() == '\t')) field.remove_prefix(1);
    if (field.empty()) return T(NAN);
    if (field.size() > 1 && field[0] == '+' && field[1] != '-') field.remove_prefix(1);
    const auto fail = [&](const char* what) {
      throw IoError(detail::cat(name_, ": row ", row, " has '", detail::printable(rows_[row][column]), "' in column '",
                                detail::printable(rows_[0][column]), "', ", what));
    };
    double number = 0;
    auto parsed = std::from_chars(field.data(), field.data() + field.size(), number);
    if (parsed.ec == std::errc::result_out_of_range) {
      const std::size_t exponent = field.find_first_of("eE");
      if (exponent > 40 || field[exponent + 1] != '-') fail("which double cannot hold");
      parsed.ec = std::errc();  // 1e-400
      number = field[0] == '-' ? -0.0 : 0.0;
    }
    if (parsed.ec != std::errc() || parsed.ptr != field.data() + field.size()) fail("expected a number");
    if (std::isfinite(number) && std::abs(number) > double(std::numeric_limits<T>::max()))
      fail("which float cannot hold");
    return T(number);
  }

 private:
  /// What to say of a first row that is one field for us, and several for whoever wrote it.
  std::string separated_otherwise() const {
    if (rows_.empty() || rows_[0].size() != 1) return "";
    for (const char* separator : {";", "\t", "|"})
      if (rows_[0][0].find(separator) != std::string::npos)
        return std::string("; fields look separated by ") + (*separator == '\t' ? "tabs" : separator) +
               ", expected commas between fields and a point in numbers";
    return "";
  }
  void parse(std::string_view text) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    std::vector<std::string> row;
    std::size_t line = 1;
    for (std::size_t at = 0; at < text.size();) {
      std::string field;
      while (at < text.size() && text[at] == ' ') ++at;
      if (at < text.size() && text[at] == '"') {
        const std::size_t start = line;
        for (++at;; ++at) {
          if (at >= text.size())
            throw IoError(detail::cat(name_, ": line ", start, ": a quoted field has no end; the file is truncated"));
          if (text[at] == '"' && (at + 1 >= text.size() || text[at + 1] != '"')) break;
          if (text[at] == '"') ++at;
          line += text[at] == '\n';
          field += text[at];
        }
        ++at;
        if (at < text.size() && text[at] != ',' && text[at] != '\r' && text[at] != '\n')
          throw IoError(detail::cat(name_, ": line ", line, ": text behind a quoted field, expected a comma"));
      } else {
        const std::size_t end = std::min(text.find_first_of(",\r\n", at), text.size());
        field = text.substr(at, end - at);
        at = end;
      }
      if (field.find('\0') != std::string::npos)
        throw IoError(detail::cat(name_, ": line ", line, " holds a zero byte: no table as text"));
      row.push_back(std::move(field));
      const bool more = at < text.size() && text[at] == ',';
      if (more) ++at;
      if (more && at < text.size()) continue;
      if (more) row.emplace_back();
      if (at < text.size() && text[at] == '\r') ++at;
      if (at < text.size() && text[at] == '\n') ++at;
      const bool blank = row.size() == 1 && row[0].empty();
      if (!blank && !rows_.empty() && row.size() != rows_[0].size())
        throw IoError(detail::cat(name_, ": line ", line, " has ", row.size(), " fields, expected ", rows_[0].size(),
                                  " as the first has", separated_otherwise()));
      ++line;
      if (!blank) rows_.push_back(std::move(row));
      row.clear();
    }
    if (rows_.empty()) throw IoError(name_ + ": has no rows");
  }

  std::string name_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace lacuna::io
