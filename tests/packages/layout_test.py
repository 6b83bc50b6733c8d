#!/usr/bin/env python3
"""What the packages will hold: CMake's install components, each in a folder of its own."""

import os
import pathlib
import re
import secrets
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import orderd_env  # noqa: E402  (after the path is set)

LIMIT_S = 120
PLUGINS = {"payment_simulated": "payment-simulated", "inventory_postgres": "inventory-postgres",
           "projection_orders_read": "projection-orders-read", "payment_stripe": "payment-stripe",
           "inventory_http": "inventory-http", "projection_webhooks": "projection-webhooks"}


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False, **options)


class Components(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.build = pathlib.Path(orderd_env.setting("ORDERD_TEST_RELEASE_BIN"))
        cls.enterClassContext(folder := tempfile.TemporaryDirectory())
        cls.root = pathlib.Path(folder.name)
        for component in ("host", "dev", *PLUGINS):
            cls.install(component, cls.root / component)
            cls.install(component, cls.root / "all")
        cls.all = cls.root / "all"

    @classmethod
    def install(cls, component, folder):
        done = run("cmake", "--install", str(cls.build), "--component", component,
                   env={**os.environ, "DESTDIR": str(folder)})
        if done.returncode:
            raise AssertionError(done.stderr)

    def files(self, component):
        folder = self.root / component
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}

    def test_the_host_has_programs_units_pages_and_configuration(self):
        files = self.files("host")
        for path in ("usr/bin/orderd", "usr/bin/orderctl", "etc/orderd/orderd.properties",
                     "usr/libexec/orderd/orderd-plugin-runner", "usr/libexec/orderd/orderd-plugin-check",
                     "usr/lib/systemd/system/orderd.service", "usr/lib/systemd/system/orderd@.service",
                     "usr/lib/sysusers.d/orderd.conf", "usr/lib/tmpfiles.d/orderd.conf",
                     "usr/share/man/man1/orderctl.1", "usr/share/man/man5/orderd.properties.5",
                     "usr/share/man/man8/orderd.8", "usr/share/bash-completion/completions/orderctl",
                     "usr/share/orderd/web/index.html", "usr/share/orderd/sagas/default.json"):
            self.assertIn(path, files)
        self.assertEqual([path for path in files if path.endswith((".h", ".so", ".a"))], [])

    def test_secrets_are_root_s_alone(self):
        self.assertEqual((self.root / "host" / "etc/orderd/secrets").stat().st_mode & 0o777, 0o700)

    def test_a_plugin_is_its_library_in_the_folder_of_its_abi_and_a_snippet(self):
        for component, name in PLUGINS.items():
            self.assertEqual(self.files(component), {f"usr/lib/orderd/plugins/1/{component}.so",
                                                     f"etc/orderd/plugins-available/{name}.properties"})

    def test_with_all_snippets_linked_the_packaged_configuration_is_good(self):
        etc = self.all / "etc/orderd"
        for name in PLUGINS.values():
            (etc / "conf.d" / f"{name}.properties").symlink_to(f"../plugins-available/{name}.properties")
        key = self.root / "secret.key"
        key.write_text(secrets.token_hex(32))
        key.chmod(0o600)
        config = f"--config={etc / 'orderd.properties'}"
        done = run(str(self.all / "usr/bin/orderd"), config, "--check-config",
                   env={"ORDERD_PLUGINS_DIR": str(self.all / "usr/lib/orderd/plugins/1"),
                        "ORDERD_SAGA_DIR": str(self.all / "usr/share/orderd/sagas"),
                        "ORDERD_HTTP_WEB_DIR": str(self.all / "usr/share/orderd/web"),
                        "ORDERD_SECRETS_KEY_FILE": str(key)})
        self.assertEqual((done.returncode, done.stdout), (0, "the configuration is good\n"), done.stderr)

    def test_a_plugin_builds_with_the_dev_component_alone(self):
        source, build = orderd_env.SOURCE / "plugin-api/examples/fraud_check", self.root / "fraud"
        prefix = f"-DCMAKE_PREFIX_PATH={self.root}/dev/usr"
        for command in (["cmake", "-S", str(source), "-B", str(build), prefix],
                        ["cmake", "--build", str(build)]):
            done = run(*command)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(list(build.rglob("fraud_check.so")))

    def test_debian_and_rpm_make_the_same_packages(self):
        packaging = orderd_env.SOURCE / "packaging"
        control = (packaging / "debian/control").read_text()
        control = set(re.findall(r"^Package: (\S+)", control, re.MULTILINE))
        spec = re.findall(r"^%package (\S+)", (packaging / "rpm/orderd.spec").read_text(), re.MULTILINE)
        self.assertEqual(control, {"orderd", *(f"orderd-{name}" for name in spec)})
        rules = (packaging / "debian/rules").read_text()
        components = re.search(r"^components = (.*?)\n\n", rules, re.DOTALL | re.MULTILINE).group(1)
        self.assertEqual(set(re.findall(r":(\w+)", components)), {"host", "dev", *PLUGINS})


if __name__ == "__main__":
    unittest.main()
