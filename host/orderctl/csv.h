#pragma once
// Tables in text files by RFC 4180, as spreadsheets write them. Pure.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace orderd::ctl {

/// Both from 1; columns count characters.
struct Place {
  std::size_t line = 1, column = 1;
};

/// What is wrong with a file, and where. Keeps the first 50 and counts the others.
class FileProblems {
 public:
  void add(Place at, std::string what);
  bool none() const { return lines_.empty(); }
  /// "line 3, column 7: what is wrong", and a last line about those that were only counted.
  std::vector<std::string> lines() const;

 private:
  std::vector<std::string> lines_;
  std::size_t more_ = 0;
};

struct CsvField {
  std::string text;
  Place at;
};
using CsvRow = std::vector<CsvField>;  // never empty

/// Rows of fields, UTF-8 with or without a byte order mark, lines ended by LF or CRLF, fields parted by the
/// one of
/// `,` `;` and tab that the first row has. Quoted fields may hold separators, lines and doubled quotes;
/// blanks around other fields are no part of them. Empty lines and lines that begin with `#` are passed over.
/// Texts are free of control characters, but for the lines of quoted fields. With problems there are no rows.
std::vector<CsvRow> parse_csv(std::string_view bytes, FileProblems& problems);

}  // namespace orderd::ctl
