#!/usr/bin/env python3
"""The swap proof: the payment plugin is replaced again and again while orders come in, by builds of which
each writes its name into the bank's books. In between a host restarts, and once operators roll back. Then old
orders are cancelled, and refunded. Nothing may be lost or doubled, and each order must have been served from
its authorization to its capture by one build, the one that its own timeline names.

    swap.py [--minutes M] [--every S] [--seed S] [--kafka] [--rate N] [--hosts N] [--isolated]
            [--bounded]"""

import collections
import json
import sys
import threading
import time

import campaign
import judge
import world
from world import fleet, orderd_env, wait_for

BUILDS = {"a": "bank_client.so", "b": "bank_client_b.so", "c": "bank_client_c.so"}
BOUNDED_MINUTES = 0.3
REFUNDED = 60
# Each attempt of each order: what the bank was asked under which key, and which build answered.
ATTEMPTS = """
select s.order_id || '|' || (a->>'action') || '|' || (a->>'seq') || '|' || (a->>'gen') || '|'
       || (a->>'plugin')
from (select order_id, data from sagas union all select order_id, data from saga_journal) s,
     jsonb_array_elements(coalesce(s.data->'attempts', '[]')) a
where a ? 'plugin' and not coalesce((a->>'query')::boolean, false) and a->>'action' like 'payment.%'
"""


class Calm(campaign.Buyers):
    """Buyers whose orders all can be confirmed."""

    def wish(self):
        made = super().wish()
        made.token, made.cancel_after_s = "tok_ok", None
        made.sku = f"SKU-{self._random.randrange(1, 41):04}"
        return made


class Swap:
    def __init__(self, here, every):
        self._here, self._every = here, every
        self.switches = self.restarts = self.rollbacks = 0
        self.complaints = []
        self._digests = {}

    def install(self):
        host = self._here.hosts[0]
        folder = orderd_env.pathlib.Path(host.settings["plugins.dir"])
        for build, library in BUILDS.items():
            answer = host.orderctl("-o", "json", "plugin", "install", "payment", folder / library,
                                   *(["--force", "--reason", "the checker is not what is tried here"]))
            self._digests[build] = json.loads(answer)["digest"]

    def build_of(self, digest):
        return next((build for build, full in self._digests.items() if full.startswith(digest)), None)

    def run(self, seconds):
        """Switches until the time is over; a restart after one third, a rollback after two."""
        end = time.monotonic() + seconds
        order = list(self._digests)
        for number in range(1, 1_000_000):
            if time.monotonic() >= end:
                return
            self._switch(order[number % len(order)])
            passed = 1 - (end - time.monotonic()) / seconds
            if passed > 1 / 3 and not self.restarts:
                self.restarts += 1
                self._here.hosts[-1].restart()
            if passed > 2 / 3 and not self.rollbacks:
                self.rollbacks += 1
                self._orderctl("plugin", "rollback", "payment", "--no-wait")
            time.sleep(min(self._every, max(0, end - time.monotonic())))  # the rhythm of the operators

    def _switch(self, build):
        self._orderctl("plugin", "switch", "payment", self._digests[build], "--no-wait")
        self.switches += 1

    def _orderctl(self, *words):
        try:
            self._here.hosts[0].orderctl(*words, "--reason", "swap proof")
        except RuntimeError as error:
            self.complaints.append(str(error))

    def end_old_builds(self):
        """All but the present one are drained and stopped, now that no order needs them."""
        host = self._here.hosts[0]

        def rows():
            return json.loads(host.orderctl("plugin", "list", "payment", "-o", "json"))

        for row in rows():
            if row["use"] != "current":
                self._orderctl("plugin", "drain", "payment", row["digest"])
        wait_for(lambda: all(row["state"] == "retired" for row in rows() if row["use"] != "current"),
                 "the old builds to be stopped", 60)

    def judge(self, database, book):
        """The builds in the orders' timelines against those in the bank's books."""
        served = collections.defaultdict(set)
        in_books = {row["key"]: row.get("build") for rows in book.rows.values() for row in rows}
        for line in database.query(ATTEMPTS):
            order, action, sequence, generation, digest = line.split("|")
            key = f"{order}.{action}.{sequence}.g{generation}"
            if key not in in_books:
                continue  # it never reached the bank
            if self.build_of(digest) != in_books[key]:
                self.complaints.append(f"{key}: its timeline says build {self.build_of(digest)}, the bank's "
                                       f"books {in_books[key]}")
            if action in ("payment.authorize", "payment.capture"):
                served[order].add(in_books[key])
        self.complaints += [f"{order} was served by the builds {sorted(builds)}"
                            for order, builds in served.items() if len(builds) > 1]
        return collections.Counter(next(iter(builds)) for builds in served.values() if builds)


