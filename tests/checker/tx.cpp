// Transactional steps of an action of their own, wrong in one way each: BEAST says which.
#define orderd_plugin_entry_v1 sound_entry
#include <orderd/migrations.hpp>
#include <orderd/plugin.hpp>

#define tx_sound 0
#define tx_counts_again 1
#define tx_swallows 2
#define tx_pending 3
#define tx_silent 4

namespace {

using namespace orderd::sdk;

class Stamps final : public TransactionalStep, public Migrations {
 public:
  static constexpr const char *settings_schema = R"({"type": "object", "additionalProperties": false})";
  explicit Stamps(Host) {}
  const std::vector<orderd_migration> &migrations() const override {
    static const std::vector<orderd_migration> all{
        {1, 0, "stamps",
         "create schema checked_stamps;"
         "create table checked_stamps.stamp (key text primary key, times int8 not null)"}};
    return all;
  }
  bool supports(std::string_view action) const override { return action == "stamps.give"; }
  std::vector<Outcome> execute(Transaction &tx, const std::vector<CommandView> &commands) override {
    const char *sql = BEAST == tx_counts_again
                          ? "insert into checked_stamps.stamp as s values ($1, 1) "
                            "on conflict (key) do update set times = s.times + 1"
                          : "insert into checked_stamps.stamp values ($1, 1) on conflict do nothing";
    for (const CommandView &command : commands) try {
        tx.exec(sql, Params().text(command.key()));
      } catch (const SqlError &) {
        if (BEAST != tx_swallows) throw;
      }
    return std::vector<Outcome>(commands.size(), BEAST == tx_pending ? Outcome::pending(1) : Outcome::done());
  }
};

orderd_plugin *(*sound_create)(const orderd_host *);
const void *(*sound_extension)(orderd_plugin *, const char *);

orderd_status say_nothing(orderd_plugin *, orderd_tx *, const orderd_command *const *, std::uint64_t,
                          orderd_error *) {
  return ORDERD_OK;
}
const void *silent_extension(orderd_plugin *plugin, const char *id) {
  static orderd_step_v1 step;
  const void *table = sound_extension(plugin, id);
  if (std::strcmp(id, ORDERD_EXT_STEP) != 0) return table;
  step = *static_cast<const orderd_step_v1 *>(table);
  step.execute_tx = say_nothing;
  return &step;
}
orderd_plugin *create(const orderd_host *host) {
  orderd_plugin *made = sound_create(host);
  if (made && BEAST == tx_silent)
    sound_extension = made->get_extension, made->get_extension = silent_extension;
  return made;
}

}  // namespace

ORDERD_PLUGIN(Stamps, "stamps", "1.0.0", "orderd tests")
#undef orderd_plugin_entry_v1

ORDERD_EXPORT const orderd_descriptor *orderd_plugin_entry_v1(void) {
  static orderd_descriptor changed = *sound_entry();
  sound_create = sound_entry()->create;
  changed.create = create;
  return &changed;
}
