#include "orderctl/stock_file.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "model/money.h"

namespace orderd::ctl {
namespace {

constexpr std::size_t lines_max = 20'000, sku_bytes_max = 200, name_bytes_max = 200;
constexpr std::int64_t price_max = 1'000'000'000'000, pieces_max = 1'000'000'000'000;
constexpr const char* columns_text =
    "SKU, NAME, CURRENCY, UNIT_PRICE (minor unit) or PRICE, and AVAILABLE (pieces that can be promised) or "
    "COUNTED "
    "with UNSHIPPED (pieces on the shelf, and how many of them are sold and not yet sent)";

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

/// Which field of a row holds what.
using Columns = std::map<std::string, std::size_t>;

const std::vector<std::string>& known_columns() {
  static const std::vector<std::string> names{"SKU",   "NAME",      "CURRENCY", "UNIT_PRICE",
                                              "PRICE", "AVAILABLE", "COUNTED",  "UNSHIPPED"};
  return names;
}

Columns read_columns(const CsvRow& head, FileProblems& problems) {
  Columns columns;
  const auto is_known = [](const CsvField& field) {
    return std::find(known_columns().begin(), known_columns().end(), upper(field.text)) !=
           known_columns().end();
  };
  const auto old = std::find_if(head.begin(), head.end(),
                                [](const CsvField& field) { return upper(field.text) == "ON_HAND"; });
  if (old != head.end()) {
    problems.add(
        old->at,
        "ON_HAND was the number of pieces that can be promised: call the column AVAILABLE if it is that, "
        "or COUNTED (with UNSHIPPED) if the pieces were counted on the shelf");
    return columns;
  }
  if (std::none_of(head.begin(), head.end(), is_known)) {
    problems.add(head.front().at,
                 std::string("the first line must name the columns: ") + columns_text +
                     "; the last column of a file of older versions, without such a line, is "
                     "AVAILABLE");
    return columns;
  }
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (!is_known(head[i]))
      problems.add(head[i].at, "there is no column \"" + head[i].text + "\": they are " + columns_text);
    else if (!columns.emplace(upper(head[i].text), i).second)
      problems.add(head[i].at, "the column " + upper(head[i].text) + " is there twice");
  }
  const auto has = [&](const char* name) { return columns.contains(name); };
  for (const char* name : {"SKU", "NAME", "CURRENCY"})
    if (!has(name)) problems.add(head.front().at, std::string("the column ") + name + " is missing");
  if (has("UNIT_PRICE") == has("PRICE"))
    problems.add(head.front().at,
                 "one of the columns UNIT_PRICE (minor unit: 1999) and PRICE (19.99) is needed");
  if (has("AVAILABLE") == has("COUNTED"))
    problems.add(head.front().at,
                 "one of the columns AVAILABLE (pieces that can be promised) and COUNTED (pieces on "
                 "the shelf) is needed");
  if (has("COUNTED") != has("UNSHIPPED"))
    problems.add(
        head.front().at,
        "COUNTED and UNSHIPPED go together: of the pieces counted, those sold and not yet sent must not be "
        "promised again (0 where all that is sold has left)");
  return columns;
}

std::optional<std::int64_t> whole_number(std::string_view text, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size() && value >= 0 && value <= most;
  return good ? std::optional(value) : std::nullopt;
}

/// "19.9" with two digits is 1990.
std::optional<std::int64_t> in_minor_units(const std::string& text, std::uint8_t digits) {
  const auto point = text.find('.');
  std::string all = text.substr(0, point), behind = point == text.npos ? "" : text.substr(point + 1);
  if (all.empty() || (point != text.npos && behind.empty()) || behind.size() > digits) return std::nullopt;
  behind.resize(digits, '0');
  all += behind;
  if (all.find_first_not_of("0123456789") != all.npos) return std::nullopt;
  return whole_number(all, price_max);
}

class LineReader {
 public:
  LineReader(const Columns& columns, FileProblems& problems) : columns_(columns), problems_(problems) {}

  StockLine read(const CsvRow& row) {
    StockLine line;
    line.sku = text(row, "SKU", sku_bytes_max);
    if (line.sku.empty()) problems_.add(field(row, "SKU").at, "a product needs a SKU");
    line.name = text(row, "NAME", name_bytes_max);
    read_price(row, line);
    line.counted = columns_.contains("COUNTED");
    const CsvField& pieces = field(row, line.counted ? "COUNTED" : "AVAILABLE");
    line.at = pieces.at;
    line.pieces = number(pieces);
    if (line.counted) line.unshipped = number(field(row, "UNSHIPPED"));
    return line;
  }

 private:
  const CsvField& field(const CsvRow& row, const char* name) const { return row[columns_.at(name)]; }

