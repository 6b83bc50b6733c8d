/* The source of the libraries in this folder, which are kept as they were once built, and loaded by every
 * later host: README.md says how. One external step that says DONE. */
#include <orderd/step.h>
#include <stdlib.h>

typedef struct kept {
  orderd_plugin base;
#ifdef NEWER
  const void *later[4]; /* what a later minor might add at the tail */
#endif
  const orderd_host *host;
  const orderd_completion_v1 *completion;
} kept;

static orderd_status init(orderd_plugin *plugin, orderd_error *error) {
  kept *k = plugin->plugin_data;
  (void)error;
  k->completion = k->host->get_extension(k->host, ORDERD_EXT_COMPLETION);
#ifdef NEWER /* asks for what this host does not have yet, and does without */
  if (k->host->get_extension(k->host, "orderd.later/1")) return ORDERD_E_INTERNAL;
#endif
  return k->completion ? ORDERD_OK : ORDERD_E_UNSUPPORTED;
}
static orderd_status start(orderd_plugin *plugin, orderd_error *error) {
  (void)plugin, (void)error;
  return ORDERD_OK;
}
static void stop(orderd_plugin *plugin) { (void)plugin; }
static void destroy(orderd_plugin *plugin) { free(plugin->plugin_data); }

static void describe(orderd_plugin *plugin, orderd_step_traits *traits) { (void)plugin, (void)traits; }
static int32_t supports(orderd_plugin *plugin, orderd_view action) {
  (void)plugin;
  return orderd_view_is(action, "payment.authorize");
}
static orderd_status execute(orderd_plugin *plugin, const orderd_command *const *commands, uint64_t count,
                             orderd_error *error) {
  kept *k = plugin->plugin_data;
  (void)error;
  for (uint64_t i = 0; i < count; ++i) {
    struct {
      orderd_outcome outcome;
      unsigned char later[32];
    } longer;
    memset(&longer, 0, sizeof longer);
#ifdef NEWER
    memset(longer.later, 0xff, sizeof longer.later);
    longer.outcome.struct_size = sizeof longer;
#else
    longer.outcome.struct_size = sizeof longer.outcome;
#endif
    longer.outcome.kind = ORDERD_DONE;
    longer.outcome.code = commands[i]->key;
    k->completion->complete(k->host, commands[i]->ticket, &longer.outcome);
  }
  return ORDERD_OK;
}

static const void *get_extension(orderd_plugin *plugin, const char *id) {
  static const orderd_step_v1 step = {describe, supports, execute, NULL, NULL};
  (void)plugin;
  return strcmp(id, ORDERD_EXT_STEP) == 0 ? &step : NULL;
}

static orderd_plugin *create(const orderd_host *host) {
  kept *k = calloc(1, sizeof *k);
  if (!k) return NULL;
  k->host = host;
  k->base.struct_size = (uint32_t)offsetof(kept, host);
  k->base.plugin_data = k;
  k->base.init = init;
  k->base.start = start;
  k->base.stop = stop;
  k->base.destroy = destroy;
  k->base.get_extension = get_extension;
  return &k->base;
}

const orderd_descriptor *orderd_plugin_entry_v1(void) {
  static struct {
    orderd_descriptor descriptor;
    const void *later[4];
  } longer;
  longer.descriptor.struct_size = sizeof longer.descriptor;
  longer.descriptor.abi_major = ORDERD_ABI_MAJOR;
  longer.descriptor.abi_minor = ORDERD_ABI_MINOR;
#ifdef NEWER
  longer.descriptor.struct_size = sizeof longer;
  longer.descriptor.abi_minor = ORDERD_ABI_MINOR + 9;
#endif
  longer.descriptor.name = "kept";
  longer.descriptor.version = "1.0.0";
  longer.descriptor.vendor = "orderd tests";
  longer.descriptor.create = create;
  return &longer.descriptor;
}
