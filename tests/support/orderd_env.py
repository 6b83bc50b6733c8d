"""What a test in Python needs for a host of its own: a database, the host as a process, JSON over HTTP, and
the status stream. Only the standard library and psql.

The environment says what to test with: ORDERD_TEST_PG is the URL of a PostgreSQL superuser, ORDERD_TEST_BIN
the build folder. Everything made here has a random name, so tests may run side by side; each class is a
context manager that takes back what it made. An instance belongs to one thread."""

import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

SOURCE = pathlib.Path(__file__).resolve().parents[2]

READY_LIMIT_S = 60
STOP_LIMIT_S = 30
REQUEST_LIMIT_S = 30
WAIT_STEP_S = 0.05
LOG_LINES_SHOWN = 40

# Below the range the kernel takes for outgoing connections, so that a host that is restarted finds its port
# free.
PORTS = range(20000, 30000)


def setting(name):
    """A variable of the environment that the tests cannot do without."""
    value = os.environ.get(name)
    if not value:
        raise SystemExit(f"{name} is not set; ./x test sets it")
    return value


def free_port():
    for port in random.sample(PORTS, 200):
        with contextlib.closing(socket.socket()) as probe:
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise RuntimeError(f"no free port between {PORTS.start} and {PORTS.stop}")


def wait_for(condition, what, limit_s=30):
    """Waits until `condition()` is true and returns its value; fails naming `what` and the last value."""
    deadline = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit_s} s for {what}; last seen: {value!r}")
        time.sleep(WAIT_STEP_S)


