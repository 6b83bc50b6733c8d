// Transactional steps of any action, named by --action, on a real PostgreSQL.
#include "check.h"
#include "session.h"

namespace orderd::checker {
namespace {

using testing::CommandSpec;

/// A command of the first action given that it knows; ends the check if there is none.
CommandSpec own_sample(Case& c, Lent& lent, const std::string& subject) {
  const auto* step = lent.plugin().extension<orderd_step_v1>(ORDERD_EXT_STEP);
  if (!step || !step->execute_tx || !step->supports) c.not_asked("it is no transactional step");
  testing::note_call("supports()");
  for (const std::string& action : c.options().actions)
    if (step->supports(lent.plugin().abi(), sdk::view(action))) {
      CommandSpec spec = testing::command(action, subject);
      c.options().complete(spec);
      return spec;
    }
  if (step->supports(lent.plugin().abi(), orderd_text("inventory.reserve")))
    c.not_asked("it is an inventory backend, judged by the checks of those");
  c.skip("name an action of it by --action");
}

std::vector<sdk::Outcome> executed(Case& c, Lent& lent, const std::vector<CommandSpec>& specs) {
  std::string why;
  const auto outcomes = lent.execute(specs, &why);
  if (!outcomes.empty()) return outcomes;
  c.fail("execute_tx() with " + std::to_string(specs.size()) + " commands fails: " + why);
  throw Enough();
}

void completes(Case& c) {
  Lent lent(c);
  (void)executed(c, lent, {own_sample(c, lent, "own-1")});
  std::vector<CommandSpec> batch;
  for (int i = 0; i < 8; ++i) batch.push_back(own_sample(c, lent, "own-batch-" + std::to_string(i)));
  (void)executed(c, lent, batch);
}

void repeats(Case& c) {
  Lent lent(c);
  CommandSpec spec = own_sample(c, lent, "own-repeat");
  const auto first = executed(c, lent, {spec})[0];
  if (first.kind == ORDERD_RETRY) c.skip("the command was not settled (RETRY), so it says nothing");
  const auto rows = lent.session().written();
  for (spec.attempt = 2; spec.attempt < 4; ++spec.attempt) {
    const auto again = executed(c, lent, {spec})[0];
    c.expect(again.kind == first.kind && again.code == first.code,
             std::string("the same key was answered ") + kind_name(first.kind) + " " + first.code +
                 ", then " + kind_name(again.kind) + " " + again.code);
  }
  for (const auto& [table, digest] : lent.session().written()) {
    const auto before = rows.find(table);
    if (before == rows.end() || before->second != digest)
      c.fail("the same key again changes rows of " + table + ": a second effect");
  }
}

void fails(Case& c) {
  constexpr int statements_max = 10;
  Lent lent(c);
  lent.session().statements = 0;
  (void)executed(c, lent, {own_sample(c, lent, "own-count")});
  const int count = std::min(lent.session().statements, statements_max);
  if (count == 0) c.not_asked("its command sends no statement");
  for (int n = 0; n < count; ++n) {
    lent.session().statements = 0;
    lent.session().fail_from = n;
    (void)lent.execute({own_sample(c, lent, "own-fails-" + std::to_string(n))});  // it judges an OK itself
    lent.session().fail_from = -1;
  }
}

}  // namespace

std::vector<Check> own_step_checks() {
  return {{"transaction.completes", "each command is completed inside the call", completes},
          {"transaction.repeat", "the same key: the same outcome, the same rows", repeats},
          {"transaction.failure", "a statement that fails, fails the call", fails}};
}

}  // namespace orderd::checker
