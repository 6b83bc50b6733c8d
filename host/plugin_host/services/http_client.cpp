#include "plugin_host/services/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <cctype>

#include "base/loopback.h"

namespace orderd::plugins {
namespace {

constexpr int poll_ms_max = 1000;
constexpr long connect_ms_max = 10'000;
constexpr std::size_t header_bytes_max = 64 * 1024;
constexpr long connections_kept_max = 32;

// CURL and CURLM are both void: each needs a closer of its own.
struct EasyCloser {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct MultiCloser {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct ListCloser {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// Plain text leaves this machine only with TLS.
std::string url_problem(const std::string& url) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(curl_url(), curl_url_cleanup);
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    std::string own;
    if (curl_url_get(parsed.get(), which, &text, 0) == CURLUE_OK) own = text;
    curl_free(text);
    return own;
  };
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return "the URL is none";
  const std::string scheme = part(CURLUPART_SCHEME), host = part(CURLUPART_HOST);
  if (scheme == "https") return "";
  if (scheme != "http") return "only https is sent, not " + scheme;
  return is_loopback_host(host) ? "" : "plain http is for loopback only: use https for " + host;
}

void make_global_state() {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)once;
}

}  // namespace

struct HttpClient::Transfer {
  std::uint64_t number = 0;
  HttpCall call;
  Done done;
  HttpResult result;
  std::size_t header_bytes = 0;
  bool too_large = false;
  std::atomic<bool> cancelled{false};
  std::unique_ptr<CURL, EasyCloser> handle;
  std::unique_ptr<curl_slist, ListCloser> header_list;
  char error[CURL_ERROR_SIZE] = "";

  static std::size_t take_body(char* bytes, std::size_t, std::size_t size, void* self) {
    auto& t = *static_cast<Transfer*>(self);
    if (t.result.body.size() + size > t.call.response_bytes_max) return t.too_large = true, std::size_t{0};
    t.result.body.append(bytes, size);
    return size;
  }
  static std::size_t take_header(char* bytes, std::size_t, std::size_t size, void* self) {
    auto& t = *static_cast<Transfer*>(self);
    if ((t.header_bytes += size) > header_bytes_max) return t.too_large = true, std::size_t{0};
    std::string line(bytes, size);
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
    if (line.rfind("HTTP/", 0) == 0)
      return t.result.headers.clear(), size;  // 100 Continue was another answer
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) return size;
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    const std::size_t value = std::min(line.find_first_not_of(" \t", colon + 1), line.size());
    t.result.headers.emplace_back(std::move(name), line.substr(value));
    return size;
  }

  void prepare() {
    handle.reset(curl_easy_init());
    CURL* h = handle.get();
    curl_slist* list = nullptr;
    for (const auto& [name, value] : call.headers)
      list = curl_slist_append(list, (name + ": " + value).c_str());
    header_list.reset(curl_slist_append(list, "Expect:"));
    const long left = static_cast<long>(std::max<std::int64_t>((call.deadline - now()).count(), 1));
    curl_easy_setopt(h, CURLOPT_PRIVATE, this);
    curl_easy_setopt(h, CURLOPT_URL, call.url.c_str());
    curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, call.method.c_str());
    if (call.method == "HEAD") curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    if (!call.body.empty() || call.method == "POST" || call.method == "PUT" || call.method == "PATCH") {
      curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
      curl_easy_setopt(h, CURLOPT_POSTFIELDS, call.body.data());
    }
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, header_list.get());
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_PROXY, "");
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, left);
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, std::min(left, connect_ms_max));
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, this);
  }
  void failed(HttpResult::Kind kind, const std::string& message) { result = {kind, 0, {}, "", message}; }
  /// Whether a byte of the request may have reached the server.
  bool sent() const {
    long bytes = 0;
    return handle && curl_easy_getinfo(handle.get(), CURLINFO_REQUEST_SIZE, &bytes) == CURLE_OK && bytes > 0;
  }
  void finish(CURLcode code) {
    const auto lost = sent() ? HttpResult::Kind::maybe_sent : HttpResult::Kind::not_sent;
    if (code != CURLE_OK || too_large)
      return failed(lost, too_large ? "the answer is too large" : *error ? error : curl_easy_strerror(code));
    long status = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    result.kind = HttpResult::Kind::answered;
    result.status = static_cast<int>(status);
  }
};

