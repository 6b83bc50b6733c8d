#pragma once
// Takes commands from any thread, and one thread of its own settles all that wait in one
// transaction (group commit). A command that comes alone is settled at once, by one commit.
//
// A lost session: what was being saved is UNKNOWN, what was not yet sent is RETRY; the next batch connects
// anew.
#include <orderd/payment.hpp>
#include <orderd/services.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ledger_store.h"
#include "timer.h"

namespace simulated {

struct CommandProcessorOptions {
  std::string url, schema;
  std::string page_url;  // where a buyer is asked; the payment's id is appended
  std::size_t batch_commands_max = 256;
  std::size_t queue_commands_max = 10'000;  // more are RETRY at once
};

class CommandProcessor {
 public:
  CommandProcessor(CommandProcessorOptions options, orderd::sdk::Host host);

  /// Connects (throws PgSessionError) and starts the threads.
  void start();
  /// What still waits is RETRY: it was surely not begun.
  void stop();
  /// [any thread]
  void take(Command command, orderd::sdk::Reply reply);
  /// [any thread]
  void cancel(orderd_ticket ticket) { timer_.cancel(ticket); }

 private:
  struct Job {
    Command command;
    orderd::sdk::Reply reply;
  };
  using Jobs = std::vector<Job>;
  void run();
  void settle_all(Jobs& jobs);
  void settle(Jobs& jobs);
  void settle_one_by_one(Jobs& jobs);
  void list(Job& job);
  void deliver(Job& job, Answer answer);
  void not_begun(Jobs& jobs, const std::string& why);
  void lost(Jobs& jobs, const std::string& why);
  void failed(const PgSessionError& error);
  LedgerStore& ledger();

  const CommandProcessorOptions options_;
  const orderd::sdk::Host host_;
  const orderd::sdk::Clock clock_;  // the host's: deadlines are by it
  Timer timer_;
  std::thread thread_;

  std::unique_ptr<LedgerStore> ledger_;  // thread_ only, after start(); nullptr while there is no session

  bool ailing_ = false;  // thread_ only: the ledger's last answer was an error

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;  // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
};

}  // namespace simulated
