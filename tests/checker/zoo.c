/* Bad plugins, each the C template with one thing wrong: BEAST says which, zoo_test.py who catches it. */
#define _POSIX_C_SOURCE 200809L
#define orderd_plugin_entry_v1 sound_entry
#include "my_payment.c"
#undef orderd_plugin_entry_v1

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define no_entry 1
#define another_major 2
#define short_descriptor 3
#define nameless 4
#define talkative_library 5
#define broken_schema 6
#define takes_any_setting 7
#define calls_in_create 8
#define crashes_unstarted 9
#define leaves_thread 10
#define leaks 11
#define leaves_file 12
#define fickle_tables 13
#define needs_metrics 14
#define one_for_all 15
#define answers_twice 16
#define never_answers 17
#define foreign_ticket 18
#define garbage 19
#define slow_execute 20
#define second_effect 21
#define loves_every_action 22
#define not_thread_safe 23
#define answers_after_stop 24
#define logs_token 25
#define refunds_anything 26
#define thinks_in_cents 27
#define no_totals 28
#define query_forgets 29
#define trusts_anybody 30
#define reads_no_size 31
#define hangs_in_init 32
#define cancel_crashes 33
#define overflowing_traits 34
#define refuses_newer_hosts 35
#define crashes_without_token 36
#define exits_in_init 37
#define exits_in_execute 38
#define shares_memory 39
#define shares_host 40
#define thread_a_command 41
#define answers_long_after_stop 42
#define says_no_query 43
#define retries_refused 44
#define keeps_later_state 45
#define pending_for_ever 46
#define whispers 47
#define script_url 48
#define odd_details 49
#define refunds_by_default 50
#define voids_all_or_nothing 51
#define schema_pattern 52
#define schema_default 53
#define schema_typo 54
#define two_lines 55
#define slow_refunds 56
#define list_lost 57
#define list_endless 58
#define list_shapeless 59
#define always_retries 60

#define SCHEMA(type, rule)                                                                                   \
  "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"webhook_secret\":{\"type\":\"" type \
  "\"," rule "}}}"
#define IS(beast) (BEAST == (beast))

static orderd_descriptor descriptor;
static orderd_step_v1 step;
static orderd_webhook_v1 hook;
static orderd_plugin *(*sound_create)(const orderd_host *host);
static orderd_plugin sound; /* the template's functions */

