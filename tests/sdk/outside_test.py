#!/usr/bin/env python3
"""The guide and the templates, used by somebody who has only what the package installs.

    outside_test.py BUILD_DIRECTORY

A listing of docs/plugins.md whose fence says `sh guide` is run, one that says `<language> <path>` is written
to that path, all in order, in one empty folder.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = sys.argv[1]
ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
LISTING = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(command, folder, env, expect=0):
    ran = subprocess.run(command, cwd=folder, env=env, text=True, timeout=600,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if ran.returncode != expect:
        raise AssertionError(f"{command} ended with {ran.returncode}:\n{ran.stdout}")
    return ran.stdout


class Outside(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="orderd-sdk.", dir="/var/tmp")
        cls.prefix = cls.dir + "/usr"
        install = ["cmake", "--install", BUILD, "--component", "dev", "--prefix", cls.prefix]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
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

    def check(self, library, folder):
        run(["orderd-plugin-check", library], folder, self.env)
        for scenario in ("pay", "3ds", "declined", "void", "refund", "repeat"):
            self.assertIn("as it should be", run(["orderd-plugin", "run", library, "--scenario", scenario],
                                                 folder, self.env))

    def test_a_plugin_from_the_c_template_builds_passes_the_checker_and_runs(self):
        folder = self.folder("c")
        run(["orderd-plugin", "new", "payment", "--lang", "c", "acme_pay"], folder, self.env)
        run(["cmake", "-S", "acme_pay", "-B", "build"], folder, self.env)
        run(["cmake", "--build", "build"], folder, self.env)
        self.check("build/plugins/acme_pay.so", folder)

    def test_the_c_template_needs_no_cmake(self):
        folder = self.folder("pc")
        run(["orderd-plugin", "new", "payment", "--lang", "c", "acme_pay"], folder, self.env)
        flags = f"$(pkg-config --define-variable=prefix={self.prefix} --cflags orderd-plugin)"
        script = f"cc -shared -fPIC -fvisibility=hidden {flags} acme_pay/acme_pay.c -o acme_pay.so -lpthread"
        run(["sh", "-c", script], folder, self.env)
        self.check("./acme_pay.so", folder)

    def test_a_plugin_from_the_cpp_template_builds_passes_its_own_test_the_checker_and_runs(self):
        folder = self.folder("cpp")
        run(["orderd-plugin", "new", "payment", "--lang", "cpp", "acme_pay"], folder, self.env)
        run(["cmake", "-S", "acme_pay", "-B", "build"], folder, self.env)
        run(["cmake", "--build", "build"], folder, self.env)
        run(["ctest", "--test-dir", "build", "--output-on-failure"], folder, self.env)
        self.check("build/plugins/acme_pay.so", folder)

    @unittest.skipUnless(shutil.which("cargo"), "no cargo here")
    def test_a_plugin_from_the_rust_template_builds_passes_the_checker_and_runs(self):
        folder = self.folder("rust")
        run(["orderd-plugin", "new", "payment", "--lang", "rust", "acme_pay"], folder, self.env)
        run(["cargo", "build", "--release", "--offline"], folder + "/acme_pay", self.env)
        self.check("acme_pay/target/release/libacme_pay.so", folder)

    def test_a_name_that_is_taken_or_makes_no_sense_is_refused(self):
        folder = self.folder("names")
        new = ["orderd-plugin", "new", "payment", "--lang", "c"]
        self.assertIn("[a-z][a-z0-9_]*", run(new + ["Acme-Pay"], folder, self.env, expect=1))
        run(new + ["acme"], folder, self.env)
        self.assertIn("is there already", run(new + ["acme"], folder, self.env, expect=1))

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
