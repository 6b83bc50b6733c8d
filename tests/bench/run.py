#!/usr/bin/env python3
"""./x bench: what orderd does under load, beside pgbench writing the same orders plainly, on one cluster.

    accepted    closed loop against a host with roles = api
    completed   closed loop against the whole host, until all orders are final in orders_read
    sustained   the same with at most so many orders unfinished, counted at the end of the load
    latency     open loop at a steady rate
    pgbench     -M prepared, 32 clients, one transaction per order: order with lines as jsonb, event row

Machines are noisy: each kind of load has a run of pgbench right before it, ratios are taken pair by pair, and
what is shown is the median over the rounds. With ORDERD_TEST_KAFKA_TLS set, events go through that broker."""

import argparse
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "support"))

import orderd_env  # noqa: E402
import probe  # noqa: E402
import report  # noqa: E402

PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"
PGBENCH_CLIENTS = 32
PGBENCH_TABLES = """
create table orders (id uuid primary key, created timestamptz not null, body jsonb not null);
create table order_events (order_id uuid not null, version int not null, at timestamptz not null,
  payload jsonb not null, primary key (order_id, version));
"""
KINDS = ("accepted", "completed", "sustained", "latency")
FINAL = "(4, 6, 7)"  # CONFIRMED, CANCELLED, REJECTED in orders_read
FINAL_EVENTS = "(4, 7, 8)"  # ORDER_CONFIRMED, ORDER_CANCELLED, ORDER_REJECTED in order_events
WARM_UP_S = 3
BACKLOG_MAX = 2000
LATENCY_RATE_PER_S = 100
STREAM_EVERY = 5
DRAIN_LIMIT_S = 300


def percentile(values, percent):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * percent // 100)] if values else 0


