// What stops exceptions at the C ABI, and how they become a status and a text.
#ifndef ORDERD_SDK_BARRIER_HPP
#define ORDERD_SDK_BARRIER_HPP

#include <orderd/abi.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace orderd::sdk {

inline orderd_view view(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view text(orderd_view view) {
  return view.data ? std::string_view(view.data, static_cast<std::size_t>(view.size)) : std::string_view();
}

/// A failure with a status of the plugin's choice: `throw Refused("sku X has only 3", ORDERD_E_INVALID)`.
class Refused : public std::runtime_error {
 public:
  explicit Refused(const std::string& message, orderd_status answer = ORDERD_E_INVALID)
      : std::runtime_error(message), status(answer) {}
  const orderd_status status;
};

/// A statement that the database (or the host) refused. Let it pass: the transaction is doomed.
class SqlError : public std::runtime_error {
 public:
  SqlError(orderd_status answer, std::string state, const std::string& message)
      : std::runtime_error(message), status(answer), sqlstate(std::move(state)) {}
  const orderd_status status;
  const std::string sqlstate;
};

/// Fills an error struct of any size.
inline void describe(orderd_error* error, std::string_view code, std::string_view message) {
  if (!error) return;
  const auto put = [](char* to, std::size_t room, std::string_view from) {
    const std::size_t size = std::min(room - 1, from.size());
    std::memcpy(to, from.data(), size);
    to[size] = 0;
  };
  if (ORDERD_HAS(error, orderd_error, code)) put(error->code, sizeof error->code, code);
  if (ORDERD_HAS(error, orderd_error, message)) put(error->message, sizeof error->message, message);
}

/// Runs `body`; an exception becomes a status, and its text fills `error`.
template <class Body>
orderd_status guarded(orderd_error* error, Body&& body) noexcept {
  try {
    body();
    return ORDERD_OK;
  } catch (const SqlError& e) {
    describe(error, e.sqlstate, e.what());
    return e.status;
  } catch (const Refused& e) {
    describe(error, "", e.what());
    return e.status;
  } catch (const std::exception& e) { describe(error, "EXCEPTION", e.what()); } catch (...) {
    describe(error, "EXCEPTION", "an exception that is no std::exception");
  }
  return ORDERD_E_INTERNAL;
}

}  // namespace orderd::sdk
#endif
