// An inventory backend in the host's PostgreSQL as a class: the commands of inventory.h, parsed, lines
// summed.
#ifndef ORDERD_SDK_INVENTORY_HPP
#define ORDERD_SDK_INVENTORY_HPP

#include <orderd/inventory.h>

#include <map>

#include "step.hpp"

namespace orderd::sdk {

enum class InventoryAction { reserve, extend, commit, release, availability };

/// Views are valid inside the call.
struct InventoryCommand {
  InventoryAction action;
  orderd_uuid order_id;
  std::string_view subject;                         // the reservation
  std::map<std::string_view, std::int64_t> wanted;  // quantity by SKU: lines of one SKU are summed
};

/// As TransactionalStep. (A backend over the network is a SagaStep that supports the same actions.)
class InventoryBackend : public TransactionalStep {
 public:
  /// All commands of one transaction, of every action: one outcome each, in order. Lock the SKUs of all of
  /// them in one statement, in order of SKU.
  virtual std::vector<Outcome> execute(Transaction& tx, const std::vector<InventoryCommand>& commands) = 0;

  bool supports(std::string_view action) const override {
    InventoryAction parsed;
    return parse(action, parsed);
  }
  std::vector<Outcome> execute(Transaction& tx, const std::vector<CommandView>& commands) final {
    std::vector<InventoryCommand> parsed(commands.size());
    for (std::size_t i = 0; i < commands.size(); ++i) {
      const CommandView& command = commands[i];
      if (!parse(command.action(), parsed[i].action))
        throw Refused("no inventory command: " + std::string(command.action()), ORDERD_E_UNSUPPORTED);
      parsed[i].order_id = command.order_id();
      parsed[i].subject = command.subject();
      for (std::size_t line = 0; line < command.line_count(); ++line)
        parsed[i].wanted[text(command.line(line).sku)] += command.line(line).quantity;
    }
    return execute(tx, parsed);
  }

 private:
  static bool parse(std::string_view name, InventoryAction& action) {
    if (name == ORDERD_INVENTORY_RESERVE) return action = InventoryAction::reserve, true;
    if (name == ORDERD_INVENTORY_EXTEND) return action = InventoryAction::extend, true;
    if (name == ORDERD_INVENTORY_COMMIT) return action = InventoryAction::commit, true;
    if (name == ORDERD_INVENTORY_RELEASE) return action = InventoryAction::release, true;
    if (name == ORDERD_INVENTORY_AVAILABILITY) return action = InventoryAction::availability, true;
    return false;
  }
};

}  // namespace orderd::sdk
#endif
