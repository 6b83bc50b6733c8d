// orderd-plugin-check: judges a plugin from outside, without orderd.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "runner.h"
#include "session.h"

namespace orderd::checker {
namespace {

constexpr const char* usage_head = R"(usage: orderd-plugin-check [OPTIONS] PLUGIN.so

Judges an orderd plugin without orderd. Each check runs in a process of its own, so a crash is a finding.

  --set KEY=VALUE     a setting of the instance, as in plugin.<instance>.settings.KEY (again for more)
  --settings FILE     the same from a file, one KEY=VALUE a line: for what others shall not see in a list of
                      processes
)";
constexpr const char* usage_tail =
    R"(  --action ACTION     an action of a step that is neither payment nor inventory: fraud.check
  --database URL      a PostgreSQL for transactional plugins and projections; everything is rolled back
  --loopback          plain HTTP to 127.0.0.1 is let through, to a test server; else nothing is sent
  --only PREFIX       only checks whose name begins so: payment. (again for more)
  --strict            a check that another option would have made possible (a token, a database) is a failure
  --seed N            of the chaos check (1); a failing seed fails again
  --chaos N           commands of the chaos check (300)
  --timeout SECONDS   after which one check hangs (30)
  --json FILE         a report for programs; - for standard output, instead of the readable one
  --list              the checks, and what each is about
  --help              this

Ends with 0 if nothing failed, 1 if something did, 2 if it could not judge.
)";

std::vector<Check> all_checks() {
  std::vector<Check> all;
  for (auto family : {entry_checks, life_checks, instance_checks, step_checks, hostile_checks, payment_checks,
                      list_checks, webhook_checks, transaction_checks, own_step_checks, chaos_checks}) {
    const auto some = family();
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

struct Arguments {
  Options options;
  std::string json;
  bool list = false, help = false;
};

unsigned long number(const std::string& option, const std::string& text) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 10);
  if (text.empty() || *end || text[0] < '0' || text[0] > '9')
    throw std::runtime_error(option + " takes a number, not \"" + text + "\"");
  return value;
}

unsigned seconds(const std::string& text) {
  constexpr unsigned long most = 86400;
  const unsigned long value = number("--timeout", text);
  if (value == 0 || value > most)
    throw std::runtime_error("--timeout is 1 to " + std::to_string(most) + " seconds, not " + text);
  return static_cast<unsigned>(value);
}

void read_settings(const std::string& file, std::map<std::string, std::string>& settings) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("--settings " + file + " cannot be read");
  for (std::string line; std::getline(in, line);)
    if (const std::size_t equals = line.find('='); equals != std::string::npos)
      settings[line.substr(0, equals)] = line.substr(equals + 1);
}

/// An option without a value; false if it is another one.
bool take_flag(const std::string& option, Arguments& out) {
  if (option == "--list")
    out.list = true;
  else if (option == "--help" || option == "-h")
    out.help = true;
  else if (option == "--loopback")
    out.options.loopback = true;
  else if (option == "--strict")
    out.options.strict = true;
  else
    return false;
  return true;
}

void take_value(const std::string& option, const std::string& value, Arguments& out) {
  Options& o = out.options;
  if (o.take(option, value)) return;
  if (option == "--set") {
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos) throw std::runtime_error("--set takes KEY=VALUE, not \"" + value + "\"");
    o.settings[value.substr(0, equals)] = value.substr(equals + 1);
  } else if (option == "--settings")
    read_settings(value, o.settings);
  else if (option == "--action")
    o.actions.push_back(value);
  else if (option == "--database")
    o.database = value;
  else if (option == "--only")
    o.only.push_back(value);
  else if (option == "--seed")
    o.seed = number(option, value);
  else if (option == "--chaos")
    o.chaos_commands = static_cast<unsigned>(number(option, value));
  else if (option == "--timeout")
    o.timeout_s = seconds(value);
  else if (option == "--json")
    out.json = value;
}

constexpr const char* valued[] = {"--set",      "--settings", "--token",    "--method",  "--customer",
                                  "--buyer",    "--secret",   "--metadata", "--action",  "--only",
                                  "--database", "--seed",     "--chaos",    "--timeout", "--json"};

