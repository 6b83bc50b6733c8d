"""What a stretch of load cost: CPU time of the host and of PostgreSQL from /proc; statements, transactions,
and WAL from PostgreSQL itself. Nothing here measures by asking the host."""

import os
import pathlib
import subprocess
import time

TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
# An idle backend hands its counts over at last after this time.
STATISTICS_LATE_S = 1.2
OWN = "/* bench */"
# BEGIN and COMMIT are left out: of prepared ones pg_stat_statements sees only the first.
COUNTED = f"query not like '%{OWN}%' and query !~* '^(begin|commit|rollback)'"


class Session:
    """One psql that stays open, so that a question costs one statement and no connection."""

    def __init__(self, url):
        command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]
        command += ["--set=ON_ERROR_STOP=1", url]
        quiet = {**os.environ, "PGOPTIONS": "-c client_min_messages=warning"}
        self._psql = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=quiet
        )
        self.asked = 0

    def rows(self, sql):
        """The rows as lists of text."""
        self.asked += 1
        self._psql.stdin.write(f"{sql} {OWN};\n\\echo ~\n")
        self._psql.stdin.flush()
        rows = []
        while (line := self._psql.stdout.readline().rstrip("\n")) != "~":
            if self._psql.poll() is not None:
                raise RuntimeError(f"psql ended at: {sql}")
            if line:
                rows.append(line.split("|"))
        return rows

    def value(self, sql):
        return self.rows(sql)[0][0]

    def close(self):
        self._psql.stdin.close()
        self._psql.wait()
        self._psql.stdout.close()


def _stat(path):
    """utime + stime and the same of ended children in us, the parent, of one process or thread."""
    fields = pathlib.Path(path, "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    used = [int(ticks) * TICK_US for ticks in fields[11:15]]
    return used[0] + used[1], used[2] + used[3], int(fields[1])


def cpu_of(pid):
    return _stat(f"/proc/{pid}")[0]


def cpu_of_threads(pid):
    """{"tid name": us} of the threads that live."""
    found = {}
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name = (thread / "comm").read_text(encoding="utf-8").strip()
        found[f"{thread.name} {name}"] = _stat(thread)[0]
    return found


def cpu_of_cluster(postmaster):
    """The postmaster with its children, ended ones included."""
    own, ended, _ = _stat(f"/proc/{postmaster}")
    total = own + ended
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            used, _, parent = _stat(process)
        except OSError:
            continue
        total += used if parent == postmaster else 0
    return total


def memory_max_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return 0


class Probe:
    """Reads the counters of one database, and of one host's process if there is one, twice."""

    def __init__(self, server, database, host_pid=None):
        self._server = server
        self._database = database
        self._host = host_pid
        backend = server.value("select pg_backend_pid()")
        self._postmaster = _stat(f"/proc/{backend}")[2]
        preloaded = server.value("select setting from pg_settings where name = 'shared_preload_libraries'")
        self._statements = "pg_stat_statements" in preloaded
        if self._statements:
            server.rows("create extension if not exists pg_stat_statements")
        server.rows("checkpoint")  # everyone begins with the same full-page images to write
        self._asked = 0
        self._begin = self._read()

    def asked_elsewhere(self, count):
        """Statements that the bench itself sent to the database, to be left out."""
        self._asked += count

    def _read(self):
        time.sleep(STATISTICS_LATE_S)
        server, name = self._server, self._database
        seen = {
            "wal_bytes": int(server.value("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")),
            "transactions": int(
                server.value(f"select xact_commit from pg_stat_database where datname = '{name}'")
            ),
            "postgres_cpu_us": cpu_of_cluster(self._postmaster),
        }
        if self._statements:
            seen["statements"] = int(
                server.value(
                    "select coalesce(sum(calls), 0) from pg_stat_statements s "
                    f"join pg_database d on d.oid = dbid where datname = '{name}' and {COUNTED}"
                )
            )
        if self._host:
            seen["host_cpu_us"] = cpu_of(self._host)
            seen["threads"] = cpu_of_threads(self._host)
        return seen

    def per_order(self, orders):
        """What one of so many orders cost since the probe was made, the threads' shares besides."""
        end, begin = self._read(), self._begin
        end["transactions"] -= self._asked
        cost = {name: (end[name] - begin[name]) / max(orders, 1) for name in end if name != "threads"}
        if self._host:
            before = begin["threads"]
            used = {one: (us - before.get(one, 0)) / max(orders, 1) for one, us in end["threads"].items()}
            cost["threads"] = dict(sorted(used.items(), key=lambda one: -one[1])[:12])
            cost["memory_max_mb"] = memory_max_mb(self._host)
        return cost

    def top_statements(self, count=15):
        """[(total ms, calls, rows, WAL bytes, text)], the dearest first, over the life of the database."""
        if not self._statements:
            return []
        return self._server.rows(
            "select round(total_exec_time), calls, rows, wal_bytes, "
            "left(replace(regexp_replace(query, '\\s+', ' ', 'g'), '|', '/'), 110) "
            "from pg_stat_statements s join pg_database d on d.oid = dbid "
            f"where datname = '{self._database}' and {COUNTED} order by 1 desc limit {count}"
        )
