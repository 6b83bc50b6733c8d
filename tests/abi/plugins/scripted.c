/* An external step in plain C whose every command says, in `method`, how to behave. One thread of its own
 * answers what is not answered inside execute(). */
#include <orderd/log.h>
#include <orderd/settings.h>
#include <orderd/step.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { LATER_MAX = 64 };

typedef struct scripted {
  orderd_plugin base;
  const orderd_host* host;
  const orderd_completion_v1* completion;
  const orderd_settings_v1* settings;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  orderd_ticket later[LATER_MAX]; /* to be answered by the thread; guarded by mutex */
  int later_count;                /* guarded by mutex */
  orderd_ticket cancelled;        /* the last one; guarded by mutex */
  int stopping;                   /* guarded by mutex */
} scripted;

static scripted* self(orderd_plugin* plugin) { return plugin->plugin_data; }

static orderd_outcome outcome_of(int32_t kind) {
  orderd_outcome outcome;
  ORDERD_CLEAR(outcome);
  outcome.kind = kind;
  return outcome;
}

static orderd_status complete(scripted* s, orderd_ticket ticket, const orderd_outcome* outcome) {
  return s->completion->complete(s->host, ticket, outcome);
}

static void* answer_later(void* argument) {
  scripted* s = argument;
  pthread_mutex_lock(&s->mutex);
  while (!s->stopping || s->later_count > 0) {
    if (s->later_count == 0) {
      pthread_cond_wait(&s->changed, &s->mutex);
      continue;
    }
    const orderd_ticket ticket = s->later[--s->later_count];
    pthread_mutex_unlock(&s->mutex);
    const orderd_outcome done = outcome_of(ORDERD_DONE);
    complete(s, ticket, &done);
    pthread_mutex_lock(&s->mutex);
  }
  pthread_mutex_unlock(&s->mutex);
  return NULL;
}

static void put_later(scripted* s, orderd_ticket ticket) {
  pthread_mutex_lock(&s->mutex);
  if (s->later_count < LATER_MAX) s->later[s->later_count++] = ticket;
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->mutex);
}

/* Does not return before the host gave this ticket up. */
static void hang(scripted* s, orderd_ticket ticket) {
  pthread_mutex_lock(&s->mutex);
  while (s->cancelled.generation != ticket.generation) pthread_cond_wait(&s->changed, &s->mutex);
  pthread_mutex_unlock(&s->mutex);
}

/* Everything an outcome can say, from what the command and the settings say. */
static void answer_in_full(scripted* s, const orderd_command* command) {
  orderd_outcome outcome = outcome_of(ORDERD_DONE);
  orderd_view account;
  s->settings->get(s->host, "account", &account);
  outcome.code = command->key;
  outcome.message = account;
  outcome.flags = ORDERD_OUTCOME_HAS_TOTALS | ORDERD_OUTCOME_HAS_STATE;
  outcome.totals.authorized =
      command->amount.amount + command->lines[0]->quantity * command->lines[0]->unit_price;
  outcome.provider_reference = command->subject;
  outcome.expires_ms = command->deadline_ms;
  outcome.state_version = command->state_version + command->generation;
  outcome.state = command->state;
  outcome.details_json = command->details_json;
  complete(s, command->ticket, &outcome);
}

/* Completions that break the contract, then one that does not. */
static void misbehave(scripted* s, const orderd_command* command) {
  const orderd_outcome done = outcome_of(ORDERD_DONE);
  orderd_outcome garbage = outcome_of(99);
  orderd_ticket foreign = command->ticket;
  if (orderd_view_is(command->method, "double")) {
    complete(s, command->ticket, &done);
    complete(s, command->ticket, &done);
  } else if (orderd_view_is(command->method, "foreign")) {
    foreign.generation += 1000;
    complete(s, foreign, &done);
    foreign.slot = 1ull << 60;
    complete(s, foreign, &done);
    complete(s, command->ticket, &done);
  } else if (orderd_view_is(command->method, "garbage")) {
    complete(s, command->ticket, &garbage);
  } else if (orderd_view_is(command->method, "short")) {
    garbage.struct_size = 8;
    complete(s, command->ticket, &garbage);
  } else {
    complete(s, command->ticket, NULL);
  }
}

