#include <dirent.h>
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>

#include "check.h"
#include "loopback.h"
#include "schema.h"

namespace orderd::checker {

void Case::send(char kind, const std::string& text) {
  std::string line = kind + text;
  std::replace(line.begin(), line.end(), '\n', ' ');
  line += '\n';
  if (write(pipe_, line.data(), line.size()) < 0) _exit(3);
}

void Case::fail(const std::string& what) { send('F', what); }

void Case::skip(const std::string& why) {
  send('S', why);
  throw Enough();
}

void Case::not_asked(const std::string& why) {
  send('N', why);
  throw Enough();
}

void Case::judge(testing::FakeHost& host) {
  for (const std::string& what : host.violations()) fail(what);
  for (const testing::LogLine& line : host.log()) {
    if (line.level == ORDERD_LOG_PLUGIN_MISBEHAVING) fail("its own barrier says: " + line.text);
    if (options_.token.size() >= 6 && line.text.find(options_.token) != std::string::npos)
      fail("it logs the payment token");
  }
}

void* Case::library() {
  if (library_) return library_;
  testing::note_call("dlopen()");
  library_ = dlopen(options_.library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_) return library_;
  const char* why = dlerror();
  fail("it is not a loadable library: " + std::string(why ? why : "no reason given"));
  throw Enough();
}

const orderd_descriptor* Case::descriptor() {
  using EntryFunction = const orderd_descriptor* (*)();
  const auto entry = reinterpret_cast<EntryFunction>(dlsym(library(), ORDERD_PLUGIN_ENTRY));
  if (!entry) {
    for (int major = 0; major <= 16; ++major)
      if (dlsym(library(), ("orderd_plugin_entry_v" + std::to_string(major)).c_str())) {
        fail("it was built for plugin ABI " + std::to_string(major) + ", this checker knows " +
             std::to_string(ORDERD_ABI_MAJOR));
        throw Enough();
      }
    fail("it exports no " ORDERD_PLUGIN_ENTRY ": it is no orderd plugin");
    throw Enough();
  }
  testing::note_call(ORDERD_PLUGIN_ENTRY "()");
  const orderd_descriptor* found = entry();
  if (found && ORDERD_HAS(found, orderd_descriptor, create) && found->create) return found;
  fail("its descriptor is missing, too short, or has no create()");
  throw Enough();
}

testing::Settings Case::settings() {
  testing::Settings all = defaults_of(schema_of(descriptor()));
  for (const auto& [key, value] : options_.settings) all[key] = value;
  return all;
}

std::unique_ptr<testing::FakeHost> Case::host(const testing::Settings& more) {
  testing::Settings all = settings();
  for (const auto& [key, value] : more) all[key] = value;
  auto host = std::make_unique<testing::FakeHost>(all);
  if (options_.loopback) host->http.server = over_loopback;
  return host;
}

Begun::Begun(Case& c, const std::function<void(testing::FakeHost&)>& prepare) : case_(c), host_(c.host()) {
  if (prepare) prepare(*host_);
  plugin_ = std::make_unique<testing::Plugin>(*host_, c.descriptor());
  for (auto step : {&testing::Plugin::init, &testing::Plugin::start}) {
    const std::string problem = (*plugin_.*step)();
    if (problem.empty()) continue;
    c.fail(std::string(step == &testing::Plugin::init ? "init" : "start") + "() refused: " + problem);
    throw Enough();
  }
  const auto* step = plugin_->extension<orderd_step_v1>(ORDERD_EXT_STEP);
  if (!step || !step->describe) return;
  orderd_step_traits traits;
  ORDERD_CLEAR(traits);
  testing::note_call("describe()");
  step->describe(plugin_->abi(), &traits);
  host_->state_versions = {traits.state_version_min, traits.state_version_max};
}

Begun::~Begun() {
  plugin_.reset();
  case_.judge(*host_);
}

const orderd_step_v1* external_step(Case& c, testing::Plugin& plugin) {
  const auto* step = plugin.extension<orderd_step_v1>(ORDERD_EXT_STEP);
  if (!step) c.not_asked("it is no step");
  if (!step->describe || !step->supports) {
    c.fail("its " ORDERD_EXT_STEP " lacks describe() or supports()");
    throw Enough();
  }
  orderd_step_traits traits;
  ORDERD_CLEAR(traits);
  testing::note_call("describe()");
  step->describe(plugin.abi(), &traits);
  const bool transactional = (traits.flags & ORDERD_STEP_TRANSACTIONAL) != 0;
  if (transactional ? !step->execute_tx : !step->execute) {
    c.fail("its " ORDERD_EXT_STEP " lacks the execute function of its kind");
    throw Enough();
  }
  if (transactional) c.not_asked("it is a transactional step");
  return step;
}

testing::CommandSpec sample(Case& c, testing::Plugin& plugin, const std::string& subject) {
  const auto* step = external_step(c, plugin);
  std::vector<std::string> actions = c.options().actions;
  actions.insert(actions.end(), {"payment.authorize", "inventory.reserve"});
  testing::note_call("supports()");
  for (const std::string& action : actions) {
    if (!step->supports(plugin.abi(), sdk::view(action))) continue;
    testing::CommandSpec spec = testing::command(action, subject);
    spec.method = c.options().method;
    c.options().complete(spec);
    return spec;
  }
  c.skip("none of its actions is known: name one by --action");
}

std::set<int> threads() {
  std::set<int> all;
  DIR* open = opendir("/proc/self/task");
  while (const dirent* one = open ? readdir(open) : nullptr)
    if (one->d_name[0] != '.') all.insert(std::atoi(one->d_name));
  if (open) closedir(open);
  return all;
}

std::size_t threads_beyond(const std::set<int>& before, std::int64_t patience_ms) {
  const std::int64_t until = testing::monotonic_ms() + patience_ms;
  for (;;) {
    std::size_t beyond = 0;
    for (const int one : threads()) beyond += before.count(one) == 0 ? 1 : 0;
    if (beyond == 0 || testing::monotonic_ms() > until) return beyond;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

const char* kind_name(std::int32_t kind) {
  static const char* const names[] = {"(none)", "DONE", "DECLINED", "RETRY", "PENDING", "UNKNOWN"};
  return kind >= ORDERD_DONE && kind <= ORDERD_UNKNOWN ? names[kind] : names[0];
}

}  // namespace orderd::checker