class Bench:
    """The kinds of load, each on a database of its own; all are dropped together at the end, because dropping
    one makes PostgreSQL write out everything, which the next measurement would pay for."""

    def __init__(self, options, cleanup):
        self._options = options
        self._cleanup = cleanup
        self._server = probe.Session(orderd_env.setting("ORDERD_TEST_PG"))
        cleanup.callback(self._server.close)
        self.top_statements = []

    def _database(self):
        return self._cleanup.enter_context(orderd_env.Database("bench"))

    def _bus(self, database):
        """With Kafka, a topic of its own: another database's events mean nothing to this one."""
        if self._options.bus != "kafka":
            return {}
        certificates = pathlib.Path(orderd_env.setting("ORDERD_TEST_CERTS"))
        return {
            "bus": "kafka",
            "kafka.bootstrap.servers": orderd_env.setting("ORDERD_TEST_KAFKA_TLS"),
            "kafka.topic": f"orders.events.{database.name}",
            "kafka.security.protocol": "ssl",
            "kafka.ssl.ca.location": certificates / "ca.crt",
            "kafka.ssl.certificate.location": certificates / "client.crt",
            "kafka.ssl.key.location": certificates / "client.key",
        }

    @contextlib.contextmanager
    def _host(self, **settings):
        database = self._database()
        settings = {**self._bus(database), **settings, **dict(self._options.set)}
        with orderd_env.Host(database, settings) as host:
            host.prepare()
            host.start()
            session = probe.Session(database.url)
            try:
                yield host, database, session
            finally:
                session.close()

    def _driver(self, host, seconds, *more):
        command = [self._options.driver, "--port", str(host.port), "--seconds", str(seconds), *map(str, more)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _closed(self, host, seconds, name):
        return self._finish(
            self._driver(host, seconds, "--connections", self._options.connections, "--run", name)
        )

    @staticmethod
    def _finish(driver):
        out, _ = driver.communicate()
        if driver.returncode:
            raise SystemExit(f"bench: bench_load ended with {driver.returncode}")
        seen = json.loads(out)
        if seen["broken"] or seen["refused"]:
            print(f"bench: refused {seen['refused']}, broken connections {seen['broken']}", file=sys.stderr)
        return seen

    @staticmethod
    def _count_final(session):
        return int(session.value(f"select count(*) from orders_read where status in {FINAL}"))

    def _until_final(self, session, orders):
        """Waits until so many orders are final in the read model; returns the time when it saw them."""
        deadline = time.monotonic() + DRAIN_LIMIT_S
        while (final := self._count_final(session)) < orders:
            if time.monotonic() > deadline:
                raise SystemExit(f"bench: {final} of {orders} orders are final after {DRAIN_LIMIT_S} s more")
            time.sleep(0.03 if orders - final < 1000 else 0.25)
        return time.monotonic()

    def _pgbench(self, database, clients, seconds, *more):
        database.query(PGBENCH_TABLES)
        command = [PGBENCH, "-n", "-M", "prepared", "-c", clients, "-j", 2, "-T", seconds, *more]
        command += ["-f", SOURCE / "tests" / "bench" / "order.sql", database.url]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        rate = re.search(r"tps = ([0-9.]+)", done.stdout)
        if done.returncode or not rate:
            raise SystemExit(f"bench: pgbench ended with {done.returncode}: {done.stderr}")
        return float(rate[1])

    def pgbench(self):
        database = self._database()
        cost = probe.Probe(self._server, database.name)
        rate = self._pgbench(database, PGBENCH_CLIENTS, self._options.seconds)
        orders = int(database.query("select count(*) from orders")[0])
        cost.asked_elsewhere(2)
        return {"per_s": rate, "orders": orders, **cost.per_order(orders)}

    def pgbench_latency(self):
        """The same transaction at the rate of `latency`: what one commit takes on this machine now."""
        with tempfile.TemporaryDirectory(prefix="orderd-bench-") as folder:
            self._pgbench(
                self._database(),
                *(PGBENCH_CLIENTS, self._options.seconds),
                *("-R", LATENCY_RATE_PER_S, "--log", "--log-prefix", f"{folder}/log"),
            )
            logs = [file.read_text(encoding="utf-8") for file in pathlib.Path(folder).iterdir()]
        took_us = [int(line.split()[2]) for log in logs for line in log.splitlines()]
        return {"p50": percentile(took_us, 50), "p99": percentile(took_us, 99)}

    def accepted(self):
        with self._host(roles="api") as (host, database, _):
            self._closed(host, self._options.warm_up, "warm")
            cost = probe.Probe(self._server, database.name, host.pid)
            seen = self._closed(host, self._options.seconds, "main")
            return {
                "per_s": seen["placed"] / seen["us"] * 1e6,
                "orders": seen["placed"],
                "driver_cpu_us": seen["cpu_us"] / max(seen["placed"], 1),
                "accept_us": seen["accept_us"],
                **cost.per_order(seen["placed"]),
            }

    def completed(self):
        with self._host() as (host, database, session):
            warm = self._closed(host, self._options.warm_up, "warm")["placed"]
            self._until_final(session, warm)
            cost = probe.Probe(self._server, database.name, host.pid)
            asked = session.asked
            begin = time.monotonic()
            seen = self._closed(host, self._options.seconds, "main")
            took_s = self._until_final(session, warm + seen["placed"]) - begin
            cost.asked_elsewhere(session.asked - asked)
            result = {
                "per_s": seen["placed"] / took_s,
                "orders": seen["placed"],
                "accepted_per_s": seen["placed"] / seen["us"] * 1e6,
                "driver_cpu_us": seen["cpu_us"] / max(seen["placed"], 1),
                **cost.per_order(seen["placed"]),
            }
            self.top_statements = cost.top_statements()
            return result

    def sustained(self):
        """The driver is told every 0.1 s how many orders are final, and holds back when too many are not."""
        with self._host() as (host, _, session):
            warm = self._closed(host, self._options.warm_up, "warm")["placed"]
            self._until_final(session, warm)
            driver = self._driver(
                host,
                self._options.seconds,
                *("--connections", self._options.connections, "--backlog", BACKLOG_MAX),
            )
            begin = time.monotonic()
            final = 0
            while time.monotonic() < begin + self._options.seconds and driver.poll() is None:
                time.sleep(0.1)
                final = self._count_final(session) - warm
                with contextlib.suppress(BrokenPipeError):
                    print(final, file=driver.stdin, flush=True)
            took_s = time.monotonic() - begin
            seen = self._finish(driver)
            self._until_final(session, warm + seen["placed"])
            return {"per_s": final / took_s, "orders": seen["placed"]}

    def latency(self):
        with self._host() as (host, _, session):
            self._until_final(session, self._closed(host, self._options.warm_up, "warm")["placed"])
            file = host.folder / "orders"
            seen = self._finish(
                self._driver(
                    host,
                    self._options.seconds,
                    *("--rate", LATENCY_RATE_PER_S, "--stream-every", STREAM_EVERY, "--orders", file),
                )
            )
            orders = dict(line.split() for line in file.read_text(encoding="utf-8").splitlines())
            self._until_final(session, self._count_final(session))
            rows = session.rows(
                "select order_id, (extract(epoch from at) * 1000000)::bigint from order_events "
                f"where type in {FINAL_EVENTS}"
            )
            took_us = [int(at) - int(orders[order]) for order, at in rows if order in orders]
            return {
                "orders": len(orders),
                "final": len(took_us),
                "accept_us": seen["accept_us"],
                "final_us": {"p50": percentile(took_us, 50), "p99": percentile(took_us, 99)},
                "seen_us": seen["seen_us"],
            }


def measure(bench, options):
    """All rounds: {kind: [result of each round]}; "pgbench" has one result for each of a round's loads."""
    results = {"pgbench": [], **{kind: [] for kind in options.kinds}}
    for number in range(options.rounds):
        print(f"bench: round {number + 1} of {options.rounds}", file=sys.stderr)
        for kind in options.kinds:
            if kind == "latency":
                results[kind].append({"pgbench_us": bench.pgbench_latency(), **bench.latency()})
                continue
            beside = bench.pgbench()
            result = getattr(bench, kind)()
            result["ratio"] = result["per_s"] / beside["per_s"]
            results["pgbench"].append(beside)
            results[kind].append(result)
    return results


def read_options():
    build = pathlib.Path(orderd_env.setting("ORDERD_TEST_BIN"))
    raw = argparse.RawDescriptionHelpFormatter
    options = argparse.ArgumentParser(prog="./x bench", description=__doc__, formatter_class=raw)
    options.add_argument("--seconds", type=int, default=10, help="length of each load (10)")
    options.add_argument("--rounds", type=int, default=3, help="how often each load is repeated (3)")
    options.add_argument("--connections", type=int, default=64, help="of the closed loop (64)")
    options.add_argument("--quick", action="store_true", help="one round of loads of 2 s")
    options.add_argument("--bus", choices=("pglog", "kafka"), help="kafka, if a broker is there")
    options.add_argument(
        "--set",
        type=lambda text: tuple(text.split("=", 1)),
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="of the host's configuration",
    )
    options.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="only these loads")
    options.add_argument("--driver", default=build / "tests" / "bench" / "bench_load", help=argparse.SUPPRESS)
    options.add_argument("--json", type=pathlib.Path, default=SOURCE / ".orderd" / "bench.json")
    chosen = options.parse_args()
    chosen.warm_up = WARM_UP_S
    if chosen.quick:
        chosen.seconds, chosen.rounds, chosen.warm_up = 2, 1, 1
    if not chosen.bus:
        chosen.bus = "kafka" if os.environ.get("ORDERD_TEST_KAFKA_TLS") else "pglog"
    return chosen


def main():
    options = read_options()
    with contextlib.ExitStack() as cleanup:
        bench = Bench(options, cleanup)
        results = measure(bench, options)
        results["top_statements"] = bench.top_statements
    results["settings"] = {
        "bus": options.bus,
        "seconds": options.seconds,
        "rounds": options.rounds,
        "connections": options.connections,
        "cores": os.cpu_count(),
    }
    print(report.table(results))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(f"all figures: {options.json}")


if __name__ == "__main__":
    main()
