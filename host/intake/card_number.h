#pragma once
// Finds payment card numbers in text, so that none is ever stored or logged. Pure. [any thread]
#include <string_view>

namespace orderd::intake {

/// True if `text` holds 14–19 digits that begin like a card of a known scheme and pass the Luhn check
/// (ISO/IEC 7812-1), alone or in groups with the same separator between them: up to three blanks and dashes
/// of any kind, or one other character that is no letter, up to three times. So a list of coordinates is
/// none. UUIDs, words of hex digits, such as hashes, and dates of ISO 8601 are passed over: by mere chance
/// some of them would look like cards.
bool holds_card_number(std::string_view text);

}  // namespace orderd::intake
