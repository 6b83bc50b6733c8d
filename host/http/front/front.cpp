#include "http/front/front.h"

#include <stdexcept>

#include "base/log.h"
#include "http/front/context.h"
#include "http/front/exchange.h"
#include "http/front/io_loop.h"

namespace orderd::http::front {
namespace {

constexpr std::chrono::minutes worker_wait{1};  // closing the queue ends it at once

Options checked(Options options) {
  const auto demand = [](bool holds, const char* what) {
    if (!holds) throw std::runtime_error(std::string("http front: ") + what);
  };
  demand(options.workers > 0, "workers is 0; at least one must run the handlers");
  demand(options.workers_apart > 0, "workers_apart is 0; at least one must run those handlers");
  demand(options.connections_max > 0, "connections_max is 0; at least one connection must be allowed");
  demand(options.queue_requests_max > 0,
         "queue_requests_max is 0; at least one request must be allowed to wait");
  for (const int timeout :
       {options.header_timeout_ms, options.body_timeout_ms, options.idle_timeout_ms, options.write_timeout_ms,
        options.deferred_timeout_ms, options.handler_timeout_ms})
    demand(timeout > 0, "a timeout is not above 0 ms");
  return options;
}

}  // namespace

class Front::Impl {
 public:
  Impl(Options options, Poco::Net::HTTPRequestHandlerFactory::Ptr factory, ErrorRenderer renderer,
       Metrics& metrics)
      : context(std::make_shared<Context>(checked(std::move(options)), std::move(renderer), metrics)),
        work(context->options.queue_requests_max),
        work_apart(context->options.queue_requests_max),
        loop(context, {work, work_apart}, factory),
        factory_(std::move(factory)) {
    for (unsigned i = 0; i < context->options.workers; ++i) workers_.emplace_back([this] { serve(work); });
    for (unsigned i = 0; i < context->options.workers_apart; ++i)
      workers_.emplace_back([this] { serve(work_apart); });
    io_ = std::thread([this] { loop.run(); });
  }

  bool drain(std::chrono::milliseconds timeout) {
    if (!io_.joinable()) return all_answered_;
    context->draining_since_ms = monotonic_ms();
    context->drain_until_ms = context->draining_since_ms + timeout.count();
    context->draining = true;
    context->returns.wake();
    io_.join();
    all_answered_ = loop.all_answered();
    context->ended = true;
    work.close();
    work_apart.close();
    for (std::thread& worker : workers_) worker.join();
    context->returns.close();
    return all_answered_;
  }

  const std::shared_ptr<Context> context;
  WorkQueue work, work_apart;
  IoLoop loop;

 private:
  void serve(WorkQueue& from) {
    while (!from.closed())
      for (const auto& exchange : from.take(1, worker_wait))
        if (!context->ended) exchange->run(*factory_);
  }

  Poco::Net::HTTPRequestHandlerFactory::Ptr factory_;
  std::vector<std::thread> workers_;
  std::thread io_;
  bool all_answered_ = false;
};

Front::Front(Options options, Poco::Net::HTTPRequestHandlerFactory::Ptr factory, ErrorRenderer renderer,
             Metrics& metrics)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(factory), std::move(renderer), metrics)) {}

Front::~Front() { drain(std::chrono::milliseconds(0)); }

std::uint16_t Front::port() const { return impl_->context->server.port(); }
bool Front::draining() const { return impl_->context->draining; }
bool Front::drain(std::chrono::milliseconds timeout) { return impl_->drain(timeout); }

}  // namespace orderd::http::front
