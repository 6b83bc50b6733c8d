// The host's services as C++: signature, clock, metrics, HTTP client. Values and small classes on the tables
// of signature.h, clock.h, metrics.h and http.h; made in the plugin's constructor, which fails if the host
// lacks one.
#ifndef ORDERD_SDK_SERVICES_HPP
#define ORDERD_SDK_SERVICES_HPP

#include <orderd/clock.h>
#include <orderd/http.h>
#include <orderd/metrics.h>
#include <orderd/signature.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host.hpp"

namespace orderd::sdk {

class Signature {
 public:
  explicit Signature(const Host& host)
      : host_(host), api_(host.extension<orderd_signature_v1>(ORDERD_EXT_SIGNATURE)) {}
  /// 32 bytes.
  std::string hmac_sha256(std::string_view key, std::string_view message) const {
    std::uint8_t out[32];
    api_->hmac_sha256(host_.abi(), view(key), view(message), out);
    return {reinterpret_cast<const char*>(out), sizeof out};
  }
  bool equal(std::string_view one, std::string_view other) const {
    return api_->equal(host_.abi(), view(one), view(other)) != 0;
  }
  static std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes)
      for (const int half : {static_cast<unsigned char>(c) >> 4, c & 15}) out += "0123456789abcdef"[half];
    return out;
  }

 private:
  Host host_;
  const orderd_signature_v1* api_;
};

class Clock {
 public:
  explicit Clock(const Host& host) : host_(host), api_(host.extension<orderd_clock_v1>(ORDERD_EXT_CLOCK)) {}
  std::int64_t now_ms() const { return api_->now_ms(host_.abi()); }
  std::int64_t monotonic_ms() const { return api_->monotonic_ms(host_.abi()); }
  /// `call` must not wait; what it throws ends there. Not called any more once the plugin has stopped.
  void call_after(std::int64_t delay_ms, std::function<void()> call) const {
    auto own = std::make_unique<std::function<void()>>(std::move(call));
    const orderd_status status = api_->call_after(
        host_.abi(), delay_ms,
        [](void* data) {
          const std::unique_ptr<std::function<void()>> mine(static_cast<std::function<void()>*>(data));
          guarded(nullptr, *mine);
        },
        own.get(), nullptr);
    if (status != ORDERD_OK) throw Refused("no timer: too many wait, or the host stops", status);
    (void)own.release();
  }

 private:
  Host host_;
  const orderd_clock_v1* api_;
};

/// One metric, declared once and raised on the way.
class Metric {
 public:
  Metric(const Host& host, std::int32_t kind, std::string_view name, std::string_view help,
         const std::vector<std::int64_t>& bounds = {})
      : host_(host), api_(host.extension<orderd_metrics_v1>(ORDERD_EXT_METRICS)) {
    orderd_metric metric;
    ORDERD_CLEAR(metric);
    metric.kind = kind;
    metric.name = view(name);
    metric.help = view(help);
    metric.bounds = bounds.data();
    metric.bound_count = static_cast<std::uint32_t>(bounds.size());
    orderd_error error;
    ORDERD_CLEAR(error);
    if (const auto status = api_->declare(host_.abi(), &metric, &number_, &error); status != ORDERD_OK)
      throw Refused(error.message, status);
  }
  void add(std::int64_t amount = 1) const { api_->add(host_.abi(), number_, amount); }
  void set(std::int64_t value) const { api_->set(host_.abi(), number_, value); }
  void observe(std::int64_t value) const { api_->observe(host_.abi(), number_, value); }

 private:
  Host host_;
  const orderd_metrics_v1* api_;
  std::uint32_t number_ = 0;
};

}  // namespace orderd::sdk
#endif
