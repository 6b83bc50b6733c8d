#include "plugins/support/bank.h"

#include <orderd/step.h>

#include <stdexcept>

namespace orderd::plugins::test {

InstanceConfig instance(const std::string& name, const std::string& library,
                        std::map<std::string, std::string> settings) {
  return {name, library, std::move(settings), {}};
}

Options options() {
  Options options;
  options.directory = ORDERD_PLUGINS_DIRECTORY;
  options.trust.folders = false;  // a build tree may lie anywhere
  options.host_version = "0.0.0";
  return options;
}

namespace {

std::map<std::string, std::string> with_database(std::map<std::string, std::string> settings,
                                                 const Database& database) {
  settings.emplace("database", database.url());
  return settings;
}

}  // namespace

Bank::Bank(const Database& database, std::map<std::string, std::string> settings)
    : registry_(options(),
                {instance("bank", "payment_simulated.so", with_database(std::move(settings), database))}),
      step_(registry_.step("bank")) {
  registry_.start([this](Completion completion) {
    std::lock_guard lock(mutex_);
    outcomes_[completion.key] = std::move(completion.outcome);
    answered_.notify_all();
  });
}

Bank::~Bank() { registry_.stop(); }

void Bank::send(Command command) {
  {
    std::lock_guard lock(mutex_);
    outcomes_.erase(command.key);
  }
  step_.execute({std::move(command)});
}

Outcome Bank::wait(const std::string& key) {
  std::unique_lock lock(mutex_);
  if (!answered_.wait_for(lock, std::chrono::seconds(60), [&] { return outcomes_.count(key) > 0; }))
    throw std::runtime_error("no answer to " + key);
  return outcomes_.at(key);
}

bool Bank::has_answered(const std::string& key) {
  std::lock_guard lock(mutex_);
  return outcomes_.count(key) > 0;
}

Outcome Bank::call(Command command) {
  const std::string key = command.key;
  send(std::move(command));
  return wait(key);
}

Outcome Bank::authorize(const std::string& payment, const std::string& token, std::int64_t amount) {
  return call(authorize_command(payment, token, amount));
}
Outcome Bank::capture(const std::string& payment, std::int64_t amount, const std::string& sequence) {
  return call(command(payment, "capture", amount, sequence));
}
Outcome Bank::void_authorization(const std::string& payment, const std::string& sequence) {
  return call(command(payment, "void", 0, sequence));
}
Outcome Bank::refund(const std::string& payment, std::int64_t amount, const std::string& sequence) {
  return call(command(payment, "refund", amount, sequence));
}
Outcome Bank::query(const std::string& payment, const std::string& key) {
  Command query = command(payment, "query", 0, "q" + std::to_string(++queries_));
  query.query_key = key;
  query.query_action = "payment.authorize";
  return call(std::move(query));
}

Command command(const std::string& payment, const std::string& what, std::int64_t amount,
                const std::string& sequence) {
  Command command;
  command.order_id = Uuid::v7();
  command.key = payment + "." + what + "." + sequence;
  command.subject = payment;
  command.action = "payment." + what;
  command.deadline = now() + std::chrono::seconds(90);
  command.amount = amount;
  command.currency = "EUR";
  return command;
}

Command authorize_command(const std::string& payment, const std::string& token, std::int64_t amount,
                          const std::string& sequence) {
  Command out = command(payment, "authorize", amount, sequence);
  out.secret_json = "{\"token\":\"" + token + "\",\"returnUrl\":\"https://shop.example/return\"}";
  return out;
}

}  // namespace orderd::plugins::test
