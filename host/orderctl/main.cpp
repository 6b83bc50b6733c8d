// orderctl: what an operator does from a shell. Reads the options, finds the verb, turns errors into an exit
// status.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>

#include "base/log.h"
#include "base/printable.h"
#include "orderctl/verbs.h"
#include "plugin_ports/error.h"
#include "saga/core/definition.h"
#include "saga/routing/routes.h"
#include "store/rights.h"

namespace orderd::ctl {

std::vector<Verb> all_verbs() {
  std::vector<Verb> all;
  for (const auto& group : {setup_verbs(), doctor_verbs(), config_verbs(), migrate_verbs(), report_verbs(),
                            saga_verbs(), switch_verbs(), dead_letter_verbs(), verify_verbs(),
                            reconcile_verbs(), database_verbs(), keys_verbs(), stock_verbs(),
                            projection_verbs(), plugin_verbs(), build_verbs(), route_verbs(), help_verbs()})
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

void expect_no_words(const Words& words) {
  if (!words.empty()) throw UsageError("\"" + words.front() + "\" is too much here");
}

std::int64_t number(const std::string& text, const std::string& what) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty())
    throw UsageError(what + " must be a whole number, not " + text);
  return value;
}

namespace {

constexpr int exit_failed = 1, exit_usage = 64, exit_unavailable = 69, exit_no_permission = 77,
              exit_config = 78;  // sysexits.h

struct Invocation {
  std::string config = config::default_file();
  Format format = Format::table;
  Words words;
};

/// The value of `--name VALUE` or `--name=VALUE` at words[i]; nullopt if it is another word.
std::optional<std::string> option(const Words& words, std::size_t& i, const std::string& name) {
  if (words[i].rfind(name + "=", 0) == 0) return words[i].substr(name.size() + 1);
  if (words[i] != name) return std::nullopt;
  if (++i == words.size()) throw UsageError(name + " needs a value");
  return words[i];
}

Invocation parse(const Words& words) {
  Invocation found;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (const auto file = option(words, i, "--config")) {
      found.config = *file;
    } else if (const auto format = option(words, i, "-o")) {
      if (*format != "json" && *format != "table") throw UsageError("-o is table or json, not " + *format);
      found.format = *format == "json" ? Format::json : Format::table;
    } else {
      found.words.push_back(words[i]);
    }
  }
  return found;
}

int run(const Words& all) {
  Invocation given = parse(all);
  Words& words = given.words;
  if (words.empty()) words = {"help"};
  if (std::erase_if(words, [](const std::string& word) { return word == "--help" || word == "-h"; }) > 0) {
    words.insert(words.begin(), "help");
    std::erase_if(words, [](const std::string& word) { return word.rfind("-", 0) == 0; });
  }
  if (words[0] == "--version") words[0] = "version";
  Context context(given.config, given.format);
  // The longer name first: "migrate plan" before "migrate".
  for (const std::size_t length : {std::size_t{2}, std::size_t{1}}) {
    if (words.size() < length) continue;
    const std::string name = length == 2 ? words[0] + " " + words[1] : words[0];
    for (const Verb& verb : all_verbs())
      if (verb.name == name)
        return verb.run(context, Words(words.begin() + static_cast<std::ptrdiff_t>(length), words.end()));
  }
  throw UsageError("there is no verb " + words[0] + (words.size() > 1 ? " " + words[1] : ""));
}

int failed(int status, std::string line) {
  std::replace(line.begin(), line.end(), '\n', ' ');  // libpq's messages have several
  std::cerr << "orderctl: " << line << "\n";
  return status;
}

}  // namespace
}  // namespace orderd::ctl

int main(int count, char** values) {
  using namespace orderd;
  const PrintableOutput harmless_answers(std::cout), harmless_errors(std::cerr);
  set_log_level(LogLevel::warning);  // what a verb prints is its answer; the log is for what went wrong
  try {
    return ctl::run(ctl::Words(values + 1, values + count));
  } catch (const ctl::UsageError& error) {
    return ctl::failed(ctl::exit_usage, std::string(error.what()) + "; `orderctl help` lists the verbs");
  } catch (const config::ConfigError& error) {
    return ctl::failed(ctl::exit_config, error.what());
  } catch (const plugins::PluginError& error) {
    return ctl::failed(ctl::exit_config, error.what());
  } catch (const saga::RouteError& error) {
    return ctl::failed(ctl::exit_config, error.what());
  } catch (const saga::DefinitionError& error) {
    return ctl::failed(ctl::exit_config, error.what());
  } catch (const store::DbError& error) {
    const std::string fix = store::refusal_fix(error.sqlstate);
    if (!fix.empty()) return ctl::failed(ctl::exit_no_permission, std::string(error.what()) + ": " + fix);
    return ctl::failed(error.connection_lost ? ctl::exit_unavailable : ctl::exit_failed, error.what());
  } catch (const std::exception& error) { return ctl::failed(ctl::exit_failed, error.what()); }
}
