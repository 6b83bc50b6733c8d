#pragma once
#include "base/log.h"

namespace orderd {

/// For lines that a failure of the surroundings makes by the thousand: of those with the same text the first
/// five in ten seconds are written. The rest is counted, and the first line after shows the count
/// that. Not for lines that name what a person must look at. [any thread]
void log_summed(LogLevel level, std::string_view part, std::string_view text,
                std::initializer_list<LogField> fields = {});

}  // namespace orderd
