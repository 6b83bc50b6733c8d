#include "functional/support/api_host.h"

#include <catch2/catch.hpp>

#include "http/problem.h"
#include "model/order_json.h"
#include "outbox/log.h"

namespace orderd::test {
namespace {

// The read model's contract, host/http/list_route.cpp.
constexpr const char* read_model_sql =
    "create table orders_read (order_id uuid primary key, version int not null, status smallint not null, "
    "payment_status smallint not null, customer_id text not null, members text not null, payment text not "
    "null, "
    "reason text, created timestamptz not null, updated timestamptz not null)";

http::ProductPage products(const http::ProductQuery& query) {
  const bool first = query.after.empty();
  http::ProductPage page;
  page.data_json =
      first ? R"([{"sku":"SKU-0001","name":"One","unitPrice":1,"currency":"EUR","available":5}])" : "[]";
  if (first && query.limit == 1) page.last = "SKU-0001";
  return page;
}

}  // namespace

ApiHost::ApiHost(Options options) {
  database.script(read_model_sql);
  auto connection = database.options();
  if (options.database_url) connection.url = options.database_url(database);
  pool = std::make_unique<store::Pool>(connection, 8);
  bus = std::make_unique<bus::PglogBus>(connection);
  if (options.keys_required) keyring = std::make_unique<auth::Keyring>(connection, options.keyring);
  options.access.keyring = keyring.get();
  streams = std::make_unique<sse::Broadcaster>(*bus, *pool, options.streams);
  intake::IntakeOptions intake_options;
  intake_options.database = connection;
  intake_options.queue_orders_max = options.queue_orders_max;
  intake = std::make_unique<intake::Intake>(intake_options, secrets);
  api = std::make_unique<http::Api>(
      http::ApiParts{*pool,
                     *intake,
                     *streams,
                     secrets,
                     products,
                     webhooks,
                     [this] { return not_ready; },
                     options.web_dir,
                     {},
                     options.access,
                     {{{"payment", {"bank", false, true}}, {"inventory", {"stock", true, false}}}, {}}});
  webhooks.start({}, *pool);
  http::front::Options front_options;
  front_options.port = 0;
  front_options.lane_of = http::lane_of;
  front = std::make_unique<http::front::Front>(front_options, api->factory(), api->renderer());
}

ApiHost::~ApiHost() {
  front->drain(std::chrono::seconds(5));
  intake.reset();
  front.reset();
  streams.reset();
  keyring.reset();
}

std::string ApiHost::key(const auth::KeyWish& wish) {
  const auto made = auth::create_key(database.session(), wish, "test");
  learn(made.text, true);
  return made.text;
}

void ApiHost::learn(const std::string& key, bool live) {
  REQUIRE(eventually([&] {
    const auto found = keyring->find(key);
    return !found.unavailable && (found.key != nullptr) == live;
  }));
}

std::string request_text(const std::string& method, const std::string& path, const std::string& body,
                         const Headers& headers) {
  std::string text = method + " " + path + " HTTP/1.1\r\n";
  if (!headers.contains("Host")) text += "Host: localhost\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + body;
}

Answer ApiHost::ask(const std::string& method, const std::string& path, const std::string& body,
                    Headers headers) {
  RawClient client(port());
  REQUIRE(client.send(request_text(method, path, body, headers)));
  return client.answer(method == "HEAD");
}

Answer ApiHost::post(const std::string& path, const std::string& body, Headers headers) {
  headers.emplace("Content-Type", "application/json");
  return ask("POST", path, body, std::move(headers));
}

std::string ApiHost::place(const std::string& body) {
  const Answer answer = post("/api/orders", body);
  INFO(answer.body);
  REQUIRE(answer.status == 201);
  return text(parsed(answer), "id");
}

std::int32_t ApiHost::advance(const std::string& id, EventType type, Status status,
                              PaymentStatus payment_status) {
  const Uuid order_id = *Uuid::parse(id);
  const auto entries = outbox::history(database.session(), order_id);
  OrderHead head = *read_head(entries.back().event);
  head.version += 1;
  head.type = type;
  head.at = now();
  head.status = status;
  head.payment.status = payment_status;
  static constexpr store::Statement set_state{"test_set_state",
                                              "update order_state set status = $2::int2, version = $3::int4, "
                                              "payment_status = $4::int2 where id = $1"};
  store::UnitOfWork work(database.session());
  work.send(set_state, store::Args()
                           .uuid(order_id)
                           .int2(static_cast<std::int16_t>(status))
                           .int4(head.version)
                           .int2(static_cast<std::int16_t>(payment_status)));
  outbox::append(
      work, {{entries.back().shard, {{order_id, head.version, type, head.at, event_payload(head, ""), ""}}}});
  work.commit();
  outbox::appended().raise();
  return head.version;
}

void ApiHost::project() {
  static constexpr store::Statement all_ids{"test_all_ids", "select distinct order_id from order_events"};
  static constexpr store::Statement put{
      "test_put",
      "insert into orders_read values ($1, $2::int4, $3::int2, 1::int2, $4::text, $5::text, $6::text, "
      "$7::text, "
      "$8::timestamptz, $9::timestamptz) on conflict (order_id) do update set version = excluded.version, "
      "status = excluded.status, payment = excluded.payment, reason = excluded.reason, updated = "
      "excluded.updated"};
  const store::Rows ids = database.session().run(all_ids);
  for (int i = 0; i < ids.size(); ++i) {
    std::vector<Event> events;
    for (auto& entry : outbox::history(database.session(), ids.uuid(i, 0)))
      events.push_back(std::move(entry.event));
    const auto order = fold_order(events)->snapshot;
    const auto body = read_body(events.front().payload);
    database.session().run(put, store::Args()
                                    .uuid(order.id)
                                    .int4(order.version)
                                    .int2(static_cast<std::int16_t>(order.status))
                                    .text(body->customer_id)
                                    .text(order.members)
                                    .text(order.payment)
                                    .text(order.reason)
                                    .timestamptz(order.created)
                                    .timestamptz(order.updated));
  }
}

std::string order_body(const std::string& customer) {
  return R"({"customerId":")" + customer +
         R"(","currency":"EUR","items":[{"sku":"SKU-0001","quantity":2,"unitPrice":1999}],)" +
         R"("adjustments":[{"kind":"shipping","label":"Parcel","amount":490},{"kind":"discount",)" +
         R"("label":"WELCOME","amount":-300}],)" +
         R"("payment":{"method":"card","token":"tok_ok"},"buyer":{"email":"anna@example.org"},)" +
         R"("shippingAddress":{"line1":"Some Street 1","city":"Graz"},"metadata":{"cart":"88f1"}})";
}