def with_children(parent):
    """The pid of a process and those of its direct children."""
    found = [parent]
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int((entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
    return found


class Database:
    """A database of its own on the test server, dropped at the end."""

    def __init__(self, name_prefix="test"):
        self._server = setting("ORDERD_TEST_PG")
        self.name = f"{name_prefix}_{secrets.token_hex(6)}"
        self.url = urllib.parse.urlsplit(self._server)._replace(path=f"/{self.name}").geturl()
        self._psql(self._server, f'CREATE DATABASE "{self.name}"')

    @staticmethod
    def _psql(url, sql):
        command = [
            "psql",
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
            url,
        ]
        done = subprocess.run(
            command, input=sql, capture_output=True, text=True, timeout=REQUEST_LIMIT_S, check=False
        )
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr.strip()}\n{sql}")
        return done.stdout.strip()

    def query(self, sql):
        """The rows as lines, the columns separated by '|'."""
        return self._psql(self.url, sql).splitlines()

    def drop(self):
        self._psql(self._server, f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.drop()


@dataclasses.dataclass
class Answer:
    """One HTTP answer; `body` is the parsed JSON, or the text where it is none."""

    status: int
    headers: http.client.HTTPMessage
    body: object


@dataclasses.dataclass
class Event:
    """One message of a status stream."""

    id: str
    name: str
    data: dict


class Host:
    """orderd as a process, with a folder, a port and a configuration of its own.

    `prepare()` migrates the database and puts the demo stock in; `start()` returns when the host is ready.
    The port and the data stay the same over `stop()`, `kill()` and `start()`. A setting of None takes a
    default away; `environment` is added to the process's own at its next start."""

    def __init__(self, database, settings=None):
        build = pathlib.Path(setting("ORDERD_TEST_BIN"))
        self._orderd = build / "host" / "orderd"
        self._orderctl = build / "host" / "orderctl"
        self._process = None
        self.environment = {}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="orderd-host-"))
        self.log_path = self.folder / "orderd.log"
        self.config_path = self.folder / "orderd.properties"
        key_path = self.folder / "secrets.key"
        self._write_private(key_path, secrets.token_hex(32))
        self.settings = {
            "http.address": "127.0.0.1",
            "http.port": self.port,
            "access.keys": "off",
            "http.web_dir": SOURCE / "host" / "web",
            "postgres.url": database.url,
            "bus": "pglog",
            "saga.dir": SOURCE / "config" / "sagas",
            "secrets.key_file": key_path,
            "state.dir": self.folder,
            "plugins.dir": build / "plugins",
            "plugins.store_dir": pathlib.Path(setting("ORDERD_TEST_DIR")) / "builds",
            "plugins.trusted_owner": SOURCE.stat().st_uid,
            "plugin.payment.library": "payment_simulated.so",
            "plugin.payment.settings.database": database.url,
            "plugin.inventory.library": "inventory_postgres.so",
            "plugin.orders_read.library": "projection_orders_read.so",
            **(settings or {}),
        }
        self.write_config()

    @staticmethod
    def _write_private(path, text):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text + "\n")

    def write_config(self):
        """Writes `settings` out; the host reads them at its next start."""
        self._write_private(
            self.config_path,
            "\n".join(f"{name} = {value}" for name, value in self.settings.items() if value is not None),
        )

    def orderctl(self, *arguments):
        """Runs a verb of orderctl and returns what it printed."""
        done = subprocess.run(
            [self._orderctl, f"--config={self.config_path}", *arguments],
            capture_output=True,
            text=True,
            timeout=READY_LIMIT_S,
            env=self._environment(),
            check=False,
        )
        if done.returncode:
            raise RuntimeError(
                f"orderctl {' '.join(arguments)} ended with {done.returncode}: {done.stderr or done.stdout}"
            )
        return done.stdout

    @staticmethod
    def _environment():
        """Without ORDERD_* variables of whoever runs the tests, which would override the configuration."""
        return {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("ORDERD_") or name.startswith("ORDERD_TEST_")
        }

    def prepare(self):
        self.orderctl("migrate")
        self.orderctl("stock", "demo")

    @property
    def pid(self):
        return self._process.pid

    @property
    def exit_code(self):
        """None while it runs, and when it was ended from here."""
        return self._process and self._process.poll()

    @property
    def running(self):
        return self._process is not None and self._process.poll() is None

    def log_tail(self):
        if not self.log_path.exists():
            return ""
        return "\n".join(
            self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        )

    def launch(self):
        """Starts the process without waiting for what becomes of it."""
        with open(self.log_path, "ab") as log:
            self._process = subprocess.Popen(
                [self._orderd, f"--config={self.config_path}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={**self._environment(), **self.environment},
            )
        return self

    def start(self):
        self.launch()
        try:
            wait_for(self._ready, "the host to be ready", READY_LIMIT_S)
        except BaseException:
            self.kill()
            raise
        return self

    def _ready(self):
        if not self.running:
            raise RuntimeError(
                f"orderd ended with {self._process.returncode} at its start:\n{self.log_tail()}"
            )
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get("/healthz/ready").status == 200
        return False

    def stop(self):
        """Asks the host to end, as systemd would; an exit code other than 0 (a sanitizer's, say) fails."""
        if self._process is None:
            return
        process, self._process = self._process, None
        if process.poll() is None:
            process.terminate()
        try:
            code = process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            process.wait()
            raise AssertionError(
                f"orderd did not end within {STOP_LIMIT_S} s of SIGTERM:\n{self.log_tail()}"
            ) from None
        if code:
            raise AssertionError(f"orderd ended with {code}:\n{self.log_tail()}")

    def kill(self):
        """Ends the host at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self):
        self.stop()
        return self.start()

    def remove(self):
        """Ends the host, if need be by force, and removes its folder."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def request(self, method, path, body=None, headers=None):
        """One request on a connection of its own; a `body` other than text or bytes is sent as JSON."""
        sent = {"Accept": "application/json", **(headers or {})}
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_LIMIT_S)
        with contextlib.closing(connection):
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8")
            is_json = "json" in (answer.getheader("Content-Type") or "") and text
            return Answer(answer.status, answer.headers, json.loads(text) if is_json else text)

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def post(self, path, body, headers=None):
        return self.request("POST", path, body, headers)

    def place(self, token="tok_ok", sku="SKU-0001", quantity=1, customer="c-test", unit_price=1999, **fields):
        """Places an order and returns it."""
        body = {
            "customerId": customer,
            "currency": "EUR",
            "payment": {"method": "card", "token": token},
            "items": [{"sku": sku, "quantity": quantity, "unitPrice": unit_price}],
            **fields,
        }
        answer = self.post("/api/orders", body)
        if answer.status != 201:
            raise AssertionError(f"placing was answered {answer.status}: {answer.body}")
        return answer.body

    def order(self, order_id):
        return self.get(f"/api/orders/{order_id}").body

    def wait_for_status(self, order_id, status, limit_s=30):
        def reached():
            order = self.order(order_id)
            return order if order["status"] == status else None

        return wait_for(reached, f"order {order_id} to be {status}", limit_s)

    def stream(self, order_id, last_event_id=None):
        return Stream(self.port, f"/api/orders/{order_id}/stream", last_event_id)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


class Stream:
    """A reader of server-sent events: iterate it for one Event after the other, until the stream ends."""

    def __init__(self, port, path, last_event_id=None, limit_s=REQUEST_LIMIT_S):
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = str(last_event_id)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=limit_s)
        self._connection.request("GET", path, headers=headers)
        self._answer = self._connection.getresponse()
        self.status = self._answer.status
        self.headers = self._answer.headers

    def __iter__(self):
        fields = {}
        for raw in self._answer:
            line = raw.decode("utf-8").rstrip("\r\n")
            if line and not line.startswith(":"):
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                fields[name] = f"{fields[name]}\n{value}" if name == "data" and "data" in fields else value
            elif not line:
                if "data" in fields:
                    yield Event(
                        fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"])
                    )
                fields = {}

    def close(self):
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
