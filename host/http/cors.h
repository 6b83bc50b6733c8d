#pragma once
// Cross-Origin Resource Sharing (the Fetch standard, "CORS protocol") for the origins that an operator lists,
// and for /api without its operators' part only. Cookies do not exist here, so no credentials are allowed:
// keys and tracking tokens are sent by the page itself. Pure. [any thread]
#include <string>
#include <string_view>
#include <vector>

#include "http/reply.h"

namespace orderd::http {

class Cors {
 public:
  explicit Cors(std::vector<std::string> origins) : origins_(std::move(origins)) {}

  /// What any answer to this request carries; Vary too when the origin is not listed, as caches must know.
  front::Fields fields(std::string_view path, const std::string& origin) const;
  /// The answer to a preflight: `methods` are the path's, as in Allow.
  Reply preflight(const Call& call, const std::string& methods) const;

 private:
  bool applies(std::string_view path) const;
  bool lists(const std::string& origin) const;
  const std::vector<std::string> origins_;
};

bool is_preflight(const Call& call);

}  // namespace orderd::http
