#pragma once
#include <string>

namespace orderd {

/// What this program's --check-config says of the files as they are now; "" if they are good. In a process of
/// its own: it loads plugins, and this process has its own loaded.
std::string problem_of_files(const std::string& file, char** environment);

}  // namespace orderd
