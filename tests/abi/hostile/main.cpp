// In the place of orderd-plugin-runner: a process that was taken over and sends what no plugin can. The
// command's method says what.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "plugin_host/isolation/channel.h"

namespace orderd::plugins::isolation {
namespace {

Outcome bent(const std::string& how) {
  Outcome outcome;
  outcome.kind = OutcomeKind::done;
  if (how == "deep") outcome.details_json = "{\"a\":" + std::string(2'000'000, '[');
  if (how == "script") outcome.next_action = NextAction{"redirect", "javascript:alert(1)"};
  if (how == "nul") outcome.code = std::string("A\0B", 3);
  if (how == "later") outcome.retry_after = Millis(INT64_MAX);
  if (how == "time") outcome.expires = Time(Millis(INT64_MAX));
  if (how == "long") outcome.code = std::string(5'000'000, 'A');
  if (how == "blob") outcome.state = StateBlob{1, std::string(1'000'000, 'x')};
  if (how == "money") outcome.totals = PaymentTotals{INT64_MAX, INT64_MAX, 0, 0};
  if (how == "kind") outcome.kind = static_cast<OutcomeKind>(77);
  if (how == "environment")
    for (const char* name : {"ORDERD_POSTGRES_URL", "BANK_KEY"})
      if (const char* value = std::getenv(name)) outcome.message += std::string(name) + "=" + value + " ";
  if (how == "answer") outcome.query_answer = QueryAnswer::not_found_final;
  return outcome;
}

void answer(Channel& channel, const Command& command) {
  const std::string& how = command.method;
  if (how == "cut") return (void)channel.send(Out().u32(1).text(command.key).frame(Frame::outcomes));
  if (how == "stranger") return (void)channel.send(Out().frame(static_cast<Frame>(99)));
  if (how == "unasked") return (void)channel.send(Out().text("x.y").u8(1).frame(Frame::supports_answer));
  if (how == "metric")
    return (void)channel.send(
        Out().u32(1).u8(1).text("orderd_plugin_a\nb").text("").i64(1).frame(Frame::pong));
  if (how == "endless") return (void)channel.send(std::string("\xff\xff\xff\x7f\x17", 5));
  if (how == "closes") {
    close(3);
    for (;;) pause();
  }
  Out out;
  out.u32(1);
  write(out, Answered{command.key, command.order_id, bent(how)});
  (void)channel.send(out.frame(Frame::outcomes));
}

int serve() {
  Channel channel(3, frame_bytes_max);
  const auto first = channel.receive();
  In fields(first->fields);
  const Begin begin = read<Begin>(fields);
  if (const auto once = begin.settings.find("once"); once != begin.settings.end()) {
    if (access(once->second.c_str(), F_OK) == 0) {
      std::ofstream(once->second + ".again") << "hangs";
      for (;;) pause();
    }
    std::ofstream(once->second) << "was here";
  }
  Hello hello;
  hello.plugin = hello.version = hello.vendor = "hostile";
  hello.extensions = {"orderd.step/1"};
  hello.is_step = hello.can_query = true;
  Out out;
  write(out, hello);
  (void)channel.send(out.frame(Frame::hello));
  while (const auto received = channel.receive()) {
    In in(received->fields);
    if (received->kind == Frame::stop) return 0;
    if (received->kind == Frame::start) (void)channel.send(Out().text("").frame(Frame::started));
    if (received->kind == Frame::supports)
      (void)channel.send(Out().text(in.text()).u8(0).frame(Frame::supports_answer));
    if (received->kind == Frame::ping) (void)channel.send(Out().u32(0).frame(Frame::pong));
    if (received->kind == Frame::execute)
      for (std::size_t left = in.count(64); left > 0; --left) answer(channel, read_command(in));
  }
  return 0;
}

}  // namespace
}  // namespace orderd::plugins::isolation

int main() { return orderd::plugins::isolation::serve(); }