json::Document parsed(const Answer& answer) {
  json::Document document;
  INFO(answer.head << answer.body);
  REQUIRE(json::parse(answer.body, document));
  return document;
}

std::string text(const json::Value& object, const char* name) {
  INFO(name << " in " << json::to_text(object));
  REQUIRE(object.IsObject());
  REQUIRE(object.HasMember(name));
  REQUIRE(object[name].IsString());
  return object[name].GetString();
}

std::string code_of(const Answer& answer) {
  CHECK(answer.field("content-type") == "application/problem+json");
  return text(parsed(answer), "code");
}

std::string first_pointer(const Answer& answer) {
  const json::Document problem = parsed(answer);
  const json::Value* errors = json::child(problem, "errors");
  return errors && !errors->Empty() ? text((*errors)[0], "pointer") : "none";
}

StreamClient::StreamClient(ApiHost& host, const std::string& id, Headers headers, int receive_buffer_bytes,
                           const std::string& query)
    : client_(RawClient::To{.port = host.port(), .receive_buffer_bytes = receive_buffer_bytes}) {
  headers.emplace("Accept", "text/event-stream");
  REQUIRE(client_.send(request_text("GET", "/api/orders/" + id + "/stream" + query, "", headers)));
}

std::vector<int> StreamClient::ids(std::size_t count) {
  std::vector<int> found;
  const auto read_one = [&] {
    const auto begin = received.find("\nid: ", read_to_);
    const auto end = begin == received.npos ? begin : received.find("\n\n", begin);
    if (end == received.npos) return false;
    found.push_back(std::stoi(received.substr(begin + 5)));
    read_to_ = end + 1;  // the last line break begins the next message's line
    return true;
  };
  while (found.size() < count) {
    if (read_one()) continue;
    const auto more = client_.some(20'000);
    INFO(received);
    REQUIRE(more);
    REQUIRE_FALSE(more->empty());
    received += *more;
  }
  return found;
}

bool StreamClient::gets(const std::string& wanted) {
  while (received.find(wanted) == received.npos) {
    const auto more = client_.some(20'000);
    if (!more || more->empty()) return false;
    received += *more;
  }
  return true;
}

bool StreamClient::ends() {
  received += client_.rest();
  return true;
}

}  // namespace orderd::test
