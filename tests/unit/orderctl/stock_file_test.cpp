#include "orderctl/stock_file.h"

#include <catch2/catch.hpp>

using namespace orderd::ctl;
using orderd::plugins::Product;

namespace {

std::vector<StockLine> good(const std::string& bytes) {
  FileProblems problems;
  auto lines = read_stock_file(bytes, problems);
  for (const std::string& line : problems.lines()) UNSCOPED_INFO(line);
  REQUIRE(problems.none());
  return lines;
}

std::vector<std::string> wrong(const std::string& bytes) {
  FileProblems problems;
  CHECK(read_stock_file(bytes, problems).empty());
  return problems.lines();
}

const std::string head = "SKU,NAME,UNIT_PRICE,CURRENCY,AVAILABLE\n";

void complains(const std::string& bytes, const std::string& where, const std::string& what) {
  const auto lines = wrong(bytes);
  INFO(bytes);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].rfind(where + ": ", 0) == 0);
  CHECK_THAT(lines[0], Catch::Contains(what));
}

}  // namespace

TEST_CASE("Spreadsheets' files are read alike: mark, separators, quotes, line ends, order of columns",
          "[stock]") {
  const std::string plain = head + "A-1,Cup,1999,EUR,7\nA-2,\"Cup, \"\"large\"\"\",5,EUR,0\n";
  std::string semicolons = plain, lines = plain;
  for (char& c : semicolons) c = c == ',' ? ';' : c;
  for (std::size_t at = 0; (at = lines.find('\n', at)) != lines.npos; at += 2) lines.insert(at, "\r");
  for (const std::string& bytes : {plain, "\xef\xbb\xbf" + plain, semicolons, lines,
                                   plain.substr(0, plain.size() - 1), "# ours\n\n" + plain}) {
    const auto found = good(bytes);
    REQUIRE(found.size() == 2);
    CHECK(found[0].sku == "A-1");
    CHECK(found[0].unit_price == 1999);
    CHECK(found[0].pieces == 7);
    CHECK(found[1].name == (bytes == semicolons ? "Cup; \"large\"" : "Cup, \"large\""));
  }
  const auto moved = good("available\tcurrency\tprice\tname\tsku\n3\tEUR\t 19.9 \tCup\tA-1\n");
  CHECK(moved[0].unit_price == 1990);
  CHECK(moved[0].pieces == 3);
}

TEST_CASE("A price has the digits of its currency", "[stock]") {
  const auto line = [](const std::string& price, const std::string& currency) {
    return "SKU,NAME,PRICE,CURRENCY,AVAILABLE\nA,a," + price + "," + currency + ",1\n";
  };
  CHECK(good(line("19.99", "EUR"))[0].unit_price == 1999);
  CHECK(good(line("20", "EUR"))[0].unit_price == 2000);
  CHECK(good(line("1999", "JPY"))[0].unit_price == 1999);
  CHECK(good(line("1999", "JPY"))[0].exponent == 0);
  CHECK(good(line("1.234", "KWD"))[0].unit_price == 1234);
  CHECK(good(line("1.2", "KWD"))[0].exponent == 3);
  complains(line("19.99", "JPY"), "line 2, column 5", "no digits behind it");
  complains(line("1.2345", "KWD"), "line 2, column 5", "at most 3 digits");
  complains(line("\"19,99\"", "EUR"), "line 2, column 5", "no price in EUR");
  complains(line("-1", "EUR"), "line 2, column 5", "no price");
  complains(line("1", "EURO"), "line 2, column 7", "no currency of ISO 4217");
  complains(line("1", "eur"), "line 2, column 7", "in capitals");
}

TEST_CASE("What cannot be read is named with line and column", "[stock]") {
  complains(head +
                "A,Gr\xfc\xdf"
                "e,1,EUR,1\n",
            "line 2, column 5", "FC is not UTF-8");
  complains("\xff\xfeS", "line 1, column 1", "UTF-16");
  complains(head + "A,\"no end,1,EUR,1\n", "line 2, column 3", "has no end");
  complains(head + "A,b\"c,1,EUR,1\n", "line 2, column 4", "a quote inside");
  complains(head + "A,\"b\"c,1,EUR,1\n", "line 2, column 6", "behind the end of a quoted field");
  complains(head + "A,b\x1b[31m,1,EUR,1\n", "line 2, column 4", "\\u001b");
  complains(head + "A,\xe2\x80\xae,1,EUR,1\n", "line 2, column 3", "\\u202e");
  complains(head + "A,b,1,EUR\n", "line 2, column 1", "4 fields");
  complains(head + "A,b,19.99,EUR,1\n", "line 2, column 5", "belongs into a column PRICE");
  complains(head + "A,b,1,EUR,1.5\n", "line 2, column 11", "no whole number of pieces");
  complains(head + "A,b,1,EUR,99999999999999999999\n", "line 2, column 11", "no whole number of pieces");
  complains(head + "A,b,1,EUR,1\nA,b,1,EUR,1\n", "line 3, column 1", "first in line 2");
  complains(head + ",b,1,EUR,1\n", "line 2, column 1", "needs a SKU");
  complains("SKU;NAME,UNIT_PRICE\n", "line 1, column 9", "two of them");
  complains("", "line 1, column 1", "empty");
}

TEST_CASE("Files of older versions are refused with the new columns' names", "[stock]") {
  complains("A,Cup,1999,EUR,7\n", "line 1, column 1", "is AVAILABLE");
  complains("sku,name,unit_price,currency,on_hand\nA,Cup,1999,EUR,7\n", "line 1, column 30", "COUNTED");
  complains("SKU,NAME,UNIT_PRICE,CURRENCY,COUNTED\n", "line 1, column 1",
            "COUNTED and UNSHIPPED go together");
}

TEST_CASE("All that is wrong is listed, up to a bound", "[stock]") {
  std::string bytes = head;
  for (int i = 0; i < 70; ++i) bytes += "A" + std::to_string(i) + ",b,x,EUR,1\n";
  const auto lines = wrong(bytes);
  CHECK(lines.size() == 51);
  CHECK(lines.back() == "and 20 more");
}

TEST_CASE("What was counted on the shelf is available as far as it is not promised", "[stock]") {
  const auto lines = good("SKU,NAME,UNIT_PRICE,CURRENCY,COUNTED,UNSHIPPED\nA,a,1,EUR,10,2\nB,b,1,EUR,4,0\n");
  std::map<std::string, Product> known;
  known["A"] = {"A", "a", 1, "EUR", 2, 9, 3, 5};  // 9 available, 3 reserved, 5 sold
  FileProblems problems;
  auto changes = stock_changes(lines, known, problems);
  REQUIRE(problems.none());
  CHECK(changes[0].wanted.available == 5);
  CHECK(changes[0].before == 9);
  CHECK_FALSE(changes[0].is_new);
  CHECK(changes[1].wanted.available == 4);
  CHECK(changes[1].is_new);
  known["A"].held = 9;
  known["B"] = {"B", "b", 1, "EUR", 2, 4, 0, 0};
  changes = stock_changes(lines, known, problems);
  REQUIRE(problems.lines().size() == 1);
  CHECK_THAT(problems.lines()[0],
             Catch::Contains("line 2, column 11: A: 10 were counted, and 11 are promised"));
  CHECK_FALSE(changes[1].changed);
  FileProblems others;
  known["A"].sold = 1;
  known["A"].held = 0;
  (void)stock_changes(lines, known, others);
  CHECK_THAT(others.lines().at(0), Catch::Contains("2 are sold and not sent, and only 1 were sold"));
}
