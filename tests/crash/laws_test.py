"""The laws can be broken: each way of tampering with a state that is in order must be complained about, by
the law it belongs to. A checker that always nods would make every fault test worthless."""

import copy
import sys
import unittest

import laws


def first(state, table, /, **wanted):
    """The first row of `table` with these values."""
    for row in state[table]:
        if all(row[name] == value for name, value in wanted.items()):
            return row
    raise LookupError(f"no row of {table} with {wanted}")


def order_with(state, status):
    return first(state, "order_state", status=laws.STATUSES.index(status))["id"]


def change(table, column, by, **wanted):
    def tamper(state):
        first(state, table, **wanted)[column] += by

    return tamper


def assign(table, column, value, **wanted):
    def tamper(state):
        first(state, table, **wanted)[column] = value

    return tamper


def append(table, make):
    def tamper(state):
        state[table].append(make(state))

    return tamper


def remove(table, **wanted):
    def tamper(state):
        state[table].remove(first(state, table, **wanted))

    return tamper


def repeat(table, **wanted):
    def tamper(state):
        state[table].append({**first(state, table, **wanted), "key": "another key"})

    return tamper


def of_order(status, table, column, then):
    """Tampers with the rows of an order in this status."""

    def tamper(state):
        order = order_with(state, status)
        then(state, [row for row in state[table] if row[column] == order])

    return tamper


def lose_version_two(state):
    state["order_events"].remove(first(state, "order_events", version=2))


def swap_positions(_, events):
    events[0]["pos"], events[-1]["pos"] = events[-1]["pos"], events[0]["pos"]


def swap_in_log(state):
    events = [one for one in state["order_events"] if one["order_id"] == order_with(state, "CONFIRMED")]
    swap_positions(state, events)


def forge_payload(state):
    first(state, "order_events", version=1)["payload"]["version"] = 7


def go_on_after_end(state, events):
    last = max(events, key=lambda one: one["version"])
    state["order_events"].append({**last, "version": last["version"] + 1})


def halve_amounts(_, rows):
    for row in rows:
        row["amount"] //= 2


def capture_less(state, rows):
    for row in rows:
        if row["kind"] == "capture":
            row["amount"] -= 1
            first(state, "payments", payment_id=row["payment_id"])["captured"] -= 1


def behind_the_log(state):
    next(row for row in state["positions"] if row["consumer"] in ("saga", "relay@kafka"))["pos"] -= 1


def confirmed(state):
    return order_with(state, "CONFIRMED")


