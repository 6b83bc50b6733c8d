// A saga step of one's own: declines an order of more pieces than a household orders.
#include <orderd/plugin.hpp>

using namespace orderd::sdk;

class FraudCheck final : public SagaStep {
 public:
  explicit FraudCheck(Host host) : pieces_max_(host.setting("pieces_max", 100, 1, 1'000'000)) {
    host.refuse_unknown_settings({"pieces_max"});
  }
  bool supports(std::string_view action) const override { return action == "fraud.check"; }
  void execute(Command command, Reply&& reply) override {
    std::int64_t pieces = 0;
    for (const Line& line : command.lines) pieces += line.quantity;
    reply(pieces > pieces_max_ ? Outcome::declined("FRAUD_SUSPECTED", "too many pieces") : Outcome::done());
  }

 private:
  const std::int64_t pieces_max_;
};

ORDERD_PLUGIN(FraudCheck, "fraud-check", "1.0.0", "orderd")
