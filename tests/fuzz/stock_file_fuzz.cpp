// Whatever bytes a stock file has, it is read or refused with a place, never both; what was read keeps its
// bounds, and written out again it is read as the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/printable.h"
#include "orderctl/stock_file.h"

using namespace orderd::ctl;

namespace {

void demand(bool holds) {
  if (!holds) std::abort();
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

std::string written(const std::vector<StockLine>& lines) {
  const bool counted = !lines.empty() && lines.front().counted;
  std::string out = counted ? "SKU,NAME,UNIT_PRICE,CURRENCY,COUNTED,UNSHIPPED\n"
                            : "SKU,NAME,UNIT_PRICE,CURRENCY,AVAILABLE\n";
  for (const StockLine& line : lines) {
    out += quoted(line.sku) + "," + quoted(line.name) + "," + std::to_string(line.unit_price) + "," +
           line.currency + "," + std::to_string(line.pieces);
    out += counted ? "," + std::to_string(line.unshipped) + "\n" : "\n";
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  FileProblems problems;
  const auto lines = read_stock_file(bytes, problems);
  demand(problems.none() || lines.empty());
  for (const std::string& line : problems.lines()) demand(orderd::is_printable(line));
  if (lines.empty()) return 0;
  FileProblems none;
  const auto again = read_stock_file(written(lines), none);
  demand(none.none() && again.size() == lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    demand(!lines[i].sku.empty() && lines[i].pieces >= 0 && lines[i].unit_price >= 0);
    demand(lines[i].sku == again[i].sku && lines[i].name == again[i].name);
    demand(lines[i].unit_price == again[i].unit_price && lines[i].pieces == again[i].pieces);
  }
  return 0;
}
