// A projection as a class (projection.h).
#ifndef ORDERD_SDK_PROJECTION_HPP
#define ORDERD_SDK_PROJECTION_HPP

#include <orderd/projection.h>

#include "box.hpp"
#include "transaction.hpp"

namespace orderd::sdk {

/// Valid inside the call it came with.
class EventView {
 public:
  explicit EventView(const orderd_event* event) : event_(event) {}
  const orderd_uuid& order_id() const { return event_->order_id; }
  std::int32_t version() const { return event_->version; }
  std::int64_t at_ms() const { return event_->at_ms; }
  std::string_view type() const { return text(event_->type); }
  std::string_view status() const { return text(event_->status); }
  std::string_view payment_status() const { return text(event_->payment_status); }
  std::string_view payload_json() const { return text(event_->payload_json); }

 private:
  const orderd_event* event_;
};

enum class Target { live = ORDERD_TARGET_LIVE, shadow = ORDERD_TARGET_SHADOW };
enum class Verdict : std::int32_t {
  applied = ORDERD_APPLIED,
  duplicate = ORDERD_DUPLICATE,
  gap = ORDERD_GAP
};

/// Calls come from several threads at once, each with its own transaction and other orders.
class Projection {
 public:
  virtual ~Projection() = default;
  /// One verdict per event, in order. Throw to have the batch rolled back and tried one by one.
  virtual std::vector<Verdict> apply(Transaction& tx, Target target,
                                     const std::vector<EventView>& events) = 0;
  virtual void rebuild_begin(Transaction& tx) = 0;
  virtual void rebuild_finish(Transaction& tx) = 0;
};

template <class T>
struct Tables<T, Projection> {
  static const void* find(const char* id) {
    static const orderd_projection_v1 table = {apply, begin, finish};
    return std::strcmp(id, ORDERD_EXT_PROJECTION) == 0 ? &table : nullptr;
  }
  static orderd_status apply(orderd_plugin* plugin, orderd_tx* tx, std::int32_t target,
                             const orderd_event* const* events, std::uint64_t count, std::int32_t* verdicts,
                             orderd_error* error) {
    return guarded(error, [&] {
      Transaction transaction(Host(Box<T>::of(plugin).host), tx);
      std::vector<EventView> views;
      views.reserve(static_cast<std::size_t>(count));
      for (std::uint64_t i = 0; i < count; ++i) views.emplace_back(events[i]);
      const auto given = self<T>(plugin).apply(transaction, static_cast<Target>(target), views);
      if (given.size() != views.size()) throw Refused("not one verdict per event", ORDERD_E_INTERNAL);
      for (std::size_t i = 0; i < given.size(); ++i) verdicts[i] = static_cast<std::int32_t>(given[i]);
    });
  }
  static orderd_status begin(orderd_plugin* plugin, orderd_tx* tx, orderd_error* error) {
    return guarded(error, [&] {
      Transaction transaction(Host(Box<T>::of(plugin).host), tx);
      self<T>(plugin).rebuild_begin(transaction);
    });
  }
  static orderd_status finish(orderd_plugin* plugin, orderd_tx* tx, orderd_error* error) {
    return guarded(error, [&] {
      Transaction transaction(Host(Box<T>::of(plugin).host), tx);
      self<T>(plugin).rebuild_finish(transaction);
    });
  }
};

}  // namespace orderd::sdk
#endif
