#include "base/printable.h"

#include <catch2/catch.hpp>
#include <sstream>

using orderd::is_printable;
using orderd::printable;

TEST_CASE("What a terminal would act upon is shown by its number", "[printable]") {
  CHECK(printable("\x1b[31mred\x7f") == "\\u001b[31mred\\u007f");
  CHECK(printable("\xc2\x9b"
                  "2J") == "\\u009b2J");
  CHECK(printable("\xe2\x80\xae"
                  "fdp.exe") == "\\u202efdp.exe");
  CHECK(printable("\xe2\x81\xa6x\xe2\x81\xa9") == "\\u2066x\\u2069");
  CHECK(printable("two\nlines\ttab") == "two\\u000alines\\u0009tab");
  CHECK(printable("\xff\xc2") == "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("Text of any language stays as it is", "[printable]") {
  for (const char* text : {"", "plain",
                           "Gr\xc3\xbc\xc3\x9f"
                           "e",
                           "\xe2\x82\xac 5", "\xf0\x9f\x98\x80", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"}) {
    CHECK(printable(text) == text);
    CHECK(is_printable(text));
  }
}

TEST_CASE("A stream's text is made harmless however it comes in pieces, and lines and tabs stay",
          "[printable]") {
  std::ostringstream out;
  {
    const orderd::PrintableOutput harmless(out);
    for (const char c : std::string("a\tb\n\xc2\x9b\xe2\x82\xac\x1b\xe2\x80")) out << c;
  }
  out << "\x1b";
  CHECK(out.str() == "a\tb\n\\u009b\xe2\x82\xac\\u001b\xef\xbf\xbd\xef\xbf\xbd\x1b");
}
