// The host as C++: settings, log, completion. A value; copy it freely. [any thread, as host.h says]
#ifndef ORDERD_SDK_HOST_HPP
#define ORDERD_SDK_HOST_HPP

#include <orderd/log.h>
#include <orderd/settings.h>
#include <orderd/step.h>
#include <orderd/tx.h>

#include <charconv>
#include <initializer_list>
#include <optional>
#include <string>

#include "barrier.hpp"

namespace orderd::sdk {

class Host {
 public:
  /// Throws if the host lacks what every plugin needs.
  explicit Host(const orderd_host* host)
      : host_(host),
        log_(extension<orderd_log_v1>(ORDERD_EXT_LOG)),
        settings_(extension<orderd_settings_v1>(ORDERD_EXT_SETTINGS)),
        completion_(extension<orderd_completion_v1>(ORDERD_EXT_COMPLETION)) {}

  const orderd_host* abi() const { return host_; }
  /// This instance's name in the configuration.
  std::string_view instance() const { return host_->instance; }

  std::optional<std::string> setting(const char* key) const {
    orderd_view value{};
    if (settings_->get(host_, key, &value) != ORDERD_OK) return std::nullopt;
    return std::string(text(value));
  }
  std::string setting(const char* key, const char* otherwise) const {
    return setting(key).value_or(otherwise);
  }
  std::string required_setting(const char* key) const {
    auto value = setting(key);
    if (!value || value->empty()) throw Refused("setting \"" + std::string(key) + "\" is missing: set it");
    return *value;
  }
  /// A whole number in lowest..highest.
  std::int64_t setting(const char* key, std::int64_t otherwise, std::int64_t lowest,
                       std::int64_t highest) const {
    const auto given = setting(key);
    if (!given) return otherwise;
    std::int64_t number = 0;
    const char* end = given->data() + given->size();
    const auto [stop, error] = std::from_chars(given->data(), end, number);
    if (error != std::errc() || stop != end || number < lowest || number > highest)
      throw Refused("setting \"" + std::string(key) + "\" is \"" + *given + "\": give a whole number from " +
                    std::to_string(lowest) + " to " + std::to_string(highest));
    return number;
  }
  /// "yes" or "no".
  bool setting(const char* key, bool otherwise) const {
    const auto given = setting(key);
    if (given && *given != "yes" && *given != "no")
      throw Refused("setting \"" + std::string(key) + "\" is \"" + *given + "\": give yes or no");
    return given ? *given == "yes" : otherwise;
  }
  /// Throws for a key that is set and not in the list: a typo must not be silent.
  void refuse_unknown_settings(std::initializer_list<std::string_view> known) const {
    for (std::uint32_t i = 0, count = settings_->count(host_); i < count; ++i) {
      orderd_view key{}, value{};
      if (settings_->at(host_, i, &key, &value) != ORDERD_OK) continue;
      if (std::find(known.begin(), known.end(), text(key)) != known.end()) continue;
      std::string message = "setting \"" + std::string(text(key)) + "\" is unknown; known are";
      for (const auto one : known) message += " " + std::string(one);
      throw Refused(message);
    }
  }

  void log(std::int32_t level, std::string_view line, const orderd_uuid* order = nullptr) const {
    log_->log(host_, level, order, view(line));
  }
  orderd_status complete(orderd_ticket ticket, const orderd_outcome& outcome) const {
    return completion_->complete(host_, ticket, &outcome);
  }

  /// The host's table for an id; throws if it has none.
  template <class Table>
  const Table* extension(const char* id) const {
    const void* table = host_->get_extension(host_, id);
    if (!table)
      throw Refused(std::string("this host has no ") + id + ": use a newer orderd", ORDERD_E_UNSUPPORTED);
    return static_cast<const Table*>(table);
  }

 private:
  const orderd_host* host_;
  const orderd_log_v1* log_;
  const orderd_settings_v1* settings_;
  const orderd_completion_v1* completion_;
};

}  // namespace orderd::sdk
#endif
