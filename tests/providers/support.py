"""What these tests share: the way to tests/support, a host with one plugin replaced, private files."""

import os
import pathlib
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


__all__ = ["orderd_env", "plugin", "private", "skip_without_database"]
