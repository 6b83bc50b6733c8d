"""Faults at random, until told to stop; then everything is made whole. One thread draws them, each runs on a
thread of its own, and one thread per host looks after it: a host that ended is started again, often with the
next fault point armed; one that stopped itself at a point goes on after longer than its lease."""

import collections
import concurrent.futures
import contextlib
import datetime
import os
import random
import re
import signal
import subprocess
import threading
import time

import database_faults
import world
from world import fleet, orderd_env

LOOK_S = 0.1
ARMED_SHARE = 0.7
POINT_STOPS_SHARE = 0.25
PASSES_MAX = 400
BEYOND_LEASE_S = 2.5
RELAUNCH_MAX_S = 2.0
WORKERS = 8
KILLED = (-signal.SIGKILL, None)

# What hurts, by weight; the names are printed.
KINDS = {"host killed": 6, "host frozen": 3, "all sessions ended": 2, "some sessions ended": 3,
         "PostgreSQL restarted": 1, "wire to PostgreSQL cut": 2, "wire to PostgreSQL hung": 1,
         "bank killed": 1, "bank frozen": 1, "wire to the bank cut": 2, "rows locked": 3, "table locked": 1,
         "PostgreSQL frozen": 1, "read-only period": 1, "disk full": 1, "broker killed": 1,
         "records deleted": 2}
NEED_KAFKA = {"broker killed", "records deleted"}


def fault_points(kafka):
    """Their names, from the source: none can be forgotten."""
    names = set()
    for path in (orderd_env.SOURCE / "host").rglob("*.cpp"):
        names |= set(re.findall(r'ORDERD_FAULT_POINT\("([a-z_.]+)"\)', path.read_text(encoding="utf-8")))
    return sorted(name for name in names if kafka or not name.startswith(("relay.", "kafka.")))


def utc():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%H:%M:%S.%f")[:-3]


class Guard:
    """One host: who may do what to it, and how often it died of what."""

    def __init__(self, host, mayhem, pick):
        self.host, self.scraper = host, world.Scraper()
        self._mayhem, self._pick = mayhem, pick
        self._lock = threading.RLock()
        self._frozen = False
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def kill(self):
        with self._lock:
            self.scraper.look(self.host)
            if self._mayhem.running:
                self.host.kill()
        time.sleep(self._pick.random() * RELAUNCH_MAX_S)
        self._launch()

    def freeze(self):
        with self._lock:
            if not self.host.running:
                return
            self._frozen = True
            pid = self.host.pid
            os.kill(pid, signal.SIGSTOP)
        time.sleep(world.LEASE_MS / 1000 + self._pick.random() * BEYOND_LEASE_S)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        self._frozen = False

    def heal(self):
        """Running, not frozen, and with no fault to come."""
        with self._lock:
            if self.host.running and "ORDERD_TEST_FAULT" not in self.host.environment:
                os.kill(self.host.pid, signal.SIGCONT)
                return
            self.host.kill()
            self._launch()

    def _launch(self):
        with self._lock:
            if self.host.running:
                return
            self.scraper.died()
            self.host.environment = self._mayhem.armed()
            self.host.launch()

    def _watch(self):
        looked = 0
        while not self._mayhem.over.wait(LOOK_S):
            with self._lock:
                code, died = self.host.exit_code, self.host.exit_code is not None
                running = self.host.running and not self._frozen
                stopped = running and fleet.is_stopped(self.host.pid)
            if died:
                self._note_death(code)
                self._launch()
            elif stopped:
                self._mayhem.reached(self.host.environment, "stop")
                self.freeze()
            elif time.monotonic() > looked + 1:
                self.scraper.look(self.host)
                looked = time.monotonic()

    def _note_death(self, code):
        if code == -signal.SIGKILL:
            self._mayhem.reached(self.host.environment, "kill")
        else:
            self._mayhem.complaints.append(f"a host ended by itself with {code}:\n{self.host.log_tail()}")


