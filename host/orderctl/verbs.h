#pragma once
// The verbs of orderctl. Each group is a file that lists its verbs in a table; help, the man page and the
// completion are made from the same tables, so a verb that exists is a verb that is documented.
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "orderctl/context.h"
#include "store/secret_box.h"

namespace orderd::ctl {

using Words = std::vector<std::string>;

struct Verb {
  const char* name;       // "stock receive": one word or two
  const char* arguments;  // "SKU QUANTITY"; "" for none
  const char* summary;    // one line that starts in lower case, without a full stop
  int (*run)(Context& context, const Words& words);  // words behind the name; returns the exit status
};

/// The words do not fit the verb; what() says how.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::vector<Verb> setup_verbs();
std::vector<Verb> config_verbs();
std::vector<Verb> migrate_verbs();
std::vector<Verb> keys_verbs();
std::vector<Verb> saga_verbs();
std::vector<Verb> switch_verbs();
std::vector<Verb> dead_letter_verbs();
std::vector<Verb> verify_verbs();
std::vector<Verb> reconcile_verbs();
std::vector<Verb> database_verbs();
std::vector<Verb> stock_verbs();
std::vector<Verb> projection_verbs();
std::vector<Verb> plugin_verbs();
std::vector<Verb> build_verbs();
std::vector<Verb> route_verbs();
std::vector<Verb> report_verbs();
std::vector<Verb> doctor_verbs();
std::vector<Verb> help_verbs();

/// All groups, in the order in which help shows them.
std::vector<Verb> all_verbs();

/// Throws config::ConfigError for a database, or a way to it, that orderd cannot work on.
void expect_fit_database(Context& context);
/// This machine's secrets.key, to be read before root becomes the service's user; nullopt if it cannot be.
std::optional<store::SecretBox> own_key(Context& context);
/// Remembers it for a database that knows none; throws config::ConfigError if that knows another.
void expect_own_key(Context& context, const std::optional<store::SecretBox>& key);
/// Refuses more words than a verb takes.
void expect_no_words(const Words& words);
std::int64_t number(const std::string& text, const std::string& what);

/// What several verbs show. Configuration values that may be secrets are masked.
store::Report shown_config(Context& context);
store::Report schema_differences(Context& context);
store::Report stuck_and_live_sagas(Context& context);
store::Report parked_events(Context& context);
store::Report outbox_positions(Context& context);
store::Report loaded_plugins(Context& context);

}  // namespace orderd::ctl
