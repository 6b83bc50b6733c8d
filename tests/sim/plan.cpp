#include "sim/plan.h"

namespace orderd::sim {
namespace {

Weather draw_weather(Random& random) {
  Weather weather;
  if (random.chance(30)) return weather;
  weather.lost_request = random.chance(50) ? random.between(1, 15) : 0;
  weather.lost_reply = random.chance(50) ? random.between(1, 15) : 0;
  weather.busy = random.chance(50) ? random.between(1, 20) : 0;
  weather.stored_failure = random.chance(40) ? random.between(1, 15) : 0;
  weather.slow = random.chance(50) ? random.between(1, 25) : 0;
  weather.cut = random.chance(35) ? random.between(1, 25) : 0;
  const bool bad_wire = random.chance(25);
  weather.slow_wire = random.chance(35) ? random.between(5, 60) : 0;
  weather.declined = random.chance(50) ? random.between(1, 20) : 0;
  if (bad_wire) {  // what is given up in vain, and arrives after its undo
    weather.cut = random.between(30, 80);
    weather.slow_wire = random.between(30, 90);
  }
  return weather;
}

std::string step(const char* name, const char* slot, const char* action, const char* undo, const char* more,
                 const char* retry) {
  return std::string(R"({"name":")") + name + R"(","slot":")" + slot + R"(","action":")" + action + "\"" +
         (*undo ? std::string(R"(,"undo":")") + undo + "\"" : "") + more + R"(,"timeout_ms":3000,"retry":)" +
         retry + "}";
}

/// Some histories lean towards what chance alone brings about too seldom.
void lean(Plan& plan, Random& random) {
  const auto storm = [&](Weather& weather) {
    weather.cut = random.between(40, 80);
    weather.slow_wire = random.between(40, 80);
    plan.cancel = 100;
  };
  switch (random.below(4)) {
    case 0:  // goods that are reserved after they were given back
      plan.goods_here = false;
      plan.goods_can_query = true;
      plan.definition = 1;
      return storm(plan.goods);
    case 1:  // the same of money
      plan.payment_can_query = plan.void_closes = true;
      plan.definition = 0;
      return storm(plan.payment);
    case 2:  // captures that are under way when the order turns round
      plan.payment_can_query = true;
      plan.payment.slow = random.between(40, 80);
      return storm(plan.payment);
    default:  // a provider that is away for many orders
      plan.hosts = 1;
      plan.orders = 6;
      plan.outage = 60;
  }
}

}  // namespace

Plan draw_plan(Random& random) {
  Plan plan;
  plan.hosts = random.between(1, 3);
  plan.shards = random.between(1, 3);
  plan.orders = random.between(1, 5);
  plan.stable_ids = random.chance(50);
  plan.relay = random.chance(50);
  plan.definition = random.below(definitions);
  plan.later_definition = random.chance(30) ? random.below(definitions) : plan.definition;
  plan.changed_after = random.ms(1000, 8000);
  plan.calm_after = random.ms(3000, 15'000);

  plan.payment = draw_weather(random);
  plan.goods = draw_weather(random);
  plan.payment_can_query = random.chance(75);
  plan.key_window = random.chance(40) ? random.ms(3000, 10'000) : Millis(0);
  plan.query_closes = random.chance(50);
  plan.void_closes = random.chance(70);
  plan.query_lags = random.chance(40) ? random.between(5, 40) : 0;
  plan.pending = random.chance(40) ? random.between(5, 60) : 0;
  plan.reversed = random.chance(25) ? random.between(5, 30) : 0;
  plan.webhooks = random.chance(60) ? 100 : random.between(0, 90);
  plan.vague = random.chance(30) ? random.between(5, 50) : 0;

  plan.goods_here = random.chance(60);
  plan.goods_can_query = random.chance(75);
  plan.reservation = random.chance(50) ? random.ms(2000, 12'000) : Millis(0);
  plan.pieces = random.chance(25) ? random.between(0, 3) : 1000;

  plan.crash = random.chance(60) ? random.between(1, 40) : 0;
  plan.freeze = random.chance(50) ? random.between(1, 20) : 0;
  plan.session = random.chance(50) ? random.between(1, 40) : 0;
  plan.outage = random.chance(20) ? random.between(2, 15) : 0;
  plan.cancel = random.chance(75) ? random.between(10, 90) : 0;
  plan.dashboard = random.chance(15) ? random.between(5, 40) : 0;
  if (random.chance(12)) lean(plan, random);
  plan.clock_turns = random.chance(25) ? random.between(2, 60) : 0;
  plan.by_hand = random.chance(40) ? random.between(20, 90) : 0;
  plan.other_account = random.chance(15) ? random.between(2, 25) : 0;
  if (random.chance(5)) {  // refunds that nobody at the provider makes
    plan.by_hand = 80;
    plan.other_account = random.between(30, 70);
    plan.cancel = 100;
  }
  if (random.chance(4)) {  // refunds that fail after their success, again and again
    plan.reversed = random.between(50, 90);
    plan.cancel = 100;
  }
  return plan;
}

std::string describe(const Plan& plan) {
  std::string out = std::to_string(plan.hosts) + " hosts, " + std::to_string(plan.shards) + " shards, " +
                    std::to_string(plan.orders) + " orders; " + (plan.relay ? "bus" : "log") +
                    "; definition " + std::to_string(plan.definition);
  if (plan.later_definition != plan.definition)
    out += " then " + std::to_string(plan.later_definition) + " after " +
           std::to_string(plan.changed_after.count()) + " ms";
  out += std::string("; provider ") + (plan.payment_can_query ? "can" : "cannot") + " be asked";
  if (plan.key_window.count() != 0)
    out += ", knows keys for " + std::to_string(plan.key_window.count()) + " ms";
  if (!plan.void_closes) out += ", takes an authorization after a void";
  out += plan.goods_here ? "; stock here" : "; stock in a warehouse";
  if (!plan.goods_here && plan.reservation.count() != 0)
    out += " that lets go after " + std::to_string(plan.reservation.count()) + " ms";
  return out + "; calm after " + std::to_string(plan.calm_after.count()) + " ms";
}

std::string definition_text(int number) {
  const char* retry = number == 4 ? R"({"first_ms":100,"cap_ms":500,"total_ms":1500})"
                                  : R"({"first_ms":100,"cap_ms":2000,"total_ms":12000})";
  const std::string authorize = step("authorize", "payment", "payment.authorize", "payment.void",
                                     R"(,"status":"PAYMENT_AUTHORIZED")", retry);
  const std::string reserve = step("reserve", "inventory", "inventory.reserve", "inventory.release",
                                   R"(,"status":"INVENTORY_RESERVED")", retry);
  const std::string capture = step("capture", "payment", "payment.capture", "", R"(,"pivot":true)", retry);
  const std::string commit =
      step("commit", "inventory", "inventory.commit", "", R"(,"status":"CONFIRMED")", retry);
  const std::string check = step("check", "fraud", "fraud.check", "", R"(,"event":true)", retry);
  const std::string limit = number == 2 ? R"("total_ms":4000,)" : "";
  const std::string first = number == 3   ? check + "," + authorize + "," + reserve
                            : number == 1 ? reserve + "," + authorize
                                          : authorize + "," + reserve;
  return R"({"name":"d)" + std::to_string(number) + "\"," + limit + R"("steps":[)" + first + "," + capture +
         "," + commit + "]}";
}

}  // namespace orderd::sim
