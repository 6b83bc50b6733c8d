#pragma once
#include <string>

namespace orderd::config {

/// What is wrong with a connection string, without quoting any of it: it may hold a password. "" if libpq can
/// read it.
std::string postgres_url_problem(const std::string& url);

}  // namespace orderd::config
