#pragma once
// What handlers are given and what they give back.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/front/request.h"
#include "http/identity.h"
#include "http/problem.h"

namespace orderd::http {

/// One request on its way through a handler. Lives as long as the handler runs.
struct Call {
  front::Request& request;
  std::string request_id;
  std::string traceparent;                    // the client's, or a new one
  std::vector<std::string_view> params = {};  // what stood in the route's {…}, in order
  std::string caller = auth::anonymous;       // who asks; the actor of audit rows
  Identity identity = {};                     // why, for authorize()
  front::Fields common = {};                  // fields that every answer carries

  /// The field's value, or ""; the first one if it came twice.
  std::string field(const std::string& name) const { return request.get(name, ""); }
  bool has(const std::string& name) const { return request.has(name); }
  bool is_head() const { return request.getMethod() == "HEAD"; }
};

struct Reply {
  int status = 200;
  front::Fields fields;
  std::string body;
};
/// The handler has deferred the answer, or made it a stream.
struct Deferred {};

using Answer = std::variant<Reply, Problem, Deferred>;
/// [any worker thread]
using Handler = std::function<Answer(Call&)>;

inline Reply json_reply(int status, std::string body) {
  return {status,
          {{"Content-Type", "application/json"}, {"Cache-Control", "private, no-cache"}},
          std::move(body)};
}

}  // namespace orderd::http
