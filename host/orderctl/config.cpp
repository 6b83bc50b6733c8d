// Verbs about the configuration. Values that may be secrets are never shown.
#include <iostream>

#include "app/database_check.h"
#include "app/wiring.h"
#include "config/mask.h"
#include "orderctl/verbs.h"
#include "store/secret_box.h"

namespace orderd::ctl {

store::Report shown_config(Context& context) {
  store::Report report{{"key", "value", "source", "overridden"}, {}};
  for (const auto& [key, raw] : context.values()) {
    std::string lost;
    for (const std::string& one : raw.lost) lost += (lost.empty() ? "" : ", ") + one;
    report.rows.push_back({key, config::masked(key, raw.value), raw.source, lost});
  }
  return report;
}

namespace {

int show(Context& context, const Words& words) {
  expect_no_words(words);
  context.settings();  // judges the values
  context.print(shown_config(context));
  return 0;
}

int check(Context& context, const Words& words) {
  expect_no_words(words);
  std::vector<std::string> warnings;
  try {
    (void)store::SecretBox::from_file(context.settings().secrets_key_file);
    const auto definition = default_definition(context.settings());
    judge(context.settings(), context.registry(), definition);
    warnings = judge_database(context.settings(), definition);
  } catch (const std::exception& error) {
    throw config::ConfigError(error.what());  // whatever it is, a start would end with it
  }
  for (const std::string& line : warnings) std::cerr << "orderctl: warning: " << line << "\n";
  std::cout << "the configuration is good\n";
  return 0;
}

}  // namespace

std::vector<Verb> config_verbs() {
  return {
      {"config show", "",
       "every value that is set, by which file or variable, and which others it overrides; secrets are "
       "masked",
       show},
      {"config check", "", "load everything, plugins too, and say what is wrong", check},
  };
}

}  // namespace orderd::ctl
