#include "outbox/continuity.h"

#include <fstream>

#include "base/log.h"

namespace orderd::outbox {
namespace {

constexpr const char* itself = "orderd";  // the actor of an epoch that no person began

constexpr store::Statement read_database{"read_database",
                                         "select e.id, e.database, e.actor, orderd_database(), l.shard, "
                                         "l.last from log_epoch e cross join log_shard l"};
constexpr store::Statement begin_epoch{
    "begin_epoch",
    "update log_epoch set id = gen_random_uuid(), since = now(), database = orderd_database(), actor = $1, "
    "reason = $2 where $3::uuid is null or id = $3 returning id"};

}  // namespace

Continuity::Continuity(std::filesystem::path file) : file_(std::move(file)) { read(); }

std::string Continuity::judge(store::Connection& connection) {
  const auto rows = connection.run(read_database);
  Seen now{rows.uuid(0, 0).to_string(), {}};
  for (int i = 0; i < rows.size(); ++i)
    now.ends[static_cast<std::int16_t>(rows.integer(i, 4))] = rows.integer(i, 5);
  const bool by_person = rows.bytes(0, 2) != itself;
  // Whatever was remembered: somebody decided since.
  if (by_person && now.epoch != seen_.epoch) seen_.ends.clear();
  std::int64_t lost = 0;
  for (const auto& [shard, end] : seen_.ends) lost += std::max<std::int64_t>(0, end - now.ends[shard]);
  if (lost > 0)
    return "the database went back: at least " + std::to_string(lost) +
           " events that it had committed are not in it (a restore, or a standby that took over without "
           "them). "
           "docs/operations.md, \"The database went back\", says what to look at; `orderctl database accept "
           "--reason "
           "TEXT` then goes on with it as it is";
  const std::string database(rows.bytes(0, 3)), before(rows.bytes(0, 1));
  if (database != before) {
    const std::string reason = "another server, timeline or database: " + before + ", then " + database;
    const auto begun =
        connection.run(begin_epoch, store::Args().text(itself).text(reason).uuid(rows.uuid(0, 0)));
    if (!begun.empty()) {
      now.epoch = begun.uuid(0, 0).to_string();
      log_warning("database", "nothing that this host has seen is missing; the log begins a new epoch",
                  {{"reason", reason}});
    }
  }
  if (now == seen_) return "";
  seen_ = std::move(now);
  write();
  return "";
}

void Continuity::read() {
  std::ifstream in(file_);
  std::int64_t shard = 0, end = 0;
  if (in >> seen_.epoch)
    while (in >> shard >> end) seen_.ends[static_cast<std::int16_t>(shard)] = end;
}

void Continuity::write() const {
  if (file_.empty()) return;
  auto fresh = file_;
  fresh += ".new";
  {
    std::ofstream out(fresh);
    out << seen_.epoch << "\n";
    for (const auto& [shard, end] : seen_.ends) out << shard << " " << end << "\n";
    if (!out) return;  // a folder that is not there: it is remembered as long as this process runs
  }
  std::error_code ignored;
  std::filesystem::rename(fresh, file_, ignored);
}

void accept_database(store::UnitOfWork& work, const std::string& actor, const std::string& reason) {
  work.send(begin_epoch, store::Args().text(actor).text(reason).null());
}

}  // namespace orderd::outbox
