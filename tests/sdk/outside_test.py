#!/usr/bin/env python3
"""The guide and the templates, used by somebody who has only what the package installs.

    outside_test.py BUILD_DIRECTORY

A listing of docs/plugins.md whose fence says `sh guide` is run, one that says `<language> <path>` is written
to that path, all in order, in one empty folder.
"""

import hashlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from orderd_env import Database, Host, wait_for  # noqa: E402  (after the path is set)

BUILD = sys.argv[1]
ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
LISTING = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(command, folder, env, expect=0):
    ran = subprocess.run(command, cwd=folder, env=env, text=True, timeout=600,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if expect is not None and ran.returncode != expect:
        raise AssertionError(f"{command} ended with {ran.returncode}:\n{ran.stdout}")
    return ran.stdout


class FakeService(http.server.ThreadingHTTPServer):
    """Answers everything with an empty object, and counts."""

    def __init__(self):
        self.requests = 0
        super().__init__(("127.0.0.1", 0), FakeHandler)

    def settings(self):
        return ["--set", f"url=http://127.0.0.1:{self.server_port}/"]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class FakeHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.requests += 1
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_PUT = do_DELETE = do_POST

    def log_message(self, *_):
        pass


class Outside(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="orderd-sdk.", dir="/var/tmp")
        cls.prefix = cls.dir + "/usr"
        install = ["cmake", "--install", BUILD, "--component", "dev", "--prefix", cls.prefix]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
        cls.built = {}
        packages = [os.path.dirname(path) for path in cls.installed(".pc")]
        cls.env = {**os.environ, "PATH": cls.prefix + "/bin:" + os.environ["PATH"],
                   "CMAKE_PREFIX_PATH": cls.prefix, "PKG_CONFIG_PATH": ":".join(packages),
                   "CARGO_NET_OFFLINE": "true"}

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    @classmethod
    def installed(cls, suffix):
        return [os.path.join(folder, name) for folder, _, names in os.walk(cls.prefix) for name in names
                if name.endswith(suffix)]

    def folder(self, name):
        path = os.path.join(self.dir, name)
        os.makedirs(path)
        return path

    @classmethod
    def template(cls, lang):
        """The plugin of that template, built; its file."""
        if lang not in cls.built:
            folder = os.path.join(cls.dir, lang)
            os.makedirs(folder)
            run(["orderd-plugin", "new", "payment", "--lang", lang, "acme_pay"], folder, cls.env)
            if lang == "rust":
                run(["cargo", "build", "--release", "--offline"], folder + "/acme_pay", cls.env)
                cls.built[lang] = folder + "/acme_pay/target/release/libacme_pay.so"
            else:
                run(["cmake", "-S", "acme_pay", "-B", "build"], folder, cls.env)
                run(["cmake", "--build", "build"], folder, cls.env)
                cls.built[lang] = folder + "/build/plugins/acme_pay.so"
        return cls.built[lang]

    def check(self, library):
        run(["orderd-plugin-check", library], self.dir, self.env)
        for scenario in ("pay", "3ds", "declined", "void", "refund", "repeat"):
            self.assertIn("as it should be", run(["orderd-plugin", "run", library, "--scenario", scenario],
                                                 self.dir, self.env))

    def test_a_plugin_from_the_c_template_builds_passes_the_checker_and_runs(self):
        self.check(self.template("c"))

    def test_the_c_template_needs_no_cmake(self):
        folder = self.folder("pc")
        run(["orderd-plugin", "new", "payment", "--lang", "c", "acme_pay"], folder, self.env)
        flags = "$(pkg-config --cflags orderd-plugin)"
        script = f"cc -shared -fPIC -fvisibility=hidden {flags} acme_pay/acme_pay.c -o acme_pay.so -lpthread"
        run(["sh", "-c", script], folder, self.env)
        self.check(folder + "/acme_pay.so")

    def test_a_cpp_plugin_needs_no_cmake_and_is_told_of_the_map(self):
        folder = self.folder("pc_cpp")
        run(["orderd-plugin", "new", "payment", "--lang", "cpp", "acme_pay"], folder, self.env)
        build = ("g++ -O2 -std=c++17 -shared -fPIC -fvisibility=hidden $(pkg-config --cflags orderd-plugin) "
                 "acme_pay/acme_pay.cpp -o acme_pay.so -lpthread")
        run(["sh", "-c", build], folder, self.env)
        judge = ["orderd-plugin-check", "--only", "entry.", "acme_pay.so"]
        told = run(judge, folder, self.env, expect=1)
        script = re.search(r"-Wl,--version-script=(/\S+plugin\.map)", told).group(1)
        mapfile = run(["pkg-config", "--variable=mapfile", "orderd-plugin"], folder, self.env).strip()
        self.assertEqual(os.path.realpath(mapfile), script)
        run(["sh", "-c", build + " -Wl,--version-script=" + script], folder, self.env)
        run(judge, folder, self.env)

    def test_a_plugin_from_the_cpp_template_builds_passes_its_own_test_the_checker_and_runs(self):
        library = self.template("cpp")
        run(["ctest", "--test-dir", self.dir + "/cpp/build", "--output-on-failure"], self.dir, self.env)
        self.check(library)

    @unittest.skipUnless(shutil.which("cargo"), "no cargo here")
    def test_a_plugin_from_the_rust_template_builds_passes_the_checker_and_runs(self):
        self.check(self.template("rust"))

    def test_the_templates_serve_a_shop_one_after_the_other_without_a_restart(self):
        # Rust's takes no webhooks, and so cannot replace one that does.
        languages = ["rust"] * bool(shutil.which("cargo")) + ["c", "cpp"]
        plugins = pathlib.Path(self.folder("plugins"))
        for name in ("inventory_postgres.so", "projection_orders_read.so"):
            shutil.copy2(os.path.join(BUILD, "plugins", name), plugins)
        for lang in languages:
            shutil.copy2(self.template(lang), plugins / f"acme_{lang}.so")
        settings = {"plugins.dir": plugins, "plugins.store_dir": self.folder("builds"),
                    "plugin.payment.library": f"acme_{languages[0]}.so",
                    "plugin.payment.settings.database": None}
        with unittest.mock.patch.dict(os.environ, {"PATH": self.env["PATH"]}), \
                Database("sdk") as database, Host(database, settings) as host:
            host.prepare()
            host.start()
            for lang in languages:
                digest = hashlib.sha256((plugins / f"acme_{lang}.so").read_bytes()).hexdigest()
                if lang != languages[0]:
                    host.orderctl("plugin", "install", "payment", plugins / f"acme_{lang}.so")
                    told = host.orderctl("plugin", "switch", "payment", digest, "--reason", lang)
                    self.assertIn("1 of 1 hosts send new orders to it", told)
                    self.assertTrue(self.is_current(host, digest), lang)
                order = host.place()["id"]
                host.wait_for_status(order, "CONFIRMED")
                self.assertIn(digest[:12], json.dumps(host.get(f"/api/admin/sagas/{order}").body))
                host.post(f"/api/orders/{order}/cancel", {})
                self.assertEqual(host.wait_for_status(order, "CANCELLED")["payment"]["status"], "REFUNDED")
            if "rust" in languages:
                first = hashlib.sha256((plugins / "acme_rust.so").read_bytes()).hexdigest()
                with self.assertRaisesRegex(RuntimeError, "goes on with the old build: .*webhook"):
                    host.orderctl("plugin", "switch", "payment", first, "--reason", "back to the first")
                order = host.place()["id"]
                host.wait_for_status(order, "CONFIRMED")
                self.assertIn(digest[:12], json.dumps(host.get(f"/api/admin/sagas/{order}").body))
                host.orderctl("plugin", "rollback", "payment", "--reason", "as it was")

    @staticmethod
    def is_current(host, digest):
        builds = json.loads(host.orderctl("plugin", "list", "payment", "-o", "json"))
        return any(one["digest"] == digest and one["use"] == "current" and one["hosts"] == 1
                   for one in builds)

    def test_a_name_that_is_taken_or_makes_no_sense_is_refused(self):
        folder = self.folder("names")
        new = ["orderd-plugin", "new", "payment", "--lang", "c"]
        self.assertIn("[a-z][a-z0-9_]*", run(new + ["Acme-Pay"], folder, self.env, expect=2))
        for taken in ("int", "class", "crate", "test", "all", "install", "clean", "help", "payment"):
            self.assertIn("choose another", run(new + [taken], folder, self.env, expect=2))
        run(new + ["acme"], folder, self.env)
        self.assertIn("is there already", run(new + ["acme"], folder, self.env, expect=1))

    def test_run_tells_in_one_line_what_a_plugin_does_to_it(self):
        zoo = BUILD + "/plugins/zoo/zoo_"
        cut = self.folder("cut") + "/cut.so"
        whole = pathlib.Path(zoo + "sound.so").read_bytes()
        pathlib.Path(cut).write_bytes(whole[:len(whole) // 4])
        for arguments, words, status in (
                ([zoo + "exits_in_init.so"], r"ended the process \(exit\) inside init\(\)", 1),
                ([zoo + "exits_in_execute.so"], r"ended the process \(exit\) inside execute\(\)", 1),
                ([zoo + "short_descriptor.so"], "its descriptor is missing", 1),
                ([zoo + "tx_sound.so", "--action", "stamps.give"], "it is a transactional step", 1),
                ([zoo + "hangs_in_init.so", "--timeout", "1"], r"it hangs.*init\(\)", 1),
                ([BUILD + "/plugins/projection_orders_read.so"], "it is no step", 1),
                ([cut], "orderd-plugin: ", 1),
                ([zoo + "sound.so", "--amount", "abc"], "--amount takes a number", 2),
                ([zoo + "sound.so", "--scenario", "step"], "needs the action", 2),
                ([zoo + "sound.so", "--no", "x"], "unknown option", 2),
                ([zoo + "sound.so", "--metadata", "7"], "--metadata takes a JSON object", 2)):
            with self.subTest(arguments):
                # A sanitizer would take the signal of the file that is cut short, and write a page about it.
                env = {**self.env, "ASAN_OPTIONS": self.env.get("ASAN_OPTIONS", "") + ":handle_sigbus=0"}
                ran = subprocess.run(["orderd-plugin", "run", *arguments], env=env, text=True,
                                     capture_output=True, timeout=60)
                self.assertEqual(ran.returncode, status)
                self.assertRegex(ran.stderr, words)
                self.assertEqual(ran.stderr.count("\n"), 1, ran.stderr)

    def test_retry_is_not_what_a_declined_payment_should_be(self):
        told = run(["orderd-plugin", "run", BUILD + "/plugins/zoo/zoo_always_retries.so", "--scenario",
                    "declined"], self.dir, self.env, expect=1)
        self.assertIn("declined: not as it should be", told)

    def test_run_reaches_a_test_server_on_the_loopback_if_it_is_let(self):
        service = FakeService()
        with service:
            words = ["orderd-plugin", "run", BUILD + "/plugins/inventory_http.so", "--action",
                     "inventory.reserve", "--timeout", "20", *service.settings()]
            self.assertNotIn("DONE", run(words, self.dir, self.env, expect=1))
            self.assertEqual(service.requests, 0)
            run(words + ["--loopback"], self.dir, self.env, expect=None)
            self.assertGreater(service.requests, 0)

    def test_the_package_says_which_abi_it_is(self):
        major = run(["pkg-config", "--variable=abi", "orderd-plugin"], self.dir, self.env)
        with open(os.path.join(ROOT, "plugin-api/include/orderd/abi.h")) as file:
            self.assertEqual(major.strip(), re.search(r"ORDERD_ABI_MAJOR (\d+)u", file.read()).group(1))

    def test_the_guide_can_be_followed_to_its_end(self):
        folder = self.folder("guide")
        with open(os.path.join(ROOT, "docs/plugins.md")) as file:
            listings = LISTING.findall(file.read())
        self.assertGreater(len(listings), 5)
        for language, what, text in listings:
            if (language, what) == ("sh", "guide"):
                run(["bash", "-euo", "pipefail", "-c", text], folder, self.env)
                continue
            path = os.path.join(folder, what)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
