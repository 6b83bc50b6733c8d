// A step by the SDK that throws when asked to, drops replies when asked to, and is strict about its settings.
#include <unistd.h>

#include <orderd/plugin.hpp>

namespace {

using namespace orderd::sdk;

class Strict final : public SagaStep {
 public:
  explicit Strict(Host host) : host_(host), limit_(host.setting("limit", 100, 1, 1000)) {
    host.refuse_unknown_settings({"limit", "start"});
  }
  void start() {
    const std::string start = host_.setting("start", "");  // "no", or a file without which it fails
    if (start == "no" || (!start.empty() && access(start.c_str(), F_OK) != 0))
      throw Refused("the provider's certificate is not readable");
  }
  bool supports(std::string_view action) const override {
    return action == "fraud.check" || action == "payment.authorize";
  }
  void execute(Command command, Reply&& reply) override {
    if (command.method == "throw") throw std::runtime_error("a bug in the plugin");
    if (command.method == "throw after taking") {
      const Reply taken = std::move(reply);
      throw std::runtime_error("a bug in the plugin");
    }
    if (command.method == "drop") {
      const Reply dropped = std::move(reply);
      return;
    }
    if (command.amount.amount > limit_) return void(reply(Outcome::declined("FRAUD", "too much", true)));
    Outcome pending = Outcome::pending(command.deadline_ms);
    pending.next_action_type = "redirect";
    pending.next_action_url = "https://example.com/3ds";
    reply(pending);
  }

 private:
  Host host_;
  std::int64_t limit_;
};

}  // namespace

ORDERD_PLUGIN(Strict, "strict", "2.1.0", "orderd tests")
