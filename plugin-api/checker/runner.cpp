#include "runner.h"

#include <unistd.h>

#include <cstdio>

#include "apart.h"

// There if the program, or the plugin, was built with a sanitizer that knows leaks.
extern "C" __attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

namespace orderd::checker {
namespace {

constexpr std::size_t findings_max = 20;

int in_child(const Check& check, const Options& options, int pipe) {
  dup2(STDERR_FILENO, STDOUT_FILENO);  // what a plugin prints is no part of the report
  Case c(options, pipe);
  try {
    check.run(c);
  } catch (const Enough&) {
  } catch (const std::exception& e) { c.fail(e.what()); } catch (...) {
    c.fail("an exception that is no std::exception came out of it");
  }
  if (__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check() != 0)
    c.fail("it leaks: the sanitizer's report is on standard error");
  return 0;
}

void take_lines(const std::string& lines, Result& result) {
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    const bool skip = lines[at] == 'S' || lines[at] == 'N';
    result.unjudged = result.unjudged || lines[at] == 'S';
    const std::string text = lines.substr(at + 1, end - at - 1);
    at = end + 1;
    if (skip && result.kind == Result::Kind::passed) result.kind = Result::Kind::skipped;
    if (!skip && result.kind != Result::Kind::failed)
      result.kind = Result::Kind::failed, result.findings.clear();
    if (result.findings.size() < findings_max && (!skip || result.kind == Result::Kind::skipped))
      result.findings.push_back(text);
  }
}

void fail(Result& result, const std::string& what) {
  if (result.kind != Result::Kind::failed) result.findings.clear();
  result.kind = Result::Kind::failed;
  result.findings.push_back(what);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) continue;
    out += c;
  }
  return out + '"';
}

const char* name_of(Result::Kind kind) {
  return kind == Result::Kind::passed ? "passed" : kind == Result::Kind::failed ? "failed" : "skipped";
}

}  // namespace

Result run(const Check& check, const Options& options) {
  Result result;
  result.check = &check;
  const std::int64_t began = testing::monotonic_ms();
  const Apart ran = run_apart([&](int pipe) { return in_child(check, options, pipe); }, options.timeout_s);
  take_lines(ran.lines, result);
  result.unjudged = result.unjudged && result.kind == Result::Kind::skipped;
  if (!ran.problem.empty()) fail(result, ran.problem);
  result.took_ms = testing::monotonic_ms() - began;
  return result;
}

void print(const Result& result) {
  static const char* const marks[] = {"ok  ", "FAIL", "skip"};
  std::printf("%s  %-24s %s\n", marks[static_cast<int>(result.kind)], result.check->name,
              result.check->about);
  for (const std::string& finding : result.findings) std::printf("        %s\n", finding.c_str());
  std::fflush(stdout);
}

std::string to_json(const Options& options, const std::vector<Result>& results) {
  int counts[3] = {}, unjudged = 0;
  std::string checks;
  for (const Result& result : results) {
    ++counts[static_cast<int>(result.kind)];
    unjudged += result.unjudged ? 1 : 0;
    checks += (checks.empty() ? "\n  {\"name\":" : ",\n  {\"name\":") + quoted(result.check->name) +
              ",\"about\":" + quoted(result.check->about) + ",\"result\":\"" + name_of(result.kind) +
              "\",\"unjudged\":" + (result.unjudged ? "true" : "false") +
              ",\"tookMs\":" + std::to_string(result.took_ms) + ",\"findings\":[";
    for (std::size_t i = 0; i < result.findings.size(); ++i)
      checks += (i ? "," : "") + quoted(result.findings[i]);
    checks += "]}";
  }
  return "{\"library\":" + quoted(options.library) + ",\"seed\":" + std::to_string(options.seed) +
         ",\"passed\":" + std::to_string(counts[0]) + ",\"failed\":" + std::to_string(counts[1]) +
         ",\"skipped\":" + std::to_string(counts[2]) + ",\"unjudged\":" + std::to_string(unjudged) +
         ",\"checks\":[" + checks + "]}\n";
}

}  // namespace orderd::checker
