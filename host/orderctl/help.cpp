// What orderctl says about itself, all of it from the tables of verbs: help, the man page, the completion.
#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "app/wiring.h"
#include "orderctl/verbs.h"

namespace orderd::ctl {
namespace {

struct Option {
  const char* name;
  const char* summary;
};
constexpr Option options[] = {
    {"--config FILE", "the configuration; /etc/orderd/orderd.properties if that exists, else none"},
    {"-o FORMAT", "table, or json: one array of objects whose names are the table's columns"},
};
struct Status {
  int status;
  const char* summary;
};
constexpr Status statuses[] = {
    {0, "done"},
    {1, "not done, or what was checked is not as it should be"},
    {64, "the words do not make a verb"},
    {69, "the database cannot be reached"},
    {78, "the configuration is wrong; the line names file, key and what to do"},
};

constexpr std::size_t summary_column = 34, columns_max = 100;

/// `line` with the words of `text` behind it, broken between words; further lines begin at `indent`.
std::string wrapped(std::string line, const std::string& text, std::size_t indent) {
  std::string lines;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > columns_max) {
      lines += line + "\n";
      line.assign(indent, ' ');
    }
    line += (line.ends_with(' ') ? "" : " ") + word;
  }
  return lines + line + "\n";
}

/// Name and summary beside each other, or the summary below a name that is long.
void print_entry(const std::string& name, const std::string& summary) {
  std::string line = "  " + name;
  if (line.size() + 2 > summary_column) {
    std::cout << wrapped("  ", name, 6);
    line.clear();
  }
  line.resize(summary_column, ' ');
  std::cout << wrapped(line, summary, summary_column);
}

std::vector<Verb> verbs_of(const Words& words) {
  std::string begin;
  for (const std::string& word : words) begin += word + " ";
  std::vector<Verb> verbs = all_verbs();
  std::erase_if(verbs, [&](const Verb& verb) { return (std::string(verb.name) + " ").rfind(begin, 0) != 0; });
  return verbs;
}

/// All verbs, or those that the words name: a group, or one with whatever is behind it.
int help(Context&, const Words& given) {
  Words words = given;
  while (verbs_of(words).empty()) words.pop_back();
  if (words.empty() && !given.empty()) throw UsageError("there is no verb " + given.front());
  std::cout << "usage: orderctl [--config FILE] [-o table|json] VERB ...\n\n";
  for (const Verb& verb : verbs_of(words))
    print_entry(std::string(verb.name) + " " + verb.arguments, verb.summary);
  if (!words.empty()) return 0;
  std::cout << "\n";
  for (const Option& one : options) print_entry(one.name, one.summary);
  std::cout << "\nExit status:\n";
  for (const Status& one : statuses) print_entry(std::to_string(one.status), one.summary);
  std::cout << "\n`orderctl VERB --help` shows one verb or group; orderctl(1) is the same as a man page.\n";
  return 0;
}

/// roff takes '-' for a hyphen and a '.' or '\'' at a line's begin for a request.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '-')
      out += "\\-";
    else if (c == '\\')
      out += "\\e";
    else if (c == '`')
      out += "";
    else
      out.push_back(c);
  }
  return out.empty() || (out[0] != '.' && out[0] != '\'') ? out : "\\&" + out;
}

int man(Context&, const Words& words) {
  expect_no_words(words);
  std::cout
      << ".TH ORDERCTL 1 \"\" \"orderd " << version << "\" \"orderd\"\n"
      << ".SH NAME\norderctl \\- the operator's tool of orderd\n"
      << ".SH SYNOPSIS\n.B orderctl\n[\\fB\\-\\-config\\fR \\fIFILE\\fR] [\\fB\\-o\\fR table|json] "
         "\\fIVERB\\fR ...\n"
      << ".SH DESCRIPTION\nReads the configuration that the host reads, and works on the same "
         "database.\nRun as root with the packaged configuration, it becomes the user\n.B orderd\nbefore "
         "it connects.\n.SH VERBS\n";
  for (const Verb& verb : all_verbs())
    std::cout << ".TP\n\\fB" << roff(verb.name) << "\\fR \\fI" << roff(verb.arguments) << "\\fR\n"
              << roff(verb.summary) << ".\n";
  std::cout << ".SH OPTIONS\n";
  for (const Option& one : options)
    std::cout << ".TP\n\\fB" << roff(one.name) << "\\fR\n" << roff(one.summary) << ".\n";
  std::cout << ".SH EXIT STATUS\n";
  for (const Status& one : statuses)
    std::cout << ".TP\n.B " << one.status << "\n" << roff(one.summary) << ".\n";
  std::cout << ".SH FILES\n.TP\n.I /etc/orderd/orderd.properties\nthe configuration, "
               "see \\fBorderd.properties\\fR(5).\n"
            << ".SH SEE ALSO\n\\fBorderd\\fR(8), \\fBorderd.properties\\fR(5)\n";
  return 0;
}

int completion(Context&, const Words& words) {
  if (words != Words{"bash"}) throw UsageError("completion knows bash");
  std::map<std::string, std::string> second;  // by first word
  for (const Verb& verb : all_verbs()) {
    const std::string name = verb.name;
    const auto space = name.find(' ');
    auto& list = second[name.substr(0, space)];
    if (space != name.npos) list += (list.empty() ? "" : " ") + name.substr(space + 1);
  }
  std::string first;
  for (const auto& [word, list] : second) first += (first.empty() ? "" : " ") + word;
  std::cout << "# bash completion for orderctl, made by `orderctl completion bash`.\n"
            << "_orderctl() {\n  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
            << "  case $before in\n"
            << "    --config | import) COMPREPLY=($(compgen -f -- \"$word\")) ; return ;;\n"
            << "    -o) COMPREPLY=($(compgen -W 'table json' -- \"$word\")) ; return ;;\n";
  for (const auto& [word, list] : second)
    if (!list.empty())
      std::cout << "    " << word << ") COMPREPLY=($(compgen -W '" << list
                << "' -- \"$word\")) ; return ;;\n";
  std::cout << "  esac\n  COMPREPLY=($(compgen -W '" << first << " --config -o' -- \"$word\"))\n}\n"
            << "complete -F _orderctl orderctl\n";
  return 0;
}

int print_version(Context&, const Words&) { return std::cout << "orderctl " << version << "\n", 0; }

}  // namespace

std::vector<Verb> help_verbs() {
  return {
      {"completion", "bash", "a script for the shell's completion", completion},
      {"man", "", "this tool's man page, as roff", man},
      {"help", "[VERB]", "this text, or that of one verb or group", help},
      {"version", "", "the version", print_version},
  };
}

}  // namespace orderd::ctl
