"""What a campaign is made of: a PostgreSQL and a broker of its own, a bank, wires that can be cut between
them and the hosts, and the hosts. Each can be hurt from any thread; `heal()` makes all of it whole again."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))

import fleet  # noqa: E402  (after the path is set)
import laws  # noqa: E402,F401  (for the judge)
import orderd_env  # noqa: E402
import servers  # noqa: E402
from orderd_env import free_port, setting, wait_for  # noqa: E402

KEY_WINDOW_MS = 20_000
LEASE_MS = 4_000
SCARCE = {f"SCARCE-{number}": 40 for number in range(1, 6)}
BANK_LIMIT_S = 60
SCRAPE_LIMIT_S = 2
TOPIC, PARTITIONS = "chaos.orders", 8
TRIM_LIMIT_S = 60


class Bank:
    """chaos_bank as a process; its ledger outlives it."""

    def __init__(self, folder, seed):
        self.ledger = folder / "bank.jsonl"
        self.port = free_port()
        self.secret = secrets.token_hex(16)
        self.tells = []  # ports of hosts
        self._seed = seed
        self._calm = False
        self._lives = 0
        self._process = None
        self._lock = threading.Lock()

    def start(self):
        with self._lock:
            self._lives += 1
            command = [pathlib.Path(setting("ORDERD_TEST_BIN")) / "tests" / "chaos" / "chaos_bank",
                       "--ledger", self.ledger, "--port", str(self.port),
                       "--seed", str(self._seed + self._lives), "--key-window-ms", str(KEY_WINDOW_MS)]
            if self.tells:
                command += ["--webhook-ports", ",".join(map(str, self.tells)), "--webhook-path",
                            "/api/webhooks/payment", "--webhook-secret", self.secret]
            self._process = subprocess.Popen([*command, *(["--calm"] if self._calm else [])],
                                             stdin=subprocess.DEVNULL)
        wait_for(self._listens, "the bank to listen", BANK_LIMIT_S)

    def _listens(self):
        if self._process.poll() is not None:
            raise AssertionError(f"chaos_bank ended with {self._process.returncode}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def kill(self):
        with self._lock:
            if self._process:
                self._process.kill()
                self._process.wait()

    def freeze(self, frozen):
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def calm(self):
        """No more faults: what is pending comes to its end, new calls are answered at once."""
        self._calm = True
        with socket.create_connection(("127.0.0.1", self.port), BANK_LIMIT_S) as connection:
            connection.sendall(b'{"id":1,"op":"calm"}\n')
            json.loads(connection.makefile().readline())


class Wires:
    """The proxies: one to PostgreSQL and one to the bank for each host."""

    def __init__(self, targets):
        self.ports = [free_port() for _ in targets]
        words = [f"{port}:{target}" for port, target in zip(self.ports, targets, strict=True)]
        cutter = pathlib.Path(setting("ORDERD_TEST_BIN")) / "tests" / "chaos" / "chaos_cutter"
        self._process = subprocess.Popen([cutter, *words], text=True, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)
        self._lock = threading.Lock()
        self._process.stdout.readline()

    def hurt(self, verb, port, seconds):
        with self._lock:
            self._process.stdin.write(f"{verb} {port} {seconds:.3f}\n")
            self._process.stdin.flush()

    def close(self):
        self._process.stdin.close()
        self._process.wait()


class Scraper:
    """Sums of a host's counters over all its lives, as far as they were seen before each death."""

    NAMES = ("orderd_stale_writes_refused_total", "orderd_saga_stale_answers_total",
             "orderd_projection_duplicates_total")

    def __init__(self):
        self._past = dict.fromkeys(self.NAMES, 0)
        self._now = dict.fromkeys(self.NAMES, 0)

    def look(self, host):
        connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=SCRAPE_LIMIT_S)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
            for name in self.NAMES:
                if found := re.search(rf"^{name} (\d+)", text, re.MULTILINE):
                    self._now[name] = int(found[1])

    def died(self):
        self._past = {name: self._past[name] + self._now[name] for name in self.NAMES}
        self._now = dict.fromkeys(self.NAMES, 0)

    def total(self, name):
        return self._past[name] + self._now[name]


class World(contextlib.ExitStack):
    """All of it, running. Leaving it ends everything."""

    def __init__(self, kafka, hosts, seed, isolated=False):
        super().__init__()
        self._isolated = isolated
        self._kafka, self._count, self._seed = kafka, hosts, seed
        self.broker = None
        self.trimmed = False  # whether the topic lacks records that it had

    def __enter__(self):
        super().__enter__()
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def _build(self):
        name = f"chaos-{'kafka' if self._kafka else 'pglog'}-{os.getpid()}-{self._seed}"
        self.folder = pathlib.Path(setting("ORDERD_TEST_DIR")) / name
        self.folder.mkdir()
        self.postgres = servers.Server()
        self.callback(self.postgres.end)
        self.database = orderd_env.Database("chaos")
        bus = self._bus() if self._kafka else {}
        self.bank = Bank(self.folder, self._seed)
        self.callback(self.bank.kill)
        port = urllib.parse.urlsplit(self.database.url).port
        self.wires = Wires([port, self.bank.port] * self._count)
        self.callback(self.wires.close)
        settings = {"lease_ms": LEASE_MS, "plugin.payment.library": "bank_client.so",
                    "plugin.payment.settings.database": None,
                    "plugin.payment.settings.port": self.bank.port,
                    "plugin.payment.settings.key_window_ms": KEY_WINDOW_MS,
                    "plugin.payment.settings.webhook_secret": self.bank.secret,
                    "plugin.payment.isolation": "process" if self._isolated else "none", **bus}
        self.fleet = self.enter_context(fleet.Fleet(self.database, settings, hosts=self._count))
        self.hosts = self.fleet.hosts
        for index, host in enumerate(self.hosts):
            to_database, to_bank = self.wires.ports[2 * index:2 * index + 2]
            host.settings["postgres.url"] = self.database.url.replace(f":{port}/", f":{to_database}/")
            host.settings["plugin.payment.settings.port"] = to_bank
            host.write_config()
        self.bank.tells = [host.port for host in self.hosts]
        self.bank.start()
        self._scarce()

    def _bus(self):
        self.broker = servers.Broker(setting("ORDERD_TEST_CERTS"))
        self.callback(self.broker.end)
        self.broker.start()
        return fleet.kafka_settings(self.broker.address, TOPIC)

    def delete_records(self, pick):
        """Of some partitions of the topic, all that is in them; nothing while the broker is away."""
        trimmer = pathlib.Path(setting("ORDERD_TEST_BIN")) / "tests" / "chaos" / "chaos_trimmer"
        for partition in pick.sample(range(PARTITIONS), PARTITIONS // 2):
            done = subprocess.run([trimmer, f"127.0.0.1:{self.broker.port}", TOPIC, str(partition)],
                                  check=False, capture_output=True, timeout=TRIM_LIMIT_S)
            self.trimmed = self.trimmed or done.returncode == 0

    def _scarce(self):
        rows = self.folder / "scarce.csv"
        rows.write_text("".join(f"{sku},Scarce,100,EUR,{count}\n" for sku, count in SCARCE.items()))
        self.hosts[0].orderctl("stock", "import", rows)
