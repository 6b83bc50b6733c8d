"""The table of ./x bench from the results of run.py."""

import statistics

AIMS = {"accepted": 2.0, "completed": 0.6}
FINAL_P50_MS = {"pglog": 15, "kafka": 40}


def median(results, name):
    values = [one[name] for one in results if name in one]
    return statistics.median(values) if values else None


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def verdict(holds):
    return "reached" if holds else "MISSED"


def rate_rows(results):
    names = {
        "accepted": "accepted/s (roles = api)",
        "completed": "completed/s (until all are final)",
        "sustained": "completed/s (backlog bounded)",
    }
    for kind, label in names.items():
        if kind not in results:
            continue
        ratio = median(results[kind], "ratio")
        aim = AIMS.get(kind)
        told = f">= {aim} x: {verdict(ratio >= aim)}" if aim else ""
        beside = number(median(results["pgbench"], "per_s"))
        yield label, number(median(results[kind], "per_s")), beside, number(ratio, 2), told


def median_time(results, kind, part):
    return statistics.median(one[kind][part] for one in results) / 1000


def time_rows(results):
    latency = results["latency"]
    aim = FINAL_P50_MS[results["settings"]["bus"]]
    names = {
        "accept_us": "accept, ms",
        "final_us": "placed -> final event, ms",
        "seen_us": "placed -> final seen on stream, ms",
    }
    plain = [median_time(latency, "pgbench_us", part) for part in ("p50", "p99")]
    for kind, label in names.items():
        ours = [median_time(latency, kind, part) for part in ("p50", "p99")]
        told = "" if kind == "accept_us" else f"p50 <= {aim} ms: {verdict(ours[0] <= aim)}"
        for part, our, their in zip(("p50", "p99"), ours, plain):
            ratio = number(our / their, 2) if their else ""
            yield f"{label}, {part} at 100/s", number(our, 1), number(their, 1), ratio, told
            told = ""


def cost_rows(results):
    names = {
        "host_cpu_us": ("host CPU, us", 0),
        "postgres_cpu_us": ("PostgreSQL CPU, us", 0),
        "statements": ("statements", 2),
        "transactions": ("commits", 2),
        "wal_bytes": ("WAL, bytes", 0),
    }
    for kind in ("accepted", "completed"):
        for name, (label, digits) in names.items():
            if kind not in results:
                continue
            ours, theirs = median(results[kind], name), median(results["pgbench"], name)
            ratio = number(ours / theirs, 2) if ours is not None and theirs else ""
            yield f"per {kind} order: {label}", number(ours, digits), number(theirs, digits), ratio, ""
    if "completed" in results:
        memory_mb = max(one["memory_max_mb"] for one in results["completed"])
        yield "host RSS at most, MB", number(memory_mb), "", "", ""


def notes(results):
    settings = results["settings"]
    yield (
        f"bus {settings['bus']}, {settings['rounds']} rounds of {settings['seconds']} s, "
        f"{settings['connections']} connections, {settings['cores']} cores shared by host, PostgreSQL and "
        "driver; medians, ratios pair by pair with the pgbench run just before"
    )
    if "latency" in results:
        orders, final = (sum(one[name] for one in results["latency"]) for name in ("orders", "final"))
        seen = sum(one["seen_us"]["count"] for one in results["latency"])
        yield (
            f"placed -> final event: `at` of the final event less the time the request was due, {final:,} of "
            f"{orders:,} orders; its commit comes after `at`"
        )
        yield (
            f"on stream: until a client that opens the order's stream after the 201 reads the final status, "
            f"{seen:,} orders; pgbench beside: the plain transaction at the same rate"
        )
    if results["pgbench"] and median(results["pgbench"], "statements") is None:
        yield "statements: not counted, this PostgreSQL has no pg_stat_statements in shared_preload_libraries"
    yield "statements: without BEGIN and COMMIT; commits: transactions, also those that only read"


def table(results):
    rows = [("", "orderd", "pgbench", "ratio", "aim")]
    rows += rate_rows(results)
    rows += time_rows(results) if "latency" in results else []
    rows += cost_rows(results)
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [row[column].rjust(widths[column]) for column in (1, 2, 3)]
        lines.append("  ".join([*cells, row[4]]).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join([*lines, "", *(f"* {note}" for note in notes(results))])
