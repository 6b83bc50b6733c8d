#include "http/router.h"

#include <algorithm>

namespace orderd::http {
namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the '/' before the segment
    const auto end = path.find('/');
    segments.push_back(path.substr(0, end));
    path = end == path.npos ? std::string_view() : path.substr(end);
  }
  return segments;
}

bool is_parameter(const std::string& segment) { return segment.size() > 2 && segment.front() == '{'; }

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string_view>& path) {
  return pattern.size() == path.size() &&
         std::equal(pattern.begin(), pattern.end(), path.begin(),
                    [](const std::string& expected, std::string_view segment) {
                      return is_parameter(expected) ? !segment.empty() : expected == segment;
                    });
}

void allow(std::vector<std::string>& methods, const std::string& method) {
  if (std::find(methods.begin(), methods.end(), method) == methods.end()) methods.push_back(method);
}

std::string join(const std::vector<std::string>& methods) {
  std::string out;
  for (const std::string& method : methods) out += (out.empty() ? "" : ", ") + method;
  return out;
}

}  // namespace

void Router::add(std::string method, std::string_view pattern, Handler handler) {
  const auto segments = split(pattern);
  routes_.push_back({std::move(method), {segments.begin(), segments.end()}, std::move(handler)});
}

std::vector<std::string> Router::routes() const {
  std::vector<std::string> out;
  for (const Route& route : routes_) {
    out.push_back(route.method + " ");
    for (const std::string& segment : route.segments) out.back() += "/" + segment;
  }
  return out;
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
  const bool head = method == "HEAD";
  std::vector<std::string> methods;
  const auto segments = path.empty() || path[0] != '/' ? std::vector<std::string_view>{path} : split(path);
  for (const Route& route : routes_) {
    if (!fits(route.segments, segments)) continue;
    if (route.method == method || (head && route.method == "GET")) {
      Match match{&route.handler, {}, false, {}};
      for (std::size_t i = 0; i < segments.size(); ++i)
        if (is_parameter(route.segments[i])) match.params.push_back(segments[i]);
      return match;
    }
    allow(methods, route.method);
    if (route.method == "GET") allow(methods, "HEAD");
  }
  if (methods.empty() && fallback_ && path != "/api" && path.substr(0, 5) != "/api/") {
    if (head || method == "GET") return {&fallback_, {}, true, {}};
    methods = {"GET", "HEAD"};
  }
  return {nullptr, {}, false, join(methods)};
}

}  // namespace orderd::http
