#pragma once
// What an outcome may hold, judged in one place wherever it comes from: a plugin in this process, the process
// of an isolated one, a webhook, the inbox. The limits are those of orderd/outcome.h and orderd/webhook.h.
// Pure.
#include <string>
#include <string_view>

#include "model/step.h"
#include "plugin_ports/webhook.h"

namespace orderd::plugins {

/// In bytes.
inline constexpr std::size_t outcome_word_bytes_max = 64;    // code, next_action_type
inline constexpr std::size_t outcome_name_bytes_max = 255;   // provider_reference, and the texts of an event
inline constexpr std::size_t outcome_text_bytes_max = 2048;  // message, next_action_url
inline constexpr std::size_t outcome_state_bytes_max = 16 * 1024;
inline constexpr std::size_t outcome_details_bytes_max = 256 * 1024;

/// "", or the first thing that makes no sense, for people; then nothing of it is to be believed.
std::string outcome_problem(const Outcome& outcome, bool is_query);
/// The same of what a webhook told, without the outcomes of its events.
std::string webhook_problem(const WebhookResult& result);
std::string event_problem(const WebhookEvent& event);

/// The UNKNOWN that counts instead of an outcome with that problem.
Outcome garbage(const std::string& problem);

/// Whether `text` is UTF-8 (RFC 3629) without NUL.
bool is_utf8_text(std::string_view text);
/// ... and of one line, without any other control character.
bool is_line(std::string_view text);
/// A text for people as one line that logs and PostgreSQL take: what is no UTF-8 becomes U+FFFD, a control
/// character a blank, and what is beyond the limit of a message is cut off.
std::string one_line(std::string_view text);

}  // namespace orderd::plugins
