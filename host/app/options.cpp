#include "app/options.h"

#include <algorithm>

#include "app/wiring.h"
#include "http/api.h"

namespace orderd {

store::ConnectionOptions database_for_clients(const config::Settings& settings) {
  auto options = database(settings);
  options.answer_timeout_ms = 5'000;
  return options;
}

intake::IntakeOptions intake_options(const config::Settings& settings) {
  intake::IntakeOptions options;
  options.database = database_for_clients(settings);
  options.writers = settings.intake_writers;
  return options;
}

http::front::Options front_options(const config::Settings& settings) {
  http::front::Options options;
  options.address = settings.http_address;
  options.port = settings.http_port;
  options.workers = settings.http_workers;
  options.trusted_proxies = settings.http_trusted_proxies;
  options.workers_apart = std::max(1u, settings.http_workers / 4);
  options.lane_of = http::lane_of;
  options.unsent_bytes_max = std::size_t{settings.http_unsent_mb} << 20;
  options.unsent_bytes_per_address_max = std::size_t{settings.http_unsent_mb_per_address} << 20;
  return options;
}

sse::BroadcasterOptions stream_options(const config::Settings& settings) {
  sse::BroadcasterOptions options;
  options.streams_max = settings.http_streams;
  options.streams_per_client_max = settings.http_streams_per_client;
  return options;
}

http::AccessOptions access_options(const config::Settings& settings, const auth::Keyring* keyring) {
  http::AccessOptions options;
  options.keyring = keyring;
  options.rate = {settings.access_rate_per_second, settings.access_rate_burst};
  options.trusted_proxies = settings.http_trusted_proxies;
  options.cors_origins = settings.http_cors_origins;
  return options;
}

http::front::Options monitoring_options(const config::Settings& settings) {
  http::front::Options options;
  options.address = settings.http_address;
  options.port = settings.metrics_port;
  options.workers = 1;
  return options;
}

}  // namespace orderd
