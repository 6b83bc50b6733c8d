"""The laws that must hold once every fault is over, judged from the tables alone: the orders and their
events, the provider's own ledger, the stock, the read model. Shares no code with the host: what a number or a
payload means is written down here a second time, so that an error over there is seen.

    state = read(database)              one snapshot of everything, or of the orders from one id to another
    complaints = judge(state, ids)      empty when all laws hold; `ids` are the orders that were acknowledged

laws_test.py shows of each law that it can be broken."""

import collections
import json

# The numbers as stored.
STATUSES = ("", "PENDING", "PAYMENT_AUTHORIZED", "INVENTORY_RESERVED", "CONFIRMED", "CANCELLING", "CANCELLED",
            "REJECTED")
PAYMENT_STATUSES = ("", "NONE", "PENDING", "ACTION_REQUIRED", "AUTHORIZED", "CAPTURED", "VOIDED",
                    "PARTIALLY_REFUNDED", "REFUNDED", "FAILED", "UNKNOWN", "NOT_REQUIRED")
EVENT_TYPES = ("", "ORDER_CREATED", "PAYMENT_AUTHORIZED", "INVENTORY_RESERVED", "ORDER_CONFIRMED",
               "ORDER_CANCEL_REQUESTED", "ORDER_COMPENSATING", "ORDER_CANCELLED", "ORDER_REJECTED",
               "PAYMENT_UPDATED", "STEP_COMPLETED")
FINAL = ("CONFIRMED", "CANCELLED", "REJECTED")
RESERVED, SOLD = 1, 2  # reservations.state; 3 is released
MEMBERS = ("customerId", "currency", "totalAmount", "items", "adjustments", "metadata")
COMPLAINTS_SHOWN = 40

TABLES = {
    "orders": "select id, body from orders",
    "order_state": "select id, shard, status, version, payment_status, attention from order_state",
    "order_events": "select order_id, version, type, at, convert_from(payload, 'UTF8') as payload, shard, "
                    "pos from order_events",
    "log_shard": "select shard, last from log_shard",
    "positions": "select consumer, shard, pos from positions",
    "sagas": "select order_id, st, wake, data from sagas",
    "parked": "select consumer, order_id, from_version, reason from parked",
    "payment_secrets": "select order_id from payment_secrets",
    "orders_read": "select order_id, version, status, payment_status, customer_id, members, payment, reason, "
                   "created, updated from orders_read",
    "ledger": "select payment_id, key, kind, amount, currency from payment_simulated.ledger",
    "payments": "select payment_id, authorized, captured, refunded, voided from payment_simulated.payments",
    "stock": "select sku, on_hand, reserved, sold from inventory.stock",
    "stock_movements": "select sku, quantity from inventory.stock_movements",
    "reservations": "select subject, state from inventory.reservations",
}


# The column that says of which order a row is.
ORDER_COLUMNS = {"orders": "id", "order_state": "id", "order_events": "order_id", "sagas": "order_id",
                 "parked": "order_id", "payment_secrets": "order_id", "orders_read": "order_id",
                 "ledger": "payment_id", "payments": "payment_id", "reservations": "subject"}


def read(database, tables=tuple(TABLES), orders=None):
    """{table: [row as dict]} of one snapshot; payloads of events are parsed. `orders`: (first, last)."""
    def rows(name):
        where = ""
        if orders:
            where = f" where {ORDER_COLUMNS[name]} between '{orders[0]}' and '{orders[1]}'"
        return f"(select coalesce(json_agg(t), '[]') from (select * from ({TABLES[name]}) r{where}) t)"

    parts = ", ".join(f"'{name}', {rows(name)}" for name in tables)
    state = json.loads("\n".join(database.query(f"select json_build_object({parts})")))
    for event in state["order_events"]:
        event["payload"] = json.loads(event["payload"])
    return state


