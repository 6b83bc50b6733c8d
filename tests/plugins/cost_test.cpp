// What the plugins cost, printed: test_plugins '[cost]'. Hidden from ordinary runs; nothing is asserted about
// time.
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iostream>
#include <sstream>

#include "model/order_json.h"
#include "plugins/support/bank.h"
#include "plugins/support/stock.h"

using namespace orderd;
using namespace orderd::plugins::test;

namespace {

using Clock = std::chrono::steady_clock;

double own_cpu_us() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/// Of all sessions of this database but the one that asks.
double server_cpu_us(Database& database) {
  std::istringstream pids(
      database.ask("select string_agg(pid::text, ' ') from pg_stat_activity where datname = "
                   "current_database() and pid <> pg_backend_pid()"));
  double ticks = 0;
  for (std::string pid; pids >> pid;) {
    std::ifstream stat("/proc/" + pid + "/stat");
    std::string word;
    for (int i = 1; i <= 15 && stat >> word; ++i)
      if (i == 14 || i == 15) ticks += std::stod(word);
  }
  return ticks * 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

class Meter {
 public:
  explicit Meter(Database& database)
      : database_(database),
        server_(server_cpu_us(database)),
        own_(own_cpu_us()),
        wal_(wal()),
        begun_(Clock::now()) {}
  void print(const std::string& what, int count) {
    const double wall = std::chrono::duration<double, std::micro>(Clock::now() - begun_).count();
    std::cout << what << ": " << count << ", each: wall " << wall / count << " us, PostgreSQL "
              << (server_cpu_us(database_) - server_) / count << " us, process "
              << (own_cpu_us() - own_) / count << " us, WAL " << (wal() - wal_) / count << " B\n";
  }

 private:
  double wal() {
    return std::stod(database_.ask("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"));
  }
  Database& database_;
  double server_, own_, wal_;
  Clock::time_point begun_;
};

void run_payments(Bank& bank, const std::function<Command(int)>& make, int count, int in_flight) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i) {
    Command command = make(i);
    keys.push_back(command.key);
    bank.send(std::move(command));
    if (i >= in_flight) bank.wait(keys[static_cast<std::size_t>(i - in_flight)]);
  }
  for (const std::string& key : keys) bank.wait(key);
}

}  // namespace

TEST_CASE("Cost of payment effects", "[.cost]") {
  Database database;
  Bank bank(database);
  for (const int in_flight : {1, 16, 256, 1024}) {
    const int count = in_flight == 1 ? 500 : 20'000;
    const std::string prefix = Uuid::v7().to_string().substr(0, 28) + std::to_string(in_flight) + "-";
    const auto payment = [&](int i) { return prefix + std::to_string(i); };
    Meter authorize(database);
    run_payments(
        bank, [&](int i) { return authorize_command(payment(i), "tok_ok"); }, count, in_flight);
    authorize.print("authorize, " + std::to_string(in_flight) + " in flight", count);
    Meter capture(database);
    run_payments(
        bank, [&](int i) { return command(payment(i), "capture", 1000, "2"); }, count, in_flight);
    capture.print("capture, " + std::to_string(in_flight) + " in flight", count);
  }
}

TEST_CASE("Cost of stock commands", "[.cost]") {
  for (const int batch : {1, 64, 128}) {
    Warehouse warehouse;
    std::map<std::string, std::int64_t> stock;
    for (int i = 0; i < 1000; ++i) stock["SKU-" + std::to_string(i)] = 1'000'000;
    warehouse.put(stock);
    const int orders = batch == 1 ? 1000 : 20'000;
    std::vector<Uuid> placed;
    Meter meter(warehouse.database());
    for (int i = 0; i < orders; i += batch) {
      std::vector<Command> commands;
      for (std::size_t k = placed.size() < static_cast<std::size_t>(batch) ? placed.size()
                                                                           : placed.size() - batch;
           k < placed.size(); ++k)
        commands.push_back(stock_command("commit", placed[k], {}));
      for (int k = 0; k < batch; ++k) {
        placed.push_back(Uuid::v7());
        commands.push_back(stock_command("reserve", placed.back(),
                                         {{"SKU-" + std::to_string((i + k) * 7 % 1000), 1},
                                          {"SKU-" + std::to_string((i + k) * 13 % 1000), 2}}));
      }
      warehouse.run(commands);
    }
    meter.print("reserve and commit of two lines, batches of " + std::to_string(batch), orders);
  }
}
