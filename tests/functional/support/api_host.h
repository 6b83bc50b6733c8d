#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "auth/api_keys.h"
#include "auth/keyring.h"
#include "bus/pglog/pglog_bus.h"
#include "front/raw_client.h"
#include "functional/support/test_database.h"
#include "http/api.h"
#include "http/front/front.h"
#include "model/json.h"

namespace orderd::test {

using http::front::test::Answer;
using http::front::test::RawClient;
using Headers = std::map<std::string, std::string>;

/// A valid order.
std::string order_body(const std::string& customer = "c-42");

/// The parts that answer the API, wired as main does, without saga and projection: tests play those.
class ApiHost {
 public:
  struct Options {
    /// Where the host finds the test's database, if not directly: a proxy's address, or none at all.
    std::function<std::string(TestDatabase&)> database_url;
    std::string web_dir;
    std::size_t queue_orders_max = 4096;
    sse::BroadcasterOptions streams;
    bool keys_required = false;
    auth::KeyringOptions keyring;
    http::AccessOptions access;  // but for its keyring
  };
  ApiHost() : ApiHost(Options{}) {}
  explicit ApiHost(Options options);
  ~ApiHost();

  Answer ask(const std::string& method, const std::string& path, const std::string& body = "",
             Headers headers = {});
  Answer get(const std::string& path, Headers headers = {}) {
    return ask("GET", path, "", std::move(headers));
  }
  /// With Content-Type: application/json unless `headers` say otherwise.
  Answer post(const std::string& path, const std::string& body, Headers headers = {});
  /// Places an order that must succeed; returns its id.
  std::string place(const std::string& body = order_body());
  /// What the saga does: the next version of an order. Returns it.
  std::int32_t advance(const std::string& id, EventType type, Status status, PaymentStatus payment_status);
  /// What the projection does: brings orders_read up to date from the log.
  void project();
  /// A key that counts already; keys are required. Returns its text.
  std::string key(const auth::KeyWish& wish);
  /// Waits until the host knows of a key made or revoked.
  void learn(const std::string& key, bool live);
  std::uint16_t port() const { return front->port(); }

  TestDatabase database;
  std::vector<std::string> not_ready;
  store::SecretBox secrets{std::string(32, 'k')};
  std::unique_ptr<store::Pool> pool;
  std::unique_ptr<bus::PglogBus> bus;
  std::unique_ptr<auth::Keyring> keyring;
  std::unique_ptr<sse::Broadcaster> streams;
  std::unique_ptr<intake::Intake> intake;
  webhooks::Receiver webhooks;
  std::unique_ptr<http::Api> api;
  std::unique_ptr<http::front::Front> front;
};

inline Headers bearer(const std::string& key) { return {{"Authorization", "Bearer " + key}}; }
/// The bytes of a request.
std::string request_text(const std::string& method, const std::string& path, const std::string& body,
                         const Headers& headers);
/// A body that must be JSON.
json::Document parsed(const Answer& answer);
/// A member that must be a string.
std::string text(const json::Value& object, const char* name);
std::string code_of(const Answer& answer);
/// pointer and message of the first error of a problem.
std::string first_pointer(const Answer& answer);

/// One open stream, read message by message.
class StreamClient {
 public:
  /// `query`: "?token=…", or nothing.
  StreamClient(ApiHost& host, const std::string& id, Headers headers = {}, int receive_buffer_bytes = 0,
               const std::string& query = "");
  /// The next `count` messages' ids; fails the test if they do not come.
  std::vector<int> ids(std::size_t count);
  /// True once `text` has come.
  bool gets(const std::string& text);
  /// True once the server has ended the stream; everything that came before is in `received`.
  bool ends();
  std::string received;

 private:
  RawClient client_;
  std::size_t read_to_ = 0;
};

}  // namespace orderd::test
