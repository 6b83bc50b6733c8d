/* my_payment: a payment provider in plain C. As it stands it is a bank in memory, so that it passes the
 * checker and serves orders before the real provider is there; what talks to yours goes into decide().
 *
 * Calls come from several threads at once: one mutex guards the books. Answers are given inside execute().
 */
#include <orderd/log.h>
#include <orderd/payment.h>
#include <orderd/settings.h>
#include <orderd/signature.h>
#include <orderd/webhook.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 200 };
typedef char text[TEXT_MAX];

typedef struct payment {
  text id;
  orderd_totals totals;
  struct payment *next;
} payment;

/* What a key was answered with: the same key gets it again, and has no second effect. */
typedef struct call {
  text key;
  int32_t kind;
  const char *code;
  payment *of;
  int64_t amount;
  struct call *next;
} call;

typedef struct my_payment {
  orderd_plugin base;
  const orderd_host *host;
  const orderd_completion_v1 *completion;
  const orderd_signature_v1 *signature;
  orderd_view webhook_secret;
  pthread_mutex_t mutex;
  payment *payments; /* guarded by mutex */
  call *calls;       /* guarded by mutex */
} my_payment;

static my_payment *self(orderd_plugin *plugin) { return plugin->plugin_data; }

/* False if it does not fit: a key that is cut is another key. */
static int keep(text to, orderd_view from) {
  if (!from.data || from.size == 0 || from.size >= TEXT_MAX) return 0;
  memcpy(to, from.data, from.size);
  to[from.size] = 0;
  return 1;
}

static payment *payment_of(my_payment *me, orderd_view id) {
  for (payment *at = me->payments; at; at = at->next)
    if (orderd_view_is(id, at->id)) return at;
  payment *made = calloc(1, sizeof *made);
  if (!made || !keep(made->id, id)) return free(made), NULL;
  made->next = me->payments;
  return me->payments = made;
}

static call *call_of(my_payment *me, orderd_view key) {
  for (call *at = me->calls; at; at = at->next)
    if (orderd_view_is(key, at->key)) return at;
  return NULL;
}

static int has_token(orderd_view secret_json, const char *token) {
  char quoted[64];
  const int size = snprintf(quoted, sizeof quoted, "\"%s\"", token);
  for (uint64_t at = 0; secret_json.data && at + (uint64_t)size <= secret_json.size; ++at)
    if (memcmp(secret_json.data + at, quoted, (size_t)size) == 0) return 1;
  return 0;
}

static int32_t decline(call *c, const char *code) {
  c->code = code;
  return ORDERD_DECLINED;
}

/* The provider's side: what a command that was not seen before does. */
static int32_t decide(const orderd_command *command, call *c) {
  orderd_totals *t = &c->of->totals;
  const int64_t amount = c->amount = command->amount.amount;
  if (orderd_view_is(command->action, ORDERD_PAYMENT_VOID)) {
    t->voided = t->authorized - t->captured;
    return ORDERD_DONE;
  }
  if (amount <= 0) return decline(c, "INVALID_AMOUNT");
  if (orderd_view_is(command->action, ORDERD_PAYMENT_AUTHORIZE)) {
    if (has_token(command->secret_json, "tok_3ds")) return ORDERD_PENDING;
    if (!has_token(command->secret_json, "tok_ok")) return decline(c, ORDERD_CODE_PAYMENT_DECLINED);
    if (t->authorized > 0) return decline(c, "ALREADY_AUTHORIZED");
    t->authorized = amount;
  } else if (orderd_view_is(command->action, ORDERD_PAYMENT_CAPTURE)) {
    if (amount > t->authorized - t->captured - t->voided) return decline(c, "MORE_THAN_AUTHORIZED");
    t->captured += amount;
  } else {
    if (amount > t->captured - t->refunded) return decline(c, "MORE_THAN_CAPTURED");
    t->refunded += amount;
  }
  return ORDERD_DONE;
}