class Mayhem:
    def __init__(self, of, kafka, seed, every, only=None):
        """`every`: seconds between two faults, on the average. `only`: names of KINDS; then no fault points
        are armed."""
        self._world, self._every = of, every
        self._pick = random.Random(seed)
        self._points = fault_points(kafka)
        self._pick.shuffle(self._points)
        self._kinds = {name: weight for name, weight in KINDS.items()
                       if (kafka or name not in NEED_KAFKA) and (not only or name in only)}
        self._armed_share = 0 if only else ARMED_SHARE
        self._lock = threading.Lock()
        self._server = threading.Lock()  # one restart at a time
        self._database = database_faults.DatabaseFaults(of.postgres, of.database)
        self._turn = 0
        self.running, self.over = True, threading.Event()
        self.counts, self.points = collections.Counter(), collections.Counter()
        self.complaints, self.journal = [], []
        self.guards = [Guard(host, self, random.Random(self._pick.random())) for host in of.hosts]
        self._pool = concurrent.futures.ThreadPoolExecutor(WORKERS)
        self._begun = []

    def run(self, seconds):
        """Draws faults for that long, then heals all."""
        for guard in self.guards:
            guard.thread.start()
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self._every * self._pick.uniform(0.2, 1.8)))
            name = self._pick.choices(list(self._kinds), list(self._kinds.values()))[0]
            self._begun.append(self._pool.submit(self._hurt, name, random.Random(self._pick.random())))
        self.heal()

    def heal(self):
        self.running = False
        self._pool.shutdown()
        for one in self._begun:
            one.result()
        self.over.set()
        for guard in self.guards:
            guard.thread.join()
        self._world.bank.calm()
        for guard in self.guards:
            guard.heal()
        for host in self._world.hosts:
            orderd_env.wait_for(lambda host=host: fleet.ready(host), f"{host.url} to be ready", 60)

    def armed(self):
        """The environment of a host that starts: often with the next fault point in it."""
        with self._lock:
            if not self.running or self._pick.random() > self._armed_share:
                return {}
            self._turn += 1
            point = self._points[self._turn % len(self._points)]
            action = "stop" if self._pick.random() < POINT_STOPS_SHARE else "kill"
            passes = int(PASSES_MAX ** self._pick.random())
            return {"ORDERD_TEST_FAULT": f"{point}:{action}:{passes}"}

    def reached(self, environment, action):
        with self._lock:
            self.points[environment.get("ORDERD_TEST_FAULT", "?").split(":")[0]] += 1
            self.counts[f"{action} at a fault point"] += 1
            self.journal.append(f"{utc()} {environment.get('ORDERD_TEST_FAULT')}")

    def _hurt(self, name, pick):
        guard = pick.choice(self.guards)
        index = self.guards.index(guard)
        to_database, to_bank = self._world.wires.ports[2 * index:2 * index + 2]
        hurt = {
            "host killed": guard.kill,
            "host frozen": guard.freeze,
            "all sessions ended": lambda: self._end_sessions(1.0),
            "some sessions ended": lambda: self._end_sessions(0.3),
            "PostgreSQL restarted": lambda: self._restart(self._world.postgres, pick),
            "broker killed": lambda: self._restart(self._world.broker, pick),
            "wire to PostgreSQL cut": lambda: self._cut("cut", to_database, pick.uniform(0, 3)),
            "wire to PostgreSQL hung": lambda: self._cut("hang", to_database, pick.uniform(0.5, 8)),
            "wire to the bank cut": lambda: self._cut("cut", to_bank, pick.uniform(0, 3)),
            "bank killed": lambda: self._away_bank(pick.uniform(0, 2)),
            "bank frozen": lambda: self._freeze_bank(pick.uniform(0.5, 4)),
            "rows locked": lambda: self._database.lock_row(pick, pick.uniform(1, 8)),
            "table locked": lambda: self._database.lock_table(pick, pick.uniform(1, 6)),
            "PostgreSQL frozen": lambda: self._freeze_server(pick.uniform(0.5, 7)),
            "read-only period": lambda: self._database.read_only(pick.uniform(0.5, 5)),
            "disk full": lambda: self._database.fill_disk(pick, pick.uniform(0.5, 5)),
            "records deleted": lambda: self._world.delete_records(pick),
        }[name]
        begin = utc()
        hurt()
        with self._lock:
            self.counts[name] += 1
            self.journal.append(f"{begin} to {utc()} {name} (host {guard.host.port})")

    def _cut(self, verb, port, seconds):
        self._world.wires.hurt(verb, port, seconds)
        time.sleep(seconds)

    def _end_sessions(self, share):
        with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):  # the server may be away
            self._world.database.query(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = "
                f"current_database() and pid <> pg_backend_pid() and random() < {share}")

    def _restart(self, server, pick):
        with self._server:
            server.kill()
            time.sleep(pick.random())
            server.start()

    def _freeze_server(self, seconds):
        with self._server:
            self._database.freeze(seconds)

    def _away_bank(self, seconds):
        with self._server:
            self._world.bank.kill()
            time.sleep(seconds)
            self._world.bank.start()

    def _freeze_bank(self, seconds):
        with self._server:
            self._world.bank.freeze(True)
            time.sleep(seconds)
            self._world.bank.freeze(False)
