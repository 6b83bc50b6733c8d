#pragma once
// The ports of an instance for those who always want its present build: projections, lists, webhooks, sweeps.
// (The saga engine names the build that an order began with.) A call runs to its end on the build that it
// began on. [as the ports themselves]
#include <atomic>

#include "plugin_host/loading/build.h"

namespace orderd::plugins {

using CurrentBuild = std::atomic<Build*>;

class CurrentStep final : public StepPort {
 public:
  explicit CurrentStep(const CurrentBuild& build) : build_(build) {}
  const std::string& instance() const override { return now().instance(); }
  const std::string& digest() const override { return now().digest(); }
  bool supports(std::string_view action) const override { return now().supports(action); }
  bool transactional() const override { return now().transactional(); }
  bool can_query() const override { return now().can_query(); }
  Millis idempotency_window() const override { return now().idempotency_window(); }
  void execute(std::vector<Command> commands) override { now().execute(std::move(commands)); }
  std::vector<Outcome> execute_in(TxPort& tx, const std::vector<Command>& commands) override {
    return now().execute_in(tx, commands);
  }

 private:
  StepPort& now() const { return *build_.load()->step(); }
  const CurrentBuild& build_;
};

class CurrentWebhook final : public WebhookPort {
 public:
  explicit CurrentWebhook(const CurrentBuild& build) : build_(build) {}
  const std::string& instance() const override { return now().instance(); }
  const std::string& digest() const override { return now().digest(); }
  WebhookResult handle(const WebhookRequest& request) override { return now().handle(request); }

 private:
  WebhookPort& now() const { return *build_.load()->webhook(); }
  const CurrentBuild& build_;
};

class CurrentProjection final : public ProjectionPort {
 public:
  explicit CurrentProjection(const CurrentBuild& build) : build_(build) {}
  const std::string& instance() const override { return now().instance(); }
  std::vector<ApplyResult> apply(TxPort& tx, ProjectionTarget target,
                                 const std::vector<ProjectionEvent>& events) override {
    return now().apply(tx, target, events);
  }
  void rebuild_begin(TxPort& tx) override { now().rebuild_begin(tx); }
  void rebuild_finish(TxPort& tx) override { now().rebuild_finish(tx); }

 private:
  ProjectionPort& now() const { return *build_.load()->projection(); }
  const CurrentBuild& build_;
};

class CurrentCatalog final : public CatalogPort {
 public:
  explicit CurrentCatalog(const CurrentBuild& build) : build_(build) {}
  const std::string& instance() const override { return now().instance(); }
  std::vector<Product> list(TxPort& tx, const std::string& after, std::uint32_t limit) override {
    return now().list(tx, after, limit);
  }
  bool receive(TxPort& tx, const std::string& sku, std::int64_t quantity) override {
    return now().receive(tx, sku, quantity);
  }
  void put(TxPort& tx, const std::vector<Product>& products) override { now().put(tx, products); }

 private:
  CatalogPort& now() const { return *build_.load()->catalog(); }
  const CurrentBuild& build_;
};

}  // namespace orderd::plugins
