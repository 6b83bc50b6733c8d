// Frames of an isolated plugin's process, cut at every byte and with every bit turned: the fuzzer's own
// judge.
#include <catch2/catch.hpp>

#include "plugin_host/isolation/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace orderd::plugins::isolation {
namespace {

Outcome full_outcome() {
  Outcome outcome;
  outcome.kind = OutcomeKind::pending;
  outcome.code = "WAITS";
  outcome.message = "waits for the buyer";
  outcome.retry_after = Millis(1000);
  outcome.next_action = NextAction{"redirect", "https://bank.example/3ds"};
  outcome.expires = Time(Millis(1'700'000'000'000));
  outcome.totals = PaymentTotals{100, 60, 10, 40};
  outcome.provider_reference = "pi_1";
  outcome.state = StateBlob{3, std::string("\0\x01kept", 6)};
  outcome.details_json = R"({"a":[1,{"b":null}]})";
  return outcome;
}

std::string framed(Frame kind, const Out& out) {
  return std::string(1, static_cast<char>(kind)) + out.bytes();
}

std::vector<std::string> frames() {
  Out answered, result, hello, begin;
  write(answered, Answered{"pay-1.authorize.1.g1", Uuid::v7(), full_outcome()});
  WebhookResult told;
  told.kind = WebhookResult::Kind::taken;
  told.events.push_back({"evt_1", "charge.refunded", "", "pay-1", "pi_1", full_outcome(), Time(Millis(5))});
  write(result, told);
  Hello one;
  one.plugin = "bank";
  one.extensions = {"orderd.step/1", "orderd.webhook/1"};
  write(hello, one);
  Begin first;
  first.settings = {{"url", "https://bank.example"}};
  write(begin, first);
  return {framed(Frame::outcomes, answered), framed(Frame::webhook_answer, result),
          framed(Frame::hello, hello), framed(Frame::begin, begin)};
}

void judge(const std::string& bytes) {
  (void)LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

TEST_CASE("a frame that is cut anywhere, or has any bit turned, is read without harm") {
  for (const std::string& frame : frames()) {
    for (std::size_t size = 0; size <= frame.size(); ++size) judge(frame.substr(0, size));
    for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
      std::string bent = frame;
      bent[bit / 8] = static_cast<char>(bent[bit / 8] ^ (1 << (bit % 8)));
      judge(bent);
    }
  }
  SUCCEED("nothing broke");
}

}  // namespace
}  // namespace orderd::plugins::isolation
