#include "saga/core/state.h"

namespace orderd::saga {
namespace {
template <typename Command>
std::string key_of(const Saga& saga, const Command& command) {
  return saga.order_id.to_string() + "." + command.action + "." + std::to_string(command.sequence) + ".g" +
         std::to_string(command.generation);
}
}  // namespace

std::string command_key(const Saga& saga, const OpenCommand& open) { return key_of(saga, open); }
std::string command_key(const Saga& saga, const Attempt& attempt) { return key_of(saga, attempt); }

std::string query_key(const Saga& saga, const OpenCommand& open) {
  return command_key(saga, open) + ".q" + std::to_string(open.attempt);
}

void note(std::vector<Attempt>& timeline, Attempt attempt) {
  constexpr std::ptrdiff_t first_kept = 8;
  if (attempt.message.size() > message_bytes_max) {
    std::size_t end = message_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(attempt.message[end]) & 0xc0) == 0x80) --end;
    attempt.message.resize(end);
  }
  if (timeline.size() >= attempts_kept_max) timeline.erase(timeline.begin() + first_kept);
  timeline.push_back(std::move(attempt));
}

}  // namespace orderd::saga
