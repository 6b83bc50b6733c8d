#include "orderctl/csv.h"

#include <optional>

#include "base/printable.h"
#include "base/utf8.h"

namespace orderd::ctl {
namespace {

constexpr std::size_t file_bytes_max = std::size_t{16} << 20, problems_kept_max = 50;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

/// Walks through well-formed UTF-8, and knows where it is.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  bool at_end() const { return at_ >= text_.size(); }
  /// The character's bytes; "" at the end.
  std::string_view character() const { return text_.substr(at_, utf8_size_at(text_, at_)); }
  bool sees(std::string_view what) const { return text_.substr(at_, what.size()) == what; }
  bool at_line_end() const { return at_end() || sees("\n") || sees("\r\n"); }
  std::string_view take() {
    const auto taken = character();
    at_ += taken.size();
    if (taken == "\n") {
      ++place_.line;
      place_.column = 1;
    } else {
      ++place_.column;
    }
    return taken;
  }
  void pass_line() {
    while (!at_end() && take() != "\n") continue;
  }
  Place place() const { return place_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  Place place_;
};

/// Where UTF-8 ends to be it: one problem a line.
void judge_encoding(std::string_view bytes, FileProblems& problems) {
  constexpr char digits[] = "0123456789ABCDEF";
  Place place;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = utf8_size_at(bytes, at);
    if (size == 0) {
      const auto byte = static_cast<unsigned char>(bytes[at]);
      problems.add(place, std::string("the byte ") + digits[byte >> 4] + digits[byte & 15] +
                              " is not UTF-8 (Latin-1, perhaps): save the file as UTF-8");
      at = bytes.find('\n', at);
      if (at == bytes.npos) return;
      continue;
    }
    if (bytes[at] == '\n')
      place = {place.line + 1, 1};
    else
      ++place.column;
    at += size;
  }
}

class Reader {
 public:
  Reader(std::string_view text, FileProblems& problems)
      : cursor_(text), problems_(problems), separator_(find_separator(text)) {}

  std::vector<CsvRow> run() {
    std::vector<CsvRow> rows;
    while (!cursor_.at_end()) {
      if (cursor_.sees("#")) {
        cursor_.pass_line();
        continue;
      }
      auto row = read_row();
      const bool empty = row && row->size() == 1 && row->front().text.empty();
      if (row && !empty) rows.push_back(std::move(*row));
    }
    return rows;
  }

 private:
  bool fail(Place at, const std::string& what) { return problems_.add(at, what), false; }

  /// The one of the three that stands outside of quotes in the first row.
  std::string find_separator(std::string_view text) {
    Cursor cursor(text);
    while (cursor.sees("#") || cursor.at_line_end()) {
      if (cursor.at_end()) return ",";
      cursor.pass_line();
    }
    std::string found;
    for (bool quoted = false; !cursor.at_line_end();) {
      const Place place = cursor.place();
      const std::string one(cursor.take());
      if (one == "\"") quoted = !quoted;
      if (quoted || (one != "," && one != ";" && one != "\t")) continue;
      if (found.empty()) found = one;
      if (one != found) {
        fail(place, "fields are parted by one of comma, semicolon and tab, and here are two of them");
        break;
      }
    }
    return found.empty() ? "," : found;
  }

  /// nullopt: it had a problem, and the cursor is behind its line.
  std::optional<CsvRow> read_row() {
    CsvRow row;
    for (;;) {
      CsvField field{"", cursor_.place()};
      while (cursor_.sees(" ")) (void)cursor_.take();
      const bool good = cursor_.sees("\"") ? read_quoted(field) : read_plain(field);
      if (!good) return cursor_.pass_line(), std::nullopt;
      row.push_back(std::move(field));
      if (cursor_.at_line_end()) break;
      (void)cursor_.take();  // the separator
    }
    cursor_.pass_line();
    return row;
  }

  bool read_plain(CsvField& field) {
    field.at = cursor_.place();
    while (!cursor_.at_line_end() && !cursor_.sees(separator_)) {
      if (cursor_.sees("\""))
        return fail(cursor_.place(),
                    "a quote inside of a field: quote the whole field, and double the quotes in it");
      if (!take_into(field)) return false;
    }
    while (!field.text.empty() && field.text.back() == ' ') field.text.pop_back();
    return true;
  }

  bool read_quoted(CsvField& field) {
    field.at = cursor_.place();
    (void)cursor_.take();
    for (;;) {
      if (cursor_.at_end()) return fail(field.at, "the quote that begins here has no end");
      if (cursor_.sees("\"\"")) {
        (void)cursor_.take();
        field.text += cursor_.take();
      } else if (cursor_.sees("\"")) {
        break;
      } else if (cursor_.at_line_end()) {
        while (cursor_.take() != "\n") continue;
        field.text += '\n';
      } else if (!take_into(field)) {
        return false;
      }
    }
    (void)cursor_.take();
    while (cursor_.sees(" ")) (void)cursor_.take();
    if (cursor_.at_line_end() || cursor_.sees(separator_)) return true;
    return fail(cursor_.place(), "text behind the end of a quoted field");
  }

  bool take_into(CsvField& field) {
    const Place place = cursor_.place();
    const std::string one(cursor_.take());
    field.text += one;
    return is_printable(one) || fail(place, "a control character (" + printable(one) + "): take it out");
  }

  Cursor cursor_;
  FileProblems& problems_;
  const std::string separator_;
};

}  // namespace

void FileProblems::add(Place at, std::string what) {
  if (lines_.size() == problems_kept_max) {
    ++more_;
    return;
  }
  lines_.push_back("line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ": " +
                   std::move(what));
}

std::vector<std::string> FileProblems::lines() const {
  auto out = lines_;
  if (more_ > 0) out.push_back("and " + std::to_string(more_) + " more");
  return out;
}

std::vector<CsvRow> parse_csv(std::string_view bytes, FileProblems& problems) {
  if (bytes.size() > file_bytes_max) {
    problems.add(
        {}, "the file is larger than " + std::to_string(file_bytes_max >> 20) + " MiB: import it in parts");
    return {};
  }
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) {
    problems.add({}, "the file is UTF-16: save it as UTF-8");
    return {};
  }
  if (bytes.starts_with(byte_order_mark)) bytes.remove_prefix(byte_order_mark.size());
  judge_encoding(bytes, problems);
  if (!problems.none()) return {};
  auto rows = Reader(bytes, problems).run();
  if (!problems.none()) rows.clear();
  return rows;
}

}  // namespace orderd::ctl
