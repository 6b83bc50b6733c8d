#pragma once
#include <string_view>

/// The character classes of RFC 9110 and 9112 that the parser and the response share. Pure functions. [any
/// thread]
namespace orderd::http::front::grammar {

bool iequals(std::string_view a, std::string_view b);
/// Without spaces and tabs at either end.
std::string_view trim(std::string_view text);
bool is_digit(char c);
bool is_token_char(char c);
/// RFC 9110, section 5.6.2: what a method and a field name are made of.
bool is_token(std::string_view text);
/// No control character but tab. Empty is fine.
bool is_field_value(std::string_view text);
/// A path with its query: the characters of RFC 3986, each '%' with two hex digits and none of them "%00".
bool is_origin_form(std::string_view text);
/// host [":" port], as Host carries it: a name, an IPv4 address, or an IPv6 address in brackets. No user
/// name.
bool is_authority(std::string_view text);
/// What a client may choose as X-Request-Id: 1 to 128 of letters, digits, '.', '_' and '-'.
bool is_request_id(std::string_view text);
/// The value of a hex digit, or -1.
int hex_value(char c);

}  // namespace orderd::http::front::grammar
