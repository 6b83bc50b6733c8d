// orderctl database: which log this is, and going on with a database that went back.
#include <iostream>

#include "app/wiring.h"
#include "auth/audit.h"
#include "orderctl/given.h"
#include "outbox/continuity.h"

namespace orderd::ctl {
namespace {

constexpr const char* epoch_sql =
    "select id::text as epoch, since::text, database as server_timeline_database, actor as by, reason from "
    "log_epoch";

int show(Context& context, const Words& words) {
  expect_no_words(words);
  context.settings();
  context.become_service_user();
  return context.print(store::read_report(database(context.settings()), epoch_sql)), 0;
}

int accept(Context& context, const Words& words) {
  const Given given(words, {"--reason"});
  if (!given.words.empty()) throw UsageError("\"" + given.words[0] + "\" is too much here");
  const std::string reason = given.reason(), who = actor();
  store::UnitOfWork work(context.connection());
  outbox::accept_database(work, who, reason);
  auth::write_audit(work, {who, "database.accept", "log_epoch", reason});
  work.commit();
  std::cout << "the log begins a new epoch: hosts go on with the database as it is, and leave out what a "
               "topic still "
               "holds of the time that is lost\n";
  return 0;
}

}  // namespace

std::vector<Verb> database_verbs() {
  return {
      {"database show", "", "which log this is: its epoch, since when, and on which server", show},
      {"database accept", "--reason TEXT",
       "says that a database that went back is the one to go on with; hosts start again", accept},
  };
}

}  // namespace orderd::ctl
