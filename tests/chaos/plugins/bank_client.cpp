// A payment plugin that talks to chaos_bank (tests/chaos/bank) over TCP: one connection, one thread that
// reads. What was surely not sent is RETRY; what was sent and never answered is UNKNOWN. Takes the bank's
// webhooks if it knows the secret they are signed with.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <poll.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <orderd/plugin.hpp>
#include <orderd/webhook.hpp>
#include <thread>

using namespace orderd::sdk;

namespace {

constexpr int poll_ms = 50, connect_again_ms = 100;
constexpr std::int64_t retry_ms = 300;
constexpr const char* reference_prefix = "bank_";

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

std::string token_of(const std::string& secret_json) {
  rapidjson::Document secret;
  secret.Parse(secret_json.c_str());
  if (!secret.IsObject() || !secret.HasMember("token") || !secret["token"].IsString()) return "";
  return secret["token"].GetString();
}

std::string signature_of(const std::string& secret, std::string_view body) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest, &size);
  std::string out = "sha256=";
  for (unsigned int i = 0; i < size; ++i) {
    out.push_back("0123456789abcdef"[digest[i] >> 4]);
    out.push_back("0123456789abcdef"[digest[i] & 15]);
  }
  return out;
}

class BankClient final : public PaymentProvider, public Webhooks {
 public:
  explicit BankClient(Host host)
      : host_(host),
        port_(static_cast<int>(host.setting("port", 0, 1, 65'535))),
        key_window_ms_(host.setting("key_window_ms", 0, 0, 86'400'000)),
        webhook_secret_(host.setting("webhook_secret", "")) {
    host.refuse_unknown_settings({"port", "key_window_ms", "webhook_secret"});
  }
  ~BankClient() override { stop(); }

  StepTraits traits() const override { return {true, key_window_ms_, 0, 0}; }
  bool lists() const override { return true; }

  void start() {
    thread_ = std::thread([this] { read(); });
  }
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    disconnect();
  }

  void authorize(Command command, Reply&& reply) override { send("authorize", command, std::move(reply)); }
  void capture(Command command, Reply&& reply) override { send("capture", command, std::move(reply)); }
  void void_authorization(Command command, Reply&& reply) override {
    send("void", command, std::move(reply));
  }
  void refund(Command command, Reply&& reply) override { send("refund", command, std::move(reply)); }
  void query(Command command, Reply&& reply) override { send("query", command, std::move(reply)); }
  void list_since(Command command, Reply&& reply) override { send("list", command, std::move(reply)); }

  void webhook(const WebhookRequest& request, WebhookEvents& events) override {
    const auto signature = request.header("X-Bank-Signature");
    if (webhook_secret_.empty() || signature != signature_of(webhook_secret_, request.body()))
      throw Refused("the signature is not the bank's", ORDERD_E_INVALID);
    rapidjson::Document row;
    row.Parse(request.body().data(), request.body().size());
    if (!row.IsObject() || !row.HasMember("id") || !row.HasMember("payment") || !row.HasMember("at"))
      throw Refused("this is no event of the bank", ORDERD_E_INVALID);
    WebhookEvent event;
    event.event_id = row["id"].GetString();
    event.type = row["type"].GetString();
    event.command_key = row["key"].GetString();
    event.subject = row["payment"].GetString();
    event.occurred_ms = row["at"].GetInt64();
    event.outcome = outcome_of(row, event.subject);
    if (event.outcome.kind != ORDERD_PENDING) events.emit(event);
  }

  void cancel(orderd_ticket ticket) override {
    std::lock_guard lock(mutex_);
    for (auto one = open_.begin(); one != open_.end(); ++one) {
      if (one->second.reply.ticket().slot != ticket.slot) continue;
      if (one->second.reply.ticket().generation != ticket.generation) continue;
      one->second.reply.forget();
      open_.erase(one);
      return;
    }
  }

 private:
  struct Open {
    Reply reply;
    std::string subject;
    bool query;
  };

  static Outcome not_sent() { return Outcome::retry(retry_ms, "UNAVAILABLE", "the bank is not connected"); }

  std::string line_of(const char* op, const Command& command, std::int64_t number) const {
    rapidjson::StringBuffer out;
    Writer writer(out);
    const auto member = [&](const char* name, const std::string& value) {
      writer.Key(name);
      writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
    };
    const auto count = [&](const char* name, std::int64_t value) {
      writer.Key(name);
      writer.Int64(value);
    };
    writer.StartObject();
    count("id", number);
    member("op", op);
    member("key", command.query_key.empty() ? command.key : command.query_key);
    member("payment", command.subject);
    count("amount", command.amount.amount);
    member("currency", command.amount.currency);
    count("deadline", command.deadline_ms);
    member("build", ORDERD_BANK_CLIENT_BUILD);
    if (!command.secret_json.empty()) member("token", token_of(command.secret_json));
    rapidjson::Document details;
    details.Parse(command.details_json.c_str());
    if (details.IsObject() && details.HasMember("sinceMs") && details["sinceMs"].IsInt64())
      count("since", details["sinceMs"].GetInt64());
    if (details.IsObject() && details.HasMember("cursor") && details["cursor"].IsString())
      member("cursor", details["cursor"].GetString());
    writer.EndObject();
    return std::string(out.GetString(), out.GetSize()) + "\n";
  }

  void send(const char* op, const Command& command, Reply&& reply) {
    std::unique_lock lock(mutex_);
    const std::int64_t number = ++last_;
    const std::string line = line_of(op, command, number);
    if (socket_ < 0) {
      lock.unlock();
      reply(not_sent());
      return;
    }
    const bool query = !command.query_key.empty();
    open_.emplace(number, Open{std::move(reply), command.subject, query});
    // A line that does not fit is cut off by the end of the connection, which the bank never takes for whole.
    if (::send(socket_, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT) !=
        static_cast<ssize_t>(line.size()))
      ::shutdown(socket_, SHUT_RDWR);
  }

  void read() {
    while (!stopping_) {
      if (socket_now() < 0 && !connect()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(connect_again_ms));
        continue;
      }
      pollfd waiting{socket_now(), POLLIN, 0};
      if (::poll(&waiting, 1, poll_ms) <= 0) continue;
      char chunk[65536];
      const ssize_t count = ::recv(waiting.fd, chunk, sizeof chunk, MSG_DONTWAIT);
      if (count > 0)
        take(std::string_view(chunk, static_cast<std::size_t>(count)));
      else if (count == 0 || (errno != EAGAIN && errno != EINTR))
        disconnect();
    }
  }

  int socket_now() {
    std::lock_guard lock(mutex_);
    return socket_;
  }

  bool connect() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port_));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
      ::close(socket);
      return false;
    }
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::lock_guard lock(mutex_);
    socket_ = socket;
    return true;
  }

  /// What was sent and is not answered: nobody knows.
  void disconnect() {
    std::map<std::int64_t, Open> open;
    {
      std::lock_guard lock(mutex_);
      if (socket_ >= 0) ::close(socket_);
      socket_ = -1;
      in_.clear();
      open.swap(open_);
    }
    for (auto& [number, one] : open)
      one.reply(one.query ? Outcome::not_found_yet(retry_ms)
                          : Outcome::unknown("CONNECTION_LOST", "the connection ended before the answer"));
  }

  void take(std::string_view chunk) {
    in_.append(chunk);
    std::size_t begin = 0;
    for (std::size_t end; (end = in_.find('\n', begin)) != std::string::npos; begin = end + 1)
      answer(in_.substr(begin, end - begin));
    in_.erase(0, begin);
  }

  void answer(const std::string& line) {
    rapidjson::Document row;
    row.Parse(line.c_str());
    if (!row.IsObject() || !row.HasMember("id")) return;
    std::unique_lock lock(mutex_);
    const auto found = open_.find(row["id"].GetInt64());
    if (found == open_.end()) return;  // cancelled meanwhile
    Open open = std::move(found->second);
    open_.erase(found);
    lock.unlock();
    open.reply(outcome_of(row, open.subject));
  }

  static Outcome outcome_of(const rapidjson::Value& row, const std::string& subject) {
    const auto text = [&](const char* name) {
      return row.HasMember(name) && row[name].IsString() ? std::string(row[name].GetString()) : "";
    };
    const std::string outcome = text("outcome"), code = text("code");
    Outcome out = Outcome::unknown("NO_SENSE", "the bank's answer makes no sense");
    if (outcome == "DONE") out = Outcome::done();
    if (outcome == "DECLINED") out = Outcome::declined(code, "the bank said " + code);
    if (outcome == "RETRY") out = Outcome::retry(0, code, "the bank said " + code);
    if (outcome == "PENDING") out = pending(text("kind"));
    if (outcome == "YET") out = Outcome::not_found_yet(retry_ms);
    if (outcome == "FINAL") out = Outcome::not_found();
    if (text("found") == "FOUND") out = Outcome::found(std::move(out));
    if (row.HasMember("totals") && row["totals"].Size() == 4) {
      const auto& four = row["totals"];
      out.totals =
          orderd_totals{four[0].GetInt64(), four[1].GetInt64(), four[2].GetInt64(), four[3].GetInt64()};
      out.provider_reference = reference_prefix + subject;
    }
    if (row.HasMember("payments")) out.details_json = details_of(row);
    if (row.HasMember("nonsense")) talk_nonsense(out, row["nonsense"].GetInt64());
    return out;
  }

  /// What no host may believe: the effect is as it was, and nobody knows it from this.
  static void talk_nonsense(Outcome& out, std::int64_t kind) {
    out.kind = ORDERD_PENDING;
    out.query_answer = 0;
    if (kind == 1) out.details_json = std::string(200'000, '[');
    if (kind == 2) out.next_action_type = "redirect", out.next_action_url = "javascript:alert(1)";
    if (kind == 3) out.code = std::string("NUL\0CODE", 8);
    if (kind == 4) out.retry_after_ms = INT64_MAX;
    if (kind == 5) out.code = std::string(3'000'000, 'C');
    if (kind == 6) out.message = "\xff\xfe no UTF-8";
    if (kind == 7) out.kind = 99;
    if (kind == 8) out.totals = orderd_totals{-1, INT64_MAX, -5, 0};
  }

  static Outcome pending(const std::string& kind) {
    Outcome out = Outcome::pending(0);
    if (kind == "authorize") {
      out.next_action_type = "redirect";
      out.next_action_url = "https://bank.example/3ds";
    }
    return out;
  }

  static std::string details_of(const rapidjson::Value& row) {
    rapidjson::StringBuffer out;
    Writer writer(out);
    writer.StartObject();
    for (const char* name : {"payments", "cursor"}) {
      writer.Key(name);
      row[name].Accept(writer);
    }
    writer.EndObject();
    return {out.GetString(), out.GetSize()};
  }

  const Host host_;
  const int port_;
  const std::int64_t key_window_ms_;
  const std::string webhook_secret_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
  std::string in_;  // of the reading thread
  std::mutex mutex_;
  int socket_ = -1;                    // guarded by mutex_
  std::int64_t last_ = 0;              // guarded by mutex_
  std::map<std::int64_t, Open> open_;  // guarded by mutex_
};

}  // namespace

ORDERD_PLUGIN(BankClient, "bank-client", "1.0.0", "orderd tests")