# What is done, and the law that must notice it.
TAMPERS = (
    ("an acknowledged order vanishes", remove("orders"), "no_order_is_lost"),
    ("an order has no state", remove("order_state"), "no_order_is_lost"),
    ("an order is not final", assign("order_state", "status", 2), "no_order_is_lost"),
    ("a saga is left", append("sagas", lambda s: {"order_id": confirmed(s), "data": {}}),
     "nothing_is_left_over"),
    ("an order is parked", append("parked", lambda s: {"order_id": confirmed(s), "consumer": "saga",
                                                       "from_version": 2, "reason": "odd"}),
     "nothing_is_left_over"),
    ("a person is needed", assign("order_state", "attention", "{}"), "nothing_is_left_over"),
    ("a secret is left", append("payment_secrets", lambda s: {"order_id": confirmed(s)}),
     "nothing_is_left_over"),
    ("a version is missing", lose_version_two, "versions_have_no_gap"),
    ("a version comes twice", append("order_events", lambda s: dict(s["order_events"][0])),
     "versions_have_no_gap"),
    ("the state is ahead of the events", change("order_state", "version", 1), "versions_have_no_gap"),
    ("the state has another status", assign("order_state", "status", 7, status=4), "versions_have_no_gap"),
    ("the state has another payment status", assign("order_state", "payment_status", 10),
     "versions_have_no_gap"),
    ("the state has another shard", assign("order_state", "shard", 99), "versions_have_no_gap"),
    ("a payload lies about itself", forge_payload, "versions_have_no_gap"),
    ("a rejected order goes on", of_order("REJECTED", "order_events", "order_id", go_on_after_end),
     "nothing_follows_an_end"),
    ("a position is missing", change("log_shard", "last", 1), "the_log_has_no_gap"),
    ("a position comes twice", append("order_events", lambda s: dict(s["order_events"][0])),
     "the_log_has_no_gap"),
    ("a shard is unknown", assign("order_events", "shard", 99), "the_log_has_no_gap"),
    ("versions are out of order", swap_in_log, "the_log_has_no_gap"),
    ("two captures", repeat("ledger", kind="capture"), "money_is_right"),
    ("two authorizations", repeat("ledger", kind="authorize"), "money_is_right"),
    ("captured more than authorized", change("ledger", "amount", 1, kind="capture"), "money_is_right"),
    ("kept less than the total", of_order("CONFIRMED", "ledger", "payment_id", capture_less),
     "money_is_right"),
    ("half of the money", of_order("CONFIRMED", "ledger", "payment_id", halve_amounts), "money_is_right"),
    ("an authorization is left open", remove("ledger", kind="void"), "money_is_right"),
    ("a refund is missing", remove("ledger", kind="refund"), "money_is_right"),
    ("the ledger and the payment differ", change("payments", "authorized", 1), "money_is_right"),
    ("a payment of no order", assign("ledger", "payment_id", "nobody's"), "money_is_right"),
    ("goods appear", change("stock", "on_hand", 1), "stock_is_right"),
    ("goods are left reserved", change("stock", "reserved", 1), "stock_is_right"),
    ("more sold than confirmed", change("stock", "sold", 1), "stock_is_right"),
    ("negative stock", assign("stock", "on_hand", -1), "stock_is_right"),
    ("a movement is missing", remove("stock_movements"), "stock_is_right"),
    ("a reservation is left", assign("reservations", "state", 1), "stock_is_right"),
    ("goods of a confirmed order came back", assign("reservations", "state", 3, state=2), "stock_is_right"),
    ("the read model lacks an order", remove("orders_read"), "the_read_model_is_the_fold"),
    ("the read model is behind", change("orders_read", "version", -1), "the_read_model_is_the_fold"),
    ("the read model has another status", assign("orders_read", "status", 1), "the_read_model_is_the_fold"),
    ("the read model has another customer", assign("orders_read", "customer_id", "c-other"),
     "the_read_model_is_the_fold"),
    ("the read model has another content", assign("orders_read", "members", '"customerId":"c-1"'),
     "the_read_model_is_the_fold"),
    ("the read model has another payment", assign("orders_read", "payment", "{}"),
     "the_read_model_is_the_fold"),
    ("the read model has another reason", assign("orders_read", "reason", '{"code":"ODD"}'),
     "the_read_model_is_the_fold"),
    ("the read model has another time", assign("orders_read", "updated", "1999-01-01T00:00:00+00:00"),
     "the_read_model_is_the_fold"),
    ("a consumer is behind", behind_the_log, "consumers_reached_the_end"),
)


def unnoticed(state, acknowledged, must_apply=False):
    """The ways of tampering that no law, or the wrong one, complains of. `state` is not changed. One that the
    state has no row for is passed over, unless it `must_apply`."""
    found = []
    for what, tamper, law in TAMPERS:
        copied = copy.deepcopy(state)
        try:
            tamper(copied)
        except LookupError:
            if must_apply:
                raise
            continue
        if not any(line.startswith(law + ":") for line in laws.judge(copied, acknowledged)):
            found.append(what)
    return found


