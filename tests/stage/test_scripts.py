"""Node's own test runner tests what of the stage's JavaScript needs no browser."""

from __future__ import annotations

import re
from pathlib import Path

from rednd_core.stage import SCRIPTS
from tests import javascript

HERE = Path(__file__).parent


def test_the_scripts_do_what_their_own_tests_say() -> None:
    javascript.run_tests(HERE)


def test_every_script_of_the_stage_is_among_those_that_are_tested() -> None:
    names = re.search(r"const NAMES = \[(.*)\];", (HERE / "stage.test.mjs").read_text("utf-8"))
    assert names
    assert tuple(re.findall(r'"([\w.]+)"', names[1])) == SCRIPTS
