#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "harness.h"
#include "plugin_host/loading/trust.h"

namespace orderd::plugins {
namespace {

const std::string directory = std::filesystem::weakly_canonical(ABI_PLUGINS).string();

/// What the host says when it is configured like this; "" if it starts.
std::string complaint(const std::vector<InstanceConfig>& configs) {
  try {
    Registry registry(test_options(), configs);
    registry.start([](Completion) {});
    return "";
  } catch (const PluginError& error) { return error.what(); }
}

std::string about(const std::string& library, const std::string& rest) {
  return "plugin \"one\" (" + directory + "/" + library + "): " + rest;
}

TEST_CASE("a library that is not there is named, with what to do") {
  CHECK(complaint({plugin("nowhere.so")}) ==
        about("nowhere.so",
              "there is no such file; install the package that brings it, or correct the library's name"));
}

TEST_CASE("a file that is no library is refused with the loader's reason") {
  std::ofstream(directory + "/text.so")
      << "this is a text, and long enough for an ELF header to be looked for in it........";
  CHECK(complaint({plugin("text.so")}) ==
        about("text.so",
              "it is not a loadable library (invalid ELF header); install a build for this machine"));
}

TEST_CASE("a library without the entry function is not a plugin") {
  CHECK(complaint({plugin("abi_odd1.so")}) ==
        about("abi_odd1.so",
              "it is not an orderd plugin (no symbol orderd_plugin_entry_v1); correct the library's name"));
}

TEST_CASE("a plugin of another major is told by its entry function's name") {
  CHECK(complaint({plugin("abi_odd2.so")}) ==
        about("abi_odd2.so",
              "it was built for plugin ABI 7, this host has 1; install a build of it for ABI 1"));
}

TEST_CASE("a descriptor that is too short is not read beyond its end") {
  CHECK(complaint({plugin("abi_odd3.so")}) ==
        about("abi_odd3.so", "its descriptor is damaged; report it to the plugin's vendor"));
}

TEST_CASE("a descriptor of another major, or with texts that no log can take, is told apart") {
  CHECK(complaint({plugin("abi_odd5.so")}) ==
        about("abi_odd5.so", "its abi_major is 2, not 1; report it to the plugin's vendor"));
  CHECK(complaint({plugin("abi_odd6.so")}) ==
        about("abi_odd6.so",
              "its name is missing, longer than 100 bytes, or not one line of UTF-8; "
              "report it to the plugin's vendor"));
}

TEST_CASE("an undefined symbol shows when the library is loaded, not when it is first called") {
  CHECK_THAT(complaint({plugin("abi_odd4.so")}), Catch::Contains("not a loadable library") &&
                                                     Catch::Contains("undefined symbol: nobody_has_this"));
}

TEST_CASE("a plugin without a required extension is refused, with what it offers") {
  CHECK(complaint({plugin("abi_scripted.so", {}, {"orderd.step/1", "orderd.projection/1"})}) ==
        about("abi_scripted.so",
              "scripted has no orderd.projection/1 (it offers orderd.step/1); "
              "configure a plugin that has it"));
}

TEST_CASE("a plugin that refuses its settings is quoted") {
  CHECK(complaint({plugin("abi_strict.so", {{"limit", "much"}})}) ==
        about("abi_strict.so",
              "strict 2.1.0 refused init(): setting \"limit\" is \"much\": "
              "give a whole number from 1 to 1000; correct its settings"));
  CHECK(complaint({plugin("abi_strict.so", {{"limt", "5"}})}) ==
        about("abi_strict.so",
              "strict 2.1.0 refused init(): setting \"limt\" is unknown; known are limit start; "
              "correct its settings"));
}

TEST_CASE("a plugin that cannot start is tried again, and the others serve meanwhile") {
  const auto file = std::filesystem::temp_directory_path() / ("orderd-start-" + std::to_string(getpid()));
  for (const bool isolated : {false, true}) {
    INFO((isolated ? "isolated" : "in this process"));
    std::filesystem::remove(file);
    InstanceConfig late = plugin("abi_strict.so", {{"start", file.string()}}, {}, "late");
    late.isolated = isolated;
    Completions completions;
    Registry registry(test_options(), {late, plugin("abi_scripted.so", {}, {}, "first")});
    registry.start(completions.sink());
    CHECK_THAT(registry.not_started().at("late"), Catch::Contains("strict 2.1.0 refused start()"));
    registry.step("first").execute({command("inline")});
    CHECK(completions.wait(1).back().outcome.kind == OutcomeKind::done);
    registry.step("late").execute({command("")});
    CHECK(completions.wait(2).back().outcome.kind == OutcomeKind::retry);
    std::ofstream(file) << "here";
    for (int i = 0; i < 200 && !registry.not_started().empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    registry.step("late").execute({command("")});
    CHECK(completions.wait(3).back().outcome.kind == OutcomeKind::pending);
  }
  std::filesystem::remove(file);
}

TEST_CASE("a library outside the plugin directory is refused") {
  CHECK_THAT(complaint({plugin("../../escape.so")}),
             Catch::Contains("it is outside the plugin directory " + directory));
  CHECK_THAT(complaint({plugin("/usr/lib/x.so")}),
             Catch::Contains("plugin \"one\" (/usr/lib/x.so): it is outside"));
}

TEST_CASE("two instances of one name are refused") {
  CHECK(complaint({plugin("abi_strict.so"), plugin("abi_strict.so")}) ==
        "plugin \"one\" is configured twice; give each instance a name of its own");
}

TEST_CASE("an unknown instance is named when it is asked for") {
  Registry registry(test_options(), {plugin("abi_ledger.so")});
  CHECK_THROWS_WITH(registry.step("two"), "no plugin is configured as \"two\"; add one with this name");
}

TEST_CASE("a library that others can write is not trusted, unless it is a developer's own") {
  const std::string file = directory + "/writable.so";
  std::filesystem::remove(file);
  std::ofstream(file) << "x";
  REQUIRE(chmod(file.c_str(), 0666) == 0);
  CHECK(ownership_problem(file) == "others than its owner can write it");
  REQUIRE(chmod(file.c_str(), 0664) == 0);
  CHECK(ownership_problem(file).empty());  // our own, and our group's
  if (geteuid() != 0) return;              // only root can give a file away
  REQUIRE(chown(file.c_str(), 12345, 0) == 0);
  CHECK(ownership_problem(file) == "it belongs to user 12345, neither root nor the user orderd runs as");
}

TEST_CASE("an instance tells what it is") {
  Registry registry(test_options(), {plugin("abi_ledger.so")});
  const auto infos = registry.infos();
  REQUIRE(infos.size() == 1);
  CHECK(infos[0].plugin == "ledger");
  CHECK(infos[0].version == "1.0.0");
  CHECK(infos[0].digest.size() == 64);
  CHECK(infos[0].extensions == std::vector<std::string>{"orderd.step/1", "orderd.projection/1",
                                                        "orderd.catalog/1", "orderd.migrations/1"});
}

}  // namespace
}  // namespace orderd::plugins
