#!/usr/bin/env python3
"""The campaign: hosts, PostgreSQL, a bank (and Kafka), orders at a steady rate, cancellations at random
moments, and faults of every kind all the while. When they stop, every order must be final or listed as stuck
within 60 s, and all laws hold.

    campaign.py [--minutes M] [--seed S] [--kafka] [--rate N] [--hosts N] [--isolated] [--bounded]
                [--only FAULT]

A seed draws the same wishes and faults; processes meet them at moments of their own, so a failure repeats
often, not always. --bounded: a shorter form, over both buses."""

import argparse
import contextlib
import itertools
import random
import secrets
import subprocess
import sys
import threading
import time

import judge
import mayhem
import people
import world
from world import fleet, orderd_env

SETTLE_LIMIT_S = 60
REST_LIMIT_S = 300
BOUNDED_MINUTES = 0.7
OUTSTANDING_MAX = 2000
COMPLAINTS_SHOWN = 40

# Tokens by weight, and how an order may end that nobody cancels and that finds its goods.
TOKENS = {"tok_ok": (60, {"CONFIRMED"}), "tok_declined": (6, {"REJECTED"}), "tok_3ds": (8, {"CONFIRMED"}),
          "tok_3ds_refused": (3, {"REJECTED"}), "tok_capture_fails": (6, {"REJECTED"}),
          "tok_capture_pending": (5, {"CONFIRMED"}), "tok_capture_pending_fails": (3, {"REJECTED"}),
          "tok_refund_pending": (6, {"CONFIRMED"}), "tok_insufficient_funds": (3, {"REJECTED"}),
          "tok_refund_refused": (4, {"CONFIRMED"})}
CANCELLED_SHARE, SOLD_OUT_SHARE, SCARCE_SHARE = 0.2, 0.03, 0.02

# Not final and not listed, or something that is behind.
UNSETTLED = """
select (select count(*) from order_state where status not in (4, 6, 7) and attention is null),
       (select count(*) from sagas g join order_state s on s.id = g.order_id where s.attention is null),
       (select count(*) from log_shard l join positions p using (shard)
        where greatest(p.pos, 0) <> l.last and (p.consumer not like '%@%' or p.consumer like 'relay@%')),
       (select count(*) from order_state s left join orders_read r on r.order_id = s.id
        where r.version is distinct from s.version),
       (select count(*) from saga_inbox) + (select count(*) from webhook_inbox)
"""
UNSETTLED_NAMES = ("orders", "sagas", "consumers' shards", "read rows", "notices")


class Buyers(fleet.Crowd):
    """Orders at a rate, from many clients, each repeated until it is acknowledged."""

    clients, cancellers = 128, 96
    repeated_share = 0.1
    request_limit_s = 2

    def wish(self):
        pick = self._random
        token = pick.choices(list(TOKENS), [weight for weight, _ in TOKENS.values()])[0]
        draw = pick.random()
        sku = f"SKU-{pick.randrange(1, 41):04}"
        if draw < SOLD_OUT_SHARE:
            sku = "SKU-SOLD-OUT"
        elif draw < SOLD_OUT_SHARE + SCARCE_SHARE:
            sku = pick.choice(sorted(world.SCARCE))
        cancelled = pick.random() < CANCELLED_SHARE
        made = fleet.Wish(f"{secrets.token_hex(8)}-{len(self.wishes)}", token, sku, pick.randrange(1, 4),
                          pick.randrange(1, 5000),
                          pick.random() * pick.choice((0.03, 0.2, 1.5, 6)) if cancelled else None)
        self.wishes.append(made)
        return made

    def shop(self, rate, over):
        """Places `rate` orders a second until `over` is set; holds back while too many wait for an answer."""
        placed, begin = [], time.monotonic()
        for number in itertools.count():
            wait = begin + number / rate - time.monotonic()
            if (wait > 0 and over.wait(wait)) or over.is_set():
                break
            while len(placed) - OUTSTANDING_MAX >= 0 and not over.is_set():
                placed = [one for one in placed if not one.done() or one.result() is None]
                over.wait(0.05)
            placed += self.place(1)
        for one in placed:
            one.result()


