// A transactional step, a projection and a catalog on tables of its own, by the SDK. The subject of a command
// and the payload of an event say how to behave; each that takes effect leaves a row.
#include <orderd/plugin.hpp>

namespace {

using namespace orderd::sdk;

class Ledger final : public InventoryBackend, public Projection, public Catalog, public Migrations {
 public:
  explicit Ledger(Host host) : host_(host) {}

  const std::vector<orderd_migration>& migrations() const override {
    static const std::vector<orderd_migration> all{
        {1, 0, "schema",
         "create schema ledger; create table ledger.effects (id bigserial primary key, what text unique);"},
        {2, 0, "stock",
         "create table ledger.stock (sku text primary key, on_hand bigint check (on_hand >= 0))"}};
    return all;
  }

  std::vector<Outcome> execute(Transaction& tx, const std::vector<InventoryCommand>& commands) override {
    std::vector<std::string> effects;
    for (const auto& command : commands) {
      if (command.subject == "throw") throw std::runtime_error("a bug in the plugin");
      if (command.subject == "commit") tx.exec("commit");
      if (command.subject == "swallow") swallow(tx);
      if (command.subject == "bad sql") tx.exec("select 1 / 0");
      if (command.subject == "deadlock") tx.exec("select deadlock()");
      for (const auto& [sku, quantity] : command.wanted)
        effects.push_back(std::string(command.subject) + " " + std::string(sku) + " " +
                          std::to_string(quantity));
    }
    tx.exec("insert into ledger.effects (what) select * from unnest($1::text[])", Params().texts(effects));
    std::vector<Outcome> outcomes;
    for (const auto& command : commands) outcomes.push_back(answer(command));
    return outcomes;
  }

  std::vector<Verdict> apply(Transaction& tx, Target target, const std::vector<EventView>& events) override {
    std::vector<Verdict> verdicts;
    for (const EventView& event : events) {
      if (event.payload_json() == "poison") throw std::runtime_error("cannot read the event");
      verdicts.push_back(event.version() < 2    ? Verdict::applied
                         : event.version() == 2 ? Verdict::duplicate
                                                : Verdict::gap);
      tx.exec("insert into ledger.effects (what) values ($1)",
              Params().text((target == Target::live ? "live " : "shadow ") + std::string(event.type()) + " " +
                            std::string(event.payload_json())));
    }
    return verdicts;
  }
  void rebuild_begin(Transaction& tx) override { tx.exec("create table ledger.shadow (what text)"); }
  void rebuild_finish(Transaction&) override { throw Refused("nothing was rebuilt"); }

  std::vector<Product> list(Transaction& tx, std::string_view after, std::uint32_t limit) override {
    const Result rows = tx.exec("select sku, on_hand from ledger.stock where sku > $1 order by sku limit $2",
                                Params().text(after).int8(limit));
    std::vector<Product> products(rows.rows());
    for (std::size_t i = 0; i < products.size(); ++i) {
      products[i].sku = products[i].name = rows.bytes(i, 0);
      products[i].unit_price = {1999, "EUR", 2};
      products[i].available = rows.integer(i, 1);
    }
    return products;
  }
  bool receive(Transaction& tx, std::string_view sku, std::int64_t quantity) override {
    return tx.exec("update ledger.stock set on_hand = on_hand + $2 where sku = $1",
                   Params().text(sku).int8(quantity))
               .affected() == 1;
  }
  void put(Transaction& tx, const std::vector<Product>& products) override {
    std::vector<std::string> skus;
    std::vector<std::int64_t> numbers;
    for (const Product& product : products) skus.push_back(product.sku), numbers.push_back(product.available);
    tx.exec("insert into ledger.stock select * from unnest($1::text[], $2::int8[])",
            Params().texts(skus).int8s(numbers));
  }

 private:
  static void swallow(Transaction& tx) {
    try {
      tx.exec("select 1 / 0");
    } catch (const SqlError&) {
      // Against the rules: the host must notice.
    }
  }
  static Outcome answer(const InventoryCommand& command) {
    if (command.subject == "declined") return Outcome::declined("OUT_OF_STOCK", "none left");
    if (command.subject == "pending") return Outcome::pending(1);
    return Outcome::done();
  }
  Host host_;
};

}  // namespace

ORDERD_PLUGIN(Ledger, "ledger", "1.0.0", "orderd tests")