static void pause_ms(long ms) {
  const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static void *work_on(void *nothing) {
  for (;;) pause_ms(1000);
  return nothing;
}

static void answer(orderd_plugin *plugin, orderd_ticket ticket, int32_t kind) {
  orderd_outcome outcome;
  ORDERD_CLEAR(outcome);
  outcome.kind = kind;
  self(plugin)->completion->complete(self(plugin)->host, ticket, &outcome);
}

/* A refund that the provider takes days for: legal. */
static void answer_pending(orderd_plugin *plugin, const orderd_command *command) {
  orderd_outcome outcome;
  ORDERD_CLEAR(outcome);
  outcome.kind = ORDERD_PENDING;
  outcome.query_answer = command->query_key.size ? ORDERD_FOUND : 0;
  outcome.expires_ms = command->deadline_ms + 1000LL * 86400 * 7;
  outcome.flags = ORDERD_OUTCOME_HAS_TOTALS;
  outcome.totals = command->totals;
  self(plugin)->completion->complete(self(plugin)->host, command->ticket, &outcome);
}

static void answer_list(orderd_plugin *plugin, orderd_ticket ticket) {
  orderd_outcome outcome;
  ORDERD_CLEAR(outcome);
  outcome.kind = ORDERD_DONE;
  outcome.details_json =
      orderd_text(IS(list_endless)     ? "{\"payments\":[],\"cursor\":\"on\"}"
                  : IS(list_shapeless) ? "{\"payments\":[{\"subject\":\"p\",\"reference\":\"r\","
                                         "\"authorized\":\"19.99\"}],\"cursor\":null}"
                                       : "{\"payments\":[],\"cursor\":null}");
  self(plugin)->completion->complete(self(plugin)->host, ticket, &outcome);
}
static int lists(orderd_view action) {
  return (IS(list_lost) || IS(list_endless) || IS(list_shapeless)) &&
         orderd_view_is(action, ORDERD_PAYMENT_LIST_SINCE);
}

static void say(orderd_plugin *plugin, orderd_view line) {
  const orderd_log_v1 *log = self(plugin)->host->get_extension(self(plugin)->host, ORDERD_EXT_LOG);
  if (log) log->log(self(plugin)->host, ORDERD_LOG_INFO, NULL, line);
}

static struct {
  orderd_plugin *plugin;
  orderd_ticket ticket;
} late;
static void *answer_late(void *nothing) {
  pause_ms(IS(answers_long_after_stop) ? 800 : 150);
  answer(late.plugin, late.ticket, ORDERD_DONE);
  return nothing;
}

/* What the template answers, changed on its way to the host. */
static const orderd_completion_v1 *sound_completion;
static orderd_status bent_complete(const orderd_host *host, orderd_ticket ticket,
                                   const orderd_outcome *given) {
  orderd_outcome outcome = *given;
  if (IS(retries_refused) && outcome.kind == ORDERD_DECLINED) outcome.kind = ORDERD_RETRY;
  if (IS(keeps_later_state)) outcome.flags |= ORDERD_OUTCOME_HAS_STATE, outcome.state_version = 9;
  if (IS(pending_for_ever) || IS(script_url)) outcome.kind = ORDERD_PENDING;
  if (IS(script_url))
    outcome.expires_ms = 253402300799999, outcome.next_action_type = orderd_text("redirect");
  if (IS(script_url)) outcome.next_action_url = orderd_text("javascript:alert(1)");
  if (IS(whispers)) outcome.code = orderd_text("all is well");
  if (IS(odd_details)) outcome.details_json = orderd_text("[1]");
  return sound_completion->complete(host, ticket, &outcome);
}
static const orderd_completion_v1 bent_completion = {bent_complete};

static const orderd_host *last_host;
static orderd_status shared_execute(orderd_plugin *plugin, const orderd_command *one, orderd_error *error) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static payment *payments;
  static call *calls;
  my_payment *me = self(plugin);
  pthread_mutex_lock(&lock);
  me->payments = payments, me->calls = calls;
  orderd_status status = execute(plugin, &one, 1, error);
  payments = me->payments, calls = me->calls;
  me->payments = NULL, me->calls = NULL;
  pthread_mutex_unlock(&lock);
  return status;
}

/* Sends a changed copy of a command to the template. */
static orderd_status bent(orderd_plugin *plugin, const orderd_command *given, orderd_error *error) {
  static _Thread_local char key[TEXT_MAX];
  static volatile int calls;
  orderd_command command = *given;
  const orderd_command *one = &command;
  if (IS(thinks_in_cents) && command.amount.exponent == 0) command.amount.amount *= 100;
  if (IS(query_forgets)) command.query_key = orderd_text(command.query_key.size ? "lost" : NULL);
  if (IS(reads_no_size)) command.action = orderd_text(command.action.data);
  if (IS(second_effect) && orderd_view_is(command.action, ORDERD_PAYMENT_CAPTURE)) {
    snprintf(key, sizeof key, "%d", ++calls);
    command.key = orderd_text(key);
  }
  if (IS(refunds_by_default) && !supports(plugin, command.action))
    command.action = orderd_text(ORDERD_PAYMENT_REFUND);
  if (IS(voids_all_or_nothing) && orderd_view_is(command.action, ORDERD_PAYMENT_VOID) &&
      command.totals.captured)
    return answer(plugin, command.ticket, ORDERD_DECLINED), ORDERD_OK;
  if (IS(shares_host)) self(plugin)->host = last_host;
  if (IS(shares_memory)) return shared_execute(plugin, one, error);
  return execute(plugin, &one, 1, error);
}