def refund(here, buyers):
    """Cancels orders from all over the run, and waits for their money."""
    confirmed = here.database.query("select id from order_state where status = 4 order by id")
    picked = confirmed[::max(1, len(confirmed) // REFUNDED)][:REFUNDED]
    for order in picked:
        answer = here.hosts[0].post(f"/api/orders/{order}/cancel", {"reason": "swap proof"})
        if answer.status not in (200, 202):
            raise AssertionError(f"cancelling {order} was answered {answer.status}: {answer.body}")
    wanted = set(picked)
    for wish in buyers.wishes:
        if wish.order_id in wanted:
            wish.cancel_status = 202
    return picked


def run(given, kafka):
    begin = time.monotonic()
    with world.World(kafka, given.hosts, given.seed, given.isolated) as here:
        here.fleet.start()
        here.bank.calm()
        swap = Swap(here, given.every)
        swap.install()
        buyers, over = Calm(here.hosts, given.seed), threading.Event()
        shopping = threading.Thread(target=buyers.shop, args=(given.rate, over))
        shopping.start()
        started = time.monotonic()
        try:
            swap.run(given.minutes * 60)
        finally:
            over.set()
            shopping.join()
        rate = len(buyers.wishes) / (time.monotonic() - started)
        buyers.finish()
        here.fleet.wait_until_settled()
        refunded = refund(here, buyers)
        here.fleet.wait_until_settled()
        swap.end_old_builds()
        verdict = judge.Verdict(here.database, here.bank.ledger)
        verdict.judge({wish.order_id: campaign.endings(wish) for wish in buyers.wishes if wish.order_id})
        builds = swap.judge(here.database, verdict.book)
        wrong = swap.complaints + verdict.complaints
        if len(builds) < len(BUILDS):
            wrong.append(f"only the builds {sorted(builds)} have served orders")
        figures = {"bus": "Kafka" if kafka else "pglog", "seed": given.seed, "commit": campaign.commit(),
                   "minutes": given.minutes, "orders": verdict.orders, "orders/s": f"{rate:.0f}",
                   "switches": swap.switches, "restarts": swap.restarts, "rollbacks": swap.rollbacks,
                   "orders by build": ", ".join(f"{name} {count}" for name, count in sorted(builds.items())),
                   "refunded": len(refunded), "lost": verdict.lost, "double charged": verdict.double_charged,
                   "orphan charges": verdict.orphans, "complaints": len(wrong)}
        fleet.say(f"\n{time.monotonic() - begin:.0f} s; orders by ending: {dict(verdict.endings)}")
        fleet.say("| " + " | ".join(figures) + " |\n|" + "---|" * len(figures) + "\n| "
                  + " | ".join(str(value) for value in figures.values()) + " |")
        if wrong:
            fleet.say("\n".join([*wrong[:campaign.COMPLAINTS_SHOWN], *verdict.dumps, here.fleet.log_tails()]))
        for host in here.hosts:
            host.stop()
    return not wrong


def main():
    parser = campaign.arguments(minutes=3, hosts=2)
    parser.add_argument("--every", type=float, default=3)
    given = parser.parse_args()
    if given.bounded:
        given.minutes, given.every, given.rate = BOUNDED_MINUTES, 2, 80

    def run_over(kafka):
        given.isolated = kafka if given.bounded else given.isolated  # both ways, within the test's time
        fleet.say(f"== swap: {'Kafka' if kafka else 'pglog'}, seed {given.seed}"
                  f"{', isolated' if given.isolated else ''}")
        return run(given, kafka)

    return campaign.over_buses(given, run_over)


if __name__ == "__main__":
    sys.exit(main())
