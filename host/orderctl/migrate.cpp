// Verbs about the schemas of host and plugins. `plan` and `verify` only read.
#include "store/migrations.h"

#include <iostream>

#include "app/wiring.h"
#include "orderctl/verbs.h"
#include "store/fitness.h"
#include "store/key_check.h"
#include "store/rights.h"

namespace orderd::ctl {
namespace {

using Owned = std::pair<std::string, std::vector<store::Migration>>;

/// The host's first: plugins' tables may refer to it.
std::vector<Owned> known_migrations(Context& context) {
  std::vector<Owned> all{{"orderd", store::host_migrations()}};
  for (auto& one : context.registry().migrations()) all.push_back(one);
  return all;
}

}  // namespace

/// Whatever is not as this program wants it: rows of owner, number, name, state.
store::Report schema_differences(Context& context) {
  store::Report report{{"owner", "number", "name", "state"}, {}, {"number"}};
  for (const auto& [owner, migrations] : known_migrations(context)) {
    const auto state = store::schema_state(context.connection(), owner, migrations);
    if (!state.problem.empty()) report.rows.push_back({owner, "", "", state.problem});
    for (const auto& one : state.pending)
      report.rows.push_back({owner, std::to_string(one.number), one.name, "pending"});
  }
  return report;
}

namespace {

int plan(Context& context, const Words& words) {
  expect_no_words(words);
  const auto report = schema_differences(context);
  if (report.rows.empty() && !context.json())
    std::cout << "the schema is up to date\n";
  else
    context.print(report);
  return 0;
}

}  // namespace

std::optional<store::SecretBox> own_key(Context& context) {
  try {
    return store::SecretBox::from_file(context.settings().secrets_key_file);
  } catch (const std::runtime_error&) {
    return std::nullopt;  // another machine may migrate than those that start; these say what is wrong
  }
}

void expect_fit_database(Context& context) {
  context.settings();
  context.become_service_user();
  if (const auto unfit = store::unfit_database(database(context.settings())); unfit.found())
    throw config::ConfigError("postgres.url: " + unfit.line());
}

void expect_own_key(Context& context, const std::optional<store::SecretBox>& key) {
  if (!key) return;
  const std::string problem =
      store::remember_key(context.connection(), *key, context.settings().secrets_key_file);
  if (!problem.empty()) throw config::ConfigError(problem);
}

namespace {

std::vector<store::Migration> apply_of(Context& context, const std::string& owner,
                                       const std::vector<store::Migration>& migrations) {
  try {
    return store::migrate(context.connection(), owner, migrations);
  } catch (const store::DbError& error) {
    if (error.sqlstate != store::sqlstate_no_right || error.connection_lost) throw;
    throw store::DbError("the tables of " + owner + " cannot be made: " + error.what(), error.sqlstate,
                         false);
  }
}

int apply(Context& context, const Words& words) {
  expect_no_words(words);
  const auto key = own_key(context);
  expect_fit_database(context);
  store::Report report{{"owner", "number", "name", "state"}, {}, {"number"}};
  for (const auto& [owner, migrations] : known_migrations(context))
    for (const auto& one : apply_of(context, owner, migrations))
      report.rows.push_back({owner, std::to_string(one.number), one.name, "applied"});
  expect_own_key(context, key);
  if (context.json()) return context.print(report), 0;
  for (const auto& row : report.rows)
    std::cout << "applied " << row[2] << (row[0] == "orderd" ? "" : " of " + row[0]) << "\n";
  std::cout << "the schema is up to date\n";
  return 0;
}

int verify(Context& context, const Words& words) {
  expect_no_words(words);
  const auto report = schema_differences(context);
  if (context.json() || !report.rows.empty())
    context.print(report);
  else
    std::cout << "the schema is this program's\n";
  return report.rows.empty() ? 0 : 1;
}

}  // namespace

std::vector<Verb> migrate_verbs() {
  return {
      {"migrate plan", "", "what `migrate apply` would do", plan},
      {"migrate apply", "", "bring the schemas of host and plugins up to date, under a lock", apply},
      {"migrate verify", "", "compare the schemas with this program's; ends with 1 if they differ", verify},
      {"migrate", "", "the same as `migrate apply`", apply},
  };
}

}  // namespace orderd::ctl
