#include "plugin_host/loading/instance.h"

#include <orderd/catalog.h>
#include <orderd/log.h>
#include <orderd/migrations.h>
#include <orderd/projection.h>
#include <orderd/settings.h>
#include <orderd/webhook.h>

#include "base/log.h"
#include "plugin_host/calling/fill_error.h"
#include "plugin_host/calling/translate.h"
#include "plugin_ports/error.h"

namespace orderd::plugins {
namespace {

/// A plugin made without the SDK may let an exception through: here it ends.
template <typename Call>
orderd_status shielded(Call call) {
  try {
    return call();
  } catch (...) { return ORDERD_E_INTERNAL; }
}

}  // namespace

struct Instance::Host {
  static const Instance& of(const orderd_host* host) {
    return *static_cast<const Instance*>(host->host_data);
  }

  static void log(const orderd_host* host, std::int32_t level, const orderd_uuid* order, orderd_view text) {
    const Instance& self = of(host);
    const std::string line = self.masked(std::string(to_text(text)));
    std::string id;
    if (order) {
      Uuid uuid;
      std::copy(std::begin(order->bytes), std::end(order->bytes), uuid.bytes.begin());
      id = uuid.to_string();
    }
    switch (level) {
      case ORDERD_LOG_DEBUG:
        return write(LogLevel::debug, "a plugin says", self, id, line);
      case ORDERD_LOG_INFO:
        return write(LogLevel::info, "a plugin says", self, id, line);
      case ORDERD_LOG_WARNING:
        return write(LogLevel::warning, "a plugin says", self, id, line);
      case ORDERD_LOG_HOST_MISBEHAVING:
        return write(LogLevel::error, "HOST_MISBEHAVING", self, id, line);
      case ORDERD_LOG_PLUGIN_MISBEHAVING:
        return write(LogLevel::error, "PLUGIN_MISBEHAVING", self, id, line);
      default:
        return write(LogLevel::error, "a plugin says", self, id, line);
    }
  }
  static void write(LogLevel level, std::string_view text, const Instance& self, const std::string& order,
                    const std::string& line) {
    if (order.empty()) return orderd::log(level, "plugin", text, {{"instance", self.name_}, {"what", line}});
    orderd::log(level, "plugin", text, {{"instance", self.name_}, {"order", order}, {"what", line}});
  }

  static orderd_status get(const orderd_host* host, const char* key, orderd_view* found) {
    *found = {nullptr, 0};
    for (const auto& [name, text] : of(host).settings_) {
      if (name != key) continue;
      *found = {text.data(), text.size()};
      return ORDERD_OK;
    }
    return ORDERD_E_NOT_FOUND;
  }
  static std::uint32_t count(const orderd_host* host) {
    return static_cast<std::uint32_t>(of(host).settings_.size());
  }
  static orderd_status at(const orderd_host* host, std::uint32_t index, orderd_view* key,
                          orderd_view* found) {
    *key = *found = {nullptr, 0};
    if (index >= count(host)) return ORDERD_E_NOT_FOUND;
    const auto& [name, text] = of(host).settings_[index];
    *key = {name.data(), name.size()};
    *found = {text.data(), text.size()};
    return ORDERD_OK;
  }

  static orderd_status complete(const orderd_host* host, orderd_ticket ticket,
                                const orderd_outcome* outcome) {
    if (!host) return ORDERD_E_INVALID;
    const Instance& self = of(host);
    if (self.completion_target_) return self.completion_target_->complete(ticket, outcome);
    self.misbehaving("it completed a command, and is no step");
    return ORDERD_E_STALE;
  }

  static const void* get_extension(const orderd_host*, const char* id) {
    static const orderd_log_v1 log_table = {log};
    static const orderd_settings_v1 settings_table = {get, count, at};
    static const orderd_completion_v1 completion_table = {complete};
    const std::string_view wanted = id ? id : "";
    if (wanted == ORDERD_EXT_LOG) return &log_table;
    if (wanted == ORDERD_EXT_SETTINGS) return &settings_table;
    if (wanted == ORDERD_EXT_COMPLETION) return &completion_table;
    if (wanted == ORDERD_EXT_TX) return tx_table();
    return service_table(wanted);
  }
};

Instance::Instance(std::string name, Library library, CheckedSettings settings, std::string host_version)
    : name_(std::move(name)),
      library_(std::move(library)),
      masks_(settings.secrets),
      settings_(settings.values.begin(), settings.values.end()),
      host_version_(std::move(host_version)),
      services_(std::make_unique<Services>(name_)) {
  ORDERD_CLEAR(host_);
  host_.abi_major = ORDERD_ABI_MAJOR;
  host_.abi_minor = ORDERD_ABI_MINOR;
  host_.version = host_version_.c_str();
  host_.instance = name_.c_str();
  host_.host_data = this;
  host_.get_extension = Host::get_extension;
  make();
}

void Instance::make() {
  shielded([&] {
    plugin_ = library_.descriptor->create(&host_);
    return ORDERD_OK;
  });
  if (!plugin_)
    fail(name_, library_.path, "create() gave no instance", "free memory, or report it to the vendor");
  const bool whole = ORDERD_HAS(plugin_, orderd_plugin, get_extension) && plugin_->init && plugin_->start &&
                     plugin_->stop && plugin_->destroy && plugin_->get_extension;
  if (!whole)
    fail(name_, library_.path, "its life cycle functions are incomplete", "report it to the plugin's vendor");
  orderd_error error;
  ORDERD_CLEAR(error);
  const orderd_status status = shielded([&] { return plugin_->init(plugin_, &error); });
  if (status == ORDERD_OK) return;
  services_->end();
  destroy();
  fail(name_, library_.path, problem("init", status, error), "correct its settings");
}

Instance::~Instance() {
  stop();
  destroy();
}

void Instance::destroy() {
  if (orderd_plugin* const gone = std::exchange(plugin_, nullptr)) gone->destroy(gone);
}

std::string Instance::problem(const char* call, orderd_status status, const orderd_error& error) const {
  const std::string text = one_line(message_of(error));
  return std::string(library_.descriptor->name) + " " + library_.descriptor->version + " refused " + call +
         "(): " + (text.empty() ? "status " + std::to_string(status) : masked(text));
}

std::vector<std::string> Instance::extensions() const {
  std::vector<std::string> found;
  for (const char* id : {ORDERD_EXT_STEP, ORDERD_EXT_WEBHOOK, ORDERD_EXT_PROJECTION, ORDERD_EXT_CATALOG,
                         ORDERD_EXT_MIGRATIONS})
    if (has(id)) found.emplace_back(id);
  return found;
}

void Instance::start() {
  if (down_) {
    std::unique_lock lock(life_);
    services_->end();
    destroy();
    services_ = std::make_unique<Services>(name_);
    make();
  }
  orderd_error error;
  ORDERD_CLEAR(error);
  const orderd_status status = shielded([&] { return plugin_->start(plugin_, &error); });
  down_ = status != ORDERD_OK;
  if (down_)
    fail(name_, library_.path, problem("start", status, error), "correct its settings, or what it needs");
  started_ = true;
  services_->open();
}

void Instance::stop() {
  if (std::exchange(started_, false)) plugin_->stop(plugin_);
  services_->end();
}

void Instance::misbehaving(const std::string& what, const std::string& order) const {
  Host::write(LogLevel::error, "PLUGIN_MISBEHAVING", *this, order, masked(what));
}

}  // namespace orderd::plugins
