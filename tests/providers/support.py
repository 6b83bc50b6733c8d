"""What these tests share: the way to tests/support, a host with one plugin replaced, private files."""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import orderd_env  # noqa: E402  (after the path is set)


def private(folder, name, text):
    """A file that only we can read, as secrets must be."""
    path = pathlib.Path(folder) / name
    path.touch(0o600)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def plugin(host, library):
    """A plugin's library in the build under test."""
    return pathlib.Path(host.settings["plugins.dir"]) / library


def skip_without_database(case):
    if not os.environ.get("ORDERD_TEST_PG"):
        case.skipTest("no PostgreSQL: ORDERD_TEST_PG")


def judge(case, library, settings, *options):
    """orderd-plugin-check with the machine itself as its network must find nothing; its checks by name."""
    build = pathlib.Path(orderd_env.setting("ORDERD_TEST_BIN"))
    sets = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    command = [build / "plugin-api/checker/orderd-plugin-check", "--loopback", "--json", "-", *options, *sets,
               build / "plugins" / library]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    checks = {one["name"]: one for one in json.loads(ran.stdout)["checks"]}
    failed = {name: one["findings"] for name, one in checks.items() if one["result"] == "failed"}
    case.assertEqual((failed, ran.returncode), ({}, 0))
    return checks


__all__ = ["judge", "orderd_env", "plugin", "private", "skip_without_database"]