static orderd_status bad_execute(orderd_plugin *plugin, const orderd_command *const *commands, uint64_t count,
                                 orderd_error *error) {
  static volatile int inside;
  for (uint64_t i = 0; i < count; ++i) {
    const orderd_command *command = commands[i];
    orderd_ticket foreign = command->ticket;
    orderd_status status = ORDERD_OK;
    pthread_t thread;
    if (IS(never_answers)) continue;
    if (IS(exits_in_execute)) _exit(0);
    if (lists(command->action)) {
      answer_list(plugin, command->ticket);
      continue;
    }
    if (IS(always_retries)) {
      answer(plugin, command->ticket, ORDERD_RETRY);
      continue;
    }
    if (IS(slow_refunds) && command->totals.captured > command->totals.refunded &&
        (orderd_view_is(command->action, ORDERD_PAYMENT_REFUND) ||
         orderd_view_is(command->query_action, ORDERD_PAYMENT_REFUND)) &&
        command->amount.amount <= command->totals.captured - command->totals.refunded) {
      answer_pending(plugin, command);
      continue;
    }
    if (IS(slow_execute)) pause_ms(700);
    if (IS(logs_token)) say(plugin, command->secret_json);
    if (IS(loves_every_action) && !supports(plugin, command->action)) {
      answer(plugin, command->ticket, ORDERD_DONE);
      continue;
    }
    if (IS(crashes_without_token) && orderd_view_is(command->action, ORDERD_PAYMENT_AUTHORIZE) &&
        *(volatile const char *)command->secret_json.data != '{')
      return ORDERD_E_INVALID;
    if (IS(garbage) || IS(no_totals)) {
      answer(plugin, command->ticket, IS(garbage) ? 99 : ORDERD_DONE);
      continue;
    }
    if (IS(refunds_anything) && orderd_view_is(command->action, ORDERD_PAYMENT_REFUND)) {
      answer(plugin, command->ticket, ORDERD_DONE);
      continue;
    }
    if (IS(thread_a_command) && pthread_create(&thread, NULL, work_on, NULL) == 0) pthread_detach(thread);
    if (IS(answers_after_stop) || IS(answers_long_after_stop)) {
      late.plugin = plugin, late.ticket = command->ticket;
      if (pthread_create(&thread, NULL, answer_late, NULL) == 0) pthread_detach(thread);
      pause_ms(i + 1 < count ? 0 : 1);
      continue;
    }
    if (IS(not_thread_safe)) {
      if (inside++ > 0) abort();
      pause_ms(2);
    }
    if (IS(foreign_ticket)) foreign.generation += 12345, answer(plugin, foreign, ORDERD_DONE);
    status = bent(plugin, command, error);
    if (IS(answers_twice)) answer(plugin, command->ticket, ORDERD_DONE);
    if (IS(not_thread_safe)) --inside;
    if (status != ORDERD_OK) return status;
  }
  return ORDERD_OK;
}

static int32_t bad_supports(orderd_plugin *plugin, orderd_view action) {
  return IS(loves_every_action) ? action.size > 0 : supports(plugin, action) || lists(action);
}

static void bad_describe(orderd_plugin *plugin, orderd_step_traits *traits) {
  describe(plugin, traits);
  if (IS(says_no_query)) traits->flags = 0;
  if (IS(overflowing_traits)) memset(traits + 1, 0, 16);
}

static void bad_cancel(orderd_plugin *plugin, orderd_ticket ticket) {
  (void)plugin;
  if (IS(cancel_crashes) && ticket.generation == 0) abort(); /* "cannot happen" */
}

static orderd_status bad_handle(orderd_plugin *plugin, const orderd_webhook_request *request,
                                const orderd_webhook_sink *sink, orderd_error *error) {
  orderd_outcome changed;
  orderd_webhook_event event;
  if (!IS(trusts_anybody)) return handle(plugin, request, sink, error);
  ORDERD_CLEAR(changed);
  ORDERD_CLEAR(event);
  changed.kind = ORDERD_UNKNOWN;
  event.event_id = event.subject = orderd_text("evt");
  event.outcome = &changed;
  return sink->emit(sink, &event);
}

