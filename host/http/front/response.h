#pragma once
#include <Poco/Net/HTTPServerResponse.h>

#include <ostream>
#include <streambuf>
#include <string>

#include "http/front/deferred_answer.h"

namespace orderd::http::front {

/// The answer that a Poco handler writes, collected in memory. What is sent is decided once, by `render()`:
/// its framing (Content-Length, Connection, Date) is always the front's own and always true. Owned by its
/// exchange; used by one thread at a time: the worker, or whoever finishes a deferred answer.
class Response final : public Poco::Net::HTTPServerResponse {
 public:
  struct For {
    bool head_request = false;
    bool keep_alive = true;
    int minor_version = 1;
  };
  explicit Response(const For& request);

  void sendContinue() override {}  // the front has done it
  std::ostream& send() override;
  void sendFile(const std::string& path, const std::string& media_type) override;
  void sendBuffer(const void* bytes, std::size_t size) override;
  void redirect(const std::string& uri, HTTPStatus status = HTTP_FOUND) override;
  void requireAuthentication(const std::string& realm) override;
  bool sent() const override { return sent_; }

  /// Sets all of it; what a deferred answer does.
  void fill(int status, const Fields& fields, std::string body);
  /// The connection ends with this answer.
  bool closes() const { return !getKeepAlive(); }
  /// The bytes to send. Empty if they must not be sent: a field or the reason holds a line break or is no
  /// field name, or the status is no final one.
  [[nodiscard]] std::string render() const;
  /// The same of the head alone, for a body whose length nobody knows.
  [[nodiscard]] std::string render_head() const;

 private:
  struct Buffer final : std::streambuf {
    int_type overflow(int_type c) override;
    std::streamsize xsputn(const char* bytes, std::streamsize size) override;
    std::string bytes;
  };
  void mark_sent();
  bool append_head(std::string& out) const;

  const For for_;
  bool sent_ = false;
  Buffer body_;
  std::ostream stream_;
};

}  // namespace orderd::http::front
