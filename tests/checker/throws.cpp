// A bad plugin in C++ without the SDK: what it throws goes through the C ABI.
#include <orderd/step.h>

#include <cstring>
#include <stdexcept>

namespace {

orderd_status ok(orderd_plugin *, orderd_error *) { return ORDERD_OK; }
void nothing(orderd_plugin *) {}
void describe(orderd_plugin *, orderd_step_traits *) {}
std::int32_t supports(orderd_plugin *, orderd_view action) {
  return orderd_view_is(action, "payment.authorize");
}
orderd_status execute(orderd_plugin *, const orderd_command *const *, std::uint64_t, orderd_error *) {
  throw std::runtime_error("escaped");
}
const void *get_extension(orderd_plugin *, const char *id) {
  static const orderd_step_v1 step = {describe, supports, execute, nullptr, nullptr};
  return std::strcmp(id, ORDERD_EXT_STEP) == 0 ? &step : nullptr;
}
void destroy(orderd_plugin *plugin) { delete plugin; }
orderd_plugin *create(const orderd_host *) {
  return new orderd_plugin{sizeof(orderd_plugin), 0, nullptr, ok, ok, nothing, destroy, get_extension};
}

}  // namespace

ORDERD_EXPORT const orderd_descriptor *orderd_plugin_entry_v1(void) {
  static const orderd_descriptor descriptor = {sizeof(orderd_descriptor),
                                               ORDERD_ABI_MAJOR,
                                               ORDERD_ABI_MINOR,
                                               0,
                                               "throws",
                                               "1.0.0",
                                               "orderd tests",
                                               create,
                                               R"({"type":"object","additionalProperties":false})"};
  return &descriptor;
}
