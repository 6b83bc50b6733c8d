#pragma once
// Work with a plugin in a process of its own: what it does there, ending the process included, is reported
// here.
#include <functional>
#include <string>

namespace orderd::checker {

struct Apart {
  std::string lines;    // what the work wrote to its pipe
  std::string problem;  // "" if it came to its end
  int result = 0;       // what it returned
};

/// `work` gets the writing end of the pipe. Throws std::runtime_error if there is no process to be had.
Apart run_apart(const std::function<int(int pipe)>& work, unsigned timeout_s);

}  // namespace orderd::checker
