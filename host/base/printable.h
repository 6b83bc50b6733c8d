#pragma once
// Text from outside on a terminal. What moves the cursor, changes colours or turns the direction of writing
// around is shown by its number. [any thread]
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

namespace orderd {

/// Whether the text is UTF-8 without characters that a terminal acts upon: controls (C0, DEL, C1), line and
/// paragraph separators, marks and overrides of the writing's direction, byte order marks.
bool is_printable(std::string_view text);
/// The same text with those as \u001b, as JSON writes them, and with U+FFFD for what is no UTF-8.
std::string printable(std::string_view text);

/// While it lives, all that is written to a stream goes through printable(), but for line ends and tabs. JSON
/// stays the same JSON. For one thread.
class PrintableOutput final : private std::streambuf {
 public:
  explicit PrintableOutput(std::ostream& stream);
  ~PrintableOutput() override;
  PrintableOutput(const PrintableOutput&) = delete;
  PrintableOutput& operator=(const PrintableOutput&) = delete;

 private:
  int_type overflow(int_type character) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;
  bool write(bool all);

  std::ostream& stream_;
  std::streambuf* const to_;
  std::string kept_;  // what came of a character whose end did not
};

}  // namespace orderd