static void tell(my_payment *me, const orderd_command *command, const call *c, int32_t query_answer) {
  orderd_outcome outcome;
  ORDERD_CLEAR(outcome);
  outcome.kind = c->kind;
  outcome.query_answer = query_answer;
  outcome.code = orderd_text(c->code);
  if (c->kind == ORDERD_PENDING) {
    outcome.expires_ms = command->deadline_ms + 15 * 60 * 1000;
    outcome.next_action_type = orderd_text("redirect");
    outcome.next_action_url = orderd_text("https://bank.example/3ds");
  }
  if (c->of) {
    outcome.flags = ORDERD_OUTCOME_HAS_TOTALS;
    outcome.totals = c->of->totals;
    outcome.provider_reference = orderd_text(c->of->id);
  }
  me->completion->complete(me->host, command->ticket, &outcome);
}

/* Asked for a 3-D Secure that waits, this bank finds that the buyer said yes. */
static void query(my_payment *me, const orderd_command *command) {
  call *asked = call_of(me, command->query_key);
  if (!asked) {
    const call never = {.kind = ORDERD_DONE};
    tell(me, command, &never, ORDERD_NOT_FOUND_FINAL);
    return;
  }
  if (asked->kind == ORDERD_PENDING) {
    asked->kind = ORDERD_DONE;
    asked->of->totals.authorized = asked->amount;
  }
  tell(me, command, asked, ORDERD_FOUND);
}

static void execute_one(my_payment *me, const orderd_command *command) {
  call *c = call_of(me, command->key);
  if (!c) {
    const call refused = {.kind = ORDERD_DECLINED, .code = "INVALID_COMMAND"};
    c = calloc(1, sizeof *c);
    if (!c || !keep(c->key, command->key) || !(c->of = payment_of(me, command->subject))) {
      free(c);
      tell(me, command, &refused, 0);
      return;
    }
    c->kind = decide(command, c);
    c->next = me->calls;
    me->calls = c;
  }
  tell(me, command, c, 0);
}

static int32_t supports(orderd_plugin *plugin, orderd_view action) {
  (void)plugin;
  return orderd_view_is(action, ORDERD_PAYMENT_AUTHORIZE) || orderd_view_is(action, ORDERD_PAYMENT_CAPTURE) ||
         orderd_view_is(action, ORDERD_PAYMENT_VOID) || orderd_view_is(action, ORDERD_PAYMENT_REFUND) ||
         orderd_view_is(action, ORDERD_PAYMENT_QUERY);
}

static orderd_status execute(orderd_plugin *plugin, const orderd_command *const *commands, uint64_t count,
                             orderd_error *error) {
  my_payment *me = self(plugin);
  (void)error;
  for (uint64_t i = 0; i < count; ++i)
    if (!supports(plugin, commands[i]->action)) return ORDERD_E_UNSUPPORTED;
  pthread_mutex_lock(&me->mutex);
  for (uint64_t i = 0; i < count; ++i) {
    if (orderd_view_is(commands[i]->action, ORDERD_PAYMENT_QUERY))
      query(me, commands[i]);
    else
      execute_one(me, commands[i]);
  }
  pthread_mutex_unlock(&me->mutex);
  return ORDERD_OK;
}

static void describe(orderd_plugin *plugin, orderd_step_traits *traits) {
  (void)plugin;
  traits->flags = ORDERD_STEP_QUERY;
}

