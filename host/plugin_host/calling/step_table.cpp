#include "plugin_host/calling/step_table.h"

#include "plugin_ports/error.h"

namespace orderd::plugins {

orderd_step_traits describe_step(const Instance& instance) {
  const auto* table = instance.extension<orderd_step_v1>(ORDERD_EXT_STEP);
  const auto damaged = [&](const std::string& what) {
    fail(instance.name(), instance.library().path, "its " ORDERD_EXT_STEP " " + what,
         "report it to the plugin's vendor");
  };
  if (!table->describe || !table->supports) damaged("lacks describe() or supports()");
  orderd_step_traits traits;
  ORDERD_CLEAR(traits);
  table->describe(instance.plugin(), &traits);
  const bool transactional = (traits.flags & ORDERD_STEP_TRANSACTIONAL) != 0;
  if (transactional ? !table->execute_tx : !table->execute) damaged("lacks the execute function of its kind");
  if (traits.idempotency_window_ms < 0) damaged("declares a negative idempotency window");
  return traits;
}

}  // namespace orderd::plugins
