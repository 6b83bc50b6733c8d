/* What is not, or not quite, a plugin: ODD chooses which. */
#include <orderd/plugin.h>

#if ODD == 1 /* a library, but no plugin */
ORDERD_EXPORT int something_else(void);
int something_else(void) { return 1; }

#elif ODD == 2 /* a plugin of another major */
ORDERD_EXPORT const void* orderd_plugin_entry_v7(void);
const void* orderd_plugin_entry_v7(void) { return 0; }

#elif ODD == 3 /* a descriptor from which the tail is missing */
const orderd_descriptor* orderd_plugin_entry_v1(void) {
  static const orderd_descriptor descriptor = {16, ORDERD_ABI_MAJOR, 0, 0, "odd", "1", "orderd tests", 0, 0};
  return &descriptor;
}

#elif ODD == 4 /* needs a symbol that nobody has */
ORDERD_EXPORT int nobody_has_this(void);
const orderd_descriptor* orderd_plugin_entry_v1(void) {
  nobody_has_this();
  return 0;
}

#elif ODD == 7 /* ends the process that makes an instance of it */
#include <stdlib.h>
static orderd_plugin* create(const orderd_host* host) {
  (void)host;
  exit(0);
}
const orderd_descriptor* orderd_plugin_entry_v1(void) {
  static const orderd_descriptor descriptor = {sizeof(orderd_descriptor),
                                               ORDERD_ABI_MAJOR,
                                               ORDERD_ABI_MINOR,
                                               0,
                                               "odd",
                                               "1",
                                               "orderd tests",
                                               create,
                                               NULL};
  return &descriptor;
}

#elif ODD == 5 || ODD == 6 /* another major in the descriptor alone; a name that is no line of text */
static orderd_plugin* create(const orderd_host* host) {
  (void)host;
  return 0;
}
const orderd_descriptor* orderd_plugin_entry_v1(void) {
  static const orderd_descriptor descriptor = {sizeof descriptor,
                                               ODD == 5 ? 2 : ORDERD_ABI_MAJOR,
                                               0,
                                               0,
                                               ODD == 6 ? "odd\n\xff" : "odd",
                                               "1",
                                               "tests",
                                               create,
                                               0};
  return &descriptor;
}
#endif