struct HttpClient::Loop {
  std::unique_ptr<CURLM, MultiCloser> multi{(make_global_state(), curl_multi_init())};
  std::map<std::uint64_t, std::shared_ptr<Transfer>> running{};

  void begin(const std::shared_ptr<Transfer>& transfer) {
    transfer->prepare();
    running[transfer->number] = transfer;
    curl_multi_add_handle(multi.get(), transfer->handle.get());
  }
  void drop(const std::shared_ptr<Transfer>& transfer) {
    if (running.erase(transfer->number) > 0) curl_multi_remove_handle(multi.get(), transfer->handle.get());
  }
  /// Moves everything on; gives what has ended.
  std::vector<std::shared_ptr<Transfer>> step() {
    int still = 0, left = 0;
    curl_multi_perform(multi.get(), &still);
    std::vector<std::shared_ptr<Transfer>> ended;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      Transfer* self = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
      const CURLcode code = message->data.result;
      auto& transfer = ended.emplace_back(running.at(self->number));
      transfer->finish(code);
      drop(transfer);
    }
    return ended;
  }
};

HttpClient::HttpClient() : loop_(std::make_unique<Loop>()) {
  curl_multi_setopt(loop_->multi.get(), CURLMOPT_MAXCONNECTS, connections_kept_max);
}
HttpClient::~HttpClient() { end(); }

HttpClient::Answer HttpClient::submit(HttpCall call, Done done, std::uint64_t& number) {
  auto transfer = std::make_shared<Transfer>();
  transfer->call = std::move(call);
  transfer->done = std::move(done);
  std::lock_guard lock(mutex_);
  if (ended_) return Answer::ended;
  if (open_.size() >= requests_max) return Answer::full;
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  number = transfer->number = ++last_;
  open_[number] = transfer;
  fresh_.push_back(std::move(transfer));
  curl_multi_wakeup(loop_->multi.get());
  return Answer::taken;
}

bool HttpClient::cancel(std::uint64_t number) {
  std::lock_guard lock(mutex_);
  const auto found = open_.find(number);
  if (found == open_.end()) return false;
  found->second->cancelled = true;
  curl_multi_wakeup(loop_->multi.get());
  return true;
}

void HttpClient::end() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
    curl_multi_wakeup(loop_->multi.get());
  }
  if (thread_.joinable()) thread_.join();
}

void HttpClient::run() {
  for (bool last = false; !last;) {
    std::vector<std::shared_ptr<Transfer>> fresh, ended;
    {
      std::lock_guard lock(mutex_);
      fresh.swap(fresh_);
      last = ended_;
    }
    for (auto& transfer : fresh) {
      if (const auto problem = url_problem(transfer->call.url); !problem.empty())
        transfer->failed(HttpResult::Kind::misused, problem), ended.push_back(transfer);
      else if (transfer->call.deadline <= now())
        transfer->failed(HttpResult::Kind::not_sent, "the deadline had passed"), ended.push_back(transfer);
      else
        loop_->begin(transfer);
    }
    for (auto& transfer : loop_->step()) ended.push_back(std::move(transfer));
    const auto running = loop_->running;
    for (const auto& [number, transfer] : running) {
      if (!last && !transfer->cancelled) continue;
      transfer->failed(transfer->sent() ? HttpResult::Kind::maybe_sent : HttpResult::Kind::not_sent,
                       last ? "the host stops" : "cancelled");
      loop_->drop(transfer);
      ended.push_back(transfer);
    }
    for (const auto& transfer : ended) {
      {
        std::lock_guard lock(mutex_);
        open_.erase(transfer->number);
      }
      transfer->done(transfer->result);
    }
    if (!last && ended.empty()) curl_multi_poll(loop_->multi.get(), nullptr, 0, poll_ms_max, nullptr);
  }
}

}  // namespace orderd::plugins
