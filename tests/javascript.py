"""Node's own test runner, called from pytest.

With ``REDND_REQUIRE_NODE=1`` (as CI sets it) a missing Node is a failure; elsewhere the test is skipped and
says so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

FIRST_VERSION = 18  # the first one with a test runner


def node() -> str:
    """The command that runs Node."""
    found = shutil.which("node")
    if found:
        told = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=60)
        version = re.match(r"v(\d+)", told.stdout)
        if version and int(version[1]) >= FIRST_VERSION:
            return found
    missing = f"there is no Node {FIRST_VERSION} or newer on the PATH"
    if os.environ.get("REDND_REQUIRE_NODE"):
        pytest.fail(f"REDND_REQUIRE_NODE is set, but {missing}")
    pytest.skip(f"{missing}; install it to test the JavaScript")


def run_tests(folder: Path) -> None:
    """Run every ``*.test.mjs`` of a folder; each holds at least one test."""
    files = sorted(map(str, folder.glob("*.test.mjs")))
    assert files
    told = subprocess.run(
        [node(), "--test", *files], capture_output=True, text=True, timeout=120, check=False
    )
    assert told.returncode == 0, f"{told.stdout}\n{told.stderr}"
    passed = re.search(r"^(?:#|ℹ) pass (\d+)$", told.stdout, re.MULTILINE)
    assert passed, told.stdout
    assert int(passed[1]) >= len(files)
