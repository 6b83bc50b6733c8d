#pragma once
#include "plugin_host/calling/external_step.h"
#include "plugin_host/calling/transactional_ports.h"
#include "plugin_host/calling/webhook_reader.h"
#include "plugin_host/loading/build.h"

namespace orderd::plugins {

/// A build whose library is mapped into this process.
class LoadedBuild final : public Build {
 public:
  /// Creates and initialises it. Throws PluginError.
  LoadedBuild(const InstanceConfig& config, const Library& library, const Options& options);

  const std::string& digest() const override { return instance_.digest(); }
  BuildInfo info() const override;
  StepPort* step() override;
  ProjectionPort* projection() override { return projection_.get(); }
  CatalogPort* catalog() override { return catalog_.get(); }
  WebhookPort* webhook() override { return webhook_.get(); }
  std::pair<std::uint32_t, std::uint32_t> state_versions() const override { return state_versions_; }
  std::vector<store::Migration> migrations() override;
  void start(const CompletionSink& sink) override;
  bool stop() override;
  bool stuck() const override { return stuck_; }
  /// Nothing can be handed over to it any more (ExternalStep).
  bool hangs() const { return external_ && external_->hangs(); }

 private:
  Instance instance_;  // made first and goes last
  std::pair<std::uint32_t, std::uint32_t> state_versions_;
  std::unique_ptr<ExternalStep> external_;
  std::unique_ptr<TransactionalStep> transactional_;
  std::unique_ptr<PluginProjection> projection_;
  std::unique_ptr<PluginCatalog> catalog_;
  std::unique_ptr<WebhookReader> webhook_;
  bool stuck_ = false;
};

}  // namespace orderd::plugins
