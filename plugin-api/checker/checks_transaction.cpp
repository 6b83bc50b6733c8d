// Plugins whose effect is in the host's transaction: inventory and projections, on a real PostgreSQL.
#include <orderd/catalog.h>
#include <orderd/inventory.h>
#include <orderd/projection.h>

#include "check.h"
#include "session.h"

namespace orderd::checker {
namespace {

using testing::CommandSpec;

constexpr const char* sku = "ORDERD-CHECK";
constexpr std::int64_t stock = 10;

CommandSpec lines(const std::string& action, const std::string& subject, std::int64_t quantity,
                  const char* of = sku) {
  CommandSpec spec = testing::command(action, subject);
  spec.lines = {{1, of, quantity - 1, 100}, {2, of, 1, 100}};  // two lines of one SKU: to be summed
  if (quantity <= 1) spec.lines = {{1, of, quantity, 100}};
  return spec;
}

void need_inventory(Case& c, Lent& lent) {
  const auto* step = lent.plugin().extension<orderd_step_v1>(ORDERD_EXT_STEP);
  if (!step || !step->execute_tx || !step->supports(lent.plugin().abi(), orderd_text("inventory.reserve")))
    c.not_asked("it is no inventory backend in PostgreSQL");
  const auto* catalog = lent.plugin().extension<orderd_catalog_v1>(ORDERD_EXT_CATALOG);
  if (!catalog) c.not_asked("it has no catalog, so the checker cannot put goods there");
  orderd_product product;
  ORDERD_CLEAR(product);
  product.sku = product.name = orderd_text(sku);
  product.unit_price = {100, "EUR", 2};
  product.available = stock;
  const orderd_product* all[] = {&product};
  std::string why;
  if (lent.with(
          [&](orderd_tx* tx, orderd_error* e) { return catalog->put(lent.plugin().abi(), tx, all, 1, e); },
          &why))
    return;
  c.fail("catalog put() refuses a product: " + why);
  throw Enough();
}

void expect(Case& c, Lent& lent, const CommandSpec& spec, std::int32_t kind, const std::string& code,
            const std::string& when) {
  std::string why;
  const auto outcomes = lent.execute({spec}, &why);
  if (outcomes.empty()) return c.fail(spec.action + " " + when + " fails: " + why);
  if (outcomes[0].kind != kind || outcomes[0].code != code)
    c.fail(spec.action + " " + when + " is " + kind_name(outcomes[0].kind) + " " + outcomes[0].code +
           ", not " + kind_name(kind) + " " + code);
}

void reserves(Case& c) {
  Lent lent(c);
  need_inventory(c, lent);
  expect(c, lent, lines("inventory.reserve", "r1", 6), ORDERD_DONE, "", "of 6 of 10");
  expect(c, lent, lines("inventory.reserve", "r1", 6), ORDERD_DONE, "", "of the same again");
  expect(c, lent, lines("inventory.reserve", "r2", 5), ORDERD_DECLINED, ORDERD_CODE_OUT_OF_STOCK,
         "of 5 of 4");
  expect(c, lent, lines("inventory.reserve", "r3", 4), ORDERD_DONE, "", "of 4 of 4");
  expect(c, lent, lines("inventory.reserve", "r4", 1, "ORDERD-NO-SUCH"), ORDERD_DECLINED,
         ORDERD_CODE_UNKNOWN_SKU, "of an unknown SKU");
  expect(c, lent, lines("inventory.release", "r3", 4), ORDERD_DONE, "", "of what is reserved");
  expect(c, lent, lines("inventory.release", "r3", 4), ORDERD_DONE, "", "of the same again");
  expect(c, lent, lines("inventory.reserve", "r5", 4), ORDERD_DONE, "", "of what was released");
  expect(c, lent, lines("inventory.commit", "r1", 6), ORDERD_DONE, "", "of what is reserved");
  expect(c, lent, lines("inventory.commit", "r1", 6), ORDERD_DONE, "", "of the same again");
}

void closes(Case& c) {
  Lent lent(c);
  need_inventory(c, lent);
  expect(c, lent, lines("inventory.release", "never", 2), ORDERD_DONE, "", "of what never was");
  expect(c, lent, lines("inventory.reserve", "never", 2), ORDERD_DECLINED, ORDERD_CODE_RESERVATION_CLOSED,
         "after its release");
}

void batches(Case& c) {
  Lent lent(c);
  need_inventory(c, lent);
  std::vector<CommandSpec> specs;
  for (int i = 0; i < 8; ++i) specs.push_back(lines("inventory.reserve", "b" + std::to_string(i), 2));
  std::string why;
  const auto outcomes = lent.execute(specs, &why);
  if (outcomes.empty()) return c.fail("a batch of 8 fails: " + why);
  const auto done =
      std::count_if(outcomes.begin(), outcomes.end(), [](const auto& o) { return o.kind == ORDERD_DONE; });
  c.expect(done == stock / 2,
           std::to_string(done) + " of 8 reservations of 2 are DONE with 10 in stock, not 5");
}

void fails(Case& c) {
  Lent lent(c);
  need_inventory(c, lent);
  lent.session().fail_from = 0;
  std::string why;
  c.expect(lent.execute({lines("inventory.reserve", "f1", 1)}, &why).empty(),
           "execute_tx() says OK after its statement failed");
}

orderd_event event(std::int32_t version, const char* type, const char* status, const char* payload) {
  orderd_event out;
  ORDERD_CLEAR(out);
  out.version = version;
  for (int i = 0; i < 16; ++i) out.order_id.bytes[i] = static_cast<std::uint8_t>(i + 1);
  out.at_ms = testing::now_ms();
  out.type = orderd_text(type);
  out.status = orderd_text(status);
  out.payment_status = orderd_text("NONE");
  out.payload_json = orderd_text(payload);
  return out;
}

// As on the bus: one line, without spaces.
constexpr const char* created =
    R"({"schemaVersion":1,"reason":null,"customerId":"c-1","currency":"EUR","totalAmount":100,)"
    R"("items":[{"lineId":1,"sku":"A","quantity":1,"unitPrice":100}],"adjustments":[],"metadata":{},)"
    R"("payment":{"method":"card","status":"NONE"}})";
constexpr const char* reserved =
    R"({"schemaVersion":1,"reason":null,"payment":{"method":"card","status":"AUTHORIZED"}})";

void projects(Case& c) {
  Lent lent(c);
  const auto* table = lent.plugin().extension<orderd_projection_v1>(ORDERD_EXT_PROJECTION);
  if (!table) c.not_asked("it is no projection");
  if (!table->apply || !table->rebuild_begin || !table->rebuild_finish)
    return c.fail("its " ORDERD_EXT_PROJECTION " has holes");
  const orderd_event first = event(1, "ORDER_CREATED", "PENDING", created);
  const orderd_event third = event(3, "INVENTORY_RESERVED", "INVENTORY_RESERVED", reserved);
  const auto apply = [&](const orderd_event& one, std::int32_t target, std::int32_t wanted,
                         const char* what) {
    const orderd_event* all[] = {&one};
    std::int32_t verdict = ORDERD_APPLIED;
    std::string why;
    if (!lent.with(
            [&](orderd_tx* tx, orderd_error* e) {
              return table->apply(lent.plugin().abi(), tx, target, all, 1, &verdict, e);
            },
            &why))
      return c.fail(std::string(what) + " fails: " + why);
    c.expect(verdict == wanted, std::string(what) + " has verdict " + std::to_string(verdict) + ", not " +
                                    std::to_string(wanted));
  };
  apply(first, ORDERD_TARGET_LIVE, ORDERD_APPLIED, "version 1");
  apply(first, ORDERD_TARGET_LIVE, ORDERD_DUPLICATE, "version 1 again");
  apply(third, ORDERD_TARGET_LIVE, ORDERD_GAP, "version 3 without version 2");
  for (int round = 0; round < 2; ++round) {  // the second starts over what the first left
    std::string why;
    if (!lent.with(
            [&](orderd_tx* tx, orderd_error* e) { return table->rebuild_begin(lent.plugin().abi(), tx, e); },
            &why))
      return c.fail("rebuild_begin() fails: " + why);
    apply(first, ORDERD_TARGET_SHADOW, ORDERD_APPLIED, "version 1 into the shadow");
  }
  std::string why;
  if (!lent.with(
          [&](orderd_tx* tx, orderd_error* e) { return table->rebuild_finish(lent.plugin().abi(), tx, e); },
          &why))
    c.fail("rebuild_finish() fails: " + why);
  apply(first, ORDERD_TARGET_LIVE, ORDERD_DUPLICATE, "version 1 after the rebuild");
}

}  // namespace

std::vector<Check> transaction_checks() {
  return {{"inventory.reserve", "all or nothing, idempotent, lines of one SKU summed", reserves},
          {"inventory.closed", "a release of nothing is done, and blocks a late reserve", closes},
          {"inventory.batch", "a batch in one call never takes more than there is", batches},
          {"inventory.failure", "a statement that fails, fails the call", fails},
          {"projection.apply", "once a version, in order; rebuilt beside", projects}};
}

}  // namespace orderd::checker
