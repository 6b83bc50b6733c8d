#pragma once
// Between the host's values (model/step.h) and the ABI's structs. What a plugin says is judged here, before
// anything of it is believed.
#include <orderd/step.h>

#include <deque>
#include <string>
#include <vector>

#include "model/step.h"
#include "plugin_ports/outcome_check.h"

namespace orderd::plugins {

inline orderd_view to_view(std::string_view text) {
  return {text.empty() ? nullptr : text.data(), text.size()};
}
inline std::string_view to_text(orderd_view view) {
  return view.data ? std::string_view(view.data, view.size) : std::string_view();
}
inline orderd_uuid to_abi(const Uuid& id) {
  orderd_uuid out;
  std::copy(id.bytes.begin(), id.bytes.end(), out.bytes);
  return out;
}

/// Commands as the array of pointers that execute() takes. Views look into the commands given, which must
/// outlive it.
class AbiCommands {
 public:
  explicit AbiCommands(std::size_t expected);
  void add(const Command& command, orderd_ticket ticket);
  std::size_t size() const { return commands_.size(); }
  /// Once all are there.
  const orderd_command* const* data();

 private:
  std::vector<orderd_command> commands_;
  std::vector<orderd_line> lines_;  // of all commands, one behind the other
  std::deque<std::string> details_;
  std::vector<const orderd_command*> pointers_;
  std::vector<const orderd_line*> line_pointers_;
};

/// Reads what a plugin reported. False if it makes no sense; `problem` then says why, and `outcome` is
/// UNKNOWN with the code GARBAGE.
[[nodiscard]] bool read_outcome(const orderd_outcome* given, bool is_query, Outcome& outcome,
                                std::string& problem);

/// The number behind the ".g" at a command key's end; 0 if it has none.
std::uint32_t generation_of(std::string_view key);

}  // namespace orderd::plugins
