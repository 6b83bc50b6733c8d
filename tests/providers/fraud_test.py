#!/usr/bin/env python3
"""A saga step of one's own, all the way: plugin-api/examples/fraud_check is built outside of the tree with
what the package gives to plugin authors, put beside the other plugins, named by one line of the saga's file,
and refuses an order before any money is asked for."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support import orderd_env

LIMIT_S = 300
PIECES_MAX = 5


def run(*command):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    if done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


class FraudCheck(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        build = pathlib.Path(orderd_env.setting("ORDERD_TEST_BIN"))
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(dir="/var/tmp")))
        example, prefix = folder / "fraud_check", folder / "usr"
        shutil.copytree(orderd_env.SOURCE / "plugin-api/examples/fraud_check", example)
        run("cmake", "--install", build, "--component", "dev", "--prefix", prefix)
        run(
            "cmake",
            "-S",
            example,
            "-B",
            folder / "build",
            f"-DCMAKE_PREFIX_PATH={prefix}",
            "-DCMAKE_BUILD_TYPE=Debug",
        )
        run("cmake", "--build", folder / "build")
        plugins = folder / "plugins"
        plugins.mkdir()
        for library in (
            folder / "build/plugins/fraud_check.so",
            build / "plugins/payment_simulated.so",
            build / "plugins/inventory_postgres.so",
            build / "plugins/projection_orders_read.so",
        ):
            shutil.copy2(library, plugins)
        os.chmod(plugins, 0o755)
        sagas = folder / "sagas"
        sagas.mkdir()
        shutil.copy2(example / "with-fraud-check.json", sagas)
        cls.database = cls.enterClassContext(orderd_env.Database("fraud"))
        cls.host = cls.enterClassContext(
            orderd_env.Host(
                cls.database,
                {
                    "plugins.dir": plugins,
                    "saga.dir": sagas,
                    "saga.default": "with-fraud-check",
                    "plugin.fraud.library": "fraud_check.so",
                    "plugin.fraud.settings.pieces_max": PIECES_MAX,
                },
            )
        )
        cls.host.prepare()
        cls.host.start()

    def test_an_order_like_any_other_passes_the_check(self):
        order = self.host.place(quantity=PIECES_MAX)["id"]
        self.host.wait_for_status(order, "CONFIRMED")

    def test_an_order_of_too_many_pieces_is_refused_before_any_money_is_asked_for(self):
        order = self.host.place(quantity=PIECES_MAX + 1)["id"]
        refused = self.host.wait_for_status(order, "REJECTED")
        self.assertEqual(refused["statusReason"]["code"], "FRAUD_SUSPECTED")
        self.assertEqual(refused["payment"]["authorized"], 0)
        asked = self.database.query(
            f"select count(*) from payment_simulated.ledger where payment_id = '{order}'"
        )
        self.assertEqual(asked, ["0"])

    def test_pieces_are_counted_over_all_lines(self):
        lines = [
            {"sku": "SKU-0001", "quantity": 3, "unitPrice": 100},
            {"sku": "SKU-0002", "quantity": 3, "unitPrice": 100},
        ]
        order = self.host.place(items=lines)["id"]
        self.host.wait_for_status(order, "REJECTED")


if __name__ == "__main__":
    unittest.main()
