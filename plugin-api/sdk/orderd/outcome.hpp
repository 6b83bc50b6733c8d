// An outcome that owns its texts.
#ifndef ORDERD_SDK_OUTCOME_HPP
#define ORDERD_SDK_OUTCOME_HPP

#include <orderd/step.h>

#include <optional>
#include <string>
#include <utility>

#include "host.hpp"

namespace orderd::sdk {

/// The plugin's opaque bytes for one payment or reservation, in its own numbering of formats.
struct State {
  std::uint32_t version = 0;
  std::string bytes;
};

/// Fields as outcome.h describes them.
struct Outcome {
  std::int32_t kind = ORDERD_UNKNOWN;
  std::int32_t query_answer = 0;
  bool soft = false;
  std::string code, message;
  std::int64_t retry_after_ms = 0;
  std::int64_t expires_ms = 0;
  std::string next_action_type, next_action_url;
  std::optional<orderd_totals> totals;
  std::string provider_reference;
  std::optional<State> state;
  std::string details_json;

  static Outcome done() { return of(ORDERD_DONE); }
  static Outcome declined(std::string code, std::string message, bool soft = false) {
    Outcome outcome = of(ORDERD_DECLINED, std::move(code), std::move(message));
    outcome.soft = soft;
    return outcome;
  }
  static Outcome retry(std::int64_t after_ms, std::string code, std::string message) {
    Outcome outcome = of(ORDERD_RETRY, std::move(code), std::move(message));
    outcome.retry_after_ms = after_ms;
    return outcome;
  }
  static Outcome pending(std::int64_t expires_ms) {
    Outcome outcome = of(ORDERD_PENDING);
    outcome.expires_ms = expires_ms;
    return outcome;
  }
  static Outcome unknown(std::string code, std::string message) {
    return of(ORDERD_UNKNOWN, std::move(code), std::move(message));
  }
  /// Answers of a query.
  static Outcome found(Outcome own) {
    own.query_answer = ORDERD_FOUND;
    return own;
  }
  static Outcome not_found() {
    Outcome outcome = done();
    outcome.query_answer = ORDERD_NOT_FOUND_FINAL;
    return outcome;
  }
  static Outcome not_found_yet(std::int64_t ask_again_after_ms) {
    Outcome outcome = retry(ask_again_after_ms, "", "");
    outcome.query_answer = ORDERD_NOT_FOUND_YET;
    return outcome;
  }

  /// The C struct; its views look into this object.
  orderd_outcome abi() const {
    orderd_outcome out;
    ORDERD_CLEAR(out);
    const auto given = [](const std::string& s) { return s.empty() ? orderd_view{nullptr, 0} : view(s); };
    out.kind = kind;
    out.query_answer = query_answer;
    if (soft) out.flags |= ORDERD_OUTCOME_SOFT;
    if (totals) out.flags |= ORDERD_OUTCOME_HAS_TOTALS;
    if (state) out.flags |= ORDERD_OUTCOME_HAS_STATE;
    out.code = given(code);
    out.message = given(message);
    out.retry_after_ms = retry_after_ms;
    out.expires_ms = expires_ms;
    out.next_action_type = given(next_action_type);
    out.next_action_url = given(next_action_url);
    if (totals) out.totals = *totals;
    out.provider_reference = given(provider_reference);
    if (state) out.state_version = state->version, out.state = view(state->bytes);
    out.details_json = given(details_json);
    return out;
  }

 private:
  static Outcome of(std::int32_t kind, std::string code = "", std::string message = "") {
    Outcome outcome;
    outcome.kind = kind;
    outcome.code = std::move(code);
    outcome.message = std::move(message);
    return outcome;
  }
};

}  // namespace orderd::sdk
#endif
