#pragma once
// All that orderd answers over HTTP, as one factory of Poco handlers for the front. Built by main from the
// parts it needs; outlives the front. Handlers run on the front's workers, many at a time.
#include <Poco/Net/HTTPRequestHandlerFactory.h>

#include <functional>
#include <string>
#include <vector>

#include "admin/builds.h"
#include "admin/records.h"
#include "http/access.h"
#include "http/front/front.h"
#include "http/request_guard.h"
#include "http/router.h"
#include "intake/intake.h"
#include "plugin_host/loading/registry.h"
#include "sse/broadcaster.h"
#include "store/pool.h"
#include "store/secret_box.h"
#include "webhooks/receiver.h"

namespace orderd::http {

/// One page of what can be ordered.
struct ProductQuery {
  std::string after;  // SKU of the last product of the page before, "" for the first page
  int limit = 20;
  std::string search;  // part of a SKU or name, "" for all
};
struct ProductPage {
  std::string data_json = "[]";  // [{"sku":…,"name":…,"unitPrice":…,"currency":…,"available":…}]
  std::string last;              // SKU to go on behind, "" at the end
};
/// [any worker thread] May throw store::DbError.
using ProductSource = std::function<ProductPage(const ProductQuery&)>;

/// What operators' routes must know of this host's plugins.
struct AdminParts {
  admin::Slots slots;
  std::function<std::vector<plugins::BuildInfo>()> plugins;  // [any worker thread]; may be empty
  /// A build from this host's disk for an instance; may be empty. [any worker thread] May throw
  /// store::DbError, plugins::PluginError, std::runtime_error.
  std::function<admin::BuildAnswer(const admin::BuildRequest&, const std::string& file, bool forced)>
      install = {};
  std::vector<plugins::BuildInfo> builds() const { return plugins ? plugins() : decltype(plugins()){}; }
  std::vector<std::string> step_instances() const;  // each once
};

struct ApiParts {
  store::Pool& pool;
  intake::Intake& intake;
  sse::Broadcaster& streams;
  const store::SecretBox& secrets;
  ProductSource products;
  webhooks::Receiver& webhooks;
  /// What keeps this host from serving, a line each, for people; empty: ready. Asked on the front's I/O
  /// thread, so it must not wait.
  std::function<std::vector<std::string>()> not_ready;
  std::string web_dir;  // pages for "/"; may be empty
  /// What does not work as it should although this host serves, a line each; may be empty. Asked like
  /// not_ready.
  std::function<std::vector<std::string>()> degraded = {};
  AccessOptions access = {};
  AdminParts admin = {};
};

/// For the front: what monitors ask is answered whatever holds the workers, and lists, searches and the
/// installation of builds, which may take long, hold none that others need.
front::Lane lane_of(std::string_view method, std::string_view path);

class Api {
 public:
  /// Throws std::runtime_error if web_dir cannot be read.
  explicit Api(ApiParts parts);
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  /// For routes of other parts; before the first request.
  Router& router() { return router_; }
  /// Requests a second, per key and per address, from now on. [any thread]
  void set_rate(auth::Rate rate) { guard_.set_rate(rate); }
  /// For the front. Refers to this object.
  Poco::Net::HTTPRequestHandlerFactory::Ptr factory();
  /// The same with health and numbers alone, for a port of their own.
  Poco::Net::HTTPRequestHandlerFactory::Ptr health_factory();
  /// For the front, too: how it refuses what no route has seen.
  front::ErrorRenderer renderer() const;

 private:
  const ApiParts parts_;
  const TrackingTokens tokens_;
  RequestGuard guard_;
  Router router_, health_;
};

}  // namespace orderd::http