static orderd_status execute(orderd_plugin* plugin, const orderd_command* const* commands, uint64_t count,
                             orderd_error* error) {
  scripted* s = self(plugin);
  (void)error;
  for (uint64_t i = 0; i < count; ++i) {
    const orderd_command* command = commands[i];
    const orderd_outcome done = outcome_of(ORDERD_DONE);
    if (orderd_view_is(command->method, "busy")) return ORDERD_E_BUSY;
    if (orderd_view_is(command->method, "fail")) return ORDERD_E_INTERNAL;
    if (orderd_view_is(command->method, "inline")) {
      complete(s, command->ticket, &done);
    } else if (orderd_view_is(command->method, "full")) {
      answer_in_full(s, command);
    } else if (orderd_view_is(command->method, "thread")) {
      put_later(s, command->ticket);
    } else if (orderd_view_is(command->method, "for ever")) {
      for (;;) pause();
    } else if (orderd_view_is(command->method, "hang")) {
      hang(s, command->ticket);
      complete(s, command->ticket, &done); /* too late */
    } else if (orderd_view_is(command->method, "crash")) {
      abort();
    } else if (!orderd_view_is(command->method, "silent")) {
      misbehave(s, command);
    }
  }
  return ORDERD_OK;
}

static void cancel(orderd_plugin* plugin, orderd_ticket ticket) {
  scripted* s = self(plugin);
  pthread_mutex_lock(&s->mutex);
  s->cancelled = ticket;
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->mutex);
}

static void describe(orderd_plugin* plugin, orderd_step_traits* traits) {
  (void)plugin;
  traits->flags = ORDERD_STEP_QUERY;
  traits->idempotency_window_ms = 86400000;
}

static int32_t supports(orderd_plugin* plugin, orderd_view action) {
  (void)plugin;
  return orderd_view_is(action, "payment.authorize");
}

static orderd_status init(orderd_plugin* plugin, orderd_error* error) {
  scripted* s = self(plugin);
  (void)error;
  s->completion = s->host->get_extension(s->host, ORDERD_EXT_COMPLETION);
  s->settings = s->host->get_extension(s->host, ORDERD_EXT_SETTINGS);
  return s->completion && s->settings ? ORDERD_OK : ORDERD_E_UNSUPPORTED;
}

static orderd_status start(orderd_plugin* plugin, orderd_error* error) {
  scripted* s = self(plugin);
  (void)error;
#ifdef ENDS_IN_START
  _exit(0);
#endif
  return pthread_create(&s->thread, NULL, answer_later, s) == 0 ? ORDERD_OK : ORDERD_E_INTERNAL;
}

static void stop(orderd_plugin* plugin) {
  scripted* s = self(plugin);
  pthread_mutex_lock(&s->mutex);
  s->stopping = 1;
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->mutex);
  pthread_join(s->thread, NULL);
}

static void destroy(orderd_plugin* plugin) { free(plugin->plugin_data); }

static const void* get_extension(orderd_plugin* plugin, const char* id) {
  static const orderd_step_v1 step = {describe, supports, execute, cancel, NULL};
  (void)plugin;
  return strcmp(id, ORDERD_EXT_STEP) == 0 ? &step : NULL;
}

static orderd_plugin* create(const orderd_host* host) {
  scripted* s = calloc(1, sizeof *s);
  if (!s) return NULL;
  ORDERD_CLEAR(s->base);
  s->base.plugin_data = s;
  s->base.init = init;
  s->base.start = start;
  s->base.stop = stop;
  s->base.destroy = destroy;
  s->base.get_extension = get_extension;
  s->host = host;
  pthread_mutex_init(&s->mutex, NULL);
  pthread_cond_init(&s->changed, NULL);
  return &s->base;
}

const orderd_descriptor* orderd_plugin_entry_v1(void) {
  static const orderd_descriptor descriptor = {sizeof(orderd_descriptor),
                                               ORDERD_ABI_MAJOR,
                                               ORDERD_ABI_MINOR,
                                               0,
                                               "scripted",
                                               "1.0.0",
                                               "orderd tests",
                                               create,
                                               NULL};
  return &descriptor;
}
