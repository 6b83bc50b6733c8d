#pragma once
#include <string>

namespace orderd {

/// Is this an address in numbers of the machine's own loopback? "127.evil.example" is a name, and none.
bool is_loopback_address(const std::string& address);
/// The same, or "localhost", or "[::1]" as URLs write it.
bool is_loopback_host(const std::string& host);

}  // namespace orderd
