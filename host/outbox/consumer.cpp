#include "outbox/consumer.h"

#include <algorithm>

#include "base/log.h"
#include "base/survive.h"
#include "base/troubles.h"

namespace orderd::outbox {
namespace {

constexpr std::chrono::milliseconds session_retry{500};

}  // namespace

Consumer::Consumer(ConsumerOptions options) : leases_(options.leases), options_(std::move(options)) {}

void Consumer::run(std::stop_token stop) {
  const std::stop_callback woken(stop, [this] { wake(); });
  while (!stop.stop_requested())
    if (!survive(options_.part, [this] { turn(pace()); })) {
      begin_again("an error that nobody expected");
      pause(stop, maintain_every);
    }
  try {
    if (!session_ || !session_->usable()) return;
    finish();
    leases_.release_all(*session_);
  } catch (const store::DbError& error) {
    log_warning(options_.part, "leases not given back, others wait for their end",
                {{"consumer", name()}, {"error", error.what()}});
  }
}

bool Consumer::turn(std::chrono::milliseconds wait) {
  try {
    if (!session_ || !session_->usable()) session_ = std::make_unique<store::Connection>(options_.database);
    if (std::chrono::steady_clock::now() - maintained_ >= maintain_every) {
      maintain(leases_.maintain(*session_));
      letters_.count(*session_, name());
      maintained_ = std::chrono::steady_clock::now();
    }
    work(wait);
    if (away_) {
      log_info(options_.part, "working again", {{"consumer", name()}});
      troubles().clear(name());
    }
    away_ = false;
    return true;
  } catch (const store::DbError& error) { begin_again(error.what()); }
  rest(std::min(wait, session_retry));
  return false;
}

void Consumer::begin_again(const std::string& why) {
  if (!away_)
    log_warning(options_.part, "beginning again behind the last saved positions",
                {{"consumer", name()}, {"error", why}});
  away_ = true;
  troubles().say(name(), "waits for the database");
  forget(leases_.forget());
  session_.reset();
  maintained_ = {};
}

}  // namespace orderd::outbox
