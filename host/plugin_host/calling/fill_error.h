#pragma once
#include <orderd/abi.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace orderd::plugins {

/// Writes into a plugin's orderd_error as much as fits; nothing if it is NULL or of a size we do not know.
inline void fill_error(orderd_error* error, std::string_view code, std::string_view message) {
  if (!error || !ORDERD_HAS(error, orderd_error, message)) return;
  error->code[code.copy(error->code, sizeof error->code - 1)] = 0;
  error->message[message.copy(error->message, sizeof error->message - 1)] = 0;
}

/// What a plugin wrote into ours, whether it ended it with a NUL or not.
inline std::string_view message_of(const orderd_error& error) {
  return {error.message, strnlen(error.message, sizeof error.message)};
}
inline std::string_view code_of(const orderd_error& error) {
  return {error.code, strnlen(error.code, sizeof error.code)};
}

}  // namespace orderd::plugins
