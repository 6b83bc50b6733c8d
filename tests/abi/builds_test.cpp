// Builds of one instance side by side: kept by digest, loaded from the store, given new work, stopped.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "harness.h"

namespace orderd::plugins {
namespace {

namespace fs = std::filesystem;

/// A folder that goes with the test.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("orderd-builds-" + std::to_string(getpid()));
  Folder() { fs::remove_all(path), fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

/// The scripted plugin with something behind its end, which is another build of it.
fs::path another_build(const fs::path& folder, const std::string& text) {
  const fs::path file = folder / ("scripted" + text + ".so");
  fs::copy_file(fs::path(ABI_PLUGINS) / "abi_scripted.so", file);
  std::ofstream(file, std::ios::binary | std::ios::app) << text;
  return file;
}

struct Shop {
  Folder folder;
  Options options = [this] {
    Options made = test_options();
    made.store = folder.path / "store";
    return made;
  }();
  Running host{plugin("abi_scripted.so"), options};
  const std::string first = host.registry.infos().front().digest;

  std::string install(const fs::path& file) {
    std::string problem;
    const std::string digest = host.registry.builds().keep(file, problem);
    REQUIRE(problem.empty());
    return digest;
  }
  Completion run_on(const std::string& digest) {
    const std::size_t before = host.completions.count();
    host.registry.step("one", digest)->execute({command("inline")});
    const auto all = host.completions.wait(before + 1);
    REQUIRE(all.size() == before + 1);
    return all.back();
  }
};

TEST_CASE("a build is kept once, under its digest, for everybody to read and nobody to write") {
  Shop shop;
  const std::string digest = shop.install(another_build(shop.folder.path, "2"));
  CHECK(shop.install(shop.folder.path / "scripted2.so") == digest);
  const auto file = shop.host.registry.builds().find(digest);
  REQUIRE(file);
  CHECK(file->filename() == digest + ".so");
  CHECK((fs::status(*file).permissions() & fs::perms::mask) == fs::perms(0644));
  CHECK(std::distance(fs::directory_iterator(file->parent_path()), fs::directory_iterator()) == 1);
}

TEST_CASE("new work goes to the build in use, and each build still answers for itself") {
  Shop shop;
  const std::string second = shop.install(another_build(shop.folder.path, "2"));
  REQUIRE(second != shop.first);
  CHECK(shop.run_on(second).plugin_digest == second);
  CHECK(shop.host.run(command("inline")).plugin_digest == shop.first);
  shop.host.registry.use("one", second);
  CHECK(shop.host.run(command("inline")).plugin_digest == second);
  CHECK(shop.run_on(shop.first).plugin_digest == shop.first);
  CHECK(shop.host.registry.infos().size() == 1);
  CHECK(shop.host.registry.infos(true).size() == 2);
}

TEST_CASE("a build that is not on this host is nobody, and one that is not loaded cannot be used") {
  Shop shop;
  const std::string nowhere(64, 'a');
  CHECK(shop.host.registry.step("one", nowhere) == nullptr);
  CHECK_THROWS_WITH(shop.host.registry.use("one", nowhere), Catch::Contains("is not loaded"));
  CHECK(shop.host.registry.step("two", shop.first) == nullptr);
}

TEST_CASE("a file in the store that is not the build of its name is refused") {
  Shop shop;
  const std::string digest = shop.install(another_build(shop.folder.path, "2"));
  std::ofstream(*shop.host.registry.builds().find(digest), std::ios::app) << "changed";
  CHECK_THROWS_WITH(shop.host.registry.step("one", digest),
                    Catch::Contains("it is not the build that its name says"));
}

TEST_CASE("a build is stopped when it is retired, the one in use never is, and it can come back") {
  Shop shop;
  const std::string second = shop.install(another_build(shop.folder.path, "2"));
  (void)shop.run_on(second);
  shop.host.registry.retire("one", shop.first);  // in use
  CHECK(shop.host.run(command("inline")).plugin_digest == shop.first);
  shop.host.registry.use("one", second);
  StepPort* old = shop.host.registry.step("one", shop.first);
  shop.host.registry.retire("one", shop.first);
  CHECK(shop.host.registry.infos(true).size() == 1);
  const std::size_t before = shop.host.completions.count();
  old->execute({command("inline")});  // a caller that had it in its hands is answered all the same
  CHECK(shop.host.completions.wait(before + 1).back().outcome.kind == OutcomeKind::retry);
  CHECK(shop.host.registry.step("one", shop.first) == nullptr);  // was never kept in the store
}

TEST_CASE("another kind of plugin cannot take an instance's place") {
  Shop shop;
  const std::string ledger = shop.install(fs::path(ABI_PLUGINS) / "abi_ledger.so");
  REQUIRE(shop.host.registry.step("one", ledger) != nullptr);
  CHECK_THROWS_WITH(
      shop.host.registry.use("one", ledger),
      Catch::Contains("cannot replace the present build, which works outside of the host's transaction"));
}

TEST_CASE("a build that ends the process does not end the host that is to use it") {
  Shop shop;
  store::Connection connection{store::ConnectionOptions{std::getenv("ORDERD_TEST_PG")}};
  for (const char* file : {"abi_odd7.so", "abi_ends_in_start.so"}) {
    INFO(file);
    const std::string ends = shop.install(fs::path(ABI_PLUGINS) / file);
    CHECK_THROWS_WITH(shop.host.registry.add("one", ends, connection),
                      Catch::Contains("its process ended with status 0 before it was ready"));
  }
  CHECK(shop.host.run(command("inline")).plugin_digest == shop.first);
  const std::string second = shop.install(another_build(shop.folder.path, "2"));
  shop.host.registry.add("one", second, connection);
  shop.host.registry.use("one", second);
  CHECK(shop.host.run(command("inline")).plugin_digest == second);
}

std::size_t open_files() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

/// Why one build cannot serve, or "".
std::string complaint(Registry& registry, const std::string& digest) {
  try {
    return registry.step("one", digest) ? "" : "it is nowhere";
  } catch (const PluginError& error) { return error.what(); }
}

TEST_CASE("a build that does not load is tried once in a while, and leaves nothing behind") {
  const Folder folder;
  Options options = test_options();
  options.store = folder.path / "store";
  Running host(plugin("abi_scripted.so", {{"limt", "5"}}),
               options);  // a setting that the other build refuses
  std::string problem;
  const std::string strict = host.registry.builds().keep(fs::path(ABI_PLUGINS) / "abi_strict.so", problem);
  REQUIRE(problem.empty());
  const std::string first = complaint(host.registry, strict);
  CHECK_THAT(first, Catch::Contains("setting \"limt\" is unknown"));
  const std::size_t before = open_files();
  for (int i = 0; i < 100; ++i) CHECK(complaint(host.registry, strict) == first);
  store::Connection connection{store::ConnectionOptions{std::getenv("ORDERD_TEST_PG")}};
  const std::size_t with_connection = open_files();
  for (int i = 0; i < 20; ++i) CHECK_THROWS_WITH(host.registry.add("one", strict, connection), first);
  CHECK(open_files() == with_connection);
  for (int i = 0; i < 3; ++i)
    CHECK_THROWS_AS(host.registry.add("one", strict, connection, Registry::Older::no, true), PluginError);
  CHECK(open_files() == with_connection);
  CHECK(with_connection <= before + 2);
}

TEST_CASE("whoever writes over a plugin's file changes nothing of what runs") {
  const Folder folder;
  for (const bool isolated : {false, true}) {
    INFO((isolated ? "isolated" : "in this process"));
    const fs::path file = folder.path / "bank.so";
    fs::copy_file(fs::path(ABI_PLUGINS) / "abi_scripted.so", file, fs::copy_options::overwrite_existing);
    Options options = test_options();
    options.directory = folder.path;
    InstanceConfig config = plugin("bank.so", {}, {"orderd.step/1"});
    config.isolated = isolated;
    Running host(config, options);
    REQUIRE(host.run(command("inline")).outcome.kind == OutcomeKind::done);
    std::ofstream(file, std::ios::trunc) << std::string(1 << 20, 'x');  // as cp does: the same inode
    for (const char* how : {"thread", "inline"})
      CHECK(host.run(command(how)).outcome.kind != OutcomeKind::unknown);
    if (!isolated) continue;
    CHECK(host.run(command("crash")).outcome.code == "PLUGIN_DIED");
    Completion again = host.run(command("inline"));
    for (int i = 0; i < 100 && again.outcome.kind == OutcomeKind::retry; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the pause that its code asks for
      again = host.run(command("inline"));
    }
    CHECK(again.outcome.kind == OutcomeKind::done);
  }
}

TEST_CASE("a folder in which others can replace the file makes it untrusted") {
  const Folder folder;
  const fs::path open = folder.path / "open", file = open / "inner" / "x.so";
  fs::create_directories(file.parent_path());
  std::ofstream(file) << "x";
  CHECK(folders_problem(file).empty());
  fs::permissions(open, fs::perms(0777));
  CHECK(folders_problem(file) ==
        "its folder " + open.string() + " is not safe: others than its owner can write it");
  CHECK(folders_problem(file, {{}, false}).empty());  // a developer's
  fs::permissions(open, fs::perms(0755));
  if (geteuid() != 0) return;  // only root can give a folder away
  REQUIRE(chown(open.c_str(), 12345, 0) == 0);
  CHECK_THAT(folders_problem(file), Catch::Contains("it belongs to user 12345"));
  CHECK_FALSE(folders_problem(file, {uid_t{54321}, true}).empty());
  CHECK(folders_problem(file, {uid_t{12345}, true}).empty());
}

}  // namespace
}  // namespace orderd::plugins
