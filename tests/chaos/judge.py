"""The judge of a campaign: the laws of tests/crash/laws.py, slice by slice, so that a million events fit; the
money from the bank's own file; sums over everything from the tables; and the topic, read by kcat. Shares no
code with the host."""

import collections
import json
import re
import subprocess

import people
import world
from world import laws

ORDERS_A_SLICE = 3000
TABLES = ("orders", "order_state", "order_events", "sagas", "parked", "payment_secrets", "orders_read",
          "reservations")
TOPIC_LIMIT_S = 300
MOVEMENTS = ("authorize", "capture", "refund", "void")

# What is summed by the database itself: the answer of each must be no row.
SUMS = {
    "the log has a gap or a double": """
        select l.shard, l.last, count(e.pos), count(distinct e.pos), min(e.pos), max(e.pos)
        from log_shard l left join order_events e using (shard) group by l.shard, l.last
        having count(e.pos) <> l.last or count(distinct e.pos) <> l.last
               or (l.last > 0 and (min(e.pos) <> 1 or max(e.pos) <> l.last))""",
    "a SKU's numbers are not the sum of its movements": """
        select s.sku, s.on_hand, s.reserved, s.sold, coalesce(m.moved, 0)
        from inventory.stock s left join (select sku, sum(quantity) moved from inventory.stock_movements
                                          group by sku) m using (sku)
        where s.on_hand + s.reserved + s.sold <> coalesce(m.moved, 0)
              or least(s.on_hand, s.reserved, s.sold) < 0""",
    "a consumer did not reach the end of the log": """
        select p.consumer, p.shard, p.pos, l.last from positions p join log_shard l using (shard)
        where greatest(p.pos, 0) <> l.last and (p.consumer not like '%@%' or p.consumer like 'relay@%')""",
}