def endings(wish):
    """The statuses that it may end in."""
    if wish.cancel_status in (200, 202):
        return {"CANCELLED", "REJECTED"}
    natural = {"REJECTED"} if wish.sku == "SKU-SOLD-OUT" else TOKENS[wish.token][1]
    return natural | ({"REJECTED"} if wish.sku in world.SCARCE or wish.cancel_status == 409 else set())


class Campaign:
    def __init__(self, given, kafka):
        self._given, self._kafka = given, kafka
        self._failures = []
        self._late = ""

    def run(self):
        given = self._given
        begin = time.monotonic()
        with world.World(self._kafka, given.hosts, given.seed, given.isolated) as here:
            here.fleet.start()
            buyers = Buyers(here.hosts, given.seed)
            faults = mayhem.Mayhem(here, self._kafka, given.seed + 1, given.every, given.only)
            over = threading.Event()
            shopping = threading.Thread(target=self._guarded, args=(buyers.shop, given.rate, over))
            shopping.start()
            operators, closing_time = people.People(here.hosts, given.seed + 2), threading.Event()
            at_work = threading.Thread(target=self._guarded, args=(operators.run, closing_time))
            at_work.start()
            started = time.monotonic()
            try:
                faults.run(given.minutes * 60)
            finally:
                over.set()
                shopping.join()
                closing_time.set()
                at_work.join()
                if sys.exc_info()[0]:
                    buyers.give_up()
                    fleet.say(here.fleet.log_tails())
            placed_in = time.monotonic() - started
            buyers.finish()
            settled = self._settle(here)
            verdict = judge.Verdict(here.database, here.bank.ledger, operators.decisions)
            verdict.judge({wish.order_id: endings(wish) for wish in buyers.wishes if wish.order_id})
            self._verify(here.hosts[0])
            repeated = 0
            if self._kafka:
                repeated = verdict.judge_topic(f"127.0.0.1:{here.broker.port}", world.TOPIC, here.trimmed)
            rate = len(buyers.ids()) / placed_in
            report = Report(given, self._kafka, verdict, faults, rate, settled, repeated)
            wrong = self._failures + faults.complaints + verdict.complaints
            report.show(wrong, time.monotonic() - begin)
            if wrong:
                fleet.say("\n".join(["--- faults", *sorted(faults.journal), here.fleet.log_tails()]))
            for host in here.hosts:
                host.stop()
        return not wrong

    def _guarded(self, call, *arguments):
        try:
            call(*arguments)
        except Exception as error:  # pylint: disable=broad-except  (told at the end, by the main thread)
            self._failures.append(f"a buyer: {error}")

    def _verify(self, host):
        """What an operator would ask: it must not contradict the judge."""
        try:
            host.orderctl("verify")
        except RuntimeError as error:
            self._failures.append(f"orderctl verify: {error}")

    def _settle(self, here):
        """Seconds until nothing is behind, or None. What takes too long is a failure; still, the judge has
        to see things at rest."""
        begin = time.monotonic()
        behind = {}
        while (waited := time.monotonic() - begin) < REST_LIMIT_S:
            with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
                counts = map(int, here.database.query(UNSETTLED)[0].split("|"))
                behind = dict(zip(UNSETTLED_NAMES, counts, strict=True))
                if not any(behind.values()):
                    break
            if waited > SETTLE_LIMIT_S and not self._late:
                self._late = f"not settled after {SETTLE_LIMIT_S} s; behind: {behind}"
            time.sleep(0.5)
        if not self._late:
            return waited
        self._failures.append(f"{self._late}; after {waited:.0f} s: {behind}")
        return None