/* The provider posts `<event id> <payment>` and signs it: something changed there, the host shall ask. */
static orderd_status handle(orderd_plugin *plugin, const orderd_webhook_request *request,
                            const orderd_webhook_sink *sink, orderd_error *error) {
  my_payment *me = self(plugin);
  uint8_t mac[32];
  char hex[65];
  orderd_view given = {NULL, 0};
  (void)error;
  for (uint32_t i = 0; i < request->header_count; ++i)
    if (orderd_view_is(request->headers[i].name, "x-signature")) given = request->headers[i].value;
  me->signature->hmac_sha256(me->host, me->webhook_secret, request->body, mac);
  for (int i = 0; i < 32; ++i) snprintf(hex + 2 * i, 3, "%02x", mac[i]);
  if (me->webhook_secret.size == 0 || !me->signature->equal(me->host, given, orderd_text(hex)))
    return ORDERD_E_INVALID;

  const char *space = request->body.data ? memchr(request->body.data, ' ', request->body.size) : NULL;
  if (!space) return ORDERD_E_INVALID;
  orderd_outcome changed;
  ORDERD_CLEAR(changed);
  changed.kind = ORDERD_UNKNOWN;
  orderd_webhook_event event;
  ORDERD_CLEAR(event);
  event.event_id.data = request->body.data;
  event.event_id.size = (uint64_t)(space - request->body.data);
  event.subject.data = space + 1;
  event.subject.size = request->body.size - event.event_id.size - 1;
  event.outcome = &changed;
  return sink->emit(sink, &event) == ORDERD_OK ? ORDERD_OK : ORDERD_E_INTERNAL;
}

static orderd_status init(orderd_plugin *plugin, orderd_error *error) {
  my_payment *me = self(plugin);
  const orderd_settings_v1 *settings = me->host->get_extension(me->host, ORDERD_EXT_SETTINGS);
  me->completion = me->host->get_extension(me->host, ORDERD_EXT_COMPLETION);
  me->signature = me->host->get_extension(me->host, ORDERD_EXT_SIGNATURE);
  if (!settings || !me->completion || !me->signature) {
    if (error) snprintf(error->message, sizeof error->message, "this host is too old: use a newer orderd");
    return ORDERD_E_UNSUPPORTED;
  }
  settings->get(me->host, "webhook_secret", &me->webhook_secret);
  return ORDERD_OK;
}

static orderd_status start(orderd_plugin *plugin, orderd_error *error) {
  (void)plugin, (void)error;
  return ORDERD_OK;
}
static void stop(orderd_plugin *plugin) { (void)plugin; }

static void destroy(orderd_plugin *plugin) {
  my_payment *me = self(plugin);
  for (payment *at = me->payments, *next; at; at = next) next = at->next, free(at);
  for (call *at = me->calls, *next; at; at = next) next = at->next, free(at);
  pthread_mutex_destroy(&me->mutex);
  free(me);
}

static const void *get_extension(orderd_plugin *plugin, const char *id) {
  static const orderd_step_v1 step = {describe, supports, execute, NULL, NULL};
  static const orderd_webhook_v1 webhook = {handle};
  (void)plugin;
  if (strcmp(id, ORDERD_EXT_STEP) == 0) return &step;
  if (strcmp(id, ORDERD_EXT_WEBHOOK) == 0) return &webhook;
  return NULL;
}

static orderd_plugin *create(const orderd_host *host) {
  my_payment *me = calloc(1, sizeof *me);
  if (!me) return NULL;
  pthread_mutex_init(&me->mutex, NULL);
  me->host = host;
  me->base = (orderd_plugin){.struct_size = sizeof me->base,
                             .plugin_data = me,
                             .init = init,
                             .start = start,
                             .stop = stop,
                             .destroy = destroy,
                             .get_extension = get_extension};
  return &me->base;
}

const orderd_descriptor *orderd_plugin_entry_v1(void) {
  static const orderd_descriptor descriptor = {
      .struct_size = sizeof descriptor,
      .abi_major = ORDERD_ABI_MAJOR,
      .abi_minor = ORDERD_ABI_MINOR,
      .name = "my_payment",
      .version = "0.1.0",
      .vendor = "You",
      .create = create,
      .settings_schema =
          "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
          "\"webhook_secret\":{\"type\":\"string\",\"format\":\"secret\"}}}"};
  return &descriptor;
}
