#include "api.h"

#include <charconv>

namespace stripe {
namespace {

// The request ends so long before the command does, so that the answer is not one that comes too late.
constexpr std::int64_t answer_margin_ms = 100;
constexpr std::int64_t retry_after_s_max = 3600;

std::string percent(std::string_view text) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || c == '-' || c == '_' || c == '.';
    if (plain)
      out += c;
    else
      (out += '%').append({hex[byte >> 4], hex[byte & 15]});
  }
  return out;
}

std::int64_t retry_after_ms(std::string_view header) {
  std::int64_t seconds = 0;
  const auto [stop, error] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  const bool sound = error == std::errc() && stop == header.data() + header.size() && seconds >= 0;
  return sound ? std::min(seconds, retry_after_s_max) * 1000 : 0;
}

Answer read(const orderd::sdk::HttpResponse& response) {
  Answer answer;
  if (!response.answered()) {
    answer.kind = response.not_sent() ? Answer::Kind::not_sent : Answer::Kind::maybe_sent;
    answer.message = response.message();
    return answer;
  }
  answer.kind = Answer::Kind::answered;
  answer.status = response.status();
  answer.replayed = response.header("idempotent-replayed") == "true";
  answer.retry_after_ms = retry_after_ms(response.header("retry-after"));
  if (!parse_object(response.body(), answer.body)) answer.body.SetNull();
  return answer;
}

}  // namespace

std::string encoded(const Form& form) {
  std::string out;
  for (const auto& [name, value] : form)
    out.append(out.empty() ? "" : "&").append(percent(name)).append("=").append(percent(value));
  return out;
}

void Api::post(const std::string& path, const Form& form, const std::string& idempotency_key,
               std::int64_t deadline_ms, const Done& done) const {
  orderd::sdk::HttpRequest request;
  request.url = config_.url + path;
  request.body = encoded(form);
  request.headers = {{"content-type", "application/x-www-form-urlencoded"},
                     {"idempotency-key", idempotency_key}};
  send(std::move(request), deadline_ms, done);
}

void Api::get(const std::string& path, const Form& query, std::int64_t deadline_ms, const Done& done) const {
  orderd::sdk::HttpRequest request;
  request.method = "GET";
  request.url = config_.url + path + (query.empty() ? "" : "?" + encoded(query));
  send(std::move(request), deadline_ms, done);
}

void Api::send(orderd::sdk::HttpRequest request, std::int64_t deadline_ms, const Done& done) const {
  request.headers.emplace_back("authorization", "Bearer " + config_.api_key);
  request.headers.emplace_back("stripe-version", config_.api_version);
  request.deadline_ms = deadline_ms - answer_margin_ms;
  try {
    http_.submit(request, [done](const orderd::sdk::HttpResponse& response) { done(read(response)); });
  } catch (const orderd::sdk::Refused& refused) {
    Answer answer;
    answer.message = refused.what();
    done(answer);
  }
}

}  // namespace stripe