Arguments parse(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (take_flag(option, out)) continue;
    if (option.rfind("-", 0) != 0) {
      if (!out.options.library.empty()) throw std::runtime_error("one plugin at a time: " + option);
      out.options.library = option;
      continue;
    }
    if (std::find(std::begin(valued), std::end(valued), option) == std::end(valued))
      throw std::runtime_error("unknown option " + option + "; --help names them");
    if (++i >= argc) throw std::runtime_error(option + " needs a value");
    take_value(option, argv[i], out);
  }
  return out;
}

bool wanted(const Check& check, const Options& options) {
  const auto begins = [&](const std::string& prefix) {
    return std::strncmp(check.name, prefix.c_str(), prefix.size()) == 0;
  };
  return options.only.empty() || std::any_of(options.only.begin(), options.only.end(), begins);
}

/// The rest says nothing about a plugin that is none, or does not begin.
bool decides_all(const Result& result) {
  const std::string name = result.check->name;
  return result.kind == Result::Kind::failed && (name == "entry.symbol" || name == "entry.descriptor" ||
                                                 name == "life.begin" || name == "life.create");
}

/// What would spoil every check is told before there is one. The file of the report, if there is one.
std::ofstream prepare(const Arguments& arguments, const std::vector<Check>& checks) {
  const Options& options = arguments.options;
  if (std::none_of(checks.begin(), checks.end(), [&](const Check& one) { return wanted(one, options); }))
    throw std::runtime_error("no check begins with what --only says; --list names them");
  if (!options.database.empty()) Session connects(options.database);
  std::ofstream report;
  if (arguments.json.empty() || arguments.json == "-") return report;
  report.open(arguments.json);
  if (!report) throw std::runtime_error("cannot write " + arguments.json);
  return report;
}

int judge(Arguments& arguments) {
  Options& options = arguments.options;
  options.library = std::filesystem::absolute(options.library).string();
  const std::vector<Check> checks = all_checks();
  std::ofstream file = prepare(arguments, checks);
  std::vector<Result> results;
  for (const Check& check : checks) {
    if (!wanted(check, options)) continue;
    results.push_back(run(check, options));
    if (arguments.json != "-") print(results.back());
    if (decides_all(results.back())) break;
  }
  const auto count = [&](Result::Kind kind) {
    return std::count_if(results.begin(), results.end(), [&](const Result& r) { return r.kind == kind; });
  };
  const auto failed = count(Result::Kind::failed);
  const auto unjudged =
      std::count_if(results.begin(), results.end(), [](const Result& r) { return r.unjudged; });
  const std::string report = to_json(options, results);
  if (arguments.json == "-")
    std::fputs(report.c_str(), stdout);
  else {
    if (!arguments.json.empty() && !(file << report << std::flush))
      throw std::runtime_error("cannot write " + arguments.json);
    std::printf("\n%s: %zd passed, %zd failed, %zd skipped", options.library.c_str(),
                count(Result::Kind::passed), failed, count(Result::Kind::skipped));
    if (unjudged > 0)
      std::printf(", %zd of them for want of an option%s", unjudged,
                  options.strict ? "" : " (--strict makes that a failure)");
    std::puts("");
  }
  return failed == 0 && !(options.strict && unjudged > 0) ? 0 : 1;
}

int command(int argc, char** argv) {
  const auto tell = [](std::FILE* where) {
    for (const char* part : {usage_head, Shop::usage, usage_tail}) std::fputs(part, where);
  };
  if (argc < 2) return tell(stderr), 2;
  Arguments arguments = parse(argc, argv);
  if (arguments.help) return tell(stdout), 0;
  if (arguments.list) {
    for (const Check& check : all_checks()) std::printf("%-24s %s\n", check.name, check.about);
    return 0;
  }
  if (arguments.options.library.empty()) throw std::runtime_error("name a plugin; --help tells more");
  if (!std::filesystem::exists(arguments.options.library))
    throw std::runtime_error(arguments.options.library + ": there is no such file");
  return judge(arguments);
}

}  // namespace
}  // namespace orderd::checker

int main(int argc, char** argv) {
  try {
    return orderd::checker::command(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "orderd-plugin-check: %s\n", e.what());
    return 2;
  }
}
