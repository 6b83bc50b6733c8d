// The pages: every file below web_dir, read once at the start. What is not in that table does not exist, so no path leads
// out of the folder.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

#include "base/sha256.h"
#include "http/fields.h"
#include "http/routes.h"

namespace orderd::http {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t file_bytes_max = 8 * 1024 * 1024;
constexpr const char* content_security_policy =
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

struct Page {
  std::string type, etag, body;
};
using Pages = std::map<std::string, Page, std::less<>>;  // by path, "/index.html"

std::string type_of(const fs::path& file) {
  static const std::map<std::string, std::string> types{{".html", "text/html; charset=utf-8"},
                                                        {".css", "text/css; charset=utf-8"},
                                                        {".js", "text/javascript; charset=utf-8"},
                                                        {".json", "application/json"},
                                                        {".svg", "image/svg+xml"},
                                                        {".png", "image/png"},
                                                        {".ico", "image/x-icon"},
                                                        {".txt", "text/plain; charset=utf-8"},
                                                        {".woff2", "font/woff2"},
                                                        {".webmanifest", "application/manifest+json"}};
  const auto found = types.find(file.extension().string());
  return found == types.end() ? "application/octet-stream" : found->second;
}

Pages read_pages(const std::string& web_dir) {
  Pages pages;
  std::error_code error;
  if (!fs::is_directory(web_dir, error))
    throw std::runtime_error("http.web_dir: " + web_dir + " is not a folder that can be read");
  for (const auto& entry : fs::recursive_directory_iterator(web_dir)) {
    if (!entry.is_regular_file()) continue;
    if (entry.file_size() > file_bytes_max)
      throw std::runtime_error("http.web_dir: " + entry.path().string() + " is larger than 8 MiB; pages are kept in memory");
    std::ifstream file(entry.path(), std::ios::binary);
    std::string body{std::istreambuf_iterator<char>(file), {}};
    if (!file) throw std::runtime_error("http.web_dir: cannot read " + entry.path().string());
    std::string tag = sha256_hex(body).substr(0, 32);
    pages["/" + entry.path().lexically_relative(web_dir).generic_string()] = {type_of(entry.path()), std::move(tag), std::move(body)};
  }
  return pages;
}

/// "/", "/console" and "/console/" are the index of their folder; "/about" may be about.html.
const Page* find(const Pages& pages, std::string_view path) {
  std::string base(path);
  while (!base.empty() && base.back() == '/') base.pop_back();
  for (const std::string& candidate : {std::string(path), base + "/index.html", base + ".html"})
    if (const auto found = pages.find(candidate); found != pages.end()) return &found->second;
  return nullptr;
}

}  // namespace

void add_pages(Router& router, const std::string& web_dir) {
  const auto pages = std::make_shared<const Pages>(read_pages(web_dir));  // shared by the copies of the handler
  router.add_fallback([pages](Call& call) -> Answer {
    const Page* page = find(*pages, call.request.path());
    if (!page) return Problem{Error::not_found, {}, {}, {}};
    front::Fields fields{{"ETag", '"' + page->etag + '"'},
                         {"Cache-Control", "no-cache"},
                         {"Content-Security-Policy", content_security_policy},
                         {"Referrer-Policy", "no-referrer"}};
    const auto known = parse_entity_tags(call.field("If-None-Match"));
    if (known && known->matches_weakly(page->etag)) return Reply{304, std::move(fields), ""};
    fields.emplace_back("Content-Type", page->type);
    return Reply{200, std::move(fields), page->body};
  });
}

}  // namespace orderd::http
