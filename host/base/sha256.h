#pragma once
#include <string>
#include <string_view>

namespace orderd {

/// SHA-256 (FIPS 180-4) as 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);
/// HMAC-SHA-256 (RFC 2104) as 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view bytes);
/// Takes as long for equal texts as for others of the same length.
bool equal_in_constant_time(std::string_view a, std::string_view b);
std::string to_hex(std::string_view bytes);
/// Unpadded base64url (RFC 4648, section 5).
std::string to_base64url(std::string_view bytes);
/// nullopt-free: "" if `text` is not base64url or is empty.
std::string from_base64url(std::string_view text);

}  // namespace orderd
