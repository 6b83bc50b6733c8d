#pragma once
// Method and path → handler. A table that is filled before the first request and then only read. [any thread]
#include <string>
#include <string_view>
#include <vector>

#include "http/reply.h"

namespace orderd::http {

class Router {
 public:
  /// `pattern`: a path whose segments stand for themselves or, as "{…}", for any one segment that is not
  /// empty. A GET route also takes HEAD. The first route that fits is taken.
  void add(std::string method, std::string_view pattern, Handler handler);
  /// Takes GET and HEAD of every path that no route fits, but for those below "/api/".
  void add_fallback(Handler handler) { fallback_ = std::move(handler); }

  struct Match {
    const Handler* handler = nullptr;  // nullptr: none
    std::vector<std::string_view> params;
    bool is_page = false;  // the fallback's
    std::string allow;  // methods of the path when only the method does not fit, "" when the path is unknown
  };
  /// "GET /api/orders/{id}" and so on, in the order they were added: so that a test can ask them all.
  std::vector<std::string> routes() const;
  Match match(std::string_view method, std::string_view path) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Handler handler;
  };
  std::vector<Route> routes_;
  Handler fallback_;
};

}  // namespace orderd::http
