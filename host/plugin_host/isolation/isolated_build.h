#pragma once
// A build in a process of its own: its ports here, its library there (runner). What the process had when it
// died is UNKNOWN, what it did not have yet is RETRY, and so is what comes while it is made again; nobody
// else notices. Not for plugins that work in the host's transaction: a lent transaction cannot leave the
// process.
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/queue.h"
#include "plugin_host/calling/open_calls.h"
#include "plugin_host/isolation/process.h"
#include "plugin_host/loading/build.h"
#include "plugin_host/loading/library.h"

namespace orderd::plugins::isolation {

class IsolatedStep final : public StepPort {
 public:
  IsolatedStep(const std::string& instance, const std::string& digest, const Options& options);
  ~IsolatedStep() override;
  /// After the process's hello, and before anything else.
  void attach(Process& process) { process_ = &process; }

  const std::string& instance() const override { return instance_; }
  const std::string& digest() const override { return digest_; }
  bool supports(std::string_view action) const override;
  bool transactional() const override { return false; }
  bool can_query() const override { return process_->hello().can_query; }
  Millis idempotency_window() const override { return Millis(process_->hello().window_ms); }
  void execute(std::vector<Command> commands) override;
  std::vector<Outcome> execute_in(TxPort&, const std::vector<Command>&) override;

  void start(CompletionSink sink);
  /// Takes nothing new and waits for what is out. [as the rest below: the process's thread, or the owner's]
  void drain();
  void end();
  /// These take a frame; "", or why it makes no sense.
  std::string answered(In in);
  std::string supported(In in);
  void up();
  void down(const std::string& why);

 private:
  struct Waiting {
    Command command;
    orderd_ticket ticket{};
  };
  void hand_over();  // sender_
  /// Takes out what is not to go to the process any more, and the commands' frame.
  std::string frame_of(std::vector<Waiting>& batch);
  bool send_at_once(std::vector<Waiting>& batch);
  void watch_deadlines(std::stop_token stop);
  void report(const Uuid& order_id, const std::string& key, Outcome outcome);
  bool close(orderd_ticket ticket);

  const std::string instance_, digest_;
  const Options options_;
  Process* process_ = nullptr;
  CompletionSink sink_;  // constant after start()
  BoundedQueue<Waiting> queue_;
  OpenCalls calls_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool begun_ = false, up_ = false, stopping_ = false;     // begun_: start() was called; guarded by mutex_
  mutable std::map<std::string, int, std::less<>> known_;  // actions: -1 asked, 0, 1; guarded by mutex_
  std::thread sender_;
  std::jthread watcher_;
};

class IsolatedWebhook final : public WebhookPort {
 public:
  IsolatedWebhook(const std::string& instance, const std::string& digest)
      : instance_(instance), digest_(digest) {}
  void attach(Process& process) { process_ = &process; }
  const std::string& instance() const override { return instance_; }
  const std::string& digest() const override { return digest_; }
  WebhookResult handle(const WebhookRequest& request) override;
  /// "", or why the frame makes no sense.
  std::string answered(In in);
  void down();

 private:
  const std::string instance_, digest_;
  Process* process_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint32_t last_ = 0, life_ = 0;                              // life_: of the process; guarded by mutex_
  std::map<std::uint32_t, std::optional<WebhookResult>> waiting_;  // for an answer; guarded by mutex_
};

std::unique_ptr<Build> make_isolated(const InstanceConfig& config, const LibrarySource& source,
                                     const std::filesystem::path& library, const std::string& digest,
                                     const Options& options);

}  // namespace orderd::plugins::isolation
