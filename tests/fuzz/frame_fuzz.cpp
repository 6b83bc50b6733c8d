// What a plugin's process sends is read without a crash however it is bent, and what was read is written and
// read again the same. The input's first byte is the frame's kind. tests/abi runs it, too.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "plugin_host/isolation/wire.h"
#include "plugin_ports/outcome_check.h"

using namespace orderd::plugins;
using namespace orderd::plugins::isolation;

namespace {

void demand(bool holds) {
  if (!holds) std::abort();
}

template <typename Value, typename Read>
Value read_twice(std::string_view fields, const Read& read) {
  In in(fields);
  Value value = read(in);
  if (!in.at_end()) return {};
  Out once, again;
  write(once, value);
  In second(once.bytes());
  write(again, read(second));
  demand(second.at_end() && once.bytes() == again.bytes());
  return value;
}

void judge(const orderd::Outcome& outcome) {
  const std::string problem = outcome_problem(outcome, false);
  demand(outcome.code.size() <= outcome_word_bytes_max || !problem.empty());
  demand(outcome_problem(garbage(one_line(problem)), false).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view fields(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (static_cast<Frame>(data[0])) {
    case Frame::outcomes:
      judge(read_twice<Answered>(fields, read<Answered>).outcome);
      break;
    case Frame::webhook_answer: {
      const auto result = read_twice<WebhookResult>(fields, read<WebhookResult>);
      if (!webhook_problem(result).empty()) break;
      for (const WebhookEvent& event : result.events)
        if (event_problem(event).empty()) judge(event.outcome);
      break;
    }
    case Frame::hello:
      (void)read_twice<Hello>(fields, read<Hello>);
      break;
    case Frame::begin:
      (void)read_twice<Begin>(fields, read<Begin>);
      break;
    default:
      break;
  }
  return 0;
}
