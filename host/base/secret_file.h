#pragma once
// Secrets live in files that others cannot read, never in a configuration. Under systemd such a file may be
// root's alone: the manager hands its content to the service as a credential.
#include <string>

namespace orderd {

/// The file to read in place of `path`: the systemd credential of its name, or of <folder>_<file> (what
/// LoadCredential= makes of a folder), else `path` itself.
std::string secret_path(const std::string& path);

/// The content without the line's end. Throws std::runtime_error with one line: `key`, file, what to do; also
/// when others than the owner can read it, or the owner is neither root nor this process's user.
std::string read_secret(const std::string& key, const std::string& path);

/// Why a file that this process trusts cannot be trusted, e.g. "others than its owner can write it: chmod
/// go-w FILE"; "" if it can.
std::string trust_problem(const std::string& path);

}  // namespace orderd