static const void *bad_get_extension(orderd_plugin *plugin, const char *id) {
  static orderd_step_v1 other;
  static int asked;
  if (strcmp(id, ORDERD_EXT_WEBHOOK) == 0) return &hook;
  if (strcmp(id, ORDERD_EXT_STEP) != 0) return NULL;
  (void)plugin;
  other = step;
  return IS(fickle_tables) && ++asked % 2 ? &other : &step;
}

static int is_started;
static orderd_status bad_start(orderd_plugin *plugin, orderd_error *error) {
  pthread_t thread;
  is_started = 1;
  if (IS(leaves_thread) && pthread_create(&thread, NULL, work_on, NULL) == 0) pthread_detach(thread);
  if (IS(leaves_file)) (void)!open("/dev/null", O_RDONLY);
  return sound.start(plugin, error);
}

static orderd_status bad_init(orderd_plugin *plugin, orderd_error *error) {
  my_payment *me = self(plugin);
  printf("a plugin may print\n");
  last_host = me->host;
  if (IS(exits_in_init)) exit(0);
  if (IS(hangs_in_init)) pause_ms(60000);
  if (IS(refuses_newer_hosts) && me->host->abi_minor != ORDERD_ABI_MINOR) return ORDERD_E_UNSUPPORTED;
  if (IS(needs_metrics)) {
    const struct { void *first; } *metrics = me->host->get_extension(me->host, "orderd.metrics/1");
    if (!metrics->first) return ORDERD_E_UNSUPPORTED;
  }
  orderd_status status = sound.init(plugin, error);
  if (status == ORDERD_OK) sound_completion = me->completion, me->completion = &bent_completion;
  return status;
}

static void bad_destroy(orderd_plugin *plugin) {
  static void *volatile kept;
  if (IS(crashes_unstarted) && !is_started) abort();
  if (IS(leaks)) kept = malloc(500), memset(kept, 1, 500);
  if (IS(one_for_all)) return;
  sound.destroy(plugin);
}

static orderd_plugin *bad_create(const orderd_host *host) {
  static orderd_plugin *only;
  if (IS(calls_in_create)) (void)host->get_extension(host, ORDERD_EXT_LOG);
  if (IS(one_for_all) && only) return self(only)->host = host, only;
  orderd_plugin *made = sound_create(host);
  if (!made) return NULL;
  sound = *made;
  made->init = bad_init;
  made->start = bad_start;
  made->destroy = bad_destroy;
  made->get_extension = bad_get_extension;
  return only = made;
}

#if IS(talkative_library)
ORDERD_EXPORT int helper(void);
int helper(void) { return 1; }
#endif

#if IS(another_major)
ORDERD_EXPORT const orderd_descriptor *orderd_plugin_entry_v7(void);
const orderd_descriptor *orderd_plugin_entry_v7(void) {
#elif IS(no_entry)
ORDERD_EXPORT const orderd_descriptor *orderd_plugin_entry(void);
const orderd_descriptor *orderd_plugin_entry(void) {
#else
ORDERD_EXPORT const orderd_descriptor *orderd_plugin_entry_v1(void);
const orderd_descriptor *orderd_plugin_entry_v1(void) {
#endif
  descriptor = *sound_entry();
  sound_create = descriptor.create;
  descriptor.create = bad_create;
  step = (orderd_step_v1){bad_describe, bad_supports, bad_execute, bad_cancel, NULL};
  hook = (orderd_webhook_v1){bad_handle};
  if (IS(short_descriptor)) descriptor.struct_size = 16;
  if (IS(two_lines)) descriptor.name = "two\nlines";
  if (IS(nameless)) descriptor.name = "";
  if (IS(broken_schema)) descriptor.settings_schema = "{\"type\":\"object\",";
  if (IS(schema_pattern)) descriptor.settings_schema = SCHEMA("string", "\"pattern\":\"(\"");
  if (IS(schema_default)) descriptor.settings_schema = SCHEMA("integer", "\"default\":\"abc\"");
  if (IS(schema_typo)) descriptor.settings_schema = SCHEMA("string", "\"minLenght\":3");
  if (IS(takes_any_setting)) descriptor.settings_schema = NULL;
  return &descriptor;
}