def histories(state):
    """{order id: its events in order of version}."""
    found = collections.defaultdict(list)
    for event in sorted(state["order_events"], key=lambda one: one["version"]):
        found[event["order_id"]].append(event)
    return found


class Judge:
    """One judgement; each method is one law and adds what it finds to `complaints`."""

    def __init__(self, state, acknowledged):
        self.state = state
        self.acknowledged = set(acknowledged)
        self.complaints = []
        self.histories = histories(state)
        self.now = {row["id"]: row for row in state["order_state"]}
        self.status = {order: STATUSES[row["status"]] for order, row in self.now.items()}
        self.total = {order: events[0]["payload"].get("totalAmount")
                      for order, events in self.histories.items()}

    def say(self, subject, text):
        self.complaints.append(f"{subject}: {text}")

    def expect(self, subject, what, found, wanted):
        if found != wanted:
            self.say(subject, f"{what} is {found}, not {wanted}")

    def no_order_is_lost(self):
        orders = {row["id"] for row in self.state["orders"]}
        for order in self.acknowledged:
            if order not in orders or order not in self.now:
                self.say(order, "was acknowledged and does not exist")
            elif self.status[order] not in FINAL:
                self.say(order, f"is {self.status[order]}, which is not final")
        self.expect("orders", "the set with a state", set(self.now), orders)
        self.expect("orders", "the set with events", set(self.histories), orders)

    def nothing_is_left_over(self):
        for saga in self.state["sagas"]:
            self.say(saga["order_id"], f"still has a saga: {json.dumps(saga['data'])[:300]}")
        for row in self.state["parked"]:
            self.say(row["order_id"], f"is parked for {row['consumer']} from version {row['from_version']}: "
                                      f"{row['reason']}")
        for row in self.state["order_state"]:
            if row["attention"]:
                self.say(row["id"], f"needs a person: {row['attention']}")
        for row in self.state["payment_secrets"]:
            if self.status.get(row["order_id"]) in FINAL:
                self.say(row["order_id"], "its payment secret is still stored")

    def versions_have_no_gap(self):
        for order, events in self.histories.items():
            self.expect(order, "the list of versions", [one["version"] for one in events],
                        list(range(1, len(events) + 1)))
            self.expect(order, "the first event", EVENT_TYPES[events[0]["type"]], "ORDER_CREATED")
            last, now = events[-1], self.now.get(order)
            if now:
                self.expect(order, "order_state.version", now["version"], last["version"])
                self.expect(order, "order_state.status", self.status[order], last["payload"]["status"])
                self.expect(order, "order_state.payment_status", PAYMENT_STATUSES[now["payment_status"]],
                            last["payload"]["paymentStatus"])
                self.expect(order, "order_state.shard", {one["shard"] for one in events}, {now["shard"]})
            for event in events:
                payload = event["payload"]
                said = (payload["orderId"], payload["version"], payload["type"])
                self.expect(order, "what the payload calls itself", said,
                            (order, event["version"], EVENT_TYPES[event["type"]]))

    @staticmethod
    def goes_on(event, events):
        """Of an order that is over only its payment may be told of: a reversal, and what undoes it."""
        later = events[event["version"]:]
        return any(EVENT_TYPES[one["type"]] != "PAYMENT_UPDATED" or
                   one["payload"]["status"] != event["payload"]["status"] for one in later)

    def nothing_follows_an_end(self):
        for order, events in self.histories.items():
            for event in events[:-1]:
                if event["payload"]["status"] in ("CANCELLED", "REJECTED") and self.goes_on(event, events):
                    self.say(order, f"goes on after version {event['version']}, {event['payload']['status']}")

    def the_log_has_no_gap(self):
        positions = collections.defaultdict(list)
        for event in self.state["order_events"]:
            positions[event["shard"]].append(event["pos"])
        for row in self.state["log_shard"]:
            found = sorted(positions.pop(row["shard"], []))
            if found != list(range(1, row["last"] + 1)):
                missing = sorted(set(range(1, row["last"] + 1)) - set(found))
                self.say(f"log shard {row['shard']}",
                         f"{len(found)} positions where 1..{row['last']} should be; missing {missing[:10]}")
        for shard in positions:
            self.say(f"log shard {shard}", "has events and no row in log_shard")
        self.versions_stand_in_order()

    def versions_stand_in_order(self):
        for order, events in self.histories.items():
            order_of_log = [one["pos"] for one in events]
            if order_of_log != sorted(order_of_log):
                self.say(order, f"its versions stand in the log at {order_of_log}")

    def money_is_right(self):
        booked = collections.defaultdict(lambda: collections.defaultdict(list))
        for row in self.state["ledger"]:
            booked[row["payment_id"]][row["kind"]].append(row["amount"])
        sums = {}
        for payment, kinds in booked.items():
            sums[payment] = {kind: sum(kinds[kind]) for kind in ("authorize", "capture", "refund", "void")}
            for kind in ("authorize", "capture"):
                if len(kinds[kind]) > 1:
                    self.say(payment, f"{len(kinds[kind])} rows of {kind} in the ledger: {kinds[kind]}")
            money = sums[payment]
            if not 0 <= money["refund"] <= money["capture"] <= money["authorize"]:
                self.say(payment, f"not 0 <= refunded <= captured <= authorized: {money}")
            if payment not in self.now:
                self.say(payment, "is in the ledger and is no order")
        for row in self.state["payments"]:
            money = sums.get(row["payment_id"], dict.fromkeys(("authorize", "capture", "refund", "void"), 0))
            self.expect(row["payment_id"], "the payment's row",
                        [row["authorized"], row["captured"], row["refunded"], row["voided"]],
                        [money["authorize"], money["capture"], money["refund"], money["void"]])
        for order, status in self.status.items():
            self.order_has_its_money(order, status, sums.get(order))

    def order_has_its_money(self, order, status, money):
        money = money or dict.fromkeys(("authorize", "capture", "refund", "void"), 0)
        kept = money["capture"] - money["refund"]
        if status == "CONFIRMED":
            self.expect(order, "CONFIRMED, and what the provider kept", kept, self.total.get(order))
        if status in ("CANCELLED", "REJECTED"):
            self.expect(order, f"{status}, and what the provider kept", kept, 0)
        if status in FINAL:
            self.expect(order, f"{status}, and captured + voided", money["capture"] + money["void"],
                        money["authorize"])
            view = self.histories[order][-1]["payload"]["payment"] if order in self.histories else {}
            self.expect(order, "captured and refunded in the last event",
                        [view.get("captured"), view.get("refunded")], [money["capture"], money["refund"]])

    def stock_is_right(self):
        moved = collections.Counter()
        for row in self.state["stock_movements"]:
            moved[row["sku"]] += row["quantity"]
        sold = collections.Counter()
        for order, status in self.status.items():
            if status == "CONFIRMED" and order in self.histories:
                for item in self.histories[order][0]["payload"]["items"]:
                    sold[item["sku"]] += item["quantity"]
        for row in self.state["stock"]:
            numbers = {name: row[name] for name in ("on_hand", "reserved", "sold")}
            if min(numbers.values()) < 0:
                self.say(row["sku"], f"a negative number: {numbers}")
            self.expect(row["sku"], "on hand + reserved + sold", sum(numbers.values()), moved[row["sku"]])
            self.expect(row["sku"], "reserved", row["reserved"], 0)
            self.expect(row["sku"], "sold", row["sold"], sold[row["sku"]])
        for sku in set(sold) - {row["sku"] for row in self.state["stock"]}:
            self.say(sku, "was sold and is no product")
        self.reservations_are_right()

    def reservations_are_right(self):
        for row in self.state["reservations"]:
            if row["state"] == RESERVED and self.status.get(row["subject"]) in FINAL:
                self.say(row["subject"], "is final and still holds a reservation")
        kept = {row["subject"] for row in self.state["reservations"] if row["state"] == SOLD}
        confirmed = {order for order, status in self.status.items() if status == "CONFIRMED"}
        for order in kept ^ confirmed:
            are = "are" if order in kept else "are not"
            self.say(order, f"is {self.status.get(order)}, its goods {are} sold")

    def the_read_model_is_the_fold(self):
        rows = {row["order_id"]: row for row in self.state["orders_read"]}
        self.expect("orders_read", "the set of orders", set(rows), set(self.histories))
        for order, events in self.histories.items():
            if order not in rows:
                continue
            row, first, last = rows[order], events[0]["payload"], events[-1]["payload"]
            reason = None
            for event in events:
                reason = event["payload"]["reason"] or reason
            found = [row["version"], STATUSES[row["status"]], PAYMENT_STATUSES[row["payment_status"]],
                     row["customer_id"], json.loads("{" + row["members"] + "}"), json.loads(row["payment"]),
                     json.loads(row["reason"]), row["created"], row["updated"]]
            wanted = [events[-1]["version"], last["status"], last["paymentStatus"], first["customerId"],
                      {name: first[name] for name in MEMBERS}, last["payment"], reason, events[0]["at"],
                      events[-1]["at"]]
            self.expect(order, "its row in orders_read", found, wanted)

    def consumers_reached_the_end(self):
        last = {row["shard"]: row["last"] for row in self.state["log_shard"]}
        for row in self.state["positions"]:
            if "@" in row["consumer"] and not row["consumer"].startswith("relay@"):
                continue  # counts the broker's offsets, in which each event that was sent twice is two
            if max(row["pos"], 0) != last.get(row["shard"]):
                self.say(f"consumer {row['consumer']}", f"is at {row['pos']} of {last.get(row['shard'])} "
                                                        f"in shard {row['shard']}")

    LAWS = (no_order_is_lost, nothing_is_left_over, versions_have_no_gap, nothing_follows_an_end,
            the_log_has_no_gap, money_is_right, stock_is_right, the_read_model_is_the_fold,
            consumers_reached_the_end)


