// Inside fake_host.hpp: which table belongs to which id.
#ifndef ORDERD_TESTING_FAKE_EXTENSIONS_HPP
#define ORDERD_TESTING_FAKE_EXTENSIONS_HPP

#include <orderd/signature.h>

#include "fake_tables.hpp"

namespace orderd::testing {

inline const void* FakeHost::get_extension(const orderd_host* host, const char* id) {
  FakeHost& self = of(host);
  if (self.phase == Phase::creating) self.violation("it called the host inside create()");
  const std::string wanted = id ? id : "";
  if (self.missing.count(wanted) > 0) return nullptr;
  static const orderd_log_v1 log = {Tables::log};
  static const orderd_settings_v1 settings = {Tables::get, Tables::count, Tables::at};
  static const orderd_completion_v1 completion = {Tables::complete};
  static const orderd_clock_v1 clock = {[](const orderd_host*) { return testing::now_ms(); },
                                        [](const orderd_host*) { return testing::monotonic_ms(); },
                                        Tables::call_after,
                                        [](const orderd_host* h, std::uint64_t timer) -> orderd_status {
                                          return of(h).timers_.cancel(timer) ? ORDERD_OK : ORDERD_E_STALE;
                                        }};
  static const orderd_http_v1 http_table = {
      [](const orderd_host* h, const orderd_http_request* request, std::uint64_t* number, orderd_error*) {
        return of(h).http.submit(request, number);
      },
      [](const orderd_host* h, std::uint64_t number) { return of(h).http.cancel(number); }};
  static const orderd_metrics_v1 metrics_table = {
      Tables::declare,
      [](const orderd_host* h, std::uint32_t n, std::int64_t by) { Tables::change(h, n, by, false); },
      [](const orderd_host* h, std::uint32_t n, std::int64_t to) { Tables::change(h, n, to, true); },
      [](const orderd_host* h, std::uint32_t n, std::int64_t) { Tables::change(h, n, 1, false); }};
  static const orderd_signature_v1 signature = {
      Tables::hmac, [](const orderd_host*, orderd_view one, orderd_view other) -> std::int32_t {
        return sdk::text(one) == sdk::text(other) ? 1 : 0;
      }};
  if (wanted == ORDERD_EXT_LOG) return &log;
  if (wanted == ORDERD_EXT_SETTINGS) return &settings;
  if (wanted == ORDERD_EXT_COMPLETION) return &completion;
  if (wanted == ORDERD_EXT_TX) return fake_tx_table();
  if (wanted == ORDERD_EXT_CLOCK) return &clock;
  if (wanted == ORDERD_EXT_HTTP) return &http_table;
  if (wanted == ORDERD_EXT_METRICS) return &metrics_table;
  if (wanted == ORDERD_EXT_SIGNATURE) return &signature;
  return nullptr;
}

}  // namespace orderd::testing
#endif
