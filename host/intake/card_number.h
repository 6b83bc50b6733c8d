#pragma once
// Finds payment card numbers in text, so that none is ever stored or logged. Pure. [any thread]
#include <string_view>

namespace orderd::intake {

/// True if `text` holds 14–19 digits, alone or grouped by single spaces or dashes, that begin like a card of
/// a known scheme and pass the Luhn check (ISO/IEC 7812-1). UUIDs and words of hex digits, such as hashes,
/// are passed over: by mere chance some of them would look like cards.
bool holds_card_number(std::string_view text);

}  // namespace orderd::intake