def judge(state, acknowledged):
    """What is wrong, one line each; laws that do not hold are named with the order, payment or SKU."""
    judgement = Judge(state, acknowledged)
    for law in Judge.LAWS:
        before = len(judgement.complaints)
        law(judgement)
        judgement.complaints[before:] = [f"{law.__name__}: {one}" for one in judgement.complaints[before:]]
    return judgement.complaints


def dump(state, order):
    """All that the tables know of one order, for a person."""
    lines = [f"order {order}"]
    for name, column in (("order_state", "id"), ("sagas", "order_id"), ("payments", "payment_id"),
                         ("ledger", "payment_id"), ("reservations", "subject"), ("parked", "order_id"),
                         ("payment_secrets", "order_id"), ("orders_read", "order_id")):
        lines += [f"  {name}: {json.dumps(row)}" for row in state[name] if row[column] == order]
    for event in histories(state)[order]:
        payload = event["payload"]
        lines.append(f"  version {event['version']} at {event['at']} (shard {event['shard']}, "
                     f"{event['pos']}): {payload['type']} {payload['status']} "
                     f"{payload['paymentStatus']} {payload['reason']}")
    return "\n".join(lines)


def report(state, complaints, orders_shown=5):
    """Complaints, and a dump of the first orders they speak of."""
    lines = [f"{len(complaints)} complaints:", *complaints[:COMPLAINTS_SHOWN]]
    lines += [f"log: {state['log_shard']}", f"positions: {state['positions']}"]
    known = {row["id"] for row in state["orders"]}
    named = [word.rstrip(":") for line in complaints for word in line.split()[1:2]]
    orders = [one for one in dict.fromkeys(named) if one in known]
    lines += [dump(state, order) for order in orders[:orders_shown]]
    return "\n".join(lines)
