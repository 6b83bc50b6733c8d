// Which build new orders go to, when hosts have different files and operators decide.
#include <fstream>

#include "plugin_rollout/rollout_controller.h"

#include "functional/support/test_database.h"

#include <catch2/catch.hpp>

#include "admin/builds.h"

namespace orderd::rollout {
namespace {

namespace fs = std::filesystem;

/// A host's plugins' files and its store.
struct Machine {
  explicit Machine(const std::string& name)
      : path(fs::temp_directory_path() / ("orderd-keeper-" + std::to_string(getpid()) + "-" + name)) {
    fs::remove_all(path), fs::create_directories(path / "plugins");
  }
  ~Machine() { fs::remove_all(path); }
  /// The plugin's file, of the build that `text` makes it; its digest.
  std::string put(const std::string& text) const {
    const fs::path file = path / "plugins" / "bank.so";
    fs::copy_file(fs::path(ABI_PLUGINS) / "abi_scripted.so", file, fs::copy_options::overwrite_existing);
    std::ofstream(file, std::ios::binary | std::ios::app) << text;
    return plugins::judge_library("bank", {path / "plugins", {{}, false}}, "bank.so").digest;
  }
  const fs::path path;
};

/// A host that has started.
struct Host {
  Host(test::TestDatabase& database, const Machine& machine)
      : registry(options(machine), {{"bank", "bank.so", {}, {"orderd.step/1"}}}),
        rollout(database.options(), registry, Uuid::v7()) {
    rollout.begin(database.session());
  }
  static plugins::Options options(const Machine& machine) {
    plugins::Options all;
    all.directory = machine.path / "plugins";
    all.store = machine.path / "store";
    all.trust.folders = false;
    return all;
  }
  std::string uses() const { return registry.infos().front().digest; }
  plugins::Registry registry;
  RolloutController rollout;
};

admin::BuildRequest wish(const std::string& digest) { return {"bank", digest, "ada", "a test"}; }

TEST_CASE("hosts with different files agree on one build however often they start again") {
  test::TestDatabase database;
  const Machine one("one"), two("two");
  const std::string old = one.put("1"), fresh = two.put("2");
  CHECK(Host(database, one).uses() == old);
  CHECK(Host(database, two).uses() == fresh);  // a file that nobody has had before
  CHECK(database.number("select count(*)::int8 from plugin_current where digest = '" + fresh + "'") == 1);
  for (int i = 0; i < 2; ++i) {
    (void)Host(database, one);  // goes on with its own, which is all that it has
    (void)Host(database, two);
    CHECK(database.number("select count(*)::int8 from plugin_current where digest = '" + fresh + "'") == 1);
  }
}

TEST_CASE("an operator's switch outlives a start of a host whose file has not changed, and not a new file") {
  test::TestDatabase database;
  const Machine one("one");
  const std::string old = one.put("1");
  CHECK(Host(database, one).uses() == old);
  const std::string fresh = one.put("2");
  CHECK(Host(database, one).uses() == fresh);
  CHECK(admin::switch_build(database.session(), wish(old)).kind == admin::BuildAnswer::Kind::done);
  CHECK(Host(database, one).uses() == old);
  CHECK(Host(database, one).uses() == old);
  CHECK(one.put("1") == old);  // the package goes back: that is what is used already
  CHECK(Host(database, one).uses() == old);
  CHECK(one.put("2") == fresh);
  CHECK(Host(database, one).uses() == fresh);  // ... and on again: its file has changed
}

TEST_CASE("a rollback goes back to a build that ran, not to one that no host could use") {
  test::TestDatabase database;
  const Machine one("one");
  const std::string old = one.put("1");
  Host host(database, one);
  const std::string nowhere(64, 'a'), other(64, 'b');
  for (const std::string& digest : {nowhere, other}) {
    (void)admin::add_build(database.session(), wish(digest), "bank", "2");
    (void)admin::switch_build(database.session(), wish(digest));
    host.rollout.look(database.session());
    CHECK(host.uses() == old);
  }
  const auto back = admin::roll_back(database.session(), wish(""));
  CHECK(back.digest == old);
}

TEST_CASE("a build that no host has and no order needs does not drain for ever") {
  test::TestDatabase database;
  const Machine one("one");
  (void)one.put("1");
  Host host(database, one);
  const std::string nowhere(64, 'a');
  (void)admin::add_build(database.session(), wish(nowhere), "bank", "2");
  CHECK(admin::drain_build(database.session(), wish(nowhere)).kind == admin::BuildAnswer::Kind::done);
  host.rollout.look(database.session());
  CHECK(database.number("select count(*)::int8 from plugin_builds where state = 'draining'") == 0);
}

}  // namespace
}  // namespace orderd::rollout
