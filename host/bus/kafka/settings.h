#pragma once
// From `kafka.*` keys to librdkafka clients: our defaults, then the operator's keys unchanged, then what the
// host's guarantees need. Everything wrong with the keys is said here, at start, with the key's or file's
// name.
#include <map>
#include <string>

#include "bus/kafka/handles.h"

namespace orderd::bus::kafka {

using Properties = std::map<std::string, std::string>;

enum class Role { admin, consumer, producer };

/// A configuration for one client of `role`. `own` comes last and wins. Throws std::invalid_argument with a
/// text that names the key, or the file that cannot be read.
Conf make_conf(Role role, const Properties& operators, const Properties& own);

/// Turns a configuration into a client. Throws std::invalid_argument with what librdkafka has against it.
Client make_client(Role role, Conf conf);

}  // namespace orderd::bus::kafka
