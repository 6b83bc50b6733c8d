/* Prints where every field of every ABI struct is, and every constant: layout.golden is its output. */
#include <orderd/catalog.h>
#include <orderd/clock.h>
#include <orderd/http.h>
#include <orderd/log.h>
#include <orderd/metrics.h>
#include <orderd/migrations.h>
#include <orderd/projection.h>
#include <orderd/settings.h>
#include <orderd/signature.h>
#include <orderd/step.h>
#include <orderd/webhook.h>
#include <stdio.h>

#define TYPE(type) printf("%s: %zu bytes\n", #type, sizeof(type))
#define FIELD(type, field) \
  printf("  %3zu %3zu %s\n", offsetof(type, field), sizeof(((type*)0)->field), #field)
#define CONSTANT(name) printf("%s = %d\n", #name, (int)(name))

static void print_1(void) {
  TYPE(orderd_view);
  FIELD(orderd_view, data);
  FIELD(orderd_view, size);
  TYPE(orderd_uuid);
  FIELD(orderd_uuid, bytes);
  TYPE(orderd_error);
  FIELD(orderd_error, struct_size);
  FIELD(orderd_error, code);
  FIELD(orderd_error, message);
  TYPE(orderd_host);
  FIELD(orderd_host, struct_size);
  FIELD(orderd_host, abi_major);
  FIELD(orderd_host, abi_minor);
  FIELD(orderd_host, reserved);
  FIELD(orderd_host, version);
  FIELD(orderd_host, instance);
  FIELD(orderd_host, host_data);
  FIELD(orderd_host, get_extension);
  TYPE(orderd_plugin);
  FIELD(orderd_plugin, struct_size);
  FIELD(orderd_plugin, reserved);
  FIELD(orderd_plugin, plugin_data);
  FIELD(orderd_plugin, init);
  FIELD(orderd_plugin, start);
  FIELD(orderd_plugin, stop);
  FIELD(orderd_plugin, destroy);
  FIELD(orderd_plugin, get_extension);
  TYPE(orderd_descriptor);
  FIELD(orderd_descriptor, struct_size);
  FIELD(orderd_descriptor, abi_major);
  FIELD(orderd_descriptor, abi_minor);
  FIELD(orderd_descriptor, reserved);
  FIELD(orderd_descriptor, name);
  FIELD(orderd_descriptor, version);
  FIELD(orderd_descriptor, vendor);
  FIELD(orderd_descriptor, create);
  FIELD(orderd_descriptor, settings_schema);
  TYPE(orderd_log_v1);
  FIELD(orderd_log_v1, log);
  TYPE(orderd_settings_v1);
  FIELD(orderd_settings_v1, get);
  FIELD(orderd_settings_v1, count);
  FIELD(orderd_settings_v1, at);
  TYPE(orderd_money);
  FIELD(orderd_money, amount);
  FIELD(orderd_money, currency);
  FIELD(orderd_money, exponent);
  TYPE(orderd_totals);
  FIELD(orderd_totals, authorized);
  FIELD(orderd_totals, captured);
  FIELD(orderd_totals, refunded);
  FIELD(orderd_totals, voided);
  TYPE(orderd_ticket);
  FIELD(orderd_ticket, slot);
  FIELD(orderd_ticket, generation);
  TYPE(orderd_line);
  FIELD(orderd_line, struct_size);
  FIELD(orderd_line, line_id);
  FIELD(orderd_line, sku);
  FIELD(orderd_line, quantity);
  FIELD(orderd_line, unit_price);
}

static void print_2(void) {
  TYPE(orderd_command);
  FIELD(orderd_command, struct_size);
  FIELD(orderd_command, attempt);
  FIELD(orderd_command, ticket);
  FIELD(orderd_command, order_id);
  FIELD(orderd_command, action);
  FIELD(orderd_command, key);
  FIELD(orderd_command, subject);
  FIELD(orderd_command, query_key);
  FIELD(orderd_command, query_action);
  FIELD(orderd_command, generation);
  FIELD(orderd_command, state_version);
  FIELD(orderd_command, state);
  FIELD(orderd_command, deadline_ms);
  FIELD(orderd_command, amount);
  FIELD(orderd_command, totals);
  FIELD(orderd_command, lines);
  FIELD(orderd_command, line_count);
  FIELD(orderd_command, customer_id);
  FIELD(orderd_command, method);
  FIELD(orderd_command, provider_reference);
  FIELD(orderd_command, secret_json);
  FIELD(orderd_command, details_json);
  FIELD(orderd_command, traceparent);
  TYPE(orderd_outcome);
  FIELD(orderd_outcome, struct_size);
  FIELD(orderd_outcome, kind);
  FIELD(orderd_outcome, query_answer);
  FIELD(orderd_outcome, flags);
  FIELD(orderd_outcome, code);
  FIELD(orderd_outcome, message);
  FIELD(orderd_outcome, retry_after_ms);
  FIELD(orderd_outcome, expires_ms);
  FIELD(orderd_outcome, next_action_type);
  FIELD(orderd_outcome, next_action_url);
  FIELD(orderd_outcome, totals);
  FIELD(orderd_outcome, provider_reference);
  FIELD(orderd_outcome, state_version);
  FIELD(orderd_outcome, reserved);
  FIELD(orderd_outcome, state);
  FIELD(orderd_outcome, details_json);
  TYPE(orderd_param);
  FIELD(orderd_param, type);
  FIELD(orderd_param, format);
  FIELD(orderd_param, value);
  TYPE(orderd_tx_v1);
  FIELD(orderd_tx_v1, exec);
  FIELD(orderd_tx_v1, rows);
  FIELD(orderd_tx_v1, columns);
  FIELD(orderd_tx_v1, affected);
  FIELD(orderd_tx_v1, value);
  FIELD(orderd_tx_v1, column_type);
  TYPE(orderd_completion_v1);
  FIELD(orderd_completion_v1, complete);
  TYPE(orderd_step_traits);
  FIELD(orderd_step_traits, struct_size);
  FIELD(orderd_step_traits, flags);
  FIELD(orderd_step_traits, idempotency_window_ms);
  FIELD(orderd_step_traits, state_version_min);
  FIELD(orderd_step_traits, state_version_max);
}

static void print_3(void) {
  TYPE(orderd_step_v1);
  FIELD(orderd_step_v1, describe);
  FIELD(orderd_step_v1, supports);
  FIELD(orderd_step_v1, execute);
  FIELD(orderd_step_v1, cancel);
  FIELD(orderd_step_v1, execute_tx);
  TYPE(orderd_event);
  FIELD(orderd_event, struct_size);
  FIELD(orderd_event, version);
  FIELD(orderd_event, order_id);
  FIELD(orderd_event, at_ms);
  FIELD(orderd_event, type);
  FIELD(orderd_event, status);
  FIELD(orderd_event, payment_status);
  FIELD(orderd_event, payload_json);
  TYPE(orderd_projection_v1);
  FIELD(orderd_projection_v1, apply);
  FIELD(orderd_projection_v1, rebuild_begin);
  FIELD(orderd_projection_v1, rebuild_finish);
  TYPE(orderd_migration);
  FIELD(orderd_migration, number);
  FIELD(orderd_migration, reserved);
  FIELD(orderd_migration, name);
  FIELD(orderd_migration, sql);
  TYPE(orderd_migrations_v1);
  FIELD(orderd_migrations_v1, list);
  TYPE(orderd_product);
  FIELD(orderd_product, struct_size);
  FIELD(orderd_product, reserved);
  FIELD(orderd_product, sku);
  FIELD(orderd_product, name);
  FIELD(orderd_product, unit_price);
  FIELD(orderd_product, available);
  FIELD(orderd_product, held);
  FIELD(orderd_product, sold);
  TYPE(orderd_product_sink);
  FIELD(orderd_product_sink, sink_data);
  FIELD(orderd_product_sink, emit);
  TYPE(orderd_catalog_v1);
  FIELD(orderd_catalog_v1, list);
  FIELD(orderd_catalog_v1, receive);
  FIELD(orderd_catalog_v1, put);
}

static void print_4(void) {
  CONSTANT(ORDERD_OK);
  CONSTANT(ORDERD_E_INVALID);
  CONSTANT(ORDERD_E_UNSUPPORTED);
  CONSTANT(ORDERD_E_BUSY);
  CONSTANT(ORDERD_E_STALE);
  CONSTANT(ORDERD_E_NOT_FOUND);
  CONSTANT(ORDERD_E_SQL);
  CONSTANT(ORDERD_E_INTERNAL);
  CONSTANT(ORDERD_LOG_DEBUG);
  CONSTANT(ORDERD_LOG_INFO);
  CONSTANT(ORDERD_LOG_WARNING);
  CONSTANT(ORDERD_LOG_ERROR);
  CONSTANT(ORDERD_LOG_HOST_MISBEHAVING);
  CONSTANT(ORDERD_LOG_PLUGIN_MISBEHAVING);
  CONSTANT(ORDERD_DONE);
  CONSTANT(ORDERD_DECLINED);
  CONSTANT(ORDERD_RETRY);
  CONSTANT(ORDERD_PENDING);
  CONSTANT(ORDERD_UNKNOWN);
  CONSTANT(ORDERD_FOUND);
  CONSTANT(ORDERD_NOT_FOUND_FINAL);
  CONSTANT(ORDERD_NOT_FOUND_YET);
  CONSTANT(ORDERD_OUTCOME_SOFT);
  CONSTANT(ORDERD_OUTCOME_HAS_TOTALS);
  CONSTANT(ORDERD_OUTCOME_HAS_STATE);
}

static void print_5(void) {
  CONSTANT(ORDERD_FORMAT_TEXT);
  CONSTANT(ORDERD_FORMAT_BINARY);
  CONSTANT(ORDERD_PG_BOOL);
  CONSTANT(ORDERD_PG_BYTEA);
  CONSTANT(ORDERD_PG_INT8);
  CONSTANT(ORDERD_PG_INT2);
  CONSTANT(ORDERD_PG_INT4);
  CONSTANT(ORDERD_PG_TEXT);
  CONSTANT(ORDERD_PG_BYTEA_ARRAY);
  CONSTANT(ORDERD_PG_INT2_ARRAY);
  CONSTANT(ORDERD_PG_INT4_ARRAY);
  CONSTANT(ORDERD_PG_TEXT_ARRAY);
  CONSTANT(ORDERD_PG_INT8_ARRAY);
  CONSTANT(ORDERD_PG_TIMESTAMPTZ);
  CONSTANT(ORDERD_PG_TIMESTAMPTZ_ARRAY);
  CONSTANT(ORDERD_PG_UUID);
  CONSTANT(ORDERD_PG_UUID_ARRAY);
  CONSTANT(ORDERD_PG_JSONB);
  CONSTANT(ORDERD_STEP_TRANSACTIONAL);
  CONSTANT(ORDERD_STEP_QUERY);
  CONSTANT(ORDERD_TARGET_LIVE);
  CONSTANT(ORDERD_TARGET_SHADOW);
  CONSTANT(ORDERD_APPLIED);
  CONSTANT(ORDERD_DUPLICATE);
  CONSTANT(ORDERD_GAP);
}

static void print_6(void) {
  TYPE(orderd_header);
  FIELD(orderd_header, name);
  FIELD(orderd_header, value);
  TYPE(orderd_webhook_request);
  FIELD(orderd_webhook_request, struct_size);
  FIELD(orderd_webhook_request, header_count);
  FIELD(orderd_webhook_request, method);
  FIELD(orderd_webhook_request, query);
  FIELD(orderd_webhook_request, headers);
  FIELD(orderd_webhook_request, body);
  FIELD(orderd_webhook_request, received_ms);
  TYPE(orderd_webhook_event);
  FIELD(orderd_webhook_event, struct_size);
  FIELD(orderd_webhook_event, reserved);
  FIELD(orderd_webhook_event, event_id);
  FIELD(orderd_webhook_event, type);
  FIELD(orderd_webhook_event, command_key);
  FIELD(orderd_webhook_event, subject);
  FIELD(orderd_webhook_event, provider_reference);
  FIELD(orderd_webhook_event, outcome);
  FIELD(orderd_webhook_event, occurred_ms);
  TYPE(orderd_webhook_sink);
  FIELD(orderd_webhook_sink, sink_data);
  FIELD(orderd_webhook_sink, emit);
  FIELD(orderd_webhook_sink, reply);
  TYPE(orderd_webhook_v1);
  FIELD(orderd_webhook_v1, handle);
  TYPE(orderd_clock_v1);
  FIELD(orderd_clock_v1, now_ms);
  FIELD(orderd_clock_v1, monotonic_ms);
  FIELD(orderd_clock_v1, call_after);
  FIELD(orderd_clock_v1, cancel);
}

static void print_7(void) {
  TYPE(orderd_http_response);
  FIELD(orderd_http_response, struct_size);
  FIELD(orderd_http_response, failure);
  FIELD(orderd_http_response, status);
  FIELD(orderd_http_response, header_count);
  FIELD(orderd_http_response, headers);
  FIELD(orderd_http_response, body);
  FIELD(orderd_http_response, message);
  FIELD(orderd_http_response, elapsed_ms);
  TYPE(orderd_http_request);
  FIELD(orderd_http_request, struct_size);
  FIELD(orderd_http_request, header_count);
  FIELD(orderd_http_request, method);
  FIELD(orderd_http_request, url);
  FIELD(orderd_http_request, headers);
  FIELD(orderd_http_request, body);
  FIELD(orderd_http_request, deadline_ms);
  FIELD(orderd_http_request, response_bytes_max);
  FIELD(orderd_http_request, done);
  FIELD(orderd_http_request, data);
  TYPE(orderd_http_v1);
  FIELD(orderd_http_v1, submit);
  FIELD(orderd_http_v1, cancel);
  TYPE(orderd_metric);
  FIELD(orderd_metric, struct_size);
  FIELD(orderd_metric, kind);
  FIELD(orderd_metric, name);
  FIELD(orderd_metric, help);
  FIELD(orderd_metric, bounds);
  FIELD(orderd_metric, bound_count);
  FIELD(orderd_metric, reserved);
  TYPE(orderd_metrics_v1);
  FIELD(orderd_metrics_v1, declare);
  FIELD(orderd_metrics_v1, add);
  FIELD(orderd_metrics_v1, set);
  FIELD(orderd_metrics_v1, observe);
  TYPE(orderd_signature_v1);
  FIELD(orderd_signature_v1, hmac_sha256);
  FIELD(orderd_signature_v1, equal);
  CONSTANT(ORDERD_HTTP_ANSWERED);
  CONSTANT(ORDERD_HTTP_NOT_SENT);
  CONSTANT(ORDERD_HTTP_MAYBE_SENT);
  CONSTANT(ORDERD_HTTP_MISUSED);
  CONSTANT(ORDERD_METRIC_COUNTER);
  CONSTANT(ORDERD_METRIC_GAUGE);
  CONSTANT(ORDERD_METRIC_HISTOGRAM);
}

int main(void) {
  print_1();
  print_2();
  print_3();
  print_4();
  print_5();
  print_6();
  print_7();
  return 0;
}
