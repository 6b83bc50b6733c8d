"""The whole bench in its shortest form: all that was placed becomes final, the table is printed. Times are
not judged. usage: smoke_test.py BENCH_LOAD"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
DRIVER = sys.argv.pop() if len(sys.argv) > 1 else None


class Smoke(unittest.TestCase):
    def test_a_quick_run_places_orders_that_become_final_and_prints_the_table(self):
        with tempfile.TemporaryDirectory(prefix="orderd-bench-") as folder:
            figures = pathlib.Path(folder) / "bench.json"
            command = [sys.executable, "-B", HERE / "run.py", "--quick", "--bus", "pglog", "--json", figures]
            command += ["--driver", DRIVER] if DRIVER else []
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            results = json.loads(figures.read_text(encoding="utf-8"))
        for kind in ("pgbench", "accepted", "completed", "sustained"):
            for one in results[kind]:
                self.assertGreater(one["orders"], 0, kind)
        (latency,) = results["latency"]
        self.assertGreater(latency["orders"], 0)
        self.assertEqual(latency["final"], latency["orders"])
        self.assertGreater(latency["seen_us"]["count"], 0)
        for line in ("accepted/s", "completed/s", "placed -> final event", "per completed order: WAL, bytes"):
            self.assertIn(line, done.stdout)


if __name__ == "__main__":
    unittest.main()
