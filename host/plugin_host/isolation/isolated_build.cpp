#include "plugin_host/isolation/isolated_build.h"

#include "base/sha256.h"
#include "plugin_host/isolation/process_metrics.h"
#include "plugin_host/isolation/trial.h"
#include "plugin_ports/error.h"
#include "plugin_ports/outcome_check.h"
#include "store/migrations.h"

namespace orderd::plugins::isolation {
namespace {

constexpr Millis webhook_limit{10'000};
constexpr std::size_t metrics_max = 2500;

class IsolatedBuild final : public Build {
 public:
  IsolatedBuild(const InstanceConfig& config, const LibraryFile& file, Begin begin, Limits limits,
                const Options& options)
      : library_(file.path.string()),
        digest_(file.digest),
        instance_(config.name),
        step_(config.name, digest_, options),
        webhook_(config.name, digest_),
        options_(options),
        metrics_(config.name),
        process_(options.runner, file.copy, std::move(begin), limits, options.host_ends) {
    step_.attach(process_);
    webhook_.attach(process_);
    const Hello& hello = process_.hello();
    if (hello.transactional || !hello.is_step)
      fail(instance_, library_,
           hello.plugin + " works in the host's transaction, which cannot leave its process",
           "set plugin." + instance_ + ".isolation = none");
    if (hello.has_migrations)
      fail(instance_, library_, hello.plugin + " has tables in the host's database",
           "set plugin." + instance_ + ".isolation = none");
    (void)step_.supports("payment.extend");  // what may be asked while its start() fails
  }
  ~IsolatedBuild() override { (void)stop(); }

  const std::string& digest() const override { return digest_; }
  BuildInfo info() const override {
    const Hello& hello = process_.hello();
    BuildInfo info;
    info.instance = instance_;
    info.plugin = hello.plugin;
    info.version = hello.version;
    info.vendor = hello.vendor;
    info.library = library_;
    info.digest = digest_;
    info.extensions = hello.extensions;
    info.isolated = true;
    return info;
  }
  StepPort* step() override { return &step_; }
  ProjectionPort* projection() override { return nullptr; }
  CatalogPort* catalog() override { return nullptr; }
  WebhookPort* webhook() override { return process_.hello().takes_webhooks ? &webhook_ : nullptr; }
  std::pair<std::uint32_t, std::uint32_t> state_versions() const override {
    return {process_.hello().state_min, process_.hello().state_max};
  }
  std::vector<store::Migration> migrations() override { return {}; }

  void start(const CompletionSink& sink) override {
    Process::Events events;
    events.frame = [this](Received received) { return take(std::move(received)); };
    events.up = [this] { step_.up(); };
    events.down = [this](const std::string& why) {
      step_.down(why);
      webhook_.down();
    };
    if (!std::exchange(has_threads_, true)) step_.start(sink);
    process_.start(events);
    started_ = true;
  }
  bool stop() override {
    if (std::exchange(stopped_, true)) return true;
    if (has_threads_) step_.drain();
    process_.stop(started_ ? options_.stop_limit : Millis(0));
    webhook_.down();
    step_.end();
    return true;
  }
  bool stuck() const override { return false; }

 private:
  /// "", or what makes no sense: the process is not believed.
  std::string take(Received received) {
    In in(received.fields);
    if (received.kind == Frame::outcomes) return step_.answered(in);
    if (received.kind == Frame::supports_answer) return step_.supported(in);
    if (received.kind == Frame::webhook_answer) return webhook_.answered(in);
    if (received.kind == Frame::pong) return metrics_.show(in);
    return "a frame that nobody waits for";
  }

  const std::string library_, digest_, instance_;
  IsolatedStep step_;
  IsolatedWebhook webhook_;
  const Options options_;
  ProcessMetrics metrics_;  // the process's thread
  bool has_threads_ = false, started_ = false, stopped_ = false;
  Process process_;  // last: ends first
};

}  // namespace

WebhookResult IsolatedWebhook::handle(const WebhookRequest& request) {
  std::unique_lock lock(mutex_);
  const std::uint32_t number = ++last_, life = life_;
  waiting_[number];
  lock.unlock();
  Out out;
  out.u32(number);
  write(out, request);
  const bool sent = process_->send(out.frame(Frame::webhook));
  lock.lock();
  if (sent) changed_.wait_for(lock, webhook_limit, [&] { return waiting_.at(number) || life_ != life; });
  auto answer = std::move(waiting_.extract(number).mapped());
  if (answer) return std::move(*answer);
  WebhookResult failed;
  failed.problem = sent ? "the plugin's process did not answer" : "the plugin's process is not there";
  return failed;
}

std::string IsolatedWebhook::answered(In in) {
  const std::uint32_t number = in.u32();
  WebhookResult result = read<WebhookResult>(in);
  if (!in.at_end()) return "the answer to a webhook is cut off";
  std::string problem = webhook_problem(result);
  for (const WebhookEvent& event : result.events) {
    if (problem.empty()) problem = event_problem(event);
    if (problem.empty()) problem = outcome_problem(event.outcome, false);
  }
  if (!problem.empty()) return "the answer to a webhook: " + problem;
  result.problem = one_line(result.problem);
  std::lock_guard lock(mutex_);
  if (const auto found = waiting_.find(number); found != waiting_.end()) found->second = std::move(result);
  changed_.notify_all();
  return "";
}

void IsolatedWebhook::down() {
  std::lock_guard lock(mutex_);
  ++life_;
  changed_.notify_all();
}

std::unique_ptr<Build> make_isolated(const InstanceConfig& config, const LibrarySource& source,
                                     const std::filesystem::path& library, const std::string& digest,
                                     const Options& options) {
  for (const std::string& id : config.extensions)
    if (id.find("orderd.step/1") == id.npos)
      fail(config.name, library, id + " works in the host's transaction, which cannot leave its process",
           "set plugin." + config.name + ".isolation = none");
  const LibraryFile file = judge_library(config.name, source, library, digest);
  Limits limits;
  limits.memory_bytes = std::size_t{config.memory_mb} << 20;
  return std::make_unique<IsolatedBuild>(config, file, begin_of(config, file, options), limits, options);
}

}  // namespace orderd::plugins::isolation
