#include "http/front/response.h"

#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Exception.h>
#include <Poco/File.h>
#include <Poco/FileStream.h>
#include <Poco/StreamCopier.h>

#include <ctime>

#include "http/front/grammar.h"

namespace orderd::http::front {
namespace {

constexpr std::size_t head_capacity_bytes = 512;

/// The Date field (RFC 9110, section 5.6.7), formatted once a second and thread.
const std::string& http_date() {
  thread_local std::time_t second = 0;
  thread_local std::string text;
  if (const std::time_t now = std::time(nullptr); now != second) {
    second = now;
    text = Poco::DateTimeFormatter::format(Poco::Timestamp::fromEpochTime(now),
                                           Poco::DateTimeFormat::HTTP_FORMAT);
  }
  return text;
}

/// Fields that say how the message is framed are written by render() alone.
bool is_framing(std::string_view name) {
  for (const std::string_view one :
       {"Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Date"})
    if (grammar::iequals(name, one)) return true;
  return false;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

Response::Response(const For& request) : for_(request), stream_(&body_) {
  setVersion(HTTP_1_1);
  setKeepAlive(request.keep_alive);
}

void Response::mark_sent() {
  if (sent_) throw Poco::IllegalStateException("this response has been sent already");
  sent_ = true;
}

std::ostream& Response::send() {
  mark_sent();
  return stream_;
}

void Response::sendFile(const std::string& path, const std::string& media_type) {
  Poco::FileInputStream file(path);
  set("Last-Modified",
      Poco::DateTimeFormatter::format(Poco::File(path).getLastModified(), Poco::DateTimeFormat::HTTP_FORMAT));
  setContentType(media_type);
  mark_sent();
  Poco::StreamCopier::copyToString(file, body_.bytes);
}

void Response::sendBuffer(const void* bytes, std::size_t size) {
  mark_sent();
  body_.bytes.assign(static_cast<const char*>(bytes), size);
}

void Response::redirect(const std::string& uri, HTTPStatus status) {
  mark_sent();
  setStatusAndReason(status);
  set("Location", uri);
}

void Response::requireAuthentication(const std::string& realm) {
  setStatusAndReason(HTTP_UNAUTHORIZED);
  set("WWW-Authenticate", "Basic realm=\"" + realm + "\"");
}

void Response::fill(int status, const Fields& fields, std::string body) {
  sent_ = true;
  setStatusAndReason(static_cast<HTTPStatus>(status));
  for (const auto& [name, value] : fields) set(name, value);
  body_.bytes = std::move(body);
}

/// Up to the fields that frame the message; false if it must not be sent.
bool Response::append_head(std::string& out) const {
  const int status = getStatus();
  if (status < 200 || status > 999 || !grammar::is_field_value(getReason())) return false;
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(getReason()).append("\r\n");
  for (const auto& [name, value] : *this) {
    if (is_framing(name)) continue;
    if (!grammar::is_token(name) || !grammar::is_field_value(value)) return false;
    append_field(out, name, value);
  }
  append_field(out, "Date", http_date());
  return true;
}

std::string Response::render_head() const {
  std::string out;
  if (!append_head(out)) return {};
  append_field(out, "Connection", "close");
  return out + "\r\n";
}

std::string Response::render() const {
  const int status = getStatus();
  const bool bodiless = status == HTTP_NO_CONTENT || status == HTTP_NOT_MODIFIED;
  std::string out;
  out.reserve(head_capacity_bytes + (bodiless || for_.head_request ? 0 : body_.bytes.size()));
  if (!append_head(out)) return {};
  if (!bodiless) {
    // A handler may answer HEAD with the length alone.
    const bool length_alone = for_.head_request && body_.bytes.empty() && hasContentLength();
    append_field(
        out, "Content-Length",
        std::to_string(length_alone ? static_cast<std::size_t>(getContentLength64()) : body_.bytes.size()));
  }
  if (closes())
    append_field(out, "Connection", "close");
  else if (for_.minor_version == 0)
    append_field(out, "Connection", "keep-alive");
  out.append("\r\n");
  if (!bodiless && !for_.head_request) out.append(body_.bytes);
  return out;
}

Response::Buffer::int_type Response::Buffer::overflow(int_type c) {
  if (!traits_type::eq_int_type(c, traits_type::eof())) bytes.push_back(traits_type::to_char_type(c));
  return traits_type::not_eof(c);
}

std::streamsize Response::Buffer::xsputn(const char* text, std::streamsize size) {
  bytes.append(text, static_cast<std::size_t>(size));
  return size;
}

}  // namespace orderd::http::front