class Sample:
    """Three orders, confirmed, rejected and cancelled, as the tables would hold them."""

    ENDS = {
        "CONFIRMED": (("ORDER_CREATED", "PENDING", "NONE"),
                      ("PAYMENT_AUTHORIZED", "PAYMENT_AUTHORIZED", "AUTHORIZED"),
                      ("INVENTORY_RESERVED", "INVENTORY_RESERVED", "AUTHORIZED"),
                      ("ORDER_CONFIRMED", "CONFIRMED", "CAPTURED")),
        "REJECTED": (("ORDER_CREATED", "PENDING", "NONE"),
                     ("PAYMENT_AUTHORIZED", "PAYMENT_AUTHORIZED", "AUTHORIZED"),
                     ("ORDER_COMPENSATING", "CANCELLING", "AUTHORIZED"),
                     ("ORDER_REJECTED", "REJECTED", "VOIDED")),
        "CANCELLED": (("ORDER_CREATED", "PENDING", "NONE"),
                      ("PAYMENT_AUTHORIZED", "PAYMENT_AUTHORIZED", "AUTHORIZED"),
                      ("INVENTORY_RESERVED", "INVENTORY_RESERVED", "AUTHORIZED"),
                      ("ORDER_CONFIRMED", "CONFIRMED", "CAPTURED"),
                      ("ORDER_CANCEL_REQUESTED", "CANCELLING", "CAPTURED"),
                      ("ORDER_CANCELLED", "CANCELLED", "REFUNDED")),
    }
    MONEY = {"CONFIRMED": (("authorize", 500), ("capture", 500)),
             "REJECTED": (("authorize", 500), ("void", 500)),
             "CANCELLED": (("authorize", 500), ("capture", 500), ("refund", 500))}

    def __init__(self):
        self.state = {name: [] for name in laws.TABLES}
        for status in self.ENDS:
            self.add(status)
        last = len(self.state["order_events"])
        self.state["log_shard"] = [{"shard": 0, "last": last}, {"shard": 1, "last": 0}]
        self.state["positions"] = [{"consumer": "saga", "shard": 0, "pos": last},
                                   {"consumer": "saga", "shard": 1, "pos": -1}]
        self.state["stock"] = [{"sku": "SKU-1", "on_hand": 8, "reserved": 0, "sold": 2}]
        self.state["stock_movements"] = [{"sku": "SKU-1", "quantity": 10}]

    def add(self, status):
        order = f"order-{status.lower()}"
        money = dict.fromkeys(("authorize", "capture", "refund", "void"), 0)
        for kind, amount in self.MONEY[status]:
            money[kind] += amount
            self.state["ledger"].append({"payment_id": order, "key": f"{order}-{kind}", "kind": kind,
                                         "amount": amount, "currency": "EUR"})
        self.state["payments"].append({"payment_id": order, "authorized": money["authorize"],
                                       "captured": money["capture"], "refunded": money["refund"],
                                       "voided": money["void"]})
        steps = enumerate(self.ENDS[status], 1)
        events = [self.event(order, version, *step, money) for version, step in steps]
        first_payload, last = events[0]["payload"], events[-1]
        numbers = {"version": len(events), "status": laws.STATUSES.index(status),
                   "payment_status": laws.PAYMENT_STATUSES.index(last["payload"]["paymentStatus"])}
        self.state["orders"].append({"id": order, "body": {}})
        self.state["order_state"].append({"id": order, "shard": 0, "attention": None, **numbers})
        members = {name: first_payload[name] for name in laws.MEMBERS}
        self.state["orders_read"].append({
            "order_id": order, **numbers, "customer_id": "c-1", "members": laws.json.dumps(members)[1:-1],
            "payment": laws.json.dumps(last["payload"]["payment"]), "reason": "null",
            "created": events[0]["at"], "updated": last["at"]})
        self.state["reservations"].append({"subject": order, "state": 2 if status == "CONFIRMED" else 3})

    def event(self, order, version, kind, status, payment_status, money):
        position = len(self.state["order_events"]) + 1
        payload = {"orderId": order, "version": version, "type": kind, "status": status,
                   "paymentStatus": payment_status, "reason": None,
                   "payment": {"captured": money["capture"], "refunded": money["refund"]}}
        if version == 1:
            payload |= {"customerId": "c-1", "currency": "EUR", "totalAmount": 500, "adjustments": [],
                        "metadata": {}, "items": [{"sku": "SKU-1", "quantity": 2, "unitPrice": 250}]}
        row = {"order_id": order, "version": version, "type": laws.EVENT_TYPES.index(kind),
               "at": f"2030-01-01T00:00:{position:02}+00:00", "payload": payload, "shard": 0, "pos": position}
        self.state["order_events"].append(row)
        return row


class Laws(unittest.TestCase):
    def setUp(self):
        self.state = Sample().state
        self.ids = [row["id"] for row in self.state["orders"]]

    def test_a_state_in_order_is_not_complained_of(self):
        self.assertEqual(laws.judge(self.state, self.ids), [])

    def test_each_way_of_tampering_is_noticed_by_its_law(self):
        self.assertEqual(unnoticed(self.state, self.ids, must_apply=True), [])

    def test_each_law_has_a_way_of_breaking_it(self):
        self.assertEqual({law for _, _, law in TAMPERS}, {law.__name__ for law in laws.Judge.LAWS})

    def test_a_report_shows_what_is_known_of_the_orders_it_complains_of(self):
        self.state["order_state"][0]["status"] = 2
        text = laws.report(self.state, laws.judge(self.state, self.ids))
        self.assertIn("order order-confirmed\n", text)
        self.assertIn("ORDER_CONFIRMED CONFIRMED CAPTURED", text)


if __name__ == "__main__":
    sys.exit(unittest.main())
