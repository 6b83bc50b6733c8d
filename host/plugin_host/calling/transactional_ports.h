#pragma once
// The ports for plugins whose effect is in the transaction lent to them. Each refers to its instance, which
// outlives it; any thread may call, one transaction a call. Constructors throw PluginError if the plugin's
// table has holes.
#include <orderd/catalog.h>
#include <orderd/projection.h>

#include "plugin_host/calling/open_calls.h"
#include "plugin_host/loading/instance.h"
#include "plugin_ports/catalog.h"
#include "plugin_ports/projection.h"
#include "plugin_ports/step.h"

namespace orderd::plugins {

class TransactionalStep final : public StepPort, public CompletionTarget {
 public:
  explicit TransactionalStep(Instance& instance);
  const std::string& instance() const override { return instance_.name(); }
  const std::string& digest() const override { return instance_.digest(); }
  bool supports(std::string_view action) const override;
  bool transactional() const override { return true; }
  bool can_query() const override { return false; }
  Millis idempotency_window() const override { return Millis(0); }
  void execute(std::vector<Command> commands) override;
  std::vector<Outcome> execute_in(TxPort& tx, const std::vector<Command>& commands) override;
  orderd_status complete(orderd_ticket ticket, const orderd_outcome* outcome) override;

 private:
  struct Call;  // one call into the plugin, on its thread
  std::string call_plugin(TxPort& tx, const std::vector<Command>& commands, std::size_t first,
                          std::size_t count, std::vector<Outcome>& outcomes);

  Instance& instance_;
  const orderd_step_v1* table() const { return instance_.extension<orderd_step_v1>(ORDERD_EXT_STEP); }
  OpenCalls calls_;
};

class PluginProjection final : public ProjectionPort {
 public:
  explicit PluginProjection(Instance& instance);
  const std::string& instance() const override { return instance_.name(); }
  std::vector<ApplyResult> apply(TxPort& tx, ProjectionTarget target,
                                 const std::vector<ProjectionEvent>& events) override;
  void rebuild_begin(TxPort& tx) override;
  void rebuild_finish(TxPort& tx) override;

 private:
  Instance& instance_;
  const orderd_projection_v1* table() const {
    return instance_.extension<orderd_projection_v1>(ORDERD_EXT_PROJECTION);
  }
};

class PluginCatalog final : public CatalogPort {
 public:
  explicit PluginCatalog(Instance& instance);
  const std::string& instance() const override { return instance_.name(); }
  std::vector<Product> list(TxPort& tx, const std::string& after, std::uint32_t limit) override;
  bool receive(TxPort& tx, const std::string& sku, std::int64_t quantity) override;
  void put(TxPort& tx, const std::vector<Product>& products) override;

 private:
  Instance& instance_;
  const orderd_catalog_v1* table() const {
    return instance_.extension<orderd_catalog_v1>(ORDERD_EXT_CATALOG);
  }
};

}  // namespace orderd::plugins
