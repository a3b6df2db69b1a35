"""Node's own test runner tests the chart component's JavaScript. A test without Node is skipped and says so.

With ``REDND_REQUIRE_NODE=1`` (as CI sets it) a missing Node is a failure instead.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app.charts.live_charts import SCRIPTS

HERE = Path(__file__).parent
FIRST_VERSION = 18  # the first one with a test runner


@pytest.fixture
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
    pytest.skip(f"{missing}; install it to test the charts' JavaScript")


def test_the_scripts_do_what_their_own_tests_say(node: str) -> None:
    files = sorted(map(str, HERE.glob("*.test.mjs")))
    told = subprocess.run(
        [node, "--test", *files], capture_output=True, text=True, timeout=120, check=False
    )
    assert told.returncode == 0, f"{told.stdout}\n{told.stderr}"
    passed = re.search(r"^(?:#|ℹ) pass (\d+)$", told.stdout, re.MULTILINE)
    assert passed, told.stdout
    assert int(passed[1]) >= len(files)


def test_every_script_of_the_component_is_among_those_that_are_tested() -> None:
    tested = (HERE / "scripts.mjs").read_text(encoding="utf-8")
    names = re.search(r"const NAMES = \[(.*)\];", tested)
    assert names
    assert re.findall(r'"([\w.]+)"', names[1]) == [script.name for script in SCRIPTS]