class BankBook:
    """What the bank's file says: movements per payment, calls for dumps, faults."""

    def __init__(self, path):
        self.rows = collections.defaultdict(list)
        self.faults = collections.Counter()
        self.reversed, self.reversed_keys = set(), set()
        self.calls = 0
        with open(path, encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                if "fault" in row:
                    self.faults[row["fault"]] += 1
                elif "payment" in row:
                    self.calls += 1
                    self.rows[row["payment"]].append(row)
                    if row["state"] == "reversed":
                        self.reversed.add(row["payment"])
                        self.reversed_keys.add(row["key"])

    def movements(self, payment):
        """What was moved and not taken back: a reversal undoes the movement of its key."""
        return [{"payment_id": payment, "key": row["key"], "kind": row["kind"], "amount": row["amount"],
                 "currency": row["currency"]} for row in self.rows[payment]
                if row["state"] == "done" and row["kind"] in MOVEMENTS
                and row["key"] not in self.reversed_keys]

    def sums(self, payment):
        money = dict.fromkeys(MOVEMENTS, 0)
        for row in self.movements(payment):
            money[row["kind"]] += row["amount"]
        return money

    def ever_captured(self, payment):
        """Captures that the bank took back later among them."""
        return sum(row["amount"] for row in self.rows[payment]
                   if row["state"] == "done" and row["kind"] == "capture")


class SliceJudge(laws.Judge):
    """The laws of single orders. One that is listed as stuck waits for a person: counted, not judged."""

    def __init__(self, state, acknowledged, stuck, decided):
        super().__init__(state, acknowledged)
        self.stuck, self._decided = stuck, decided
        for order in stuck:
            if self.status[order] not in laws.FINAL:
                self.status[order] = "STUCK"

    def no_order_is_lost(self):
        before = len(self.complaints)
        super().no_order_is_lost()
        self.complaints[before:] = [one for one in self.complaints[before:]
                                    if "is STUCK, which is not final" not in one]

    def nothing_is_left_over(self):
        before = len(self.complaints)
        super().nothing_is_left_over()
        self.complaints[before:] = [one for one in self.complaints[before:]
                                    if one.split(":")[0] not in self.stuck]

    def versions_have_no_gap(self):
        listed = self.status
        self.status = {order: laws.STATUSES[row["status"]] for order, row in self.now.items()}
        super().versions_have_no_gap()
        self.status = listed

    def order_has_its_money(self, order, status, money):
        """Not of one that is listed (the provider took back what it had said), nor where people paid."""
        if order not in self.stuck and order not in self._decided:
            super().order_has_its_money(order, status, money)

    LAWS = (no_order_is_lost, nothing_is_left_over, versions_have_no_gap, laws.Judge.nothing_follows_an_end,
            laws.Judge.versions_stand_in_order, laws.Judge.money_is_right, laws.Judge.reservations_are_right,
            laws.Judge.the_read_model_is_the_fold)


class Verdict:
    """Counts, complaints, and the dumps of the first orders that are wrong or stuck."""

    def __init__(self, database, bank_path, decisions=None):
        """`decisions`: of people.People, by order."""
        self._database, self.decisions = database, decisions or {}
        self.book = BankBook(bank_path)
        self.orders = self.events = self.lost = self.double_charged = self.orphans = self.oversold = 0
        self.endings = collections.Counter()
        self.complaints, self.dumps, self.stuck = [], [], {}
        self.status, self.versions = {}, {}
        self._sold = collections.Counter()

    def judge(self, endings):
        """`endings`: of each order that was acknowledged, the statuses it may end in."""
        acknowledged = set(endings)
        ids = self._database.query("select id from orders order by id")
        missing = acknowledged - set(ids)
        self.lost += len(missing)
        self.complaints += [f"{order} was acknowledged and does not exist" for order in missing]
        for begin in range(0, len(ids), ORDERS_A_SLICE):
            self._slice(ids[begin:begin + ORDERS_A_SLICE], acknowledged)
        for order in endings:
            found = self.status.get(order)
            # A capture that was taken back before the host knew of its success has simply failed.
            allowed = endings[order] | ({"REJECTED"} if order in self.book.reversed else set())
            if found not in allowed and found != "STUCK":
                self.complaints.append(f"ending: {order} is {found}, not one of {sorted(allowed)}")
        for payment in set(self.book.rows) - set(ids):
            if any(self.book.sums(payment).values()):
                self.orphans += 1
                self.complaints.append(f"orphan: the bank has money of {payment}, which is no order")
        self._sums()
        self.complaints += people.complaints(self.decisions, self.book)
        return self

    def _slice(self, ids, acknowledged):
        state = laws.read(self._database, TABLES, (ids[0], ids[-1]))
        stuck = {row["id"]: row["attention"] for row in state["order_state"] if row["attention"]}
        state["ledger"] = [row for order in ids for row in self.book.movements(order)]
        state["payments"], state["log_shard"], state["positions"] = [], [], []
        judge = SliceJudge(state, acknowledged & set(ids), stuck, self.decisions)
        for law in SliceJudge.LAWS:
            before = len(judge.complaints)
            law(judge)
            judge.complaints[before:] = [f"{law.__name__}: {one}" for one in judge.complaints[before:]]
        self.orders += len(state["orders"])
        self.events += len(state["order_events"])
        self.status |= judge.status
        self.stuck |= stuck
        self.complaints += judge.complaints
        self._count(ids, judge)
        wrong = {word.rstrip(":") for line in judge.complaints for word in line.split()[1:2]}
        for order in [*sorted(wrong & set(ids)), *stuck]:
            if len(self.dumps) < 10:
                self.dumps.append(self._dump(state, order))

    def _count(self, ids, judge):
        for order in ids:
            status, money = judge.status.get(order), self.book.sums(order)
            self.endings["listed" if order in judge.stuck else status] += 1
            self.versions[order] = len(judge.histories.get(order, ()))
            if status not in (*laws.FINAL, "STUCK"):
                self.lost += 1
            kept, total = money["capture"] - money["refund"], judge.total.get(order) or 0
            captures = sum(row["kind"] == "capture" for row in self.book.movements(order))
            if captures > 1 or kept > total or kept < 0:
                self.double_charged += 1
            held = money["authorize"] - money["capture"] - money["void"]
            over = status in ("CANCELLED", "REJECTED") and (kept != 0 or held != 0)
            listed = order in judge.stuck or order in self.decisions
            if not listed and (over or (status == "CONFIRMED" and held != 0)):
                self.orphans += 1
            if status == "CONFIRMED" and order in judge.histories:
                for item in judge.histories[order][0]["payload"]["items"]:
                    self._sold[item["sku"]] += item["quantity"]

    def _sums(self):
        for what, sql in SUMS.items():
            self.complaints += [f"{what}: {row}" for row in self._database.query(sql)]
        stuck = "STUCK" in self.status.values()  # may hold goods, for a person to decide
        for row in self._database.query("select sku, sold, reserved, on_hand from inventory.stock"):
            sku, sold, reserved, on_hand = row.rsplit("|", 3)
            if not stuck and (int(sold) != self._sold[sku] or int(reserved) != 0):
                self.complaints.append(f"stock: {sku}: sold {sold}, confirmed orders have {self._sold[sku]}; "
                                       f"reserved {reserved}")
            if int(on_hand) < 0 or self._sold[sku] > world.SCARCE.get(sku, self._sold[sku]):
                self.oversold += 1
                self.complaints.append(f"oversold: {sku}: {row}, confirmed orders have {self._sold[sku]}")

    def judge_topic(self, address, topic, trimmed):
        """Every event is in the topic, first occurrences of an order's in version order. `trimmed`: records
        were deleted from it, so the first ones of an order may be missing, or all."""
        command = ["kcat", "-C", "-q", "-e", "-o", "beginning", "-b", address, "-t", topic, "-f", "%k %h\\n"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TOPIC_LIMIT_S, check=True)
        last = collections.Counter()
        repeated = 0
        for line in done.stdout.splitlines():
            order, _, headers = line.partition(" ")
            version = int(re.search(r"\bce_sequence=0*(\d+)", headers)[1])
            if version <= last[order]:
                repeated += 1
            elif version == last[order] + 1 or (trimmed and last[order] == 0):
                last[order] = version
            else:
                self.complaints.append(f"topic: {order}: version {version} follows {last[order]}")
                last[order] = version
        for order, versions in self.versions.items():
            if last[order] != versions and not (trimmed and last[order] < versions):
                self.complaints.append(f"topic: {order} has {last[order]} of {versions} versions")
        return repeated

    def _dump(self, state, order):
        lines = [laws.dump({"payments": [], **state}, order)]
        for row in self._database.query(f"select at, data from saga_journal where order_id = '{order}'"):
            lines.append(f"  journal: {row}")
        return "\n".join([*lines, *(f"  bank: {json.dumps(row)}" for row in self.book.rows[order])])
