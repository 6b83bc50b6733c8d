// The life of an instance, in every order that the headers allow.
#include <dirent.h>
#include <malloc.h>

#include "check.h"
#include "schema.h"

namespace orderd::checker {
namespace {

std::size_t entries(const char* directory) {
  std::size_t count = 0;
  DIR* open = opendir(directory);
  while (open && readdir(open)) ++count;
  if (open) closedir(open);
  return count;
}
std::size_t descriptors() { return entries("/proc/self/fd"); }

/// Broken rules are the other checks' matter: after this one, begun is what they are.
void begin(Case& c) {
  auto host = c.host();
  testing::Plugin plugin(*host, c.descriptor());
  if (const auto problem = plugin.init(); !problem.empty()) return c.fail("init() refused: " + problem);
  if (const auto problem = plugin.start(); !problem.empty()) c.fail("start() refused: " + problem);
}

void create(Case& c) {
  auto host = c.host();
  {
    testing::Plugin plugin(*host, c.descriptor());
    const orderd_plugin* p = plugin.abi();
    if (!p) return c.fail("create() gave NULL");
    const bool whole = ORDERD_HAS(p, orderd_plugin, get_extension) && p->init && p->start && p->stop &&
                       p->destroy && p->get_extension;
    if (!whole) return c.fail("a function of its life cycle is missing, or struct_size is too small");
    if (const auto problem = plugin.init(); !problem.empty()) return c.fail("init() refused: " + problem);
  }
  c.judge(*host);
}

void refused_settings(Case& c) {
  auto host = c.host({{"orderd_checker_no_such_setting", "x"}});
  {
    testing::Plugin plugin(*host, c.descriptor());
    const std::string problem = plugin.init();
    const bool closed = is_closed(schema_of(c.descriptor()));
    if (problem.empty() && !closed)
      c.fail("it takes a setting that it does not know: a typo would be silent");
  }
  c.judge(*host);
}

void extensions(Case& c) {
  Begun begun(c);
  std::string offered;
  for (const char* id : {"orderd.step/1", "orderd.webhook/1", "orderd.projection/1", "orderd.catalog/1",
                         "orderd.migrations/1"}) {
    const void* table = begun->extension<void>(id);
    c.expect(table == begun->extension<void>(id), std::string(id) + " is another table each time");
    if (table) offered += id;
  }
  c.expect(!offered.empty(), "it offers no extension of this ABI: nothing would ever call it");
  for (const char* id : {"orderd.step/999", "", "orderd.step"})
    c.expect(!begun->extension<void>(id), "it answers to the unknown extension \"" + std::string(id) + "\"");
}

void missing_extension(Case& c) {
  for (const char* id : {"orderd.log/1", "orderd.settings/1", "orderd.completion/1", "orderd.tx/1",
                         "orderd.clock/1", "orderd.http/1", "orderd.metrics/1", "orderd.signature/1"}) {
    auto host = c.host();
    host->missing.insert(id);
    {
      testing::Plugin plugin(*host, c.descriptor());
      if (plugin.init().empty()) (void)plugin.start();  // with it or without, but no crash
    }
    c.judge(*host);
  }
}

void newer_host(Case& c) {
  auto host = c.host();
  host->abi()->struct_size += 64;  // what follows it is readable, and none of the plugin's business
  host->abi()->abi_minor = ORDERD_ABI_MINOR + 7;
  testing::Plugin plugin(*host, c.descriptor());
  if (const auto problem = plugin.init(); !problem.empty())
    c.fail("it refuses a host of a newer minor version: " + problem);
}

void twice(Case& c) {
  for (int i = 0; i < 3; ++i) Begun begun(c);
}

void not_started(Case& c) {
  auto host = c.host();
  {
    testing::Plugin plugin(*host, c.descriptor());
    (void)plugin.init();
  }  // destroy() without start(): what the host does if another plugin fails
  c.judge(*host);
}

void threads_end(Case& c) {
  { Begun warm_up(c); }
  const std::set<int> before = threads();
  for (int i = 0; i < 3; ++i) Begun begun(c);
  if (const std::size_t left = threads_beyond(before, 2000); left > 0)
    c.fail("after stop() " + std::to_string(left) + " of its threads are still there: join them");
}

void descriptors_close(Case& c) {
  { Begun warm_up(c); }
  const std::size_t before = descriptors();
  for (int i = 0; i < 3; ++i) Begun begun(c);
  if (const std::size_t after = descriptors(); after > before)
    c.fail("three lives leave " + std::to_string(after - before) + " files or sockets open");
}

/// Without a sanitizer: what three lives keep, compared with what the next thirty keep.
void memory(Case& c) {
  constexpr int lives = 30;
  constexpr std::size_t bytes_per_life_max = 64;
  for (int i = 0; i < 3; ++i) Begun warm_up(c);
  const std::size_t before = mallinfo2().uordblks;
  for (int i = 0; i < lives; ++i) Begun begun(c);
  const std::size_t after = mallinfo2().uordblks;
  if (after > before + lives * bytes_per_life_max)
    c.fail("each life leaves " + std::to_string((after - before) / lives) + " bytes behind");
}

}  // namespace

std::vector<Check> life_checks() {
  return {{"life.begin", "with the settings given, it begins and ends", begin},
          {"life.create", "create() makes an instance and does not call the host", create},
          {"life.unknown_setting", "a setting that it does not know is refused", refused_settings},
          {"life.extensions", "its tables are constant, and unknown ids have none", extensions},
          {"life.missing_extension", "a host that lacks something is refused or served, not crashed",
           missing_extension},
          {"life.newer_host", "a newer host is no reason to refuse", newer_host},
          {"life.not_started", "an instance that was never started can be destroyed", not_started},
          {"life.twice", "one life after another", twice},
          {"life.threads", "after stop() its threads are gone", threads_end},
          {"life.descriptors", "after destroy() its files and sockets are closed", descriptors_close},
          {"life.memory", "after destroy() its memory is free", memory}};
}

}  // namespace orderd::checker
