// Commands in an order that only a seed knows: repeats, queries, cancels, batches, deadlines that passed.
// What must hold holds whatever came before.
#include <unistd.h>

#include <random>

#include "check.h"

namespace orderd::checker {
namespace {

using testing::CommandSpec;

/// What is known of one payment: its keys, and the most that its totals can be.
struct Known {
  std::vector<CommandSpec> sent;
  std::set<std::string> counted{};  // keys that may have had their effect
  orderd_totals totals{}, most{};
  sdk::State state{};  // this and the next as the last outcome left them
  std::string reference{};
};

class Storm {
 public:
  Storm(Case& c, Begun& begun)
      : case_(c), begun_(begun), random_(c.options().seed), step_(external_step(c, begun.plugin())) {
    for (const char* action : {"payment.authorize", "payment.capture", "payment.void", "payment.refund"})
      if (step_->supports(begun.plugin().abi(), orderd_text(action))) actions_.emplace_back(action);
    if (actions_.empty()) c.not_asked("it is no payment provider");
  }
  void step() {
    const std::size_t which = below(8);
    Known& known = payments_[which];
    const std::size_t dice = below(10);
    if (dice < 2 && !known.sent.empty()) return send(known, known.sent[below(known.sent.size())]);
    if (dice == 2 && !known.sent.empty()) return send(known, query_of(known.sent[below(known.sent.size())]));
    if (dice == 3 && step_->cancel) return step_->cancel(begun_.plugin().abi(), {below(64), below(2000)});
    CommandSpec spec = testing::command(actions_[below(actions_.size())],
                                        "storm-" + std::to_string(getpid()) + "-" + std::to_string(which) +
                                            "-" + std::to_string(case_.options().seed),
                                        ++sequence_);
    case_.options().complete(spec);
    spec.amount = static_cast<std::int64_t>(below(2000)) + 1;
    spec.method = case_.options().method;
    if (dice == 4) spec.patience_ms = -1;
    send(known, spec);
    known.sent.push_back(spec);
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }

  void send(Known& known, CommandSpec spec) {
    spec.totals = known.totals;
    spec.state = known.state;
    spec.provider_reference = known.reference;
    const auto outcome = begun_.plugin().run(spec);
    const bool no_effect = outcome.kind == ORDERD_DECLINED || outcome.kind == ORDERD_RETRY;
    if (!no_effect && known.counted.insert(spec.key).second) {
      if (spec.action == "payment.authorize") known.most.authorized += spec.amount;
      if (spec.action == "payment.capture") known.most.captured += spec.amount;
      if (spec.action == "payment.refund") known.most.refunded += spec.amount;
    }
    if (outcome.code == "TIMEOUT" && spec.patience_ms > 0) complain(spec, "was never completed");
    if (outcome.state) known.state = *outcome.state;
    if (!outcome.provider_reference.empty()) known.reference = outcome.provider_reference;
    if (!outcome.totals) return;
    const orderd_totals& t = *outcome.totals;
    if (t.authorized > known.most.authorized || t.captured > known.most.captured ||
        t.refunded > known.most.refunded)
      complain(spec, "moved more money than all commands of its payment together: an effect happened twice");
    if (t.authorized < known.totals.authorized || t.captured < known.totals.captured ||
        t.refunded < known.totals.refunded)
      complain(spec, "made totals fall: they tell what ever happened");
    known.totals = t;
  }
  void complain(const CommandSpec& spec, const std::string& what) {
    case_.fail("seed " + std::to_string(case_.options().seed) + ", command " + std::to_string(sequence_) +
               ": " + spec.action + " of " + std::to_string(spec.amount) + " " + what);
    throw Enough();
  }

  Case& case_;
  Begun& begun_;
  std::mt19937_64 random_;
  const orderd_step_v1* const step_;
  std::vector<std::string> actions_;
  std::map<std::size_t, Known> payments_;
  int sequence_ = 0;
};

void chaos(Case& c) {
  Begun begun(c);
  Storm storm(c, begun);
  for (unsigned i = 0; i < c.options().chaos_commands; ++i) storm.step();
}

}  // namespace

std::vector<Check> chaos_checks() {
  return {{"chaos", "commands in an order that only the seed knows", chaos}};
}

}  // namespace orderd::checker