  std::string text(const CsvRow& row, const char* name, std::size_t most) {
    const CsvField& found = field(row, name);
    if (found.text.size() > most)
      problems_.add(found.at, std::string(name) + " has more than " + std::to_string(most) + " bytes");
    if (found.text.find('\n') != found.text.npos)
      problems_.add(found.at, std::string(name) + " has more than one line");
    return found.text;
  }

  std::int64_t number(const CsvField& from) {
    const auto value = whole_number(from.text, pieces_max);
    if (!value)
      problems_.add(from.at, "\"" + from.text + "\" is no whole number of pieces from 0 to " +
                                 std::to_string(pieces_max));
    return value.value_or(0);
  }

  void read_price(const CsvRow& row, StockLine& line) {
    const CsvField& currency = field(row, "CURRENCY");
    line.currency = currency.text;
    const auto digits = currency_exponent(currency.text);
    if (!digits) {
      problems_.add(currency.at,
                    "\"" + currency.text + "\" is no currency of ISO 4217 in capitals, such as EUR");
      return;
    }
    line.exponent = *digits;
    if (!columns_.contains("PRICE")) {
      const CsvField& from = field(row, "UNIT_PRICE");
      const auto value = whole_number(from.text, price_max);
      if (!value)
        problems_.add(from.at, "\"" + from.text +
                                   "\" is no whole number of minor units (1999 is 19.99 EUR); a "
                                   "price with a point belongs into a column PRICE");
      line.unit_price = value.value_or(0);
      return;
    }
    const CsvField& from = field(row, "PRICE");
    const auto value = in_minor_units(from.text, *digits);
    if (!value)
      problems_.add(from.at,
                    "\"" + from.text + "\" is no price in " + currency.text + ": a number with a point and " +
                        (*digits == 0 ? "no digits" : "at most " + std::to_string(*digits) + " digits") +
                        " behind it");
    line.unit_price = value.value_or(0);
  }

  const Columns& columns_;
  FileProblems& problems_;
};

}  // namespace

std::vector<StockLine> read_stock_file(std::string_view bytes, FileProblems& problems) {
  std::vector<StockLine> lines;
  const auto rows = parse_csv(bytes, problems);
  if (!problems.none()) return lines;
  if (rows.empty()) {
    problems.add({}, std::string("the file is empty; its first line must name the columns: ") + columns_text);
    return lines;
  }
  const Columns columns = read_columns(rows.front(), problems);
  if (!problems.none()) return lines;
  if (rows.size() - 1 > lines_max) {
    problems.add(rows[lines_max + 1].front().at,
                 "more than " + std::to_string(lines_max) + " products: import them in parts");
    return lines;
  }
  LineReader reader(columns, problems);
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const CsvRow& row = rows[i];
    if (row.size() != rows.front().size()) {
      problems.add(row.front().at, std::to_string(row.size()) + " fields, and the first line names " +
                                       std::to_string(rows.front().size()) + " columns");
      continue;
    }
    lines.push_back(reader.read(row));
    const auto [first, fresh] = seen.emplace(lines.back().sku, row.front().at.line);
    if (!fresh)
      problems.add(row.front().at,
                   lines.back().sku + " is there twice, first in line " + std::to_string(first->second));
  }
  if (!problems.none()) lines.clear();
  return lines;
}

std::vector<StockChange> stock_changes(const std::vector<StockLine>& lines,
                                       const std::map<std::string, plugins::Product>& known,
                                       FileProblems& problems) {
  std::vector<StockChange> changes;
  for (const StockLine& line : lines) {
    StockChange change;
    change.wanted = {line.sku, line.name, line.unit_price, line.currency, line.exponent, line.pieces, 0, 0};
    const auto found = known.find(line.sku);
    change.is_new = found == known.end();
    const plugins::Product before = change.is_new ? plugins::Product{} : found->second;
    change.before = before.available;
    change.wanted.held = before.held;
    change.wanted.sold = before.sold;
    if (line.counted) {
      if (line.unshipped > before.sold)
        problems.add(line.at, line.sku + ": " + std::to_string(line.unshipped) +
                                  " are sold and not sent, and only " + std::to_string(before.sold) +
                                  " were sold");
      const std::int64_t promised = before.held + line.unshipped;
      if (line.pieces < promised)
        problems.add(line.at, line.sku + ": " + std::to_string(line.pieces) + " were counted, and " +
                                  std::to_string(promised) + " are promised (" + std::to_string(before.held) +
                                  " reserved, " + std::to_string(line.unshipped) +
                                  " sold and not sent): count again, or cancel orders");
      change.wanted.available = line.pieces - promised;
    }
    change.changed = change.is_new || before.available != change.wanted.available ||
                     before.name != line.name || before.unit_price != line.unit_price ||
                     before.currency != line.currency || before.exponent != line.exponent;
    changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace orderd::ctl
