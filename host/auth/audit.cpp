#include "auth/audit.h"

namespace orderd::auth {
namespace {

constexpr store::Statement insert_audit{
    "insert_audit",
    "insert into audit_log (actor, verb, subject, reason, data) values ($1, $2, $3, $4, $5::jsonb)"};

}  // namespace

void write_audit(store::UnitOfWork& work, const Audit& audit) {
  store::Args args;
  args.text(audit.actor).text(audit.verb).text(audit.subject);
  audit.reason.empty() ? args.null() : args.text(audit.reason);
  work.send(insert_audit, std::move(args.jsonb(audit.data)));
}

}  // namespace orderd::auth