class Report:
    def __init__(self, given, kafka, verdict, faults, rate, settled, repeated):
        stale = "orderd_stale_writes_refused_total"
        absorbed = {"orderd_projection_duplicates_total", "orderd_saga_stale_answers_total"}
        sums = {name: sum(guard.scraper.total(name) for guard in faults.guards)
                for name in world.Scraper.NAMES}
        self._given, self._verdict, self._faults, self._settled = given, verdict, faults, settled
        self._figures = {
            "bus": "Kafka" if kafka else "pglog",
            "seed": given.seed,
            "commit": commit(),
            "minutes": given.minutes,
            "hosts": given.hosts,
            "orders": verdict.orders,
            "orders/s": f"{rate:.0f}",
            "events": verdict.events,
            "bank calls": verdict.book.calls,
            "kills": faults.counts["host killed"] + faults.counts["kill at a fault point"],
            "faults": sum(faults.counts.values()) + sum(verdict.book.faults[name] for name in BANK_FAULTS),
            "duplicates absorbed": (verdict.book.faults["absorbed"] + repeated
                                    + sum(sums[one] for one in absorbed)),
            "stale writes refused": sums[stale],
            "settled in s": "no" if settled is None else f"{settled:.0f}",
            "stuck": len(verdict.stuck),
            "lost": verdict.lost,
            "double charged": verdict.double_charged,
            "orphan charges": verdict.orphans,
            "oversold": verdict.oversold,
        }

    def show(self, wrong, seconds):
        say, verdict = fleet.say, self._verdict
        say(f"\n{seconds:.0f} s; orders by ending: {dict(verdict.endings)}")
        say(f"faults: {dict(self._faults.counts.most_common())}")
        say(f"fault points reached: {dict(sorted(self._faults.points.items()))}")
        say(f"decided by people: {len(self._verdict.decisions)}")
        say(f"the bank's: {dict(verdict.book.faults.most_common())}")
        for name, value in self._figures.items():
            say(f"  {name:22} {value}")
        say("| " + " | ".join(self._figures) + " |")
        say("|" + "---|" * len(self._figures))
        say("| " + " | ".join(str(value) for value in self._figures.values()) + " |")
        if wrong or verdict.stuck:
            say("\n".join(verdict.dumps))
        if wrong:
            say(f"{len(wrong)} complaints:\n" + "\n".join(wrong[:COMPLAINTS_SHOWN]))
            say(f"repeat with: {repeat(self._given, self._figures['bus'])}")


BANK_FAULTS = ("late", "lost reply", "connection cut", "outage", "stored failure", "lagging query", "slow",
               "reversal", "nonsense", "totals of nothing")


def repeat(given, bus):
    return (f"./x chaos --minutes {given.minutes} --seed {given.seed} --rate {given.rate}"
            f" --hosts {given.hosts} --every {given.every}"
            + (" --kafka" if bus == "Kafka" else "") + (" --isolated" if given.isolated else "")
            + "".join(f" --only '{fault}'" for fault in given.only or ()))


def commit():
    done = subprocess.run(["git", "-C", orderd_env.SOURCE, "describe", "--always", "--dirty"],
                          capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def arguments(minutes, hosts):
    """What every campaign takes, with these defaults."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--rate", type=float, default=220)
    parser.add_argument("--hosts", type=int, default=hosts)
    parser.add_argument("--kafka", action="store_true")
    parser.add_argument("--isolated", action="store_true")
    parser.add_argument("--bounded", action="store_true")
    return parser


def over_buses(given, run):
    """The exit status of `run(kafka)` over the bus that was asked for; the bounded form goes over both."""
    fleet.prefer_release_build()
    good = True
    for kafka in [False, True] if given.bounded else [given.kafka]:
        good = run(kafka) and good
    return 0 if good else 1


def main():
    parser = arguments(minutes=5, hosts=3)
    parser.add_argument("--every", type=float, default=6, help="seconds between two faults, on the average")
    parser.add_argument("--only", metavar="FAULT", action="append", choices=sorted(mayhem.KINDS),
                        help="no other faults than these; may be given several times")
    given = parser.parse_args()
    if given.bounded:
        given.minutes, given.rate, given.hosts, given.every = BOUNDED_MINUTES, 60, 2, 2

    def run(kafka):
        fleet.say(f"== {repeat(given, 'Kafka' if kafka else 'pglog')}")
        return Campaign(given, kafka).run()

    return over_buses(given, run)


if __name__ == "__main__":
    sys.exit(main())
